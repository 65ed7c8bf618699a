"""The learner of some episodes, set up: with their features, embedded and transformed, or with their images."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fewshot.backbones import Backbone
from fewshot.datasets import LabelledImages
from fewshot.features.degenerate import warn_of_degenerate
from fewshot.runs.feature_learner import FeatureLearner, Gather, Held
from fewshot.runs.heads_device import heads_device
from fewshot.runs.image_learner import ImageLearner
from fewshot.runs.learners import Learner
from fewshot.runs.needs import Needs
from fewshot.runs.shapes import checked
from fewshot.transforms import Transform

if TYPE_CHECKING:
    from fewshot.features.table import FeatureTable

_HELD_BYTES = 512 << 20  # up to this size, features are transformed once and held; beyond, at every use
_MAPPED_ROWS = 1024  # rows transformed at once
_log = logging.getLogger("fewshot")
Embed = Callable[[LabelledImages, NDArray[np.int64]], "FeatureTable"]


def learner(
    needs: Needs,
    backbone: Backbone,
    embed: Embed,
    progress: bool = False,
    named: Callable[[LabelledImages], NDArray[np.float32]] | None = None,
    heads_on: str | None = None,
) -> Learner:
    """The learner of some episodes: an evaluator with transformed features, which `embed` gives, or with the images.

    Evaluators of features also get vectors of the class names as `class_features`: those of the data set, if it has
    any, or those that `named` makes by the text tower of the backbone. `heads_on` is the device to solve them on; None:
    the CPU, or the network's GPU for large episodes.
    """
    if needs.tunes_a_network:
        frozen = needs.evaluator.precompute(needs.images, backbone, needs.rows, progress)
        return ImageLearner(needs.evaluator, needs.images, backbone, frozen)
    table, *of_views = [embed(each.images, each.rows) for each in needs.embeddings()]
    fitted = needs.transform.fit(table.gather(needs.seen) if needs.transform.needs_seen else None)
    mapped = checked(fitted, needs.transform)
    gather, gather_views = _gathers(needs, table, of_views, mapped)
    if isinstance(gather, Held):
        warn_of_degenerate(gather.vectors, needs.images.name, backbone.name)
    dim = table.vectors.dim
    images = needs.images if named is None else replace(needs.images, class_vectors=named(needs.images))
    heads = heads_device(needs.evaluator, backbone.device, heads_on)
    return FeatureLearner(needs.evaluator, gather, dim, class_features(images, dim, mapped), gather_views, heads)


def _gathers(
    needs: Needs, table: FeatureTable, of_views: Sequence[FeatureTable], mapped: Transform
) -> tuple[Gather, tuple[Gather, ...]]:
    """The transformed features of the images, and those of each further view of the support; in memory if all fit."""
    n_vectors = len(needs.rows) + len(of_views) * len(needs.support)
    held = n_vectors * table.vectors.dim * 4 <= _HELD_BYTES
    return _gather(table, needs.rows, mapped, held), tuple(
        _gather(view, needs.support, mapped, held) for view in of_views
    )


def _gather(table: FeatureTable, rows: NDArray[np.int64], mapped: Transform, held: bool) -> Gather:
    """A function that gives the transformed features of these rows, `held` in memory or transformed at every use."""
    if not held:
        return lambda wanted: mapped(table.gather(wanted))
    place = torch.zeros(len(table.done), dtype=torch.int64)
    place[torch.from_numpy(rows)] = torch.arange(len(rows))
    return Held(_mapped(table, rows, mapped), place)


def _mapped(table: FeatureTable, rows: NDArray[np.int64], mapped: Transform) -> Tensor:
    """[len(rows), D] transformed features of a table, computed part by part, because transforms work in float64."""
    held = torch.empty(len(rows), table.vectors.dim)
    for start in range(0, len(rows), _MAPPED_ROWS):
        held[start : start + _MAPPED_ROWS] = mapped(table.gather(rows[start : start + _MAPPED_ROWS]))
    return held


def class_features(images: LabelledImages, dim: int, mapped: Transform) -> Tensor | None:
    """[C, D] float32 vectors of the class names, under the same transform as the features, so both are in one space.

    None if there are none, or, with a warning, if their length differs from that of the features.
    """
    if images.class_vectors is None:
        return None
    if images.class_vectors.shape[1] != dim:
        _log.warning(
            "class vectors of %s have %d numbers, but its features have %d; evaluators do not get the class vectors",
            images.name,
            images.class_vectors.shape[1],
            dim,
        )
        return None
    return mapped(torch.from_numpy(images.class_vectors.astype(np.float32)))
