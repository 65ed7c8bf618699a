"""`fewshot features`: the features of a data set, computed and kept ahead of the runs that need them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fewshot.commands import _options
from fewshot.commands._answers import answer, json_option
from fewshot.commands._plan import PlannedEmbedding, duration, embedding, embedding_lines
from fewshot.commands._rates import remember_embedding

if TYPE_CHECKING:
    from fewshot.datasets import LabelledImages
    from fewshot.episodes.episodes import Ints
    from fewshot.features.table import FeatureTable


@click.command("features", short_help="Embed the images of a data set ahead of runs.")
@click.option("--data", required=True, metavar="FOLDER|SPEC", help="A folder of class folders, or a data set.")
@click.option("--backbone", metavar="NAME|SPEC", help="Default: tf_efficientnet_lite0.")
@click.option(
    "--rows", type=click.Choice(["all", "seen", "validation", "novel"]), default="all", help="Images of which classes."
)
@click.option("--split", metavar="SPEC", help="Rule for seen and novel classes, where it is not the data set's own.")
@click.option("--dtype", type=click.Choice(["float32", "bfloat16"]), default="float32", help="Of the backbone.")
@click.option("--device", metavar="DEVICE", help="Where the network runs, such as cuda; the best there is.")
@click.option(
    "--similarity",
    type=_options.FILE,
    metavar="FILE",
    help="CSV file to write: how alike the classes are, for --sampler \"SimilarityTestbed('FILE', 'hard')\".",
)
@_options.dry_run_option
@json_option
def command(
    data: str,
    backbone: str | None,
    rows: str,
    split: str | None,
    dtype: str,
    device: str | None,
    similarity: Path | None,
    dry_run: bool,
) -> int:
    """Put the images of a data set through a backbone once; runs take the features from there."""
    import numpy as np

    from fewshot.commands._request import open_data, usual_backbone
    from fewshot.features.table import feature_table
    from fewshot.plugins.member_field import member
    from fewshot.plugins.registry import BACKBONES
    from fewshot.runs.pipeline import Workbench

    bench = Workbench(device=device)
    opened = open_data(data, split, rows, bench)
    spec = member(BACKBONES, backbone or usual_backbone(opened.images))
    used = np.isin(opened.images.labels, opened.labels)
    if dry_run:
        return _dry_run(embedding(spec, opened.dataset.text, dtype, opened.images, used, bench))
    network, wanted = bench.backbone(spec).to(device).on(opened.images), np.flatnonzero(used)
    table = feature_table(opened.images, network, wanted, dtype=dtype, progress=True)
    remember_embedding(spec.text, dtype, network.device.type, table.n_embedded, table.seconds)
    if similarity is not None:
        _write_similarity(similarity, opened.images, wanted, table)
    values = {"key": table.key, "folder": table.folder, "n_images": len(wanted), "dim": network.dim}
    cost = {"n_embedded": table.n_embedded, "seconds": table.seconds}
    lines = _lines(spec.text, table, len(wanted)) + ([f"similarity {similarity}"] if similarity else [])
    answer(
        "\n".join(lines), {"backbone": spec.text} | values | cost | ({"similarity": similarity} if similarity else {})
    )
    return 0


def _dry_run(planned: PlannedEmbedding) -> int:
    """Answers with what would be embedded; the exit code."""
    answer(f"{embedding_lines([planned])[0]}; {duration(planned.seconds)}", asdict(planned))
    return 1 if planned.problem else 0


def _write_similarity(file: Path, images: LabelledImages, rows: Ints, table: FeatureTable) -> None:
    from fewshot.datasets.class_similarity import ClassSimilarity
    from fewshot.files.atomic import write_atomically

    made = ClassSimilarity.of(images, rows, lambda part: table.gather(part).numpy())
    write_atomically(file, made.to_csv().encode())


def _lines(backbone: str, table: FeatureTable, n_rows: int) -> list[str]:
    """What was computed, what was there already, and where it is."""
    rate = f" in {table.seconds:.1f} s, {table.n_embedded / table.seconds:.0f} images/s" if table.n_embedded else ""
    return [
        f"backbone  {backbone}",
        f"key       {table.key}",
        f"folder    {table.folder or 'none: the vectors are used where they are'}",
        f"images    {n_rows}, of which {table.n_embedded} were computed now{rate}",
    ]
