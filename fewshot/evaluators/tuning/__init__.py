"""Tuning a network on the support of an episode: what every evaluator of images shares.

    network.py   a copy that costs only what is trained, and which parameters those are
    descent.py   optimiser, mini-batches, the loop                    schedules.py  learning rates of all steps
    inputs.py    an episode's inputs, kept or made at each step       views.py      random views of an image, MixUp
    split.py     a network cut where it begins to be trained          table.py      its first part's work, once a run
    heads.py     linear heads, where they start, many at once         fields.py     hyperparameters, checked
    episode.py   a network and its head, tuned on one episode         episodes.py   a batch of them, and their answers
    adapters.py  few new parameters beside a network's weights        low_rank.py   those of LoRA
    centroids.py a network tuned to the centroids of its classes

An evaluator says *what* is trained and *how*: a `Tuning`. `episodes.tune` gives the head, `table.frozen_table` what a
run computes once. The given network is never changed, and whatever is drawn comes from the seeds of the episodes.
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
    """What is trained, and how.

    `change` readies a copy of the network, in eval mode, and gives the parameters of it that are trained; it may put
    modules in, drawn by a seed, but must not write to tensors, which are those of the given network. `batchnorm`
    "support" normalises by the mini-batch in the layers that are trained. `view` makes a random input [3, H, W] of
    an image, uniform numbers, and whether its orientation matters; None: the network's own preprocessing, the same at
    each step.
    """

    change: Callable[[nn.Module, int], Sequence[nn.Parameter]]  # (copy, seed)
    descent: Descent
    batch_size: int | None = None  # None: the whole support at every step
    replacement: bool = False  # a batch that is larger than the support is drawn with replacement, else it is all
    batchnorm: str = "frozen"
    start: str = "zero"  # of the head
    probe_C: float = 1.0
    view: View | None = None
    mixup: float = 0.0  # alpha; 0: no MixUp

    def changed(self, network: nn.Module, seed: int = 0) -> tuple[nn.Module, list[nn.Parameter]]:
        """A copy of a network, ready to be trained, in eval mode, and the parameters that are."""
        copied = shared_copy(network)
        trained = list(self.change(copied, seed))
        unfreeze(trained)
        return copied, trained
