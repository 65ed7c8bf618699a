"""The same pair on several data sets: which pairs belong together, and what they say."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from fewshot.commands._answers import _as_json
from fewshot.report.comparisons.claims import sets_values
from fewshot.report.comparisons.over_sets import over_data_sets
from fewshot.report.comparisons.run_pair import RunPair
from fewshot.report.comparisons.verdicts import points
from fewshot.report.rows.reasons import FEWEST_SETS
from fewshot.results.row import Row
from fewshot.statistics.comparison import compare
from tests.support.paired_runs import two_runs


def pair(dataset: str, gain: float = 0.02, seed: int = 0, turned: bool = False, **columns: object) -> RunPair:
    """LinearProbe minus Prototype on a data set, or the other way around."""
    a, b, units = two_runs(gain, seed)
    rows = [
        Row(f"{dataset}{head}", dataset=dataset, evaluator=head, **columns) for head in ("LinearProbe()", "Prototype()")
    ]
    made = RunPair(rows[0], rows[1], a, b, units, compare(a, b, units))
    return made.turned() if turned else made


def test_pairs_of_several_sets_are_summed_up_whichever_is_first() -> None:
    pairs = [pair("x"), pair("y", 0.05, 1, turned=True), pair("z", 0.03, 2)]
    [over] = over_data_sets(pairs)
    assert (over.a.evaluator, over.b.evaluator) == ("LinearProbe()", "Prototype()")
    means = np.array([0.0] * 3)
    for number, one in enumerate(over.pairs):
        means[number] = (one.accuracy_a - one.accuracy_b).mean()
    assert over.new_sets.mean == pytest.approx(means.mean())
    wanted = stats.t.interval(0.95, 2, means.mean(), stats.sem(means))
    assert (over.new_sets.low, over.new_sets.high) == pytest.approx(wanted)
    errors = np.array([one.comparison.new_classes.standard_error for one in pairs])
    assert over.these_sets.standard_error == pytest.approx(np.sqrt((errors**2).sum()) / 3)
    assert over.of_classes


def test_the_larger_mean_stands_first() -> None:
    [over] = over_data_sets([pair("x", -0.1), pair("y", -0.05, 1)])
    assert over.a.evaluator == "Prototype()"
    assert over.these_sets.low > 0


def test_other_shots_and_other_data_of_one_name_do_not_mix() -> None:
    assert over_data_sets([pair("x"), pair("y", k_shot=5)]) == []
    assert over_data_sets([pair("x"), pair("x", images_digest="other")]) == []
    assert over_data_sets([]) == []


def test_queries_may_differ_unless_a_method_sees_them_all() -> None:
    assert len(over_data_sets([pair("x", n_query=15), pair("y", n_query=5)])) == 1
    both = [pair("x", n_query=15, transductive=True), pair("y", n_query=5, transductive=True)]
    assert over_data_sets(both) == []


def test_fewer_than_five_sets_show_no_bounds_for_new_sets() -> None:
    every = [pair(name, 0.03, number) for number, name in enumerate("vwxyz")]
    [few], [enough] = over_data_sets(every[:2]), over_data_sets(every)
    assert points(few.shown_new_sets).endswith("(2 data sets are too few)")
    assert few.shown_new_sets.mean == few.new_sets.mean
    assert enough.shown_new_sets == enough.new_sets


@pytest.mark.parametrize("n_sets", [2, 4, 5])
def test_json_has_no_bounds_for_fewer_than_five_sets(n_sets: int) -> None:
    over = over_data_sets([pair(name, 0.03, number) for number, name in enumerate("vwxyz"[:n_sets])])
    [values] = json.loads(_as_json(sets_values(over)))
    known = n_sets >= FEWEST_SETS
    assert [values["new_sets"][end] is not None for end in ("low", "high", "standard_error")] == [known] * 3
    assert values["new_sets"]["mean"] == pytest.approx(over[0].new_sets.mean)
    assert ("too few" in values["new_sets"]["reason"]) != known
