"""A law is one file: commands and the report find it where it lies."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.support.package_copy import fewshot_in, package_with
from tests.support.report_rows import row

FLAT = '''
"""An error that nothing changes: `Flat`."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from fewshot.scaling.laws import Fit, Law, Meaning, log_rmse


@dataclass(frozen=True)
class Flat(Law):
    """An error that nothing changes."""

    level: Annotated[float, Meaning("the error", "error")]
    formula: ClassVar[str] = "e = level"
    for_budgets: ClassVar[bool] = True

    def predict(self, x):
        return np.full(np.shape(x), self.level)

    @classmethod
    def fit_many(cls, x, errors, weights):
        laws = [cls(float(np.exp(np.average(np.log(e), weights=w)))) for e, w in zip(errors, weights, strict=True)]
        each = zip(laws, np.broadcast_to(x, errors.shape), errors, weights, strict=True)
        return [Fit(law, log_rmse(law, x, e, w)) for law, x, e, w in each]
'''


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A package with the law, a curve, and rows of a learner at six shots."""
    points = [(x, round(0.9 * x**-0.4, 6)) for x in (1, 2, 4, 8, 16, 32)]
    with open(tmp_path / "curve.csv", "w", newline="") as file:
        csv.writer(file).writerows([("x", "error"), *points])
    rows = [row(1 - error, k_shot=x) for x, error in points]
    (tmp_path / "rows.jsonl").write_text("\n".join(each.to_json() for each in rows))
    return package_with(tmp_path, {"scaling/laws/flat.py": FLAT})


def test_a_new_file_is_a_law_that_every_command_and_the_report_know(place):
    listed = json.loads(fewshot_in(place, "list", "laws", "--json"))["laws"]
    [own] = [law for law in listed if law["name"] == "Flat"]
    assert own["call"] == "Flat: e = level"
    assert own["summary"] == "An error that nothing changes."
    [fitted] = json.loads(fewshot_in(place, "scaling", "fit", "curve.csv", "--x", "x", "--law", "Flat", "--json"))
    assert fitted["law"] == "Flat"
    assert list(fitted["parameters"]) == ["level"]
    [budget] = json.loads(fewshot_in(place, "scaling", "budget", "curve.csv", "--x", "x", "--target", ".9", "--json"))
    assert "Flat" in [law["law"] for law in budget["laws"]]
    fewshot_in(place, "report", "rows.jsonl", "--out", "page.html")
    assert "of 7 laws" in (place / "page.html").read_text(encoding="utf-8")
