"""The tables of results/head_strengths.json, which docs/evaluators.md shows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

WRITTEN_TO = Path(__file__).parent / "results" / "head_strengths.json"
PROBE = "LinearProbe(C)"
DEFAULTS: dict[str, Any] = {
    "LinearProbe(C)": 100.0,
    "RidgeProbe(l2)": 1.0,
    "LinearSVM(C)": 1.0,
    "NearestNeighbour(k)": 1,
    "NearestNeighbour(temperature)": None,
    "Matching(temperature)": 1.0,
    "GaussianHead(shrinkage)": None,
    "Mahalanobis(beta)": 1.0,
}
_SHORT = {"Packaged('tf_efficientnet_lite0', image_size=128)": "lite0", "Given()": "vectors"}
_SHORT |= {"Packaged('mobilenetv2_100', image_size=128)": "mobilenetv2", "RawPixels(image_size=16)": "pixels 16"}


@dataclass(frozen=True)
class Measured:
    """The accuracies of all values of a grid on the same episodes of a cell."""

    head: str
    data: str
    backbone: str
    ways: str
    shots: int
    values: list[Any]
    accuracy: list[float]  # means over the episodes, by value
    errors: list[float]  # standard errors of the difference from the best value

    @staticmethod
    def of(
        head: str, data: str, backbone: str, ways: str, shots: int, values: Sequence[Any], right: NDArray[np.float64]
    ) -> Measured:
        """From the accuracies [E, values] of the episodes."""
        means = right.mean(0)
        differences = right - right[:, [int(means.argmax())]]
        errors = differences.std(0, ddof=1) / len(right) ** 0.5
        numbers = ([round(float(number), 5) for number in column] for column in (means, errors))
        return Measured(head, data, backbone, ways, shots, list(values), *numbers)

    def is_cell(self, *names: str | int) -> bool:
        """Whether it has this head, data set, backbone, ways and shots."""
        return (self.head, self.data, self.backbone, self.ways, self.shots) == names

    def loss(self, value: Any) -> float:
        """What a value loses against the best of the grid, in points."""
        return 100 * (max(self.accuracy) - self.accuracy[self.values.index(value)])

    def error(self, value: Any) -> float:
        """The standard error of the loss, in points."""
        return 100 * self.errors[self.values.index(value)]

    @property
    def place(self) -> str:
        """The cell in words."""
        data = self.data.removesuffix("()").replace("TorchvisionSet('FashionMNIST')", "FashionMNIST")
        ways = "all ways" if self.ways == "all" else f"{self.ways}-way"
        return f"{data.replace(chr(39), '')}, {_SHORT[self.backbone]}, {ways} {self.shots}-shot"


def read(path: Path = WRITTEN_TO) -> list[Measured]:
    """The measurements in the file; none if there is no file."""
    return [Measured(**one) for one in json.loads(path.read_text())] if path.exists() else []


def probe_table(kept: Sequence[Measured]) -> str:
    """One line per C of LinearProbe: its mean loss by shots, and its largest loss with its place."""
    own = [one for one in kept if one.head == PROBE]
    shots = sorted({one.shots for one in own})
    lines = []
    for value in own[0].values if own else []:
        by_shots = [np.mean([one.loss(value) for one in own if one.shots == k]) for k in shots]
        lines.append([f"{value:g}", *(f"{loss:.1f}" for loss in by_shots), *_worst(own, value)])
    titles = ["C", *(f"{k} shot{'s' * (k > 1)}" for k in shots), "largest loss", "where"]
    return _github_table(lines, titles)


def head_table(kept: Sequence[Measured]) -> str:
    """One line per head and field: the losses of the default, and the value whose largest loss is least."""
    lines = [
        [f"`{head}`", _text(value), f"{_mean(own, value):.1f}", *_worst(own, value), *_other(own, value)]
        for head, value in DEFAULTS.items()
        if (own := [one for one in kept if one.head == head])
    ]
    titles = [
        "head",
        "default",
        "mean loss",
        "largest loss",
        "where",
        "best value",
        "its mean loss",
        "its largest loss",
    ]
    return _github_table(lines, titles)


def _other(own: Sequence[Measured], default: Any) -> Iterator[str]:
    """The value whose mean loss is least, its mean loss and its largest."""
    best = min(own[0].values, key=lambda value: (_mean(own, value), value != default))
    yield _text(best)
    yield f"{_mean(own, best):.1f}"
    yield f"{max(one.loss(best) for one in own):.1f}"


def _worst(own: Sequence[Measured], value: Any) -> tuple[str, str]:
    worst = max(own, key=lambda one: one.loss(value))
    return f"{worst.loss(value):.1f} ± {1.96 * worst.error(value):.1f}", worst.place


def _mean(own: Sequence[Measured], value: Any) -> float:
    return float(np.mean([one.loss(value) for one in own]))


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float | int) else str(value)


def _github_table(lines: list[list[str]], titles: list[str]) -> str:
    from tabulate import tabulate

    return str(tabulate(lines, titles, "github", disable_numparse=True)) + "\n" if lines else ""
