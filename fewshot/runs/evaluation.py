"""The row of a backbone on given episodes, with the predictions behind it; nothing is stored but features."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fewshot.datasets import LabelledImages
from fewshot.episodes.episodes import Episodes
from fewshot.episodes.shape import EpisodeShape
from fewshot.files.progress import progress_bar, show_step
from fewshot.plugins.spec import Spec
from fewshot.results import provenance
from fewshot.results.columns import Cost, RunName, SpecColumns
from fewshot.results.predictions import Predictions, keeps_logits
from fewshot.results.resources import Resources
from fewshot.results.row import Row
from fewshot.runs.columns import digests, honesty, training
from fewshot.runs.design import Design
from fewshot.runs.guards import check_support
from fewshot.runs.loading import load_backbone
from fewshot.runs.names import text_prompts, texts_digest
from fewshot.runs.pace import Pace
from fewshot.runs.resources import gpu_of, models
from fewshot.runs.scores import score

if TYPE_CHECKING:
    from fewshot.backbones import Backbone
    from fewshot.backbones._words import Prompts
    from fewshot.runs.learners import Learner


def on_episodes(
    backbone: Spec,
    images: LabelledImages,
    episodes: Episodes,
    evaluator: Spec,
    transform: Spec,
    seen: NDArray[np.int64] | None = None,
    folder: Path | None = None,
    progress: bool = True,
    device: str | None = None,
) -> tuple[Row, Predictions]:
    """The row of these episodes, and their predictions without logits. `folder`: for features (None: the usual cache).

    `seen` holds the rows [m] of the images to fit the transform on, if it needs any. Accuracies are fractions; the
    interval is for these images. Episodes of other images raise a ValueError.
    """
    from fewshot.features.table import feature_table
    from fewshot.runs.learner_setup import learner
    from fewshot.runs.needs import needs

    episodes.check(images)
    loaded = load_backbone(backbone).to(device).on(images)
    check_support(evaluator, None, episodes)
    prompts = text_prompts(evaluator, backbone, images)
    support, query = (np.unique(rows).astype(np.int64) for rows in (episodes.support, episodes.query))
    needed = needs(evaluator, transform, images, np.union1d(support, query), support, _rows(seen))
    solver = learner(
        needed,
        loaded,
        lambda wanted, rows: feature_table(wanted, loaded, rows, progress=progress, folder=folder),
        progress,
        None if prompts is None else partial(_named, loaded, folder, progress),
    )
    predictions, costs = _solved(episodes, solver, evaluator, loaded, progress)
    members = backbone, evaluator, transform
    row = _row(members, loaded, images, predictions, costs, prompts)
    return row, replace(predictions, logits=None)


def _solved(
    episodes: Episodes, learner: Learner, evaluator: Spec, backbone: Backbone, progress: bool
) -> tuple[Predictions, tuple[float, Resources]]:
    """The predictions of these episodes, and what solving them took."""
    from fewshot.runs.solving import solve

    start, keep = time.monotonic(), keeps_logits(episodes, len(episodes))
    with progress_bar(len(episodes), evaluator.text, "episode", progress) as bar:
        pace = Pace(evaluator.text, len(episodes), bar.update)
        solving = partial(solve, learner=learner, keep_logits=keep, watch=partial(show_step, bar))
        predictions = pace.solved(solving, learner.lanes(episodes), episodes)
    seconds = round(time.monotonic() - start, 3)
    known = models(gpu_of(backbone.device))
    measured = Resources(
        seconds_per_episode=pace.seconds_per_episode, processor=known.get("processor", ""), gpu=known.get("gpu", "")
    )
    return predictions, (seconds, measured)


def _named(backbone: Backbone, folder: Path | None, progress: bool, images: LabelledImages) -> NDArray[np.float32]:
    """The vectors of the class names by the backbone's text tower."""
    from fewshot.features.class_vectors import class_vectors

    place = None if folder is None else folder / "class_vectors"
    return class_vectors(backbone, images.name, images.class_names, progress, place)


def _rows(seen: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """The rows of the images to fit a transform on, checked."""
    rows = np.asarray([] if seen is None else seen)
    if rows.size and rows.dtype.kind not in "iu":
        raise ValueError(f"seen must hold integers, rows of the images; got {rows.dtype}")
    return rows.astype(np.int64)


def _row(
    members: tuple[Spec, Spec, Spec],
    loaded: Backbone,
    images: LabelledImages,
    predictions: Predictions,
    costs: tuple[float, Resources],
    prompts: Prompts | None,
) -> Row:
    """The row of these predictions."""
    episodes = predictions.episodes
    classes = np.unique(episodes.classes).astype(np.int64)
    scores, digest = score([predictions], Design(images.class_names, classes))
    named = [images.images_digest, loaded.weights_digest, digest, *(spec.identity for spec in members)]
    if prompts is not None:
        named.append(texts_digest(prompts, images.class_names))
    return Row.of(
        RunName(run_id=hashlib.sha256(" ".join(named).encode()).hexdigest()[:16]),
        _spec_columns(members, images, episodes),
        scores,
        honesty(members[1], images, classes, loaded, prompts),
        training(loaded),
        Cost(seconds_solving=costs[0], n_params=loaded.n_params, dim=loaded.dim, flops=loaded.flops),
        digests(images, loaded, digest),
        provenance.current(loaded.device.type),
        costs[1],
    )


def _spec_columns(members: tuple[Spec, Spec, Spec], images: LabelledImages, episodes: Episodes) -> SpecColumns:
    """The columns of a run of episodes in memory."""
    backbone, evaluator, transform = members
    shape = episodes.shape or EpisodeShape(None, None, None)
    return SpecColumns(
        dataset=images.name,
        classes="listed",
        backbone=backbone.text,
        evaluator=evaluator.text,
        transform=transform.text,
        dtype="float32",
        sampler="Listed('memory')",
        n_way=shape.n_way,
        k_shot=shape.k_shot,
        n_query=shape.n_query,
        seed=episodes.seed,
    )
