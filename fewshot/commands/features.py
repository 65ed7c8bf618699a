"""`fewshot features`: computes and caches the features of a data set before runs need them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fewshot.commands import _device_options, _options
from fewshot.commands._answers import answer, json_option
from fewshot.commands._names import NameOf
from fewshot.commands._plan import PlannedEmbedding, duration, embedding, embedding_lines
from fewshot.commands._rates import remember_embedding
from fewshot.plugins.wording import counted

if TYPE_CHECKING:
    from fewshot.datasets import LabelledImages
    from fewshot.episodes.flat import Ints
    from fewshot.features.table import FeatureTable


@click.command("features", short_help="Embed the images of a data set before runs need them.")
@click.option(
    "--data",
    required=True,
    type=NameOf("datasets", with_files=True),
    metavar="FOLDER|SPEC",
    help="Embed the images of this folder of class folders or data set.",
)
@click.option(
    "--backbone",
    type=NameOf("backbones"),
    metavar="NAME|SPEC",
    help="Embed with this backbone, such as resnet18 (default: tf_efficientnet_lite0).",
)
@click.option(
    "--rows",
    type=click.Choice(["all", "seen", "validation", "novel"]),
    default="all",
    help="Embed only the images of these classes.",
)
@click.option(
    "--split",
    type=NameOf("splits"),
    metavar="SPEC",
    help="Divide the classes by this rule (default: the data set's own), for --rows.",
)
@_device_options.dtype_option
@_options.device_option("Run the network")
@_device_options.embedding_batch_option
@_device_options.compile_option
@_device_options.decoders_option
@click.option(
    "--similarity",
    type=_options.FILE,
    metavar="FILE",
    help="Write the similarity of all pairs of classes to this CSV file, for --sampler "
    "\"SimilarityTestbed('FILE', 'hard')\".",
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
    embedding_batch: int | None,
    compiled: bool,
    decoders: int | None,
    similarity: Path | None,
    dry_run: bool,
) -> int:
    """Embed the images of a data set once; later runs read the features from the cache."""
    import numpy as np

    from fewshot.commands._data_request import open_data, usual_backbone
    from fewshot.features.table import feature_table
    from fewshot.plugins.member_field import member
    from fewshot.plugins.registry import BACKBONES
    from fewshot.runs.workbench import Workbench

    settings = _device_options.embedding_settings(embedding_batch, compiled, decoders)
    bench = Workbench(device=device, embedding=settings)
    opened = open_data(data, split, rows, bench)
    spec = member(BACKBONES, backbone or usual_backbone(opened.images))
    used = np.isin(opened.images.labels, opened.labels)
    if dry_run:
        return _dry_run(embedding(spec, opened.dataset.text, dtype, opened.images, used, bench))
    network, wanted = bench.backbone(spec).to(device).on(opened.images), np.flatnonzero(used)
    table = feature_table(opened.images, network, wanted, dtype=dtype, progress=True, settings=settings)
    remember_embedding(spec.text, dtype, network.device.type, table.n_embedded, table.seconds)
    if similarity is not None:
        _write_similarity(similarity, opened.images, wanted, table)
    values = {"key": table.key, "folder": table.folder, "n_images": len(wanted), "dim": network.dim}
    cost = {"n_embedded": table.n_embedded, "seconds": table.seconds, "use": asdict(table.use)}
    lines = _lines(spec.text, table, len(wanted)) + ([f"similarity {similarity}"] if similarity else [])
    answer(
        "\n".join(lines), {"backbone": spec.text} | values | cost | ({"similarity": similarity} if similarity else {})
    )
    return 0


def _dry_run(planned: PlannedEmbedding) -> int:
    """The exit code. Answers with the number of images to embed."""
    answer(f"{embedding_lines([planned])[0]}; {duration(planned.seconds)}", asdict(planned))
    return 1 if planned.problem else 0


def _write_similarity(file: Path, images: LabelledImages, rows: Ints, table: FeatureTable) -> None:
    from fewshot.datasets.class_similarity import ClassSimilarity
    from fewshot.files.atomic import write_atomically

    similarity = ClassSimilarity.of(images, rows, lambda part: table.gather(part).numpy())
    write_atomically(file, similarity.to_csv().encode())


def _lines(backbone: str, table: FeatureTable, n_rows: int) -> list[str]:
    """The backbone, the place of the features, and how many were missing."""
    rate = f" in {table.seconds:.1f} s, {table.n_embedded / table.seconds:,.0f} images/s" if table.n_embedded else ""
    use = f", {table.use.sentence()}, {table.use.batch} at a time" if table.n_embedded else ""
    return [
        f"backbone  {backbone}",
        f"key       {table.key}",
        f"folder    {table.folder or 'none: runs read the vectors from their own file'}",
        f"images    {counted(n_rows, 'image')}, {table.n_embedded:,} of them embedded now{rate}{use}",
    ]
