"""`fewshot check`: does an evaluator obey the laws?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from fewshot.evaluators import Evaluator


@click.command("check", short_help="Run the laws on an evaluator.")
@click.argument("spec")
def command(spec: str) -> int:
    """Run the laws that every evaluator obeys on SPEC: a name, Name(field=value) or package.module:Class.

    A bare name is checked on its own examples().
    """
    from fewshot.laws import check_evaluator

    n_broken = 0
    for evaluator in _evaluators(spec):
        broken = check_evaluator(evaluator)
        click.echo(f"{evaluator!r}: {f'{len(broken)} laws are broken' if broken else 'all laws hold'}")
        for law in broken:
            click.echo(f"  {law}")
        n_broken += len(broken)
    return 1 if n_broken else 0


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
