"""Transfer on a page: sources against targets, gains of size and data, and effective data transferred."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fewshot.plugins.registry import BACKBONES, DATASETS, EVALUATORS
from fewshot.report.figures.plots import Plot
from fewshot.report.figures.svg import FAINT, MARKERS, SERIES, Marks, figure, inline_svg, log_ticks, settings
from fewshot.report.studies.study import Study, StudyTable, bounded, short_head
from fewshot.scaling.fits.tables import Table
from fewshot.scaling.studies.near_and_far import gains_of
from fewshot.scaling.studies.sources import SourceMatrix, source_matrices
from fewshot.scaling.studies.transfer import AT_LEAST, AT_MOST, Transferred
from fewshot.scaling.studies.transfers import SourceTransfer, transfers

Lines = Sequence[dict[str, Any]]


def transfer_studies(rows: Lines) -> list[Study]:
    """Those of the three that these rows allow."""
    made: tuple[Callable[[Lines], Study | None], ...] = (_sources, _gains, _effective_data)
    return [study for study in (make(rows) for make in made) if study is not None]


def _sources(rows: Lines) -> Study | None:
    try:
        found = source_matrices(rows)
    except ValueError:
        return None
    targets = list(dict.fromkeys(target for matrix in found for target in matrix.targets))
    lines = [_source_line(matrix, source, targets) for matrix in found for source in matrix.sources]
    columns = ("network", "images of a source", "head", "task", "trained on", *map(_of, targets))
    caption = "Accuracy on new classes of each target, %, mean over seeds of training with a 95 % t interval over them."
    text = "Networks that differ in nothing but the set they were trained on. Transfer is directed: read both ways."
    return Study("Sources against targets", text, (), (StudyTable(caption, columns, tuple(lines)),))


def _source_line(matrix: SourceMatrix, source: str, targets: Sequence[str]) -> tuple[str, ...]:
    cells = [matrix.cell(source, target) for target in targets]
    texts = ["" if c is None else bounded(100 * c.mean, 100 * c.low, 100 * c.high, 1) for c in cells]
    task = f"{matrix.n_way}-way {matrix.k_shot}-shot"
    return (
        BACKBONES.read(matrix.network).short_name,
        str(matrix.images),
        short_head(matrix.head),
        task,
        source,
        *texts,
    )


def _of(target: str) -> str:
    return f"→ {DATASETS.read(target).short_name}"


def _gains(rows: Lines) -> Study | None:
    try:
        found = gains_of(rows)
    except ValueError:
        return None
    lines = [
        (
            source,
            _target(gain.target),
            gain.shots,
            EVALUATORS.read(head).short_name,
            f"larger network, {gain.fixed} images" if gain.axis == "network" else f"more images, {gain.fixed} weights",
            bounded(100 * gain.mean, 100 * gain.low, 100 * gain.high, 1),
            str(gain.n_seeds),
        )
        for source, head, gains in found
        for gain in gains
    ]
    columns = ("trained on", "target", "shots", "head", "what grows", "gain, points", "seeds")
    caption = "Accuracy of the larger minus that of the smaller, paired by seed of training, with a 95 % t interval."
    text = (
        "The largest against the smallest network, and the most against the fewest images of the source, everything "
        "else equal."
    )
    return Study("What size and data are worth", text, (), (StudyTable(caption, columns, tuple(lines)),))


def _target(target: str) -> str:
    """A target in few words, and which of its classes where they are not new."""
    dataset, comma, classes = target.rpartition(", ")
    if not classes.endswith(" classes"):
        dataset, comma, classes = target, "", ""
    return f"{DATASETS.read(dataset).short_name}{comma}{classes}"


def _effective_data(rows: Lines) -> Study | None:
    usable = [row for row in rows if row.get("seen_loss") is not None and row.get("unique_images")]
    if not usable:
        return None
    try:
        table = Table(Path("rows"), tuple(usable[0]), tuple(usable))
        found = transfers(table, "unique_images", "seen_loss", "n_params", "started_on")
    except ValueError:
        return None
    found = [each for each in found if each.source and each.points]
    if not found:
        return None
    plots = tuple(_plot(each, number) for number, each in enumerate(found))
    remarks = tuple(_law(each) for each in found)
    text = (
        "With pre-training, D_F labelled images of the target reach a loss that takes D_E images from scratch. A loss "
        "below the end of the from-scratch curve gives a lower bound of D_E; below the line pre-training hurts."
    )
    return Study("Effective data transferred", text, plots, tuple(_points(each) for each in found), remarks)


def _points(found: SourceTransfer) -> StudyTable:
    ordered = sorted(found.points, key=lambda point: (point.size, point.images))
    lines = tuple(
        (
            f"{p.size:g}",
            f"{p.images:g}",
            f"{p.loss:.3f}",
            *(f"{_sign(p)}{text}" for text in (f"{p.effective:.0f}", f"{p.transferred:.0f}", f"{p.multiplier:.2f}")),
        )
        for p in ordered
    )
    columns = ("weights", "D_F", "loss", "D_E", "D_T", "D_E / D_F")
    return StudyTable(f"Pre-trained on {found.source}; a line a seed.", columns, lines)


def _sign(point: Transferred) -> str:
    return {AT_LEAST: "≥ ", AT_MOST: "≤ "}.get(point.bound, "")


def _law(found: SourceTransfer) -> str:
    fit = found.fit
    counts = (
        f"{fit.n_fitted} points measured, {fit.n_censored} as lower bounds, {fit.n_left_out} left out; pre-training "
        f"hurts at {fit.n_ossified}; {found.n_low_data} of {len(found.points)} in the low-data regime that the law "
        "speaks of."
    )
    if fit.law is None:
        return f"{found.source}: D_T = k D_F^alpha N^beta {fit.note}. {counts}"
    told = [f"{name} {bounded(getattr(fit.law, name), fit.low[name], fit.high[name], 2)}" for name in ("alpha", "beta")]
    note = f" {fit.note}." if fit.note else ""
    return f"{found.source}: D_T = k D_F^alpha N^beta with {', '.join(told)}.{note} {counts}"


def _plot(found: SourceTransfer, number: int) -> Plot:
    """D_E / D_F over D_F, a colour a size; a lower bound is an arrow upwards."""
    sizes = sorted({point.size for point in found.points})
    with settings():
        drawn, axes = figure(720, 330, 48, 150, 16, 44)
        for place, size in enumerate(sizes):
            colour = SERIES[place % len(SERIES)]
            own = [point for point in found.points if point.size == size]
            for bound, marker in (("measured", MARKERS[place % len(MARKERS)]), (AT_LEAST, "$↑$"), (AT_MOST, "$↓$")):
                points = [point for point in own if point.bound == bound]
                x, y = [p.images for p in points], [p.multiplier for p in points]
                name = f"{size:g} weights" if bound == "measured" else None
                axes.plot(x, y, color=colour, marker=marker, markersize=8, linestyle="none", label=name)
        axes.axhline(1, color=FAINT, linewidth=0.8)
        log_ticks(axes, sorted({point.images for point in found.points}))
        axes.set_xlabel("D_F, labelled images of the target (log scale)")
        axes.set_ylabel("D_E / D_F")
        axes.grid(axis="y")
        axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False)
        caption = f"What an image is worth after pre-training on {found.source}; an arrow is a bound of D_E."
        return Plot(inline_svg(drawn, f"transfer-{number}", Marks()), caption)
