"""Texts of `fewshot scaling`."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, isnan
from typing import TYPE_CHECKING

from fewshot.plugins.wording import counted

if TYPE_CHECKING:
    from fewshot.scaling.fits.curves import Curve
    from fewshot.scaling.fits.fit import CurveFit
    from fewshot.scaling.fits.label_budget import Budget
    from fewshot.scaling.fits.trust import Trust
    from fewshot.scaling.laws import Law
    from fewshot.scaling.studies.transfer import Transferred
    from fewshot.scaling.studies.transfers import SourceTransfer


def known_laws(names: Sequence[str]) -> list[str]:
    """The names of laws, each once. Raises a ValueError for an unknown name, or for none."""
    from fewshot.plugins.registry import LAWS
    from fewshot.scaling.laws import named

    for name in names:
        named(name)
    if not names:
        raise ValueError(f"--law names no law; known: {', '.join(LAWS.names())}")
    return list(dict.fromkeys(names))


def usual_laws(curves: Sequence[Curve]) -> list[str]:
    """The default laws: those of M1 to M4 that the curves allow."""
    from fewshot.scaling.laws import named

    losses = any(curve.points.most > 1 for curve in curves)
    return [name for name in ("M1", "M2", "M3", "M4") if named(name).for_losses or not losses]


def fits_text(fits: Sequence[CurveFit]) -> str:
    """One line per curve and law, with how far to trust the fit."""
    from tabulate import tabulate

    from fewshot.scaling.fits.trust import FARTHEST, TOLERANCE

    header = ("curve", "law", "parameters [95 % interval]", "fitted", "RMSE", "rest", "RMSE of the rest", "trust")
    lines = [
        (
            each.curve.name,
            each.law.__name__ + (" *" if each.chosen else ""),
            _parameters(each),
            len(each.curve.points.x),
            _rmse(each.estimate.fit.rmse),
            len(each.curve.rest_x) or "",
            _rmse(each.rmse_rest),
            _trust(each.trust),
        )
        for each in fits
    ]
    notes = [
        f"{each.curve.name}, {each.law.__name__}: {each.estimate.fit.note}"
        for each in fits
        if not each.estimate.fit.converged
    ]
    read = dict.fromkeys(each.curve.scores.sentence for each in fits if each.curve.scores is not None)
    how = (
        "RMSE is of log error. In brackets: the RMSE at the largest x of a fit without them. Up to "
        f"{TOLERANCE:g}, trust the fit to {FARTHEST:g} times its largest x; else do not extrapolate. *: the lowest."
    )
    return "\n".join([tabulate(lines, header, disable_numparse=True), how, *(f"{text}." for text in read), *notes])


def _trust(trust: Trust) -> str:
    """Whether to trust a fit, in a word, and by how much it missed."""
    if not trust.n_held:
        return "no, not tested"
    word = "yes" if trust.trusted else "no, rises" if trust.rises else "no"
    return f"{word} ({_rmse(trust.miss, 3)})"


def _parameters(each: CurveFit) -> str:
    low, high = each.estimate.low, each.estimate.high
    law = each.estimate.fit.law
    if law.members():
        return "\n".join(f"{name}: {_values(member)}" for name, member in law.members().items())
    return "\n".join(
        f"{name} {_number(value)}"
        + (f" [{low[name]:.3g}, {high[name]:.3g}]" if isfinite(low[name]) and isfinite(high[name]) else "")
        for name, value in law.parameters().items()
    )


def _values(law: Law) -> str:
    """The parameters of a law in one line."""
    return ", ".join(f"{name} {_number(value)}" for name, value in law.parameters().items())


def _number(value: float) -> str:
    return f"{value:.4g}" if isfinite(value) else "not finite"


def _rmse(value: float | None, digits: int = 4) -> str:
    """The RMSE of log error: "" for none, "infinite" if a law predicts an error of 0 or below."""
    if value is None or isnan(value):
        return ""
    return f"{value:.{digits}f}" if isfinite(value) else "infinite"


def transfers_text(transfers: Sequence[SourceTransfer]) -> str:
    """A table per source, its law, and what was omitted."""
    from tabulate import tabulate

    header = ("size", "D_F", "loss", "D_E", "D_T", "D_E / D_F", "fraction", "")
    parts = []
    for each in transfers:
        title = " ".join([*each.key.values(), f"pre-trained on {each.source}"])
        table = tabulate([_transferred(point) for point in each.points], header, disable_numparse=True)
        parts.append(f"{title}\n\n{table}\n\n{_transfer_law(each)}")
    return "\n\n".join(parts)


def _transferred(point: Transferred) -> tuple[str, ...]:
    sign = {"at least": ">= ", "at most": "<= "}.get(point.bound, "")
    numbers = (point.effective, point.transferred, point.multiplier, point.fraction)
    return (
        f"{point.size:g}",
        f"{point.images:g}",
        f"{point.loss:.4g}",
        *(f"{sign}{number:.4g}" for number in numbers),
        "pre-training hurts" if point.ossified else "",
    )


def _transfer_law(each: SourceTransfer) -> str:
    fit = each.fit
    counts = (
        f"{counted(fit.n_fitted, 'fitted point')}, {counted(fit.n_censored, 'lower bound')}, "
        f"{fit.n_left_out:,} omitted; pre-training hurts at {counted(fit.n_ossified, 'point')}; "
        f"D_F is below a tenth of D(N) at {each.n_low_data:,} of {counted(len(each.points), 'point')}"
    )
    if fit.law is None:
        return f"{fit.note}\n{counts}"
    values = ", ".join(
        f"{name} {getattr(fit.law, name):.3g} [{fit.low[name]:.3g}, {fit.high[name]:.3g}]" for name in fit.low
    )
    return "\n".join(filter(None, [f"D_T = k D_F^alpha N^beta: {values}", counts, fit.note]))


def budgets_text(budgets: Sequence[Budget]) -> str:
    """The answer for every curve, and the labels by each law."""
    from tabulate import tabulate

    parts = []
    for each in budgets:
        lines = [
            (need.law, f"{need.labels:.4g}" if need.standing != "never" else "", need.standing, need.trust.sentence)
            for need in each.needs
        ]
        table = tabulate(lines, ("law", "labels", "", "trust"), disable_numparse=True)
        parts.append(f"{each.curve.name}: {each.sentence}\n\n{table}")
    return "\n\n".join(parts)
