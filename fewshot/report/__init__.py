"""Rows to one HTML page that needs nothing else: no network, no torch; scripts only to sort and to highlight.

tasks.py     rows grouped by what may be compared      labels.py    short names of specs
wording.py   a row's number, name and caveats          headline.py  the first sentences
tables.py    tables for page, console and README       readme.py    the tables of a README
overview.py  all tasks in one table, for a README
dots.py      accuracies with intervals, as a figure    curves.py    accuracy over shots, as a figure
svg.py       figures to inline SVG                     drawing.py   an episode as a picture, made of tiles.py
example.py   the episode that a page shows             origins.py   where each row comes from
claims.py    pairs of runs in tables                   verdicts.py  pairs of runs in sentences
matrices.py  all pairs of a task, coloured             cards.py     a claim and what it rests on
forest.py    differences as a figure of its own        compared.py  differences as a table for a README
intervals.py intervals for others than these images    measured.py  measures beyond the accuracy
support_draws.py  the draws of a support, each
study.py     what is shown of a study            study_ladders.py      error over pre-training images
study_transfer.py  sources, targets, gains and effective data
study_ladders_plot.py  their figures
study_classes.py     error over pre-training classes   study_classes_plot.py  their figures
study_shots.py       labels a target needs       study_shots_plot.py  error over nested shots, as figures
shot_budgets.py  learners over their shots, with their budgets
laws_drawn.py    a law as a line, a band and a scale of errors
inside.py    calibration, classes and hard episodes    calibration_plot.py   the figure of the first
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fewshot.files.atomic import write_atomically
from fewshot.results.files import Results, Row

if TYPE_CHECKING:
    from fewshot.report.rows.tasks import Task
    from fewshot.report.tables.task_table import Table

_FOLDER = Path(__file__).parent
Failure = tuple[str, str, str, str]  # task, backbone and evaluator, error, specs


def write_report(
    rows: Sequence[Row], path: Path, results: Results | None, title: str, allow_import: bool = False
) -> None:
    """Writes the page of these rows, whole or not at all; the same rows give the same bytes.

    `results` is where the predictions are: without it, or without them, the page shows no episode and says so. Nor
    does it for a data set of a class from outside, which would import code, unless `allow_import`.
    """
    write_atomically(path, page(rows, results, title, allow_import).encode("utf-8", "replace"))


def page(rows: Sequence[Row], results: Results | None, title: str, allow_import: bool = False) -> str:
    """The page as text. Everything that rows or images name is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    from fewshot.plugins.registry import DATASETS
    from fewshot.report.comparisons.matrices import matrices
    from fewshot.report.pictures.example import example
    from fewshot.report.pictures.inside import inside
    from fewshot.report.rows.headline import compared, findings, speaks_of
    from fewshot.report.rows.measured import NAMES
    from fewshot.report.rows.origins import origins, protocols, shared, unreadable_lines, written_out
    from fewshot.report.rows.tasks import tasks
    from fewshot.report.rows.wording import contender_names
    from fewshot.report.studies import sections as study_sections
    from fewshot.report.tables.task_table import comparison

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    load = cache(lambda dataset: DATASETS.make(dataset, allow_import).load())
    found, script = tasks(rows), (_FOLDER / "page.js").read_text(encoding="utf-8")
    return environment.get_template("page.html.j2").render(
        title=title,
        css=Markup((_FOLDER / "page.css").read_text(encoding="utf-8")),
        script=Markup(script),
        script_digest=_digest(script),
        compared=compared(rows),
        findings=findings(rows),
        speaks_of=speaks_of(rows),
        sections=_sections(rows, comparison(rows), found),
        matrices=matrices(rows, results, contender_names(rows)),
        studies=study_sections(rows),
        example=example(rows, results, load),
        insides=inside(rows, results, load),
        measure_names=NAMES,
        failures=_failures(rows),
        written_out=written_out(rows),
        shared=shared(rows),
        origins=origins(rows),
        protocols=protocols(found),
        n_unreadable=0 if results is None else unreadable_lines(results.path),
    )


def _digest(script: str) -> str:
    """What the page's policy allows to run: this script and no other."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _sections(rows: Sequence[Row], tables: Sequence[Table], found: Sequence[Task]) -> list[dict[str, Any]]:
    """Table and figures of every task."""
    from fewshot.report.figures.curves import shot_curves
    from fewshot.report.figures.dots import dot_plot
    from fewshot.report.rows.measured import measures
    from fewshot.report.rows.wording import contender_names

    names = contender_names(rows)
    plots = [
        (dot_plot(task, names, f"dots-{number}"), shot_curves(task, names, f"curves-{number}"))
        for number, task in enumerate(found, 1)
    ]
    return [
        {"table": table, "plots": list(filter(None, drawn)), "measures": measures(task, names)}
        for table, drawn, task in zip(tables, plots, found, strict=True)
    ]


def _failures(rows: Sequence[Row]) -> list[Failure]:
    """What failed: data set, backbone and evaluator, error, and the full specs."""
    from fewshot.report.rows.short_names import label
    from fewshot.report.rows.tasks import contender, shot_label
    from fewshot.report.rows.wording import contender_names

    names = contender_names(rows)
    specs = [(row.dataset, row.sampler, row.backbone, row.transform, row.evaluator) for row in rows]
    return [
        (
            f"{label(row.dataset)}, {shot_label(row)}",
            " with ".join(names[contender(row)]),
            row.error or "no message",
            "\n".join(filter(None, spec)),
        )
        for row, spec in zip(rows, specs, strict=True)
        if row.status == "failed"
    ]
