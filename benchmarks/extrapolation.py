"""Which law extrapolates best? This script fits every law to the first half of each curve and scores it on the rest.

    python -m fewshot.benchmarks.extrapolation FILE --x COLUMN --y COLUMN --by COLUMN,COLUMN [--fit-where Training=1]
        [--metric accuracy|error|loss] [--clusters COLUMN,COLUMN] [--json FILE]

FILE is any CSV of curves. The script prints for every law the mean and median over the curves of the RMSE of log
error at the points that were not fitted, the wins (at three decimals, ties shared), and the paired difference of the
mean to that of M4, with a 95 % interval that resamples whole clusters of curves (`--clusters`: the columns of `--by`
that name a cluster, such as data set and network; without it every curve is a cluster). `chosen` is, for each curve,
the law that best predicts the upper half of the *fitted* range from its lower half. Neither `chosen` nor `Average`
uses a point that it is scored on."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import numpy as np
from tabulate import tabulate

from fewshot.episodes import streams
from fewshot.episodes.draws import words
from fewshot.scaling.fits.curves import Curve, curves
from fewshot.scaling.fits.metrics import METRICS
from fewshot.scaling.fits.tables import CurveTable
from fewshot.scaling.fits.trust import Trust, trust_all
from fewshot.scaling.laws import Floats, log_rmse, named

LAWS = ("M1", "M2", "M3", "M4", "M4Joint", "ShiftedPowerLaw", "BNSL0", "BNSL1", "BNSL2", "PiecewisePowerLaw", "Average")
DRAWS = 10_000


def misses(all_curves: Sequence[Curve], laws: Sequence[str] = LAWS) -> tuple[dict[str, Floats], dict[str, float]]:
    """RMSE of log error beyond the fitted points [curves], by law and for the law `chosen` on held-out points; and the
    seconds per fit, by law. NaN if a curve has too few points for a law."""
    missed, seconds, tests = {}, {}, {}
    for name in laws:
        law = named(name)
        usable = [len(np.unique(curve.points.x)) >= law.fewest_points() for curve in all_curves]
        able = [curve for curve, fits in zip(all_curves, usable, strict=True) if fits]
        started = perf_counter()
        fitted = law.fit_curves([curve.points for curve in able])
        seconds[name] = (perf_counter() - started) / max(1, len(able))
        missed[name] = np.full(len(all_curves), np.nan)
        missed[name][usable] = [
            log_rmse(fit.law, curve.rest_x, curve.rest_errors) for fit, curve in zip(fitted, able, strict=True)
        ]
        tests[name] = trust_all(law, [curve.points for curve in all_curves])
    picks = [
        _pick({name: trust[i] for name, trust in tests.items() if not math.isnan(missed[name][i])})
        for i in range(len(all_curves))
    ]
    missed["chosen"] = np.array([missed[pick][i] if pick else np.nan for i, pick in enumerate(picks)])
    return missed, seconds


def _pick(tests: dict[str, Trust]) -> str:
    """The law with the least error on held-out sizes, among those with most held-out sizes; "" if none was tested."""
    most = max((trust.n_held for trust in tests.values()), default=0)
    held = {name: trust.miss for name, trust in tests.items() if most and trust.n_held == most}
    return min(held, key=held.__getitem__, default="")


def wins(missed: dict[str, Floats], among: Sequence[str]) -> dict[str, float]:
    """The share of curves on which each law is best, at three decimals; ties are shared."""
    rounded = np.floor(1000 * np.nan_to_num(np.stack([missed[name] for name in among]), nan=np.inf))
    best = rounded == rounded.min(0)
    return dict(zip(among, (best / best.sum(0)).mean(1).tolist(), strict=True))


def clustered(differences: Floats, clusters: Sequence[str], seed: int = 0) -> tuple[float, float]:
    """A 95 % interval of the mean of differences [curves], by resampling whole clusters."""
    names, code = np.unique(np.array(clusters), return_inverse=True)
    uniform = words(seed, np.arange(DRAWS, dtype=np.int64), 1, len(names), streams.EXTRAPOLATED)[:, 0]
    picks = ((uniform * np.uint64(len(names))) >> np.uint64(32)).astype(np.int64)  # [draws, clusters]
    sums, counts = np.bincount(code, weights=differences), np.bincount(code)
    low, high = np.quantile(sums[picks].sum(1) / counts[picks].sum(1), [0.025, 0.975])
    return float(low), float(high)


def summary(
    all_curves: Sequence[Curve], clusters: Sequence[str], laws: Sequence[str] = LAWS
) -> list[dict[str, object]]:
    """One line per law."""
    missed, seconds = misses(all_curves, laws)
    won = wins(missed, ("M1", "M2", "M3", "M4"))
    lines: list[dict[str, object]] = []
    for name, values in missed.items():
        shared = np.isfinite(values) & np.isfinite(missed["M4"])
        difference = (values - missed["M4"])[shared]
        low, high = clustered(difference, np.array(clusters)[shared].tolist())
        lines.append(
            {
                "law": name,
                "curves": int(shared.sum()),
                "mean": float(values[shared].mean()),
                "median": float(np.median(values[shared])),
                "minus M4": float(difference.mean()),
                "low": low,
                "high": high,
                "wins among M1 to M4": won.get(name),
                "ms a fit": round(1000 * seconds[name], 1) if name in seconds else None,
            }
        )
    return lines


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--x", required=True)
    parser.add_argument("--y", required=True)
    parser.add_argument("--metric", default="", choices=METRICS)
    parser.add_argument("--by", default="")
    parser.add_argument("--fit-where", default="Training=1")
    parser.add_argument("--clusters", default="")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(arguments)
    by, named_by = (names.split(",") if names else [] for names in (given.by, given.clusters))
    unknown = [name for name in named_by if name not in by]
    if unknown:
        parser.error(f"--clusters groups curves by columns of --by ({given.by or 'none'}), got {unknown[0]!r}")
    try:
        all_curves = curves(CurveTable.read(given.file), given.x, given.y, by, given.fit_where, metric=given.metric)
    except ValueError as error:
        parser.error(str(error))
    clusters = [" ".join(_family(curve.key[name]) for name in named_by) or curve.name for curve in all_curves]
    lines = summary(all_curves, clusters)
    print(tabulate(lines, headers="keys", floatfmt=".4f"))
    print(f"{len(all_curves)} curves in {len(set(clusters))} clusters")
    if given.json:
        given.json.write_text(json.dumps(lines, indent=1) + "\n")


def _family(name: str) -> str:
    """A task without its number of shots: "bird_5" and "bird_25" belong to one data set."""
    return name.rsplit("_", 1)[0] if name.rsplit("_", 1)[-1].isdigit() else name


if __name__ == "__main__":
    main()
