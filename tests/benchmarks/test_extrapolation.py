"""The benchmark of extrapolation."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from fewshot.benchmarks.extrapolation import clustered, main, misses, summary, wins

from fewshot.scaling.fits.curves import Curve
from fewshot.scaling.laws import Points
from fewshot.scaling.laws.m1 import M1
from fewshot.scaling.laws.m2 import M2

X, BEYOND = np.geomspace(10, 1e4, 12), np.array([2e4, 4e4])
LAWS = ("M1", "M2", "M4")


def curve(name: str, law: M1 | M2) -> Curve:
    return Curve({"name": name}, Points(X, law.predict(X), np.ones(len(X))), BEYOND, law.predict(BEYOND), 0)


CURVES = [curve("straight", M1(1.5, -0.3)), curve("bent", M2(1.5, -0.5, 0.1))]


def test_the_chosen_law_is_the_one_that_predicts_the_held_back_sizes():
    missed, seconds = misses(CURVES, LAWS)
    assert set(seconds) == set(LAWS)
    assert missed["M1"][0] < 1e-9 < missed["M1"][1]
    for number in range(2):
        assert missed["chosen"][number] in [missed[name][number] for name in LAWS]
    assert missed["chosen"].max() < 0.05


def test_the_summary_compares_every_law_with_m4():
    lines = {line["law"]: line for line in summary(CURVES, ["a", "b"], ("M1", "M2", "M3", "M4"))}
    assert lines["M4"]["minus M4"] == 0
    assert sum(line["wins among M1 to M4"] or 0 for line in lines.values()) == pytest.approx(1)
    assert lines["M1"]["low"] <= lines["M1"]["minus M4"] <= lines["M1"]["high"]


def test_ties_at_three_decimals_are_shared():
    found = wins({"a": np.array([0.1001, 0.2]), "b": np.array([0.1004, 0.3])}, ("a", "b"))
    assert found == {"a": 0.75, "b": 0.25}


def test_an_interval_of_clusters_is_wider_than_one_of_curves():
    random = np.random.default_rng(0)
    effects = np.repeat(random.normal(size=12), 3)
    low, high = clustered(effects, [str(number // 3) for number in range(36)])
    closer_low, closer_high = clustered(effects, [str(number) for number in range(36)])
    assert low < closer_low < effects.mean() < closer_high < high


def table(path: Path) -> str:
    """Two curves of twelve sizes in a file, the two largest to be predicted."""
    with open(path, "w", newline="") as file:
        sizes = [*X, *BEYOND]
        lines = [(each.key["name"], x, 100 * e, int(x <= 1e4)) for each in CURVES for x, e in zip(
            sizes, [*each.points.errors, *each.rest_errors], strict=True)]  # fmt: skip
        csv.writer(file).writerows([("name", "x", "error", "Training"), *lines])
    return str(path)


def test_a_cluster_outside_the_columns_of_curves_is_refused_in_a_sentence(tmp_path, capsys):
    given = [table(tmp_path / "curves.csv"), "--x", "x", "--y", "error", "--by", "name"]
    with pytest.raises(SystemExit):
        main([*given, "--clusters", "Training"])
    assert "--clusters groups curves by columns of --by (name), got 'Training'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*given, "--by", "nme"])
    assert "has no column 'nme' (did you mean 'name'?); it has: name, x, error, Training" in capsys.readouterr().err


def test_the_benchmark_reads_percent(tmp_path, capsys):
    main([table(tmp_path / "curves.csv"), "--x", "x", "--y", "error", "--by", "name", "--clusters", "name"])
    assert "2 curves in 2 clusters" in capsys.readouterr().out
