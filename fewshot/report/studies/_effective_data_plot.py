"""Effective data over the images of the target, as a figure."""

from __future__ import annotations

from fewshot.report.figures.plots import Plot
from fewshot.report.figures.svg import FAINT, MARKERS, SERIES, Marks, figure, inline_svg, log_ticks, settings
from fewshot.scaling.studies.transfer import AT_LEAST, AT_MOST
from fewshot.scaling.studies.transfers import SourceTransfer


def multiplier_plot(findings: SourceTransfer, number: int) -> Plot:
    """D_E / D_F over D_F, one colour per network size. A lower bound is an arrow upwards."""
    sizes = sorted({point.size for point in findings.points})
    with settings():
        whole, axes = figure(720, 330, 48, 150, 16, 44)
        for place, size in enumerate(sizes):
            colour = SERIES[place % len(SERIES)]
            own = [point for point in findings.points if point.size == size]
            for bound, marker in (("measured", MARKERS[place % len(MARKERS)]), (AT_LEAST, "$↑$"), (AT_MOST, "$↓$")):
                points = [point for point in own if point.bound == bound]
                x, y = [p.images for p in points], [p.multiplier for p in points]
                name = f"{size:,.0f} weights" if bound == "measured" else None
                axes.plot(x, y, color=colour, marker=marker, markersize=8, linestyle="none", label=name)
        axes.axhline(1, color=FAINT, linewidth=0.8)
        log_ticks(axes, sorted({point.images for point in findings.points}))
        axes.set_xlabel("D_F, labelled images of the target (log scale)")
        axes.set_ylabel("D_E / D_F")
        axes.grid(axis="y")
        axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False)
        caption = f"D_E / D_F after pre-training on {findings.name}; arrows are bounds of D_E."
        return Plot(inline_svg(whole, f"transfer-{number}", Marks()), caption)
