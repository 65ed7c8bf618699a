"""Classifiers over all trained classes, and their error on held-out images."""

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
    """A linear head with weights uniform in +-1/sqrt(D), by `seed`, and zero biases."""
    head: nn.Linear = nn.utils.skip_init(nn.Linear, dim, n_classes, device=device)  # type: ignore[no-untyped-call]
    bound = 1 / math.sqrt(dim)
    uniform = torch.rand(n_classes, dim, generator=torch.Generator().manual_seed(seed)) * 2 * bound - bound
    head.weight.data.copy_(uniform)
    nn.init.zeros_(head.bias)
    return head


@contextmanager
def seeded_modules(seed: int) -> Iterator[None]:
    """Modules created inside get torch's own random weights of this seed; the global generator stays unchanged."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


class HeldOutScore:
    """Error and loss of a network in training on held-out images; its modes and gradients stay unchanged."""

    def __init__(self, images: LabelledImages, backbone: Backbone) -> None:
        self._inputs = Inputs(images, backbone)
        self._labels = torch.from_numpy(images.labels.astype("int64"))

    def __len__(self) -> int:
        return len(self._labels)

    def __call__(self, objective: Objective, centres: Tensor | None = None) -> tuple[float, float | None]:
        """Error and cross-entropy of the objective's classifier; without one, the error of the nearest of `centres`
        [C, D], and None."""
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
    """[C, D] the mean feature of each class."""
    features = features_of(objective.network, Inputs(images, backbone)).double()
    labels = torch.from_numpy(images.labels.astype("int64"))
    sums = torch.zeros(len(images.class_names), features.shape[1], dtype=torch.float64).index_add_(0, labels, features)
    return sums / torch.bincount(labels, minlength=len(sums))[:, None]


def features_of(network: nn.Module, inputs: Inputs) -> Tensor:
    """[n, D] features on the CPU, in eval mode; the network's modes are restored."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        with torch.no_grad():
            return torch.cat([network(batch).float().cpu() for _, batch in inputs.plain()])
    finally:
        for module, training in modes:
            module.training = training
