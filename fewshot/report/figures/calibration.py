"""A reliability diagram: accuracy at every confidence."""

from __future__ import annotations

from fewshot.measures.calibration_error import Bins
from fewshot.plugins.wording import counted
from fewshot.report.figures.plots import Plot
from fewshot.report.figures.svg import FAINT, INK, MARKERS, SERIES, Mark, Marks, figure, inline_svg, settings

_SIZE, _LEFT, _BOTTOM = 380, 52, 46  # pixels


def reliability_diagram(bins: Bins, name: str) -> Plot:
    """Accuracy over confidence, one mark per bin, with the diagonal on which both are equal."""
    marks = Marks()
    confidence, accuracy = 100 * bins.confidence, 100 * bins.accuracy
    with settings():
        diagram, axes = figure(_SIZE, _SIZE, _LEFT, 14, 14, _BOTTOM)
        axes.plot([0, 100], [0, 100], color=INK, linewidth=1, dashes=(4, 3))
        axes.vlines(confidence, accuracy, confidence, colors=SERIES[0], linewidth=1)
        for x, y in zip(confidence.tolist(), accuracy.tolist(), strict=True):
            [mark] = axes.plot([x], [y], color=SERIES[0], marker=MARKERS[0], markersize=6.5, linestyle="none")
            marks.put(mark, Mark(-1, details=f"confidence {x:.1f} %, accuracy {y:.1f} %"))
        axes.set_xlim(0, 101)
        axes.set_ylim(0, 101)
        axes.grid(color=FAINT)
        axes.set_xlabel("confidence, %")
        axes.set_ylabel("accuracy, %")
        svg = inline_svg(diagram, name, marks)
    excess = bins.confidence.mean() - bins.accuracy.mean()
    caption = (
        f"Calibration: the queries, ordered by confidence, in {counted(len(confidence), 'equal part')}, one mark each. "
        "On the dashed line, confidence equals accuracy. The calibration error, the mean distance from this line, is "
        f"{100 * bins.error:.1f} points. Mean confidence is {100 * abs(excess):.1f} points "
        f"{'above' if excess > 0 else 'below'} accuracy."
    )
    return Plot(svg, caption)
