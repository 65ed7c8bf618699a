"""Gradient descent on the support: the whole network, its last blocks, or a linear head."""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import torch
from torch import Tensor, nn

from fewshot.episodes import EpisodeBatch
from fewshot.evaluators import Head, ImageEvaluator
from fewshot.images import ImageRows

if TYPE_CHECKING:
    from fewshot.backbones import Backbone

OPTIMIZERS = ("sgd", "adam", "adamw")
BATCHNORMS = ("frozen", "support")
_KEPT_BYTES = 256 << 20  # preprocessed support images that are kept between steps


@dataclass(frozen=True)
class FineTune(ImageEvaluator):
    """A linear head that starts at zero, trained with the network by cross-entropy on the support.

    `tune`: "all", "head", or "last k" for the k last blocks (timm's own layer groups). `batch_size` None takes the
    whole support at every step. `batchnorm`: "frozen" keeps the running statistics; "support" normalises each step
    by its mini-batch and updates a copy of them. Dropout and stochastic depth are off.
    """

    tune: str = "all"
    steps: int = 50
    lr: float = 0.01
    optimizer: str = "sgd"  # momentum 0.9
    weight_decay: float = 0.0
    batch_size: int | None = None
    batchnorm: str = "frozen"

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [
            cls(steps=20, lr=0.05),
            cls(tune="head", steps=30, lr=0.1, optimizer="adam"),
            cls(tune="last 1", steps=20, lr=0.05, batch_size=4, batchnorm="support"),
        ]

    def fit(self, batch: EpisodeBatch[ImageRows], backbone: Backbone) -> Head[ImageRows]:
        self._check()
        return _TunedHead([self._tune(batch, e, backbone) for e in range(len(batch.support))], backbone)

    def _check(self) -> None:
        integer = isinstance(self.batch_size, int) and self.batch_size >= 1
        for name, good, wanted in (
            ("tune", re.fullmatch(r"all|head|last [1-9]\d*", str(self.tune)), "'all', 'head' or 'last k'"),
            ("steps", isinstance(self.steps, int) and self.steps >= 1, "an integer of at least 1"),
            ("lr", isinstance(self.lr, float | int) and 0 < self.lr < math.inf, "a positive float"),
            ("optimizer", self.optimizer in OPTIMIZERS, f"one of {', '.join(OPTIMIZERS)}"),
            (
                "weight_decay",
                isinstance(self.weight_decay, float | int) and 0 <= self.weight_decay < math.inf,
                "a float of at least 0",
            ),
            ("batch_size", integer or self.batch_size is None, "an integer of at least 1, or None"),
            ("batchnorm", self.batchnorm in BATCHNORMS, f"one of {', '.join(BATCHNORMS)}"),
        ):
            if not good:
                raise ValueError(f"The {name!r} of FineTune must be {wanted}. Got {getattr(self, name)!r} instead.")

    def _tune(self, batch: EpisodeBatch[ImageRows], episode: int, backbone: Backbone) -> nn.Module:
        """A tuned copy of the network with its head, in eval mode."""
        held = batch.support_mask[episode].nonzero()[:, 0]
        order = held[
            torch.argsort(batch.support.rows[episode, held], stable=True)
        ]  # mini-batches ignore the given order
        labels = batch.support_labels[episode, order]
        inputs = _Inputs(batch.support, episode, order, backbone)
        device = backbone.device
        head = nn.utils.skip_init(nn.Linear, backbone.dim, batch.n_way, device=device)  # type: ignore[no-untyped-call]
        network = nn.Sequential(copy.deepcopy(backbone.network), head)
        for parameter in head.parameters():
            nn.init.zeros_(parameter)
        trained = self._unfreeze(network)
        with torch.enable_grad():
            self._descend(network, trained, inputs, labels.to(device), int(batch.seeds[episode]))
        return network.eval().requires_grad_(False)

    def _unfreeze(self, network: nn.Sequential) -> list[nn.Parameter]:
        """The parameters that are trained, with gradients on; BatchNorm in the mode asked for."""
        network.eval().requires_grad_(False)
        blocks = {"all": None, "head": 0}.get(self.tune, int(self.tune.split()[-1]) if " " in self.tune else None)
        named = dict(network[0].named_parameters())
        names = list(named) if blocks is None else last_blocks(network[0], blocks)
        trained = [named[name] for name in names] + list(network[1].parameters())
        for parameter in trained:
            parameter.requires_grad_(True)
        if self.batchnorm == "support" and self.tune != "head":
            for module in network[0].modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.train()
        return trained

    def _descend(
        self, network: nn.Sequential, trained: list[nn.Parameter], inputs: _Inputs, labels: Tensor, seed: int
    ) -> None:
        optimizer = self._optimizer(trained)
        features = None
        if self.tune == "head":  # the trunk stands still: its features are computed once
            with torch.no_grad():
                features = torch.cat([network[0](inputs[part]) for part in torch.split(torch.arange(len(labels)), 64)])
        for positions in mini_batches(len(labels), self.batch_size, self.steps, seed):
            seen = network[0](inputs[positions]) if features is None else features[positions]
            loss = nn.functional.cross_entropy(network[1](seen), labels[positions])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()

    def _optimizer(self, trained: list[nn.Parameter]) -> torch.optim.Optimizer:
        if self.optimizer == "sgd":
            return torch.optim.SGD(trained, lr=self.lr, momentum=0.9, weight_decay=self.weight_decay)
        adam = torch.optim.Adam if self.optimizer == "adam" else torch.optim.AdamW
        return adam(trained, lr=self.lr, weight_decay=self.weight_decay)


class _Inputs:
    """Preprocessed support images of an episode by position; kept where they are few, else decoded at each step."""

    def __init__(self, images: ImageRows, episode: int, order: Tensor, backbone: Backbone) -> None:
        self._images, self._episode, self._order, self._backbone = images, episode, order, backbone
        self._device = backbone.device
        first = backbone.preprocess(images.decode(episode, order[:1])[0])
        fits = first.numel() * 4 * len(order) <= _KEPT_BYTES
        self._kept = self._decode(torch.arange(len(order))) if fits else None

    def __getitem__(self, positions: Tensor) -> Tensor:
        return (self._decode(positions) if self._kept is None else self._kept[positions]).to(self._device)

    def _decode(self, positions: Tensor) -> Tensor:
        images = self._images.decode(self._episode, self._order[positions])
        return torch.stack([self._backbone.preprocess(image) for image in images])


@dataclass(frozen=True, eq=False)
class _TunedHead(Head[ImageRows]):
    networks: list[nn.Module]
    backbone: Backbone

    def __call__(self, query: ImageRows) -> Tensor:
        positions = torch.arange(query.rows.shape[1])
        with torch.inference_mode():
            return torch.stack(
                [
                    network(_Inputs(query, e, positions, self.backbone)[positions]).cpu()
                    for e, network in enumerate(self.networks)
                ]
            )


def mini_batches(n: int, batch_size: int | None, steps: int, seed: int) -> Iterator[Tensor]:
    """`steps` mini-batches of positions in [0, n): runs through one shuffled order after the other; the whole set,
    in order, where `batch_size` is None or not below n."""
    if batch_size is None or batch_size >= n:
        yield from (torch.arange(n) for _ in range(steps))
        return
    generator = torch.Generator().manual_seed(seed)
    order = torch.empty(0, dtype=torch.int64)
    for _ in range(steps):
        while len(order) < batch_size:
            order = torch.cat([order, torch.randperm(n, generator=generator)])
        yield order[:batch_size]
        order = order[batch_size:]


def last_blocks(network: nn.Module, n_blocks: int) -> list[str]:
    """Names of the parameters of the last `n_blocks` blocks: timm's layer groups where the network has them, its
    children in order otherwise."""
    names = [name for name, _ in network.named_parameters()]
    if n_blocks == 0:
        return []
    group_matcher = getattr(network, "group_matcher", None)
    if group_matcher is None:
        groups = [
            [n for n in names if n.startswith(f"{child}.") or n == child] for child, _ in network.named_children()
        ]
    else:
        from timm.models import group_parameters

        groups = list(group_parameters(network, group_matcher(coarse=False)).values())
    groups = [group for group in groups if group]
    if n_blocks > len(groups):
        raise ValueError(
            f"FineTune(tune='last {n_blocks}') asks for {n_blocks} blocks, but the network has "
            f"{len(groups)}; ask for fewer or tune='all'"
        )
    return [name for group in groups[-n_blocks:] for name in group]
