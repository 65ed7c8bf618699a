"""The accuracies of a task with their intervals, as a dot plot."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from fewshot.plugins.wording import listed
from fewshot.report.figures.plots import Plot, best, brief, caption, some_of_each
from fewshot.report.figures.svg import FAINT, GROUND, INK, MARKERS, SERIES, Mark, Marks, figure, inline_svg, settings
from fewshot.report.rows import intervals
from fewshot.report.rows.contenders import Contender, contender
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.tasks import Task, accuracy, interval
from fewshot.report.rows.wording import details
from fewshot.results.row import Row

_WIDTH, _LINE, _HEADING = 660, 25, 30  # pixels
_MOST = 40  # contenders in a figure: the best


def dot_plot(task: Task, shown: Shown, name: str) -> Plot | None:
    """One line per contender, one mark per shot, a rule at chance; None if there is no accuracy."""
    kept = best(task, task.contenders, _MOST)
    if not kept:
        return None
    places, headings = _places(kept)
    names, marks = shown.names, Marks()
    height = max(places.values()) + _LINE
    title = _title(task)
    with settings():
        left = max(24 + 7.0 * len(brief(names[each].learner)) for each in kept)
        whole, axes = figure(_WIDTH, height + 92, left, 24, 54, 38)
        axes.set_ylim(height, 0)
        _plot_dots(axes, task, places, shown, marks)
        for each, y in headings.items():
            axes.annotate(
                brief(names[each].backbone),
                (0, y),
                (4 - left, 0),
                xycoords=axes.get_yaxis_transform(),
                weight="bold",
                textcoords="offset points",
                va="center",
                annotation_clip=False,
                bbox={"facecolor": GROUND, "edgecolor": "none", "pad": 1.5},
            )
        axes.set_yticks(list(places.values()), [brief(names[each].learner) for each in places])
        for each, text in zip(places, axes.get_yticklabels(), strict=True):
            marks.put(text, Mark(shown.numbers[each]))
        _accuracy_axis(axes, task)
        return Plot(inline_svg(whole, name, marks), caption(title, task, len(kept), len(task.contenders)))


def _title(task: Task) -> str:
    """What the figure shows, and which interval is which."""
    if not any(map(interval, task.rows)):
        return "Accuracy, without intervals"
    further = [kind.population(task.rows) for kind in intervals.known(task.rows)]
    thin = f", thin for {listed(further)}" if further else ""
    return f"Accuracy with 95 % intervals: thick for {task.population or 'these images'}{thin}"


def _places(kept: Sequence[Contender]) -> tuple[dict[Contender, float], dict[Contender, float]]:
    """Heights of contenders and of the headings of backbones (by their first contender), in pixels from the top."""
    places: dict[Contender, float] = {}
    headings: dict[Contender, float] = {}
    y, last = 0.0, None
    for each in kept:
        if each.network != last:
            y += _HEADING - _LINE / 2 if last is None else _HEADING
            headings[each], last = y, each.network
        y += _LINE
        places[each] = y
    return places, headings


def _plot_dots(axes: Axes, task: Task, places: dict[Contender, float], shown: Shown, marks: Marks) -> None:
    handles = []
    for number, shot in enumerate(task.shots):
        colour, marker = SERIES[number % len(SERIES)], MARKERS[number % len(MARKERS)]
        for row in some_of_each(task.by_shot[shot]):
            y = places.get(contender(row))
            if y is not None:
                mark = Mark(shown.number(row), row.run_id, f"{shot}\n{details(row)}")
                for line in _plot_interval(axes, row, y, colour, marker):
                    marks.put(line, mark)
        handles.append(Line2D([], [], color=colour, marker=marker, label=shot, linestyle="none"))
    across = axes.get_yaxis_transform()
    axes.hlines(list(places.values()), 0, 1, transform=across, colors=FAINT, linewidth=0.5, zorder=0)
    above = 1 + 18 / axes.get_ylim()[0]  # above the word at the rule
    axes.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0, above),
        ncols=6,
        frameon=False,
        handletextpad=0.2,
        borderaxespad=0,
        borderpad=0,
        columnspacing=1.2,
    )


def _plot_interval(axes: Axes, row: Row, y: float, colour: str, marker: str) -> list[Line2D]:
    bounds = interval(row)
    lines = []
    if bounds is not None:
        lines += axes.plot([100 * bounds[0], 100 * bounds[1]], [y, y], color=colour, linewidth=2.5)
    for kind in intervals.known([row]):
        low, high = kind.bounds(row) or (accuracy(row), accuracy(row))
        lines += axes.plot([100 * low, 100 * high], [y, y], color=colour, linewidth=0.8)
    return lines + axes.plot([100 * accuracy(row)], [y], color=colour, marker=marker, markersize=6.5, linestyle="none")


def _accuracy_axis(axes: Axes, task: Task) -> None:
    """Scales the axis in %, with a rule at chance."""
    low, high = axes.get_xlim()
    if task.chance is not None:
        chance = 100 * task.chance
        low, high = min(low, chance - 2), max(high, chance + 2)
        axes.axvline(chance, color=INK, linewidth=1, dashes=(4, 3))
        axes.text(chance, 1, " chance", transform=axes.get_xaxis_transform(), va="bottom", ha="left", fontsize=11)
    axes.set_xlim(max(low, 0), min(high, 100.9))
    axes.grid(axis="x")
    axes.set_xlabel("accuracy, %")
