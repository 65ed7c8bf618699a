"""Names beside the ends of lines, moved apart where they would overlap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Annotation

_LABEL = 17  # pixels of height of a name


def label_ends(axes: Axes, ends: Sequence[tuple[float, str, str]], height: float) -> list[Annotation]:
    """The name of every line beside its end, in the given order. Names of close ends are moved apart, and a thin line
    leads back to the end."""
    low, high = axes.get_ylim()
    order = np.argsort([value for value, _, _ in ends], kind="stable")
    places = apart([ends[i][0] for i in order], _LABEL * (high - low) / height, low, high)
    labels: dict[int, Annotation] = {}
    for i, y in zip(order.tolist(), places, strict=True):
        value, text, colour = ends[i]
        leader = {"arrowstyle": "-", "color": colour, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0, "relpos": (0, 0.5)}
        labels[i] = axes.annotate(
            text,
            (1.0, value),
            (16, (y - value) * height / (high - low)),
            textcoords="offset points",
            xycoords=axes.get_yaxis_transform(),
            va="center",
            fontsize=11,
            annotation_clip=False,
            arrowprops=leader,
        )
    axes.set_ylim(low, high)
    return [labels[i] for i in range(len(ends))]


def apart(values: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Ascending values, moved so that neighbours are at least `gap` apart, inside [low, high] if there is room."""
    moved: list[float] = []
    for value in values:
        moved.append(max(value, moved[-1] + gap if moved else low))
    ceiling = high
    for number in range(len(moved) - 1, -1, -1):
        moved[number] = min(moved[number], max(ceiling, low))
        ceiling = moved[number] - gap
    return moved
