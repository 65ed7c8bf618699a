"""Scaling laws e(x) of an error over a resource: one file per law, each a frozen dataclass of its parameters.

M2.fit(x, errors).law.predict(1e9)      named("M4").fit(x, errors).converged      law.inverse(0.1)

To add a law, add a file that holds a `Law`; see `m1.py`. `fewshot list laws` and `fewshot scaling fit --law` find it.
With `for_budgets`, label budgets use it, on the command line and in the report.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fewshot.plugins.registry import LAWS

Floats = NDArray[np.float64]

_WIDEST = 1e60  # an inverse is searched between 1 / this and this


@dataclass(frozen=True)
class Meaning:
    """The meaning and the unit of a parameter: `beta: Annotated[float, Meaning("error at x = 1")]`."""

    text: str
    unit: str = "none"


def named(name: str) -> type[Law]:
    """The law with this name. The ValueError for an unknown name lists the known ones."""
    law: type[Law] = LAWS.get(name)
    if not issubclass(law, Law):
        raise ValueError(f"{name} is not a law; derive it from {__name__}.Law")
    return law


@dataclass(frozen=True, eq=False)
class Points:
    """Measured points of one curve."""

    x: Floats  # [n], above 0
    errors: Floats  # [n], in (0, most]
    weights: Floats  # [n], at least 0
    most: float = 1.0  # infinite for losses

    def check(self) -> None:
        """Raises a ValueError if the points cannot be fitted."""
        x, errors, weights = self.x, self.errors, self.weights
        if not x.shape == errors.shape == weights.shape or x.ndim != 1:
            shapes = f"{x.shape}, {errors.shape}, {weights.shape}"
            raise ValueError(f"x, errors and weights must be of one length, got shapes {shapes}")
        if not (np.isfinite(x) & (x > 0)).all():
            raise ValueError(f"x must be a positive number, got {x[~(np.isfinite(x) & (x > 0))][0]:g}")
        inside = np.isfinite(errors) & (errors > 0) & (errors <= self.most)
        if not inside.all():
            wanted = "an error must lie in (0, 1]" if self.most == 1 else "a loss must be a positive number"
            raise ValueError(f"{wanted}, got {errors[~inside][0]:g}")
        if not (np.isfinite(weights) & (weights >= 0)).all():
            raise ValueError("weights must be numbers of at least 0")


@dataclass(frozen=True)
class Fit:
    """A fitted law and the quality of the fit."""

    law: Law
    rmse: float  # root of the weighted mean squared residual of log e at the points that were fitted
    converged: bool = True
    rounds: int = 0  # of the alternation, if the law uses one
    note: str = ""  # why it did not converge


@dataclass(frozen=True)
class Law(ABC):
    """An error as a function of a resource. Its fields are its parameters."""

    formula: ClassVar[str] = ""
    for_budgets: ClassVar[bool] = False  # whether label budgets use it
    for_losses: ClassVar[bool] = True  # whether errors may exceed 1. All three are read without importing the law

    @abstractmethod
    def predict(self, x: ArrayLike) -> Floats:
        """The error at every x > 0, in the shape of x."""

    @classmethod
    @abstractmethod
    def fit_many(cls, x: Floats, errors: Floats, weights: Floats) -> list[Fit]:
        """One fit for every row of `errors` [B, n] and `weights` [B, n] over x [n] or [B, n], independent of the other
        rows. Ignores points of weight 0. Checks nothing."""

    @classmethod
    def fit(cls, x: ArrayLike, errors: ArrayLike, weights: ArrayLike | None = None, most: float = 1.0) -> Fit:
        """The law fitted to the points (x, e) [n]; deterministic. Raises a ValueError if they cannot be fitted. `most`:
        the largest possible error; infinite for losses."""
        errors = np.asarray(errors, float)
        weights = np.ones_like(errors) if weights is None else np.asarray(weights)
        return cls.fit_curves([Points(np.asarray(x, float), errors, weights, most)])[0]

    @classmethod
    def fit_curves(cls, curves: Sequence[Points]) -> list[Fit]:
        """One fit for each of several curves, computed together. Raises a ValueError if a curve cannot be fitted."""
        for points in curves:
            points.check()
            if points.most > 1 and not cls.for_losses:
                raise ValueError(f"{cls.__name__} is for errors of at most 1, not for losses; omit the law")
            n_different = len(np.unique(points.x[points.weights > 0]))
            if n_different < cls.fewest_points():
                raise ValueError(
                    f"{cls.__name__} has {cls.size()} parameters and needs {cls.fewest_points()} different x, got "
                    f"{n_different}; measure more sizes or fit a simpler law"
                )
        return cls.fit_many(*_padded(curves)) if curves else []

    def inverse(self, errors: ArrayLike) -> Floats:
        """The smallest x at which the error is at most e, in the shape of `errors`: 0 if it always is, infinite if it
        never is. By bisection of log x, which assumes that the law falls."""
        wanted = np.asarray(errors, float)
        low = np.full(wanted.shape, self.falls_from())
        high = np.full(wanted.shape, np.log(_WIDEST))
        never = self.predict(np.exp(high)) > wanted
        always = self.predict(np.exp(low)) <= wanted
        for _ in range(200):
            middle = (low + high) / 2
            if ((middle == low) | (middle == high)).all():  # no number lies between
                break
            above = self.predict(np.exp(middle)) > wanted
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        return np.where(never, np.inf, np.where(always, 0.0, np.exp(high)))

    def falls_from(self) -> float:
        """The log x from which on the error falls. `inverse` starts there."""
        return -float(np.log(_WIDEST))

    def parameters(self) -> dict[str, float]:
        """The parameters by name."""
        return {field.name: float(getattr(self, field.name)) for field in dataclasses.fields(self)}

    def members(self) -> dict[str, Law]:
        """The laws that this law averages, by name; empty for most laws."""
        return {}

    def values(self) -> dict[str, object]:
        """Values for JSON: parameters by name, and those of members by theirs; None for numbers that are not finite."""
        own = {name: value if np.isfinite(value) else None for name, value in self.parameters().items()}
        return own | {name: law.values() for name, law in self.members().items()}

    @classmethod
    def size(cls) -> int:
        """The number of parameters."""
        return len(dataclasses.fields(cls))

    @classmethod
    def fewest_points(cls) -> int:
        """How many different x a fit needs: one more than parameters, so that a residual remains."""
        return cls.size() + 1


def _padded(curves: Sequence[Points]) -> tuple[Floats, Floats, Floats]:
    """Points of several curves as x, errors and weights [curves, n], padded with points of weight 0."""
    longest = max(len(points.x) for points in curves)

    def filled(rows: list[Floats], value: float) -> Floats:
        return np.array([np.concatenate([row, np.full(longest - len(row), value)]) for row in rows])

    return (
        filled([points.x for points in curves], 1.0),
        filled([points.errors for points in curves], 0.5),
        filled([points.weights for points in curves], 0.0),
    )


def log_rmse(law: Law, x: Floats, errors: Floats, weights: Floats | None = None) -> float:
    """The root of the (weighted) mean squared difference of log e between a law and points; infinite if it predicts an
    error of 0 or below."""
    predicted = law.predict(x)
    if not (predicted > 0).all():
        return float("inf")
    return float(np.sqrt(np.average((np.log(predicted) - np.log(errors)) ** 2, weights=weights)))
