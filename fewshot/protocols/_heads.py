"""Whether runs of a benchmark learn with its own head, and in what another head differs from it."""

from __future__ import annotations

from collections.abc import Iterator

from fewshot import protocols
from fewshot.plugins.registry import EVALUATORS, TRANSFORMS
from fewshot.plugins.spec import Spec
from fewshot.plugins.wording import listed
from fewshot.protocols import Benchmark, Head
from fewshot.results.row import Row
from fewshot.results.selection_rule import Selection

OTHER_HEAD = "not the benchmark's own head"  # the label of rows with another one


def head_label(row: Row) -> str:
    """`OTHER_HEAD` for a row of a benchmark that learned with another head than the benchmark's own; else ""."""
    known = protocols.of_protocol(row.protocol) if row.benchmark_set else None
    return "" if known is None or has_own_head(row, known) else OTHER_HEAD


def has_own_head(row: Row, benchmark: Benchmark) -> bool:
    """Whether a row learned with a head of this benchmark."""
    return any(is_head(row, head) for head in benchmark.heads)


def is_head(row: Row, head: Head) -> bool:
    """Whether a row learned with this head of its benchmark."""
    return (row.transform, row.evaluator, row.selection_rule) == _texts(head)


def head_differences(benchmark: Benchmark, head: Head) -> str:
    """In what a head differs from the most similar one of a benchmark, such as "transform L2 instead of Identity and C
    100.0 instead of 1.0"; "" for a head of the benchmark."""
    if _texts(head) in map(_texts, benchmark.heads):
        return ""
    return listed(min((list(_differences(head, own)) for own in benchmark.heads), key=len))


def _differences(head: Head, own: Head) -> Iterator[str]:
    yield from _of_specs("transform", TRANSFORMS.spec(head.transform), TRANSFORMS.spec(own.transform))
    yield from _of_specs("evaluator", EVALUATORS.spec(head.evaluator), EVALUATORS.spec(own.evaluator))
    if head.selection != own.selection:
        yield f"{_choice(head.selection)} instead of {_choice(own.selection)}"


def _of_specs(kind: str, a: Spec, b: Spec) -> Iterator[str]:
    """The members if they differ, else the fields in which they differ."""
    if a.name != b.name:
        yield f"{kind} {a.name} instead of {b.name}"
        return
    for name, value in a.fields.items():
        if str(value) != str(b.fields.get(name)):
            yield f"{name} {value} instead of {b.fields.get(name)}"


def _choice(rule: Selection | None) -> str:
    return "nothing chosen" if rule is None else rule.short_name


def _texts(head: Head) -> tuple[str, str, str]:
    """A head as rows hold it."""
    rule = "" if head.selection is None else repr(head.selection)
    return TRANSFORMS.spec(head.transform).text, EVALUATORS.spec(head.evaluator).text, rule
