"""`evaluate`: the row of a backbone on given episodes, without results files; the network may be in training."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fewshot.datasets import LabelledImages
from fewshot.episodes.episodes import Episodes
from fewshot.files.progress import progress_bar, show_step
from fewshot.plugins.member_field import member
from fewshot.plugins.registry import BACKBONES, EVALUATORS, TRANSFORMS
from fewshot.plugins.spec import Spec
from fewshot.results import provenance
from fewshot.results.columns import Cost, RunName, SpecColumns
from fewshot.results.predictions import keeps_logits
from fewshot.results.row import Row
from fewshot.runs.columns import Design, digests, honesty, score, training
from fewshot.runs.defaults import EVALUATOR, usual_transform
from fewshot.runs.guards import check_support
from fewshot.runs.loading import load_backbone

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

    from fewshot.backbones import Backbone


def evaluate(
    backbone: Any,
    images: LabelledImages,
    episodes: Episodes,
    evaluator: Any = EVALUATOR,
    transform: Any = None,
    seen: NDArray[np.int64] | None = None,
    preprocess: Callable[[Image], Tensor] | None = None,
    progress: bool = True,
) -> Row:
    """The row of a backbone on these episodes; fewshot stores nothing but features.

    `backbone` is a name ("resnet18"), a spec, a `Backbone`, "given" for a data set of vectors, or a live network: an
    nn.Module that gives features [b, D], in training or not. Its mode is restored, no global generator is used, and its
    features are not stored. `preprocess` turns an RGB image into the input [3, H, W] of such a network (None: timm's
    own, for a network of timm). `transform`: None is the usual one of the evaluator, as for `fewshot run`. `seen` holds
    the rows [m] of the images to fit the transform on, if it needs any.
    Accuracies are fractions; the interval is for these images. Episodes of other images raise a ValueError.
    """
    episodes.check(images)
    with _opened(backbone, preprocess) as (loaded, folder):
        head = EVALUATORS.spec(evaluator)
        members = head, TRANSFORMS.spec(usual_transform(head) if transform is None else transform)
        return _evaluated(loaded.on(images), folder, images, episodes, *members, _rows(seen), progress)


@contextmanager
def _opened(backbone: Any, preprocess: Callable[[Image], Tensor] | None) -> Iterator[tuple[Backbone, Path | None]]:
    """The backbone, and the folder for its features: a temporary one for a live network, None for the usual cache."""
    from torch import nn

    from fewshot.backbones import Backbone
    from fewshot.backbones._live import live_backbone

    if isinstance(backbone, nn.Module):
        with live_backbone(backbone, preprocess) as live, TemporaryDirectory() as folder:
            yield live, Path(folder)
    elif isinstance(backbone, Backbone):
        yield backbone, None
    else:
        yield load_backbone(member(BACKBONES, backbone)).to(None), None


def _rows(seen: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """The rows of the images to fit a transform on, checked."""
    rows = np.asarray([] if seen is None else seen)
    if rows.size and rows.dtype.kind not in "iu":
        raise ValueError(f"seen must hold integers, rows of the images; got {rows.dtype}")
    return rows.astype(np.int64)


def _evaluated(
    loaded: Backbone,
    folder: Path | None,
    images: LabelledImages,
    episodes: Episodes,
    evaluator: Spec,
    transform: Spec,
    fitted_on: NDArray[np.int64],
    progress: bool,
) -> Row:
    from fewshot.features.table import feature_table
    from fewshot.runs.learners import learner
    from fewshot.runs.needs import needs
    from fewshot.runs.solving import solve

    check_support(evaluator, None, episodes)
    support, query = (np.unique(rows).astype(np.int64) for rows in (episodes.support, episodes.query))
    needed = needs(evaluator, transform, images, np.union1d(support, query), support, fitted_on)
    solver = learner(
        needed,
        loaded,
        lambda wanted, rows: feature_table(wanted, loaded, rows, progress=progress, folder=folder),
        progress,
    )
    start = time.monotonic()
    keep = keeps_logits(episodes, len(episodes))
    with progress_bar(len(episodes), evaluator.text, "episode", progress) as bar:
        predictions = solve(episodes, solver, keep_logits=keep, watch=partial(show_step, bar), advance=bar.update)
    seconds = round(time.monotonic() - start, 3)
    classes = np.unique(episodes.classes).astype(np.int64)
    found, digest = score([predictions], Design(images.class_names, classes))
    return Row.of(
        RunName(run_id=""),
        SpecColumns(
            dataset=images.name,
            classes="listed",
            backbone=loaded.name,
            evaluator=evaluator.text,
            transform=transform.text,
            dtype="float32",
            sampler="Listed",
            seed=episodes.seed,
        ),
        found,
        honesty(evaluator, images, classes, loaded),
        training(loaded),
        Cost(seconds_solving=seconds, n_params=loaded.n_params, dim=loaded.dim),
        digests(images, loaded, digest),
        provenance.current(loaded.device.type),
    )
