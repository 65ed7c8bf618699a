"""Results files, and rows as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fewshot.commands._option_words import in_own_options

if TYPE_CHECKING:
    from fewshot.report.rows.shown import Shown
    from fewshot.results.collections import Collection
    from fewshot.results.files import Results
    from fewshot.results.row import Row


def writable_results(path: Path) -> Results:
    """The results file; an OSError now, not after an hour, if it is not writable. A ValueError for a file of another
    kind, such as a table: rows would damage it."""
    from fewshot.files.atomic import make_folder
    from fewshot.files.regular import check_regular
    from fewshot.results.files import Results
    from fewshot.results.recognition import what_is

    make_folder(path.parent)
    check_regular(path, "results file")
    try:
        with open(path, "ab+") as file:
            file.seek(0)
            first = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    except OSError as error:
        raise OSError(f"cannot write {path}: {error.strerror}; give another file with --results") from error
    results = Results(path)
    if first not in (b"", b"{") and not results.rows():  # a row that was cut off begins with {
        raise ValueError(f"cannot append rows to {path}: it is {what_is(path)}; give another file with --results")
    return results


def read_rows(results: Results) -> list[Row]:
    """The rows of a results file; a ValueError if there is no such file, or no row in it."""
    from fewshot.results.recognition import what_is

    path = results.path
    if not path.exists():
        raise ValueError(f"there is no results file {path}; `fewshot run` and `fewshot bench` write one")
    rows = results.rows()
    if rows:
        return rows
    reason = next((f" (line {bad.line}: {bad.why})" for bad in results.unreadable), "")
    raise ValueError(
        f"{path} holds no rows of fewshot: it is {what_is(path)}{reason}; give a .jsonl file of `fewshot run` or "
        "`fewshot bench`. For curves in other tables there is `fewshot scaling fit`"
    )


def gathered(files: Iterable[Path], where: str = "", prefer: str | None = None) -> Collection:
    """The runs of results files that meet a condition, as one results file with the short names of all. A ValueError if
    a file holds no rows, if no run meets the condition, or if two files disagree about a run."""
    from fewshot.results.collections import Collection
    from fewshot.results.files import Results

    results = [Results(path) for path in dict.fromkeys(files)]
    for one in results:
        read_rows(one)
    return Collection.of(results, where, prefer or "")


def shape(row: Row) -> str:
    """The shape of a row's episodes: "5-way 1-shot", or "listed"."""
    from fewshot.results.row_specs import size, specs_of

    of = specs_of(row)
    if of.from_file:
        return "listed"
    at_most = "at most " if row.k_shot_at_most else ""
    return f"{size(row.n_way, of.sampler)}-way {at_most}{size(row.k_shot, of.sampler)}-shot"


def describe(row: Row) -> str:
    """The run in words: "tf_efficientnet_lite0 @128, L2 + Prototype, icons mono, 5-way 1-shot"."""
    from fewshot.report.rows.contenders import learner
    from fewshot.results.row_specs import specs_of
    from fewshot.results.selection_rule import without_chosen

    of = specs_of(row)
    method = learner(of.transform, without_chosen(of.evaluator, of.selection))
    return f"{of.backbone.short_name}, {method}, {source(row)}, {shape(row)}"


def source(row: Row) -> str:
    """The data set, with its classes and sampler if they are unusual."""
    from fewshot.results.row_specs import data_name, specs_of

    of = specs_of(row)
    classes = "" if row.classes == "novel" or of.from_file else f"{row.classes} classes"
    sampler = "" if of.is_plainly_balanced else of.sampler.short_name
    return ", ".join(filter(None, [data_name(row), classes, sampler]))


def percent(row: Row) -> str:
    """The accuracy in percent with its interval, or "failed"."""
    from fewshot.report.rows import wording

    return "failed" if row.status == "failed" else wording.percent(row)


def run_table(shown: Shown) -> str:
    """One line per run: backbone, evaluator, shape, accuracy with its intervals, episodes. Below it further measures,
    what the intervals mean, and why some are missing."""
    from tabulate import tabulate

    from fewshot.report.rows import intervals
    from fewshot.report.rows import selection_budgets as budgets
    from fewshot.report.rows.wording import training_data, unequal_queries

    rows, done = shown.rows, shown.done
    kinds = intervals.known(done)
    header = ("backbone", "evaluator", "episodes", "accuracy", *(kind.name for kind in kinds), "number")
    lines = [
        (*shown.name(row), shape(row), percent(row), *intervals.texts(row, kinds), row.n_episodes or "") for row in rows
    ]
    populations = " or ".join(dict.fromkeys(task.population for task in shown.tasks if task.population))
    note = f"accuracy: mean in %{f' ± 95 % interval for {populations}' if populations else ''}"
    further = [f"{kind.name}: 95 % interval for {kind.population(done)}" for kind in kinds]
    warnings = dict.fromkeys(text for task in shown.tasks for text in budgets.warnings(task.rows))
    chosen = chosen_settings(shown)
    seen = dict.fromkeys(f"{shown.name(row).backbone}: {text}" for row in rows if (text := training_data(row)))
    unequal = dict.fromkeys(
        f"{shown.name(row).backbone}, {shape(row)}: {text}" for row in rows if (text := unequal_queries(row))
    )
    parts = [
        tabulate(lines, header, disable_numparse=True),
        note,
        *unequal,
        *further,
        *([intervals.THESE_IMAGES] if "these images" in populations else []),
        *intervals.narrower(done),
        *intervals.why(done),
        *_draws(shown),
        *seen,
        *chosen,
        *warnings,
        *_measures(shown),
    ]
    return "\n".join(parts)


def chosen_settings(shown: Shown) -> dict[str, None]:
    """The hyperparameters that each run chose, in words, and why its grid should be wider or finer: one sentence for
    each run."""
    from fewshot.report.rows import choices
    from fewshot.report.rows import selection_budgets as budgets
    from fewshot.results.row_specs import data_name

    several = len({row.dataset for row in shown.rows}) > 1

    def task(row: Row) -> str:
        data = data_name(row)
        return f"{data}, {shape(row)}" if several else shape(row)

    sentences: dict[str, None] = {}
    for row in shown.rows:
        texts = [f"{choices.chosen_evaluator(row)} was {budgets.choice(row)}"] if row.chosen else []
        texts += choices.notes(row) if row.status != "failed" else ()
        who = shown.name(row).backbone if row.chosen else ", ".join(shown.name(row))
        if texts:
            sentences[f"{who}, {task(row)}: {'; '.join(texts)}"] = None
    return sentences


def _draws(shown: Shown) -> list[str]:
    """Median, range and all draws of the runs that answer whole test sets."""
    from fewshot.report.rows.support_draws import Draws, unreadable

    pairs = [(row, draws) for row in shown.done if (draws := Draws.of(row)) is not None]
    lines = [f"{', '.join(shown.name(row))}, {shape(row)}: median {d.median} of {d.points}" for row, d in pairs]
    return [*lines, *dict.fromkeys(draws.coverage for _, draws in pairs), *unreadable(shown.done)]


def _measures(shown: Shown) -> list[str]:
    """Further measures of all runs that have any, as a table, and what they mean."""
    from tabulate import tabulate

    from fewshot.report.rows import measured

    kept = [row for row in shown.done if measured.has_any(row)]
    if not kept:
        return []
    lines = [(*shown.name(row), shape(row), *map(str, measured.values(row))) for row in kept]
    header = ("backbone", "evaluator", "episodes", *measured.titles())
    return ["", tabulate(lines, header, disable_numparse=True), *measured.meaning(kept)]


def print_failures(rows: Sequence[Row]) -> int:
    """Prints one sentence per error, however many runs it stopped; returns the exit code."""
    failed: dict[str, list[Row]] = {}
    for row in rows:
        if row.status == "failed":
            failed.setdefault(row.error, []).append(row)
    for error, same in failed.items():
        more = f" and {len(same) - 1} more like it" if len(same) > 1 else ""
        click.echo(f"Error: {describe(same[0])}{more}: {in_own_options(error)}", err=True)
    return 1 if failed else 0


def runs_in_short(shown: Shown, width: int) -> str:
    """One line per run: its id, contender, data, shape, accuracy and episodes; in the order of the files. Where the
    table is wider than `width`, the episodes go first; then names are shortened."""
    from fewshot.report.tables.short_texts import fitted

    header = ("backbone", "evaluator", "data")
    titles: tuple[str, ...] = ("shape", "accuracy, %", "episodes")
    names = list(zip(*((*shown.name(row), source(row)) for row in shown.rows), strict=True))
    numbers: list[tuple[str, ...]] = [(shape(row), percent(row), f"{row.n_episodes or ''}") for row in shown.rows]
    if _width(("run     ", *header, *titles), names, numbers) > width:
        titles, numbers = titles[:2], [number[:2] for number in numbers]
    room = width - _width(("run     ", "", "", "", *titles), [(), (), ()], numbers)
    short = zip(*fitted(names, header, room), strict=True)
    ids = [row.run_id[:8] for row in shown.rows]
    lines = [(run_id, *name, *number) for run_id, name, number in zip(ids, short, numbers, strict=True)]
    return _aligned(("run", *header, *titles), lines)


def _width(header: Sequence[str], names: Sequence[Sequence[str]], numbers: Sequence[Sequence[str]]) -> int:
    """The characters of a line with these columns of names and lines of numbers, without shortening any."""
    columns = [(), *names, *zip(*numbers, strict=True)]
    widths = [max(map(len, (title, *column))) for title, column in zip(header, columns, strict=True)]
    return sum(widths) + 2 * (len(widths) - 1)


def _aligned(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """The lines below the header, with the columns aligned on the left, two spaces apart."""
    widths = [max(map(len, column)) for column in zip(header, *lines, strict=True)]
    ruled = [header, ["-" * width for width in widths], *lines]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in ruled)
