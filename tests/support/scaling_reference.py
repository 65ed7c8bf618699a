"""Real curves to test on, where a checkout has them beside it."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from fewshot.scaling.laws import Floats, Points
from tests.support.checkout import ROOT

FOLDER = ROOT.parent / "shared" / "reference"
Split = tuple[Points, Floats, Floats]  # points to fit; x and errors to predict


def rows(name: str) -> list[dict[str, str]]:
    """The rows of a table; the test is skipped where it is absent."""
    if not (FOLDER / name).is_file():
        pytest.skip(f"the reference table {name} is not beside this checkout")
    with open(FOLDER / name, newline="") as file:
        return list(csv.DictReader(file))


def curves(name: str) -> dict[tuple[str, str], Split]:
    """Curves by (task, model): of equal x the last one is fitted, as published."""
    found: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in rows(name):
        found.setdefault((row["Task"], row["Model"]), []).append(row)
    return {key: _split(of) for key, of in found.items()}


def _split(of: list[dict[str, str]]) -> Split:
    fitted = {float(row["Seen Examples"]): float(row["Loss"]) for row in of if row["Training"] == "1"}
    x = np.array(sorted(fitted))
    rest = np.array([(float(row["Seen Examples"]), float(row["Loss"])) for row in of if row["Training"] == "0"])
    return Points(x, np.array([fitted[value] for value in x]), np.ones(len(x))), rest[:, 0], rest[:, 1]
