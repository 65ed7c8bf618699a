"""Classifiers over all trained classes, and how they do on images held out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from fewshot.backbones import Backbone
from fewshot.datasets import LabelledImages
from fewshot.pretraining import Objective
from fewshot.pretraining._batches import Inputs


def new_classifier(dim: int, n_classes: int, seed: int, device: torch.device) -> nn.Linear:
    """A linear head: weights uniform in +-1/sqrt(D) by `seed`, biases 0."""
    head: nn.Linear = nn.utils.skip_init(nn.Linear, dim, n_classes, device=device)  # type: ignore[no-untyped-call]
    bound = 1 / math.sqrt(dim)
    drawn = torch.rand(n_classes, dim, generator=torch.Generator().manual_seed(seed)) * 2 * bound - bound
    head.weight.data.copy_(drawn)
    nn.init.zeros_(head.bias)
    return head


@contextmanager
def drawn_by(seed: int) -> Iterator[None]:
    """Modules built inside have torch's own random weights, by this seed; the global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


class Judge:
    """Looks at images held out with the weights as they are; modes and gradients stay what they were."""

    def __init__(self, images: LabelledImages, backbone: Backbone) -> None:
        self._inputs = Inputs(images, backbone)
        self._labels = torch.from_numpy(images.labels.astype("int64"))

    def __len__(self) -> int:
        return len(self._labels)

    def __call__(self, objective: Objective, centres: Tensor | None = None) -> tuple[float, float | None]:
        """Error and cross-entropy: of the objective's classifier, or the error of the nearest of `centres` [C, D]."""
        features = features_of(objective.network, self._inputs)
        head = objective.classifier()
        with torch.no_grad():
            if head is None:
                assert centres is not None
                nearest = torch.cdist(features.double(), centres.double()).argmin(1)
                return float((nearest != self._labels).double().mean()), None
            logits = head(features.to(head.weight.device)).double().cpu()
            loss = float(cross_entropy(logits, self._labels))
            return float((logits.argmax(1) != self._labels).double().mean()), loss


def class_means(objective: Objective, images: LabelledImages, backbone: Backbone) -> Tensor:
    """[C, D] the mean features of the classes' images."""
    features = features_of(objective.network, Inputs(images, backbone)).double()
    labels = torch.from_numpy(images.labels.astype("int64"))
    sums = torch.zeros(len(images.class_names), features.shape[1], dtype=torch.float64).index_add_(0, labels, features)
    return sums / torch.bincount(labels, minlength=len(sums))[:, None]


def features_of(network: nn.Module, inputs: Inputs) -> Tensor:
    """[n, D] features on the CPU, in eval mode, whose modes are restored."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        with torch.no_grad():
            return torch.cat([network(batch).float().cpu() for _, batch in inputs.plain()])
    finally:
        for module, training in modes:
            module.training = training
