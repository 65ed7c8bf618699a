"""The label budget of one curve, for tests that ask for a single target."""

from __future__ import annotations

from collections.abc import Sequence

from fewshot.scaling.fits.curves import Curve
from fewshot.scaling.fits.label_budget import Budget, budgets


def budget(curve: Curve, target: float, laws: Sequence[str] = ()) -> Budget:
    """The x at which the accuracy of a curve reaches `target`."""
    return budgets([curve], [[target]], laws)[0][0]
