"""Figures as inline SVG: the same bytes for the same rows, with colours that follow the light or dark scheme."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from matplotlib import rc_context, rcdefaults, rcParams
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

# Stand-ins for matplotlib; the style sheet of the report has the real colours as variables.
INK, FAINT, GROUND = "#010101", "#020202", "#040404"
SERIES = tuple(f"#0300{n:02x}" for n in range(1, 9))
DASHES: tuple[str | tuple[int, tuple[int, ...]], ...] = ("solid", (0, (5, 2)), (0, (1, 1)), (0, (6, 2, 1, 2)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p")
_VARIABLES = {INK: "--ink", FAINT: "--faint", GROUND: "--ground"}
_VARIABLES |= {colour: f"--series-{number}" for number, colour in enumerate(SERIES, 1)}
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "fewshot",
    "text.parse_math": False,
    "font.family": ["DejaVu Sans"],
    "font.size": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": FAINT,
    "grid.linewidth": 0.5,
    "axes.grid": False,
    "axes.axisbelow": True,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "lines.linewidth": 1.6,
    "axes.formatter.use_locale": False,
}


@contextmanager
def settings(**others: Any) -> Iterator[None]:
    """The style of all figures of a report, independent of the user's own style. Texts are never read as formulas.
    Missing glyphs are left to the browser, or show as a box."""
    with rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*Glyph.*missing")
        rcdefaults()
        rcParams.update(_STYLE | others)
        yield


def figure(width: float, height: float, left: float, right: float, top: float, bottom: float) -> tuple[Figure, Axes]:
    """A figure of this size with one plot inside these margins, all in pixels."""
    whole = Figure(figsize=(width / 72, height / 72))
    box = (left / width, bottom / height, (width - left - right) / width, (height - top - bottom) / height)
    return whole, whole.add_axes(box)


def log_ticks(axes: Axes, values: Sequence[float]) -> None:
    """A log scale on the x axis, with ticks at these values and nowhere else."""
    axes.set_xscale("log")
    axes.set_xticks(list(values))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())


@dataclass(frozen=True)
class Mark:
    """The meaning of a piece of a figure: a contender by its number, perhaps one of its runs, and the text on hover."""

    contender: int
    run_id: str = ""
    details: str = ""


class Marks(list[Mark]):
    """The meaning of the pieces of one figure."""

    def put(self, artist: Artist, mark: Mark) -> None:
        """Gives a piece its meaning."""
        artist.set_gid(f"mark-{len(self)}")
        self.append(mark)

    def opening(self, number: int) -> Markup:
        """The opening tag of the SVG group of a piece."""
        mark = self[number]
        run = Markup(' data-run="{}"').format(mark.run_id) if mark.run_id else ""
        title = Markup("<title>{}</title>").format(printable(mark.details)) if mark.details else ""
        return Markup('<g class="mark" data-of="{}"{}>{}').format(mark.contender, run, title)


def printable(text: str) -> str:
    """The text without characters that XML forbids."""
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in text)


def inline_svg(whole: Figure, name: str, marks: Marks) -> Markup:
    """The figure as an <svg> element. `name` keeps its ids apart from those of other figures in the report."""
    text = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    whole.savefig(text, format="svg", transparent=True, metadata=nothing)
    svg = text.getvalue()[text.getvalue().index("<svg") :]
    width, height = (round(72 * inches) for inches in whole.get_size_inches())
    size = f"max-width: {width}px; min-width: {round(0.72 * width)}px"
    opening = f'<svg viewBox="0 0 {width} {height}" style="{size}" aria-hidden="true">'
    svg = re.sub(r"<svg [^>]*>", opening, svg, count=1)
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>\s*", "", svg, count=1, flags=re.DOTALL)
    svg = re.sub(r'<g id="(mark-\d+)?[^"]*">', lambda m: f"<g {m[1]}>" if m[1] else "<g>", svg)
    svg = re.sub(r"font-family: [^;\"]*;? ?", "", svg)
    svg = re.sub(r'(<\w+[^>]* id="|xlink:href="#|url\(#)(?=[\w.]+["\)])', rf"\g<1>{name}-", svg)
    svg = re.sub("|".join(_VARIABLES), lambda m: f"var({_VARIABLES[m[0]]})", svg)
    return Markup(re.sub(r"<g mark-(\d+)>", lambda m: str(marks.opening(int(m[1]))), svg))
