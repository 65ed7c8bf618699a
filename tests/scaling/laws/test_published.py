"""M1 to M4 against what the published estimators reach (Alabdulmohsin et al. 2022) on real curves."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter

import numpy as np
import pytest

from fewshot.scaling.laws import log_rmse, named
from tests.support.scaling_reference import curves, rows

LAWS = ("M1", "M2", "M3", "M4")


@pytest.fixture(scope="module")
def image() -> dict[tuple[str, str, str], tuple[float, float]]:
    """(RMSE reached here, RMSE of the published estimators) by task, network and law."""
    split = curves("scaling/few_shot_image_curves.csv")
    reached = {}
    for law in LAWS:
        fits = named(law).fit_curves([points for points, _, _ in split.values()])
        for (task, model), (_, x, errors), fit in zip(split, split.values(), fits, strict=True):
            reached[task, model, law] = log_rmse(fit.law, x, errors)
    return {
        (row["task"], row["model"], row["method"]): (
            reached[row["task"], row["model"], row["method"]],
            float(row["rmse"]),
        )
        for row in rows("scaling/few_shot_image_rmse.csv")
    }


@pytest.mark.parametrize(("law", "least"), [("M1", 36), ("M2", 35), ("M3", 36), ("M4", 35)])
def test_extrapolation_of_image_curves_is_that_of_the_published_estimators(image, law, least):
    """The two that differ: bird_5 ViT/S/16 for M2 and cal_10 BiT/101/3 for M4. There the published run stopped after
    1500 rounds on its way; its e_inf (.3210, .1023) still moves, here to 0 and .0788."""
    pairs = np.array([pair for (_, _, method), pair in image.items() if method == law])
    near = abs(pairs[:, 0] / pairs[:, 1] - 1) < 0.1
    assert near.sum() >= least


def test_rounding_does_not_decide_where_m4_ends(image):
    """Undamped, e_0 of cal_25 MiX/L/16 was thrown about its range for a hundred rounds, to another end on another
    machine."""
    split = curves("scaling/few_shot_image_curves.csv")
    random = np.random.default_rng(0)
    for _ in range(3):
        nudged = [
            dataclasses.replace(points, errors=points.errors * (1 + 1e-13 * random.normal(size=len(points.x))))
            for points, _, _ in split.values()
        ]
        fits = named("M4").fit_curves(nudged)
        for (task, model), (_, x, errors), fit in zip(split, split.values(), fits, strict=True):
            assert log_rmse(fit.law, x, errors) == pytest.approx(image[task, model, "M4"][0], rel=1e-3)


def test_m4_extrapolates_best_on_most_image_curves(image):
    """Compared at three decimals, ties shared, as published."""
    wins: Counter[str] = Counter()
    for task, model in dict.fromkeys((task, model) for task, model, _ in image):
        errors = {law: int(1000 * image[task, model, law][0]) for law in LAWS}
        best = [law for law in LAWS if errors[law] == min(errors.values())]
        wins.update({law: 1 / len(best) for law in best})  # type: ignore[arg-type]
    assert wins["M4"] > 36 / 2


@pytest.fixture(scope="module")
def language() -> dict[tuple[str, str], tuple[float, float, float]]:
    """(RMSE reached here, RMSE printed, unit of its last digit) by curve and law."""
    split = curves("scaling/language_curves.csv")
    fits = {law: named(law).fit_curves([points for points, _, _ in split.values()]) for law in LAWS}
    result = {}
    for row in rows("scaling/language_rmse.csv"):
        number = next(n for n, (task, model) in enumerate(split) if _printed_name(task, model) == row["curve"])
        _, x, errors = list(split.values())[number]
        for law in LAWS:
            unit = 10.0 ** (int(row[law].split("e")[1]) - 1)
            result[row["curve"], law] = (log_rmse(fits[law][number].law, x, errors), float(row[law]), unit)
    return result


def _printed_name(task: str, model: str) -> str:
    """ "('date', '1-shot')" is "date 1-shot"; the others are called by their network."""
    return " ".join(re.findall(r"[\w-]+", task)) if task.startswith("(") else model


OTHER_POINTS = {"1.68e+07", "1.34e+08", "2.62e+08"}  # M1, a closed form, misses the print: it is of other points
EXCEPTIONS = {
    "M1": OTHER_POINTS,
    "M2": OTHER_POINTS | {"Dec-only", "unit 1-shot"},  # a misprint; M2 is M1 here, which is as printed
    "M3": OTHER_POINTS | {"Dec-only"},
}


@pytest.mark.parametrize("law", EXCEPTIONS)
def test_language_curves_give_the_printed_figures_but_for_those_explained(language, law):
    """To one unit of the second digit (some are rounded and some cut); docs/scaling.md explains the exceptions."""
    off = {
        curve
        for (curve, name), (reached, printed, unit) in language.items()
        if name == law and abs(reached - printed) > 1.5 * unit
    }
    assert off <= EXCEPTIONS[law]


def test_m4_gives_the_printed_figure_where_its_fit_is_determined(language):
    for curve in ("TEnc-LSTM", "1.68e+07", "4.53e+08", "1.07e+09", "qa 1-shot"):
        reached, printed, unit = language[curve, "M4"]
        assert abs(reached - printed) <= 1.5 * unit
