"""What `fewshot run` and `fewshot bench` print while they work: a line at once, and one when a run starts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from threading import Timer
from typing import TYPE_CHECKING

import click

from fewshot.commands._answers import print_progress, printable, wants_json
from fewshot.plugins.wording import agreeing, counted

if TYPE_CHECKING:
    from fewshot.datasets import LabelledImages
    from fewshot.plugins.spec import Spec
    from fewshot.results.files import Results
    from fewshot.results.row import Row
    from fewshot.runs.specs import RunSpec

SOON = 2.0  # seconds; shorter runs need no line of their own


def starting(
    specs: Sequence[RunSpec], rows: Collection[Row], images: Callable[[Spec], LabelledImages]
) -> Iterator[RunSpec]:
    """The specs, to be taken when they start; `rows`: what is finished already.

    First raises a ValueError if a backbone of an unfinished run cannot exist, such as one with a misspelt name, if a
    run's evaluator and transform do not fit together, if a head of class names has no vectors of them, or if a
    transform needs seen classes and the split has none. Then prints a
    line about the first run at once, and about each other that still runs after `SOON` seconds, such as "run 3 of 100:
    resnet18, ...".
    """
    unfinished = _unfinished(specs, rows)
    _check(unfinished, images)
    return _announced(specs, unfinished)


def check_networks(backbones: Sequence[str], results: Results) -> None:
    """Raises a ValueError for a network that cannot exist, such as one with a misspelt name or tag, before data are
    read. Networks with rows are not checked again: finished runs start without loading torch."""
    from fewshot.plugins.member_field import member
    from fewshot.plugins.registry import BACKBONES

    specs = dict.fromkeys(member(BACKBONES, name) for name in backbones)
    known = {row.backbone for row in results.rows()} if specs else set()
    for spec in specs:
        if spec.text not in known:
            spec.make().check()


def check_unfinished(specs: Sequence[RunSpec], rows: Collection[Row], images: Callable[[Spec], LabelledImages]) -> None:
    """Raises a ValueError for an unfinished run that cannot run, as `starting` does, and prints how many runs are
    finished; `rows`: what is finished."""
    unfinished = _unfinished(specs, rows)
    _check(unfinished, images)
    _print_finished(len(specs), len(unfinished))


def _print_finished(n_runs: int, n_unfinished: int) -> None:
    """Prints how many runs are finished, if some are and others are not."""
    n_done = n_runs - n_unfinished
    if n_done and n_unfinished:
        print_progress(f"{n_done:,} of {counted(n_runs, 'run')} {agreeing(n_done, 'is', 'are')} finished.")


def _check(unfinished: Sequence[RunSpec], images: Callable[[Spec], LabelledImages]) -> None:
    if not unfinished:
        return
    from fewshot.runs.background import compile_in_background
    from fewshot.runs.names import text_prompts, uses_names
    from fewshot.runs.needs import check_members

    compile_in_background(spec.evaluator for spec in unfinished)
    backbones: dict[Spec, None] = {}
    for spec in unfinished:
        backbones[spec.backbone] = None
        check_members(spec.evaluator, spec.transform)
    for backbone in backbones:
        backbone.make().check()
    for spec in unfinished:
        if uses_names(spec.evaluator):
            text_prompts(spec.evaluator, spec.backbone, images(spec.dataset))
        if spec.transform.declares("needs_seen"):
            _check_seen(spec, images)


def _check_seen(spec: RunSpec, images: Callable[[Spec], LabelledImages]) -> None:
    """Raises a ValueError if the split of a run lacks the seen classes that its transform needs. Does nothing for data
    that cannot be read: the row of the run will say so."""
    from fewshot.plugins.registry import SPLITS
    from fewshot.runs.guards import check_seen
    from fewshot.runs.shared import split_of

    try:
        read, rule = images(spec.dataset), spec.split or spec.dataset.make().default_split()
        split = None if rule is None else split_of(read, SPLITS.spec(rule))
    except (ValueError, OSError):
        return
    if split is not None:
        check_seen(spec.transform, split, read.name, spec.protocol if spec.benchmark_set else "")


def _announced(specs: Sequence[RunSpec], unfinished: Sequence[RunSpec]) -> Iterator[RunSpec]:
    _print_finished(len(specs), len(unfinished))
    waiting, delay = {id(spec) for spec in unfinished}, 0.0
    for number, spec in enumerate(specs, 1):
        if id(spec) not in waiting:
            yield spec
            continue
        with _soon(f"run {number:,} of {len(specs):,}: {name_of(spec)}", delay):
            yield spec
        delay = SOON


@contextmanager
def _soon(text: str, delay: float) -> Iterator[None]:
    """Prints a line unless the context ends before `delay` seconds."""
    if not delay:
        print_progress(text)
        yield
        return
    timer = Timer(delay, click.echo, (printable(text),), {"err": wants_json()})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _unfinished(specs: Sequence[RunSpec], rows: Collection[Row]) -> list[RunSpec]:
    """The specs without a row of all their episodes, as far as their columns tell."""
    done: dict[tuple[object, ...], int] = {}
    for row in rows:
        if row.status == "ok":
            done[row.spec] = max(row.n_episodes, done.get(row.spec, 0))
    return [spec for spec in specs if done.get(row_of(spec).spec, 0) < spec.n_episodes]


def row_of(spec: RunSpec) -> Row:
    """A row with nothing but the spec."""
    from fewshot.results.columns import RunName
    from fewshot.results.row import Row
    from fewshot.runs.columns import spec_columns

    return Row.of(RunName("not run", protocol=spec.protocol, benchmark_set=spec.benchmark_set), spec_columns(spec))


def name_of(spec: RunSpec) -> str:
    """The run in words, with short names."""
    from fewshot.commands._results import describe

    return describe(row_of(spec))
