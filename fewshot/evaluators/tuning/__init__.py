"""Tuning a network on the support of an episode: what every evaluator of images shares.

    network.py     a copy that shares the frozen tensors; the parameters to train
    descent.py     optimiser, mini-batches, training loop      schedules.py     learning rates of all steps
    inputs.py      inputs of an episode, kept or recomputed    image_rows.py    images of episodes, decoded lazily
    views.py       random views of an image, MixUp             support_views.py fixed views of a whole data set
    split.py       the network cut before the trained part     table.py         outputs of the frozen part, once a run
    heads.py       linear heads of many episodes together      fields.py        rules for the hyperparameters
    one_episode.py network and head, tuned on one episode      tuned_head.py    a batch of these, and their answers
    layout.py      the memory order of activations
    adapters.py    small new parameters beside the weights     low_rank.py      the parameters of LoRA
    centroids.py   a network tuned to the centroids of its classes

A `Tuning` says what an evaluator trains and how. `tuned_head.tune` gives the head; `table.frozen_table` gives the part
that a run computes once. The given network is never changed; all random numbers come from the seeds of the episodes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from fewshot.evaluators.tuning.descent import Descent
from fewshot.evaluators.tuning.network import shared_copy, unfreeze

BATCHNORMS = ("frozen", "support")
View = Callable[[Image.Image, NDArray[np.float64], bool], Tensor]


@dataclass(frozen=True)
class Tuning:
    """What to train, and how.

    `change` prepares a copy of the network in eval mode and returns the parameters to train; it may add modules, random
    by a seed, but must not write to tensors: the given network shares them. `batchnorm` "support" normalises by the
    mini-batch in the trained layers. `view` maps an image, uniform numbers, and whether its orientation matters, to a
    random input [3, H, W]; None: the network's own preprocessing, the same at each step.
    """

    change: Callable[[nn.Module, int], Sequence[nn.Parameter]]  # (copy, seed)
    descent: Descent
    batch_size: int | None = None  # None: the whole support at every step
    replacement: bool = False  # a batch larger than the support: sampled with replacement, or the whole support
    batchnorm: str = "frozen"
    start: str = "zero"  # of the head
    probe_C: float = 1.0
    view: View | None = None
    mixup: float = 0.0  # alpha; 0: no MixUp
    unit_features: bool = False  # whether the head sees features of length 1
    layout: str | None = None  # "channels_last", or the usual memory order

    def seen_by_head(self, features: Tensor) -> Tensor:
        """Features [n, D] as the head sees them."""
        return nn.functional.normalize(features, dim=1) if self.unit_features else features

    def changed(self, network: nn.Module, seed: int = 0) -> tuple[nn.Module, list[nn.Parameter]]:
        """A copy of a network in eval mode, ready for training, and the parameters to train."""
        copied = shared_copy(network)
        trained = list(self.change(copied, seed))
        unfreeze(trained)
        return copied, trained
