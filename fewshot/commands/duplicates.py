"""`fewshot duplicates`: images that are there twice, exactly or nearly."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fewshot.commands import _options
from fewshot.commands._answers import NOT_WRITTEN, answer, json_option

if TYPE_CHECKING:
    from fewshot.commands._request import Data
    from fewshot.datasets.duplicates import Duplicates
    from fewshot.runs.pipeline import Workbench

_LINES = 20  # pairs that are printed


@click.command("duplicates", short_help="Images that are there twice, exactly or nearly.")
@_options.data_options
@click.option("--least", type=float, default=0.97, help="Similarity from which images count as alike, in (0, 1].")
@click.option("--most", type=click.IntRange(min=1), default=100, help="How many pairs to list, the worst ones first.")
@click.option("--backbone", metavar="NAME|SPEC", help="Compare its features instead of small pictures.")
@click.option("--out", type=_options.FILE, help="Page (.html) or picture (.png) of the pairs to write.")
@click.option("--fail", is_flag=True, help="Exit with 1 where any pair is found, for scripts.")
@_options.dry_run_option
@json_option
def command(
    data: str,
    split: str | None,
    classes: str,
    least: float,
    most: int,
    backbone: str | None,
    out: Path | None,
    fail: bool,
    dry_run: bool,
) -> int:
    """Find images of the classes that episodes are drawn from that are there twice: within a class, across classes, or
    again in a class of another part of the split, such as seen."""
    from fewshot.commands._request import open_data
    from fewshot.report.pictures.duplicates import check_out, place, words, write_duplicates
    from fewshot.runs.pipeline import Workbench

    bench = Workbench()
    opened = open_data(data, split, classes, bench)
    if out is not None:
        check_out(out, opened.images)
    if dry_run:
        n_images = len(opened.images)
        answer(f"up to {n_images} images would be compared{NOT_WRITTEN}", {"n_images": n_images, "file": out})
        return 0
    found = _found(opened, classes, least, most, backbone, bench)
    summary = _summary(found, classes, least)
    if out is not None:
        write_duplicates(found, opened.images, summary, out)
    names = [(place(opened.images, pair.first), place(opened.images, pair.second)) for pair in found.pairs]
    lines = [f"{words(pair)}: {one} | {other}" for pair, (one, other) in zip(found.pairs, names, strict=True)]
    more = [f"... {found.total - _LINES} more"] if found.total > _LINES else []
    told = [*lines[:_LINES], *more, summary, *([f"pictures: {out}"] if out else [])]
    listed = [asdict(pair) | {"names": both} for pair, both in zip(found.pairs, names, strict=True)]
    answer("\n".join(told), {"exact": found.exact, "near": found.near, "pairs": listed, "pictures": out})
    return 1 if fail and found.total else 0


def _found(opened: Data, classes: str, least: float, most: int, backbone: str | None, bench: Workbench) -> Duplicates:
    import numpy as np

    from fewshot.datasets.duplicates import find_duplicates
    from fewshot.plugins.member_field import member
    from fewshot.plugins.registry import BACKBONES
    from fewshot.splits import PARTS

    images, vectors = opened.images, None
    members = {part: getattr(opened.split, part) for part in PARTS if classes not in (part, "all")}
    others = {p: np.array([images.class_names.index(n) for n in names]) for p, names in members.items() if names}
    if backbone is not None:
        network = bench.backbone(member(BACKBONES, backbone)).to(None).on(images)
        kept = [opened.labels, *others.values()]
        rows = np.flatnonzero(np.isin(images.labels, np.concatenate(kept)))
        table = bench.features(images, network, rows, "float32")

        def vectors(wanted: np.ndarray) -> np.ndarray:
            return table.gather(wanted).numpy()

    return find_duplicates(images, opened.labels, others, least, most, vectors)


def _summary(found: Duplicates, classes: str, least: float) -> str:
    """How many pairs there are of each kind."""
    from fewshot.datasets.duplicates import ACROSS, WITHIN

    def told(kind: str) -> str:
        return kind if kind in (WITHIN, ACROSS) else f"between {classes} and {kind} classes"

    kinds = dict.fromkeys([WITHIN, ACROSS, *found.exact, *found.near])
    counts = [f"{found.exact.get(kind, 0)} exact and {found.near.get(kind, 0)} near {told(kind)}" for kind in kinds]
    return f"{found.total} pairs of images alike (near: {least:g} or more): {', '.join(counts)}"
