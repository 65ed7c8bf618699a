"""Pieces of a picture of an episode: a sheet with pixel coordinates, images in squares, and their marks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

INK, QUIET, FAINT, RIGHT, WRONG = "#1a1a1a", "#6b6b6b", "#d9d9d9", "#11795a", "#b4340f"
CELL, IMAGE = 84, 70  # pixels from one image to the next, and of an image
CAPTION = 17  # pixels of height below an image
_DPI = 108  # 1.5 pixels of the file for each of these


@dataclass(frozen=True)
class Answer:
    """The prediction for a query."""

    class_name: str
    right: bool


def sheet(width: float, height: float) -> tuple[Figure, Axes]:
    """An empty picture; its origin is the upper left corner."""
    figure = Figure(figsize=(width / 72, height / 72), dpi=_DPI)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    return figure, axes


def plot_image(axes: Axes, image: Image.Image, left: float, above: float) -> None:
    """Plots the image in its square, with its proportions."""
    pixels = _reduced(image)
    scale = IMAGE / max(pixels.size)
    width, height = (scale * size for size in pixels.size)
    x, y = left + (IMAGE - width) / 2, above + (IMAGE - height) / 2
    axes.imshow(
        np.asarray(pixels),
        extent=(x, x + width, y + height, y),
        aspect="auto",
        interpolation="antialiased",
        clip_on=False,
        zorder=2,
    )
    _frame(axes, left, above, FAINT, 0.8)


def plot_answer(axes: Axes, answer: Answer, left: float, above: float) -> None:
    """Plots a frame and a tick or a cross, and the predicted class under a wrong image."""
    colour = RIGHT if answer.right else WRONG
    _frame(axes, left, above, colour, 1.2 if answer.right else 2.2)
    x, y = left + IMAGE - 3, above + 3
    axes.plot([x], [y], marker="o", markersize=13, color=colour, zorder=4, clip_on=False)
    axes.text(
        x,
        y + 0.5,
        "✓" if answer.right else "✗",
        color="white",
        weight="bold",
        ha="center",
        va="center",
        fontsize=9,
        zorder=5,
    )
    if not answer.right:
        name = short(answer.class_name, 13)
        axes.text(left + IMAGE / 2, above + IMAGE + 4, name, color=colour, ha="center", va="top", fontsize=9)


def short(text: str, most: int) -> str:
    """The printable text on one line, cut if it is longer."""
    line = " ".join("".join(c if c.isprintable() or c.isspace() else "�" for c in text).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _reduced(image: Image.Image) -> Image.Image:
    """An RGB image with no more pixels than the picture shows."""
    small = image.convert("RGB")
    small.thumbnail((2 * IMAGE, 2 * IMAGE))
    return small


def _frame(axes: Axes, left: float, above: float, colour: str, linewidth: float) -> None:
    x, y = [left, left + IMAGE, left + IMAGE, left, left], [above, above, above + IMAGE, above + IMAGE, above]
    axes.plot(x, y, color=colour, linewidth=linewidth, zorder=3, solid_joinstyle="miter")
