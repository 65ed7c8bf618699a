"""`fewshot duplicates`: exact and near copies among the images of a data set."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fewshot.commands import _options
from fewshot.commands._answers import NOT_WRITTEN, answer, json_option
from fewshot.commands._data_request import DataRequest
from fewshot.commands._names import NameOf
from fewshot.plugins.wording import counted

if TYPE_CHECKING:
    from fewshot.datasets.duplicates import Duplicates
    from fewshot.plugins.spec import Spec
    from fewshot.runs.sizes import Data
    from fewshot.runs.workbench import Workbench

_LINES = 20  # printed pairs


@click.command("duplicates", short_help="Find exact and near copies of images.")
@_options.takes(data=DataRequest)
@click.option(
    "--least",
    type=_options.Number(0, 1, min_open=True),
    default=0.97,
    help="Report pairs of at least this similarity, in (0, 1].",
)
@click.option("--most", type=click.IntRange(min=1), default=100, help="List this many pairs, the worst ones first.")
@click.option(
    "--backbone",
    type=NameOf("backbones"),
    metavar="NAME|SPEC",
    help="Compare features of this network instead of small pictures.",
)
@click.option("--out", type=_options.FILE, help="Write the pairs as a page (.html) or picture (.png).")
@click.option("--fail", is_flag=True, help="Exit with code 1 if there is any pair, for scripts.")
@_options.dry_run_option
@json_option
def command(
    data: DataRequest,
    least: float,
    most: int,
    backbone: str | None,
    out: Path | None,
    fail: bool,
    dry_run: bool,
) -> int:
    """Find images of the chosen classes that occur twice: within a class, across classes, or again in a class of
    another part of the split, such as a seen class."""
    from fewshot.plugins.member_field import member
    from fewshot.plugins.registry import BACKBONES
    from fewshot.report.pictures.duplicates import check_out, place, words, write_duplicates
    from fewshot.runs.workbench import Workbench

    bench = Workbench()
    opened, network = data.open(bench), None if backbone is None else member(BACKBONES, backbone)
    if out is not None:
        check_out(out, opened.images)
    if dry_run:
        n_images = len(opened.images)
        answer(f"would compare up to {counted(n_images, 'image')}{NOT_WRITTEN}", {"n_images": n_images, "file": out})
        return 0
    duplicates = _duplicates(opened, least, most, network, bench)
    summary = _summary(duplicates, data.classes, least)
    if out is not None:
        write_duplicates(duplicates, opened.images, summary, out)
    names = [(place(opened.images, pair.first), place(opened.images, pair.second)) for pair in duplicates.pairs]
    lines = [f"{words(pair)}: {one} | {other}" for pair, (one, other) in zip(duplicates.pairs, names, strict=True)]
    more = [f"... {duplicates.total - _LINES:,} more"] if duplicates.total > _LINES else []
    text = "\n".join([*lines[:_LINES], *more, summary, *([f"pictures: {out}"] if out else [])])
    listed = [asdict(pair) | {"names": both} for pair, both in zip(duplicates.pairs, names, strict=True)]
    answer(text, {"exact": duplicates.exact, "near": duplicates.near, "pairs": listed, "pictures": out})
    return 1 if fail and duplicates.total else 0


def _duplicates(opened: Data, least: float, most: int, backbone: Spec | None, bench: Workbench) -> Duplicates:
    import numpy as np

    from fewshot.datasets.duplicates import find_duplicates
    from fewshot.splits import PARTS

    images, vectors = opened.images, None
    members = {part: getattr(opened.split, part) for part in PARTS if opened.classes not in (part, "all")}
    others = {p: np.array([images.class_names.index(n) for n in names]) for p, names in members.items() if names}
    if backbone is not None:
        network = bench.backbone(backbone).to(None).on(images)
        kept = [opened.labels, *others.values()]
        rows = np.flatnonzero(np.isin(images.labels, np.concatenate(kept)))
        table = bench.features(images, network, rows, "float32")

        def vectors(wanted: np.ndarray) -> np.ndarray:
            return table.gather(wanted).numpy()

    return find_duplicates(images, opened.labels, others, least, most, vectors)


def _summary(duplicates: Duplicates, classes: str, least: float) -> str:
    """The number of pairs of each kind."""
    from fewshot.datasets.duplicates import ACROSS, WITHIN

    def name(kind: str) -> str:
        return kind if kind in (WITHIN, ACROSS) else f"between {classes} and {kind} classes"

    kinds = dict.fromkeys([WITHIN, ACROSS, *duplicates.exact, *duplicates.near])
    counts = [
        f"{duplicates.exact.get(kind, 0):,} exact and {duplicates.near.get(kind, 0):,} near {name(kind)}"
        for kind in kinds
    ]
    return f"{counted(duplicates.total, 'pair')} of similar images (similarity {least:g} or more): {', '.join(counts)}"
