"""The speed benchmark: what its numbers mean, and that its measurements run."""

from __future__ import annotations

import importlib.util
import json

import numpy as np
import pytest
from fewshot.benchmarks import head_speed, rounds, table_speed
from fewshot.benchmarks.rounds import Case, Line, Measured, append, lines, read, table
from fewshot.benchmarks.speed import cases


def case(**changes):
    fields = {"name": "head", "shape": "5-way", "ours": lambda: Measured(1.0), "peer": "loop"}
    return Case(**(fields | {"theirs": lambda: Measured(1.0), "module": "numpy"} | changes))


def measured(monkeypatch, **rates):
    """Measurements of processes, by side and round; and the order in which they were asked for."""
    asked = []

    def measure(script, case, side):
        asked.append(side)
        return Measured(rates[side][asked.count(side) - 1], [float(asked.count(side))], 1000 * asked.count(side))

    monkeypatch.setattr(rounds, "measure", measure)
    return asked


def test_the_ratio_is_the_median_of_the_ratios_of_neighbouring_rounds(monkeypatch):
    asked = measured(monkeypatch, ours=[10, 30, 40], default=[1, 2, 8])
    [line] = lines("speed.py", case(peer_threads=("default",)), 3)
    assert asked == ["ours", "default"] * 3
    assert (line.ratio, line.episodes_per_second, line.peer_episodes_per_second) == (10, 30, 2)
    assert line.spread == 1.0  # ratios 10, 15, 5
    assert line.unstable
    assert (line.peak_bytes, line.rounds) == (3000, 3)


def test_a_peer_is_measured_with_default_threads_and_with_one(monkeypatch):
    asked = measured(monkeypatch, ours=[8, 8], default=[4, 4], **{"1": [2, 2]})
    found = lines("speed.py", case(), 2)
    assert asked == ["ours", "default", "1"] * 2
    assert [(line.peer_threads, line.ratio, line.unstable) for line in found] == [
        ("default", 2, False),
        ("1", 4, False),
    ]


SCRIPT = """
import json, sys
from dataclasses import asdict
from fewshot.benchmarks.rounds import Case, Measured, measure_here

def theirs():
    import sklearn.linear_model, threadpoolctl  # loaded late, as peers load theirs
    return Measured(1.0, [max(pool["num_threads"] for pool in threadpoolctl.threadpool_info())])

case = Case("head", "5-way", theirs, "loop", theirs)
print(json.dumps(asdict(measure_here(case, sys.argv[4]))))
"""


@pytest.mark.parametrize("n_threads", [1, 2])
def test_a_limit_of_threads_holds_for_libraries_that_the_peer_loads_late(tmp_path, monkeypatch, n_threads):
    for variable in rounds.LIMITS:
        monkeypatch.setenv(variable, "4")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    assert rounds.measure(str(script), case(), str(n_threads)).answers == [n_threads]


def test_a_peer_that_runs_more_threads_than_it_may_is_an_error(monkeypatch):
    import threadpoolctl

    monkeypatch.setattr(threadpoolctl, "threadpool_info", lambda: [{"filepath": "/lib/libblas.so", "num_threads": 2}])
    with pytest.raises(RuntimeError, match=r"must run 1 thread\(s\), but these libraries run more: libblas.so"):
        rounds.measure_here(case(), "1")


def test_a_peer_that_is_not_installed_is_named_with_its_command(monkeypatch):
    absent = case(module="no_such_peer", install="pip install it")
    assert absent.missing == "head: skipped loop, because no_such_peer is not installed; run: pip install it"
    measured(monkeypatch, ours=[8])
    [line] = lines("speed.py", absent, 1)
    assert (line.peer, line.ratio, line.peer_episodes_per_second) == ("", None, None)


def test_answers_of_every_round_are_compared(monkeypatch):
    measured(monkeypatch, ours=[8, 8], default=[4, 4], **{"1": [2, 2]})
    with pytest.raises(ValueError, match=r"only 0.0% of the predictions equal those of the peer"):
        lines("speed.py", case(compare=lambda a, b: head_speed.same_classes(a, [x + 1 for x in b])), 2)


def test_lines_are_added_to_a_file_case_by_case(tmp_path):
    path = tmp_path / "speed.json"
    line = Line("a", "5-way", 10.0, "loop", "1", 2.0, 5.0, 0.1, 2**20, 2**20, 7, False, "", "a machine")
    append(path, [line])
    append(path, [Line(**(line.__dict__ | {"name": "b", "peer": "", "ratio": None, "spread": None}))])
    append(path, [Line(**(line.__dict__ | {"ratio": 6.0}))])
    assert [(found["name"], found["ratio"]) for found in read(path)] == [("b", None), ("a", 6.0)]
    assert json.loads(path.read_text()) == read(path)
    assert "loop (1)" in table(read(path))


def test_an_objective_above_the_peers_is_an_error():
    assert head_speed.same_optimum([1.0, 2.0], [1.0, 2.0]) == "objective +0e+00"
    with pytest.raises(ValueError, match=r"our objective is 1.0e-05 above that of the peer"):
        head_speed.same_optimum([1.0, 2.00002], [1.0, 2.0])


def test_every_case_has_a_name_of_its_own():
    assert len({c.name for c in cases()}) == len(cases())


@pytest.fixture
def instant(monkeypatch):
    """A rate is one step."""
    for module in (head_speed, table_speed):
        monkeypatch.setattr(module, "rate", lambda step, seconds=1.0: float(step(0)))


@pytest.mark.parametrize("twins", [False, True])
def test_heads_and_peers_answer_the_same(instant, twins):
    made = head_speed.on_arrays("LinearProbe(C=1.0)", "", head_speed.logistic_regression, 3, 2, 16, 8, twins)
    assert made.theirs is not None
    ours, theirs = made.ours(), made.theirs()
    assert (ours.per_second, theirs.per_second) == (8, 1)
    assert len(ours.answers) == 8 * 45
    assert head_speed.same_classes(ours.answers, theirs.answers)


def test_a_path_is_at_the_optimum_of_the_peer(instant):
    made = head_speed.path(3, 2, 16, [0.01, 1.0, 100.0], 1e-10, rounds=1)
    assert made.theirs is not None
    assert head_speed.same_optimum(made.ours().answers, made.theirs().answers).startswith("objective")


def test_a_table_is_solved_from_drawing_to_accuracy(instant, monkeypatch):
    monkeypatch.setattr(table_speed, "sampled", lambda start, count, sampled=table_speed.sampled: sampled(start, 5))
    found = table_speed.ours_from_a_table("Prototype()")
    assert found.per_second == 5
    assert 0.2 < found.answers[0] < 1


@pytest.mark.skipif(importlib.util.find_spec("learn2learn") is None, reason="learn2learn is not installed")
def test_learn2learn_draws_tasks(instant):
    assert table_speed.learn2learn_sampling().per_second == 1


def test_the_objective_is_that_of_the_definition():
    rows, weight, bias = np.eye(2, dtype=np.float32), np.array([[1.0, 0.0], [0.0, 1.0]]), np.zeros(2)
    assert head_speed.objectives(weight, bias, rows, 3.0) == pytest.approx(3 * 2 * np.log1p(np.exp(-1)) + 1)
