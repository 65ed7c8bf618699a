"""Every evaluator of the folder obeys every law; a new file needs no new test."""

from __future__ import annotations

import pytest

from fewshot.conformance import LAWS, World, worlds
from fewshot.plugins.registry import EVALUATORS

CASES = [
    (evaluator, world)
    for name in EVALUATORS.names()
    for evaluator in EVALUATORS.get(name).examples()
    for world in worlds(evaluator)
]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize(
    ("evaluator", "world"), CASES, ids=lambda x: repr(x) if not isinstance(x, World) else type(x).__name__
)
def test_law_holds(law, evaluator, world):
    assert law(evaluator, world) is None
