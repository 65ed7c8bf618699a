"""The columns of a row that are computed: from predictions, and from what they were made with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fewshot import provenance
from fewshot.datasets import LabelledImages
from fewshot.episodes import Episodes, Ints, episodes_digest
from fewshot.plugins import EVALUATORS
from fewshot.scoring import Predictions, episode_accuracy
from fewshot.statistics import episode_interval, pool_interval

if TYPE_CHECKING:
    from fewshot.backbones import Backbone


def measures(parts: Iterable[Predictions], pools_of: Callable[[Ints], Ints] = np.zeros_like) -> dict[str, Any]:
    """The columns that are computed from predictions, read once and held a part at a time. `pools_of` names the
    disjoint pools of images that episodes come from, by their index."""
    accuracies: list[NDArray[np.float64]] = []
    indices: list[Ints] = []
    n_not_converged = 0

    def scored() -> Iterator[Episodes]:
        nonlocal n_not_converged
        for part in parts:
            accuracies.append(episode_accuracy(part))
            indices.append(part.episodes.index)
            n_not_converged += int((~part.converged).sum())
            yield part.episodes

    digest = episodes_digest(scored())
    values = np.concatenate(accuracies)
    interval = episode_interval(values)
    return {
        "n_episodes": len(values),
        "n_not_converged": n_not_converged,
        "accuracy": interval.mean,
        "accuracy_low": interval.low,
        "accuracy_high": interval.high,
        "population": interval.population,
        **_new_images(values, pools_of(np.concatenate(indices))),
        "episodes_digest": digest,
    }


def _new_images(values: NDArray[np.float64], pools: Ints) -> dict[str, float]:
    """The interval for new images of these classes, where episodes come from enough disjoint pools of them."""
    found = pool_interval(values, pools)
    return {} if found.reason else {"new_images_low": found.low, "new_images_high": found.high}


def made_with(evaluator: str, images: LabelledImages, backbone: Backbone) -> dict[str, Any]:
    """The columns that say with what, and how honestly, a number was made."""
    from fewshot.evaluators import TransductiveEvaluator

    made = EVALUATORS.make(evaluator)
    return {
        "transductive": isinstance(made, TransductiveEvaluator),
        "selection": "support" if made.n_trials() > 1 else "none",
        "n_trials": made.n_trials(),
        "pretrained_on": backbone.pretrained_on,
        "seen_classes": "not seen" if backbone.pretrained_on == "nothing" else "unknown",
        "n_params": backbone.n_params,
        "dim": backbone.dim,
        "images_digest": images.images_digest,
        "classes_digest": images.classes_digest,
        "weights_digest": backbone.weights_digest,
        "preprocess_digest": backbone.preprocess_digest,
        **provenance.columns(backbone.device.type),
    }
