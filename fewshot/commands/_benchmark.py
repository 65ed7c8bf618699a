"""`--benchmark`: the runs of a benchmark of the field on the user's data, and their averages."""

from __future__ import annotations

import logging
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import click
from click.core import ParameterSource

from fewshot.commands._answers import print_progress, wants_json
from fewshot.commands._names import NameOf
from fewshot.files.terminal import width
from fewshot.plugins.wording import ItemisedError

if TYPE_CHECKING:
    from fewshot.protocols import Benchmark, Head
    from fewshot.protocols._places import Copy
    from fewshot.report.comparisons.ranking import PredictionsOf
    from fewshot.report.rows.benchmark_means import Average
    from fewshot.results.row import Row
    from fewshot.runs.specs import RunSpec
    from fewshot.runs.workbench import Workbench

_CHANGING = (
    *("split", "classes", "way", "shot", "query", "at_most", "support_from", "query_from", "sampler", "seed"),
    *("n_episodes", "listed", "select", "settings", "select_episodes"),
)  # parameters that a benchmark fixes
_log = logging.getLogger("fewshot")
_MOST_CHECKED = 10  # episodes: published draws are few, and each has its own file


Decorator = Callable[[Any], Any]


def _sets(start: str) -> Any:
    return click.option(
        "--set",
        "sets",
        multiple=True,
        metavar="NAME",
        help=f"{start}un only this data set of the benchmark; repeat for several.",
    )


def _partial(start: str) -> Any:
    return click.option(
        "--partial", is_flag=True, help=f"{start}un the benchmark without the data sets that are missing or wrong."
    )


sets_option: Decorator = _sets("With --data: r")
partial_option: Decorator = _partial("With --data: r")
backbones_option: Decorator = click.option(
    "--backbone",
    "backbones",
    type=NameOf("backbones"),
    multiple=True,
    metavar="NAME|SPEC",
    help="With --data: run this backbone; repeat for several (default: tf_efficientnet_lite0; bench adds pixels).",
)


@dataclass(frozen=True)
class BenchmarkRequest:
    """A benchmark of the field by name, and which of its sets."""

    benchmark: Annotated[
        str | None,
        click.option(
            "--benchmark",
            type=NameOf("benchmarks"),
            metavar="NAME",
            help="Run this benchmark of the field, such as cifar_fs, on the data sets below the folder --data (fewshot "
            "list benchmarks).",
        ),
    ]
    sets: Annotated[tuple[str, ...], _sets("R")]
    partial: Annotated[bool, _partial("R")]

    def check(self) -> None:
        """Raises a UsageError for --set or --partial without a benchmark, and for options that the benchmark fixes."""
        if self.benchmark is None and (self.sets or self.partial):
            raise click.UsageError("--set and --partial need --benchmark; add, for example, --benchmark coop")
        changed = _given(_CHANGING) if self.benchmark else []
        if changed:
            raise click.UsageError(
                f"{changed[0]} changes the protocol: this would no longer be {self.benchmark}; remove {changed[0]}, or "
                "run without --benchmark"
            )

    def transforms(self) -> dict[str, str]:
        """The transform of each own evaluator of the benchmark, by the evaluator's name."""
        from fewshot import protocols
        from fewshot.plugins.registry import EVALUATORS

        heads = protocols.benchmark(str(self.benchmark)).heads
        return {EVALUATORS.spec(head.evaluator).name: head.transform for head in reversed(heads)}

    def plan(
        self,
        data: str,
        backbones: Sequence[str],
        methods: Sequence[tuple[str, str]],
        dtype: str,
        bench: Workbench,
        transform: str | None = None,
    ) -> Plan:
        """The runs on the copies below a folder, whose counts are checked; no `methods`: those of the benchmark, with
        this `transform` in place of theirs. Prints how another head differs."""
        from fewshot import protocols
        from fewshot.protocols._places import chosen_sets, copies, refuse_missing
        from fewshot.runs.benchmark_runs import benchmark_runs
        from fewshot.runs.defaults import BACKBONE

        found = protocols.benchmark(str(self.benchmark))
        root = Path(data).expanduser()
        present, missing = copies(chosen_sets(found, self.sets), root)
        refuse_missing(found, root, missing, len(present), self.partial)
        if missing:
            names = ", ".join(one.of.name for one in missing)
            print_progress(f"without {len(missing)} of {len(present) + len(missing)} sets, not in {root}: {names}")
        heads = _heads(found, methods, transform)
        runs = benchmark_runs(found, present, backbones or (BACKBONE,), heads, dtype)
        return _checked(Plan(found, runs), present, bench, self.partial)


def _heads(benchmark: Benchmark, methods: Sequence[tuple[str, str]], transform: str | None) -> Sequence[Head]:
    """The named methods as heads; without any, the benchmark's own. Prints how others differ from those."""
    from fewshot.plugins.registry import EVALUATORS, TRANSFORMS
    from fewshot.protocols import Head
    from fewshot.protocols._heads import OTHER_HEAD, head_differences
    from fewshot.report.rows.contenders import learner

    heads = [Head(*method) for method in methods] or benchmark.heads
    if transform is not None and not methods:
        heads = [replace(head, transform=transform) for head in heads]
    for head in heads:
        if differences := head_differences(benchmark, head):
            name = learner(TRANSFORMS.spec(head.transform), EVALUATORS.spec(head.evaluator))
            print_progress(
                f"{name} is not the own head of {benchmark.protocol}: it has {differences}; tables label its rows "
                f'"{OTHER_HEAD}"'
            )
    return heads


@dataclass(frozen=True)
class Plan:
    """A benchmark and its runs."""

    benchmark: Benchmark
    specs: list[RunSpec]

    def averages(self, rows: Iterable[Row], predictions: PredictionsOf) -> tuple[str, list[dict[str, Any]]]:
        """The averages of finished runs, as lines and as JSON values."""
        from fewshot.report.rows.benchmark_means import averages, explained
        from fewshot.report.rows.errors import n_test_images

        rows = list(rows)
        every = averages(rows, n_test_images(predictions))
        populations = dict.fromkeys(explained(one.population) for one in every if one.population)
        brackets = f"; [ ]: 95 % interval for {' or '.join(populations)}" if populations else ""
        lines = [f"{self.benchmark.protocol}, mean over sets in %{brackets}:"] if every else []
        lines += [line for one in every for line in _lines(one)]
        lines += [] if wants_json() else _verdicts(rows, predictions)
        return "\n".join(lines), [asdict(one) | {"n_sets": one.n_sets, "of": one.of} for one in every]


def _verdicts(rows: Sequence[Row], predictions: PredictionsOf) -> list[str]:
    """Which of several means are the best, in a sentence for each shape, wrapped."""
    from fewshot.report.comparisons.benchmark_ranking import rankings_on_sets

    several = [one.ranking for one in rankings_on_sets(rows, None, predictions) if len(one.ranking.standings) > 1]
    return [line for one in several for line in textwrap.wrap(f"{one.task}: {one.verdict}", width())]


def _lines(one: Average) -> list[str]:
    """An average on one line; if it is that of several sets, with the number of each, and with all missing sets."""
    from fewshot.report.rows.benchmark_means import ALL, MOST_NAMES

    name = ", ".join(filter(None, (one.backbone, one.method, one.label, one.shape)))
    first = f"  {one.text:>5}  {name}: {one.described}"
    if one.group != ALL or one.n_sets == 1:
        return [first]
    each = ", ".join(f"{name} {100 * value:.1f}" for name, value in one.sets)
    without = f"without {', '.join(one.missing)}" if len(one.missing) > MOST_NAMES else ""  # else on the first line
    return [first, *(line for text in (each, without) for line in _indented(text))]


def _indented(text: str) -> list[str]:
    return textwrap.wrap(text, width(), initial_indent=" " * 9, subsequent_indent=" " * 9, break_on_hyphens=False)


def _checked(plan: Plan, present: Sequence[Copy], bench: Workbench, partial: bool) -> Plan:
    """The plan, after a look at every copy; one error names all copies that are wrong or have too few images. With
    `partial`, the plan goes on without them, with a warning for each."""
    wrong: dict[str, ValueError] = {}
    for copy in present:
        print_progress(f"Reading {copy.of.name} ...")
        try:
            _check(plan, copy, bench)
        except ValueError as error:
            wrong[copy.of.name] = error
    if wrong and len(present) == 1:
        raise wrong[present[0].of.name]
    if wrong and not (partial and len(wrong) < len(present)):
        others = "; correct them, or run the others with --partial" if len(wrong) < len(present) else ""
        sentence = (
            f"{plan.benchmark.name} cannot use {len(wrong)} of the {len(present)} data sets that it found{others}:"
        )
        raise ItemisedError(sentence, [f"{name}: {error}" for name, error in wrong.items()])
    for name, reason in wrong.items():
        _log.warning("left out %s: %s", name, reason)
    return replace(plan, specs=[spec for spec in plan.specs if spec.benchmark_set not in wrong])


def _check(plan: Plan, copy: Copy, bench: Workbench) -> None:
    """Raises a ValueError for a copy that is wrong or has too few images."""
    from fewshot.commands._outside import outside
    from fewshot.plugins.registry import SPLITS
    from fewshot.protocols._counts import check_counts
    from fewshot.runs.shared import check_class_names

    specs = [spec for spec in plan.specs if spec.benchmark_set == copy.of.name]
    check_class_names(specs[0].dataset, SPLITS.spec(copy.of.split))
    check_counts(plan.benchmark, copy, bench.images(specs[0].dataset), outside(specs, _results_option()))
    of_transforms = {spec.transform: spec for spec in specs}.values()
    of_episodes = {spec.episodes: spec for spec in specs}.values()
    prepared = {spec: bench.prepare(spec) for spec in dict.fromkeys((*of_transforms, *of_episodes))}
    for run in (prepared[spec] for spec in of_episodes):
        run.episodes(0, run.n_episodes if run.n_episodes <= _MOST_CHECKED else 1)


def _results_option() -> list[str]:
    """The words of --results if the user typed it."""
    context = click.get_current_context(silent=True)
    typed = context is not None and context.get_parameter_source("results") == ParameterSource.COMMANDLINE
    return ["--results", str(context.params["results"])] if context is not None and typed else []


def _given(parameters: Sequence[str]) -> list[str]:
    """The options among these parameters that the user typed."""
    context = click.get_current_context()
    typed = {name for name in parameters if context.get_parameter_source(name) == ParameterSource.COMMANDLINE}
    return [each.opts[0] for each in context.command.params if each.name in typed]
