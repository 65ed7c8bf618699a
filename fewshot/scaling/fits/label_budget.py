"""Labels for a target accuracy: a bracket from several laws, and how far to trust it.

Mahmood et al. 2022 (arXiv 2207.01725): some laws over-estimate the need and some under-estimate it; together they
bracket the truth. Ratio to report once the need is known: (n0 + predicted) / (n0 + needed), with n0 present labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fewshot.plugins.registry import LAWS
from fewshot.scaling.fits.curves import Curve
from fewshot.scaling.fits.trust import Trust, trust_all
from fewshot.scaling.laws import Fit, named

_Fitted = tuple[str, Fit, Trust]  # a law's name, its fit, and how far to trust it


@dataclass(frozen=True, eq=False)
class Need:
    """The labels that a target needs, by one law."""

    law: str
    fit: Fit
    labels: float  # infinite if the law never reaches the target
    trust: Trust

    @property
    def standing(self) -> str:
        """The standing of the number: "measured", "extrapolated", "beyond" twice the range, "refused" or "never"."""
        return self.trust.standing(self.labels) if np.isfinite(self.labels) else "never"

    @property
    def counted(self) -> bool:
        """Whether it counts for the bracket: the law predicts the largest sizes, or the need lies inside the range."""
        return self.trust.trusted or self.standing == "measured"


@dataclass(frozen=True, eq=False)
class Budget:
    """The labels that a target accuracy needs on one curve."""

    curve: Curve
    target: float  # accuracy
    needs: tuple[Need, ...]

    @property
    def counted(self) -> tuple[Need, ...]:
        """The needs that count for the bracket."""
        return tuple(need for need in self.needs if need.counted)

    @property
    def bracket(self) -> tuple[float, float] | None:
        """The fewest and the most labels by the laws that count, the most infinite if one of them never reaches the
        target; None if none does."""
        labels = [need.labels for need in self.counted]
        return (min(labels), max(labels)) if labels and np.isfinite(min(labels)) else None

    @property
    def reached(self) -> float | None:
        """The fewest labels at which the target was measured; None if it was not."""
        x, errors = self.curve.points.x, self.curve.points.errors
        enough = x[errors <= 1 - self.target]
        return float(enough.min()) if len(enough) else None

    @property
    def sentence(self) -> str:
        """The answer in one sentence."""
        x = self.curve.points.x
        if self.reached is not None:
            return f"{self.target:g} is reached at {self.reached:g} (measured)"
        if self.bracket is None:
            return f"no answer: no law predicts the largest sizes and reaches {self.target:g}"
        low, high = self.bracket
        count, never = len(self.counted), sum(need.standing == "never" for need in self.counted)
        beyond = sum(need.standing == "beyond" for need in self.counted)
        span = f"at least {low:.3g}" if never or count == 1 else f"{low:.3g} to {high:.3g}"
        parts = [f"{self.target:g} needs {span}, by {count} of {len(self.needs)} laws"]
        parts += [f"{never} of them never reach it"] * bool(never)
        parts += [f"{beyond} of them beyond twice the measured {x.max():g}, which is unreliable"] * bool(beyond)
        return "; ".join(parts)

    def values(self) -> dict[str, object]:
        """Values for JSON; None for numbers that are not finite."""
        return {
            "curve": self.curve.key,
            "target": self.target,
            "bracket": [n if np.isfinite(n) else None for n in self.bracket] if self.bracket else None,
            "largest_x": float(self.curve.points.x.max()),
            "laws": [
                {
                    "law": need.law,
                    "labels": need.labels if np.isfinite(need.labels) else None,
                    "standing": need.standing,
                    "parameters": need.fit.law.values(),
                    "rmse_fit": need.fit.rmse if np.isfinite(need.fit.rmse) else None,
                    "trust": need.trust.sentence,
                }
                for need in self.needs
            ],
            "sentence": self.sentence,
        }


def budget_laws() -> tuple[str, ...]:
    """The names of the laws that declare `for_budgets`."""
    return tuple(name for name in LAWS.names() if LAWS.signature(name).declared.get("for_budgets"))


def budgets(
    curves: Sequence[Curve], targets: Sequence[Sequence[float]], laws: Sequence[str] = ()
) -> list[list[Budget]]:
    """The x at which the accuracy of each curve reaches each of its targets, in (0, 1), by several laws.

    The default is all laws that declare `for_budgets`. Laws with too many parameters for a curve are skipped. Raises a
    ValueError if none is left. Each law is fitted once per curve, to all curves at once.
    """
    laws = laws or budget_laws()
    for curve, wanted in zip(curves, targets, strict=True):
        _check(curve, wanted, laws)
    fitted: list[list[_Fitted]] = [[] for _ in curves]
    for name in laws:
        usable = [number for number, curve in enumerate(curves) if named(name).fewest_points() <= _sizes(curve)]
        points = [curves[number].points for number in usable]
        outcomes = zip(usable, named(name).fit_curves(points), trust_all(named(name), points), strict=True)
        for number, fit, trust in outcomes:
            fitted[number].append((name, fit, trust))
    each = zip(curves, targets, fitted, strict=True)
    return [[Budget(curve, t, tuple(_need(t, *f) for f in own)) for t in wanted] for curve, wanted, own in each]


def _check(curve: Curve, targets: Sequence[float], laws: Sequence[str]) -> None:
    if curve.points.most > 1:
        raise ValueError(f"a label budget needs errors or accuracies, but the curve {curve.name} holds losses")
    for target in targets:
        if not 0 < target < 1:
            raise ValueError(f"a target accuracy must lie between 0 and 1, got {target:g}")
    fewest = min(named(name).fewest_points() for name in laws)
    if _sizes(curve) < fewest:
        raise ValueError(
            f"a label budget needs {fewest} different x or more, but the curve {curve.name} has {_sizes(curve)}"
        )


def _sizes(curve: Curve) -> int:
    return len(np.unique(curve.points.x))


def _need(target: float, name: str, fit: Fit, trust: Trust) -> Need:
    return Need(name, fit, float(fit.law.inverse(1 - target)), trust)
