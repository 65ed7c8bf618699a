"""`fewshot check`: does an evaluator obey the laws?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from fewshot.commands._answers import answer, json_option

if TYPE_CHECKING:
    from fewshot.evaluators import Evaluator


@click.command("check", short_help="Run the laws on an evaluator.")
@click.argument("spec")
@json_option
def command(spec: str) -> int:
    """Run the laws that every evaluator obeys on SPEC: a name, Name(field=value) or package.module:Class.

    A bare name is checked on its own examples().
    """
    from fewshot.laws import check_evaluator

    checked = {repr(evaluator): check_evaluator(evaluator) for evaluator in _evaluators(spec)}
    lines = []
    for evaluator, broken in checked.items():
        lines.append(f"{evaluator}: {f'{len(broken)} laws are broken' if broken else 'all laws hold'}")
        lines += [f"  {law}" for law in broken]
    answer("\n".join(lines), checked)
    return 1 if any(checked.values()) else 0


def _evaluators(spec: str) -> Sequence[Evaluator[Any]]:
    """What the spec describes, or the examples of the class that it names."""
    from fewshot.plugins import EVALUATORS

    if "(" in spec:
        return [EVALUATORS.make(spec)]
    cls = EVALUATORS.get(spec.strip())
    EVALUATORS.signature(spec.strip())
    if not hasattr(cls, "examples"):
        raise ValueError(
            f"{spec} has no examples(); subclass FeatureEvaluator, ImageEvaluator or TransductiveEvaluator"
        )
    examples: Sequence[Evaluator[Any]] = cls.examples()
    return examples
