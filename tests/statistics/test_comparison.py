"""Paired comparisons against scipy, direct counting and simulated truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from fewshot.statistics.best_runs import rank_sets
from fewshot.statistics.class_intervals import class_interval, class_test
from fewshot.statistics.comparison import compare, holm, needed, over_sets, tied_ranks
from fewshot.statistics.units import Units
from tests.support.paired_runs import episodes, two_runs


def test_the_difference_is_that_of_the_pairs():
    a, b, units = two_runs()
    found = compare(a, b, units).these_images
    wanted = stats.ttest_rel(a, b).confidence_interval()
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high))


def test_pairing_narrows_what_correlates():
    found = compare(*two_runs())
    assert found.correlation > 0.8
    assert found.width_ratio > 2
    assert found.unpaired_width > found.these_images.high - found.these_images.low


def test_the_p_value_belongs_to_the_interval_for_new_classes():
    _, b, units = two_runs(n_classes=8)
    for shift in (0.6, 0.66, 0.69, 0.71, 0.75):
        d = b - shift
        p = class_test(d, units)[1]
        wider, narrower = class_interval(d, units, level=1 - p * 0.999), class_interval(d, units, level=1 - p * 1.001)
        assert wider.low <= 0 <= wider.high
        assert not narrower.low <= 0 <= narrower.high
        assert compare(b, np.full(len(b), shift), units).p_classes == p


def test_eight_classes_can_settle_a_large_difference():
    a, b, units = two_runs(gain=0.3, n_classes=8)
    assert compare(a, b, units).p_classes < 0.05 / 40  # with Holm over 40 pairs; 2^-7 was the least by sign flips


def test_no_difference_is_rarely_called_one():
    p_values = [class_test(episodes(seed, 12, 300)[0] - 0.7, episodes(seed, 12, 300)[1])[1] for seed in range(300)]
    assert (np.array(p_values) < 0.05).mean() < 0.09


def test_the_detectable_difference_is_found_four_times_in_five():
    runs = [two_runs(gain=0.0, seed=seed, n_episodes=200) for seed in range(200)]
    least = np.mean([compare(*run).detectable_episodes for run in runs])
    found = [compare(a + least, b, units).these_images.low > 0 for a, b, units in runs]
    assert 0.7 <= np.mean(found) <= 0.9


def test_what_is_needed_is_told():
    a, b, units = two_runs()
    d = a - b
    assert needed(d, units, 0.001).episodes == pytest.approx(((1.96 + 0.8416) * d.std(ddof=1) / 0.001) ** 2, rel=1e-3)
    assert needed(d, units, 0.5).sentence.endswith("for new classes, on these 20")
    spread, classes = episodes(3, 20, 2000)
    cannot = needed(spread - 0.7, classes, 0.001)
    assert "more episodes on these 20 classes will not help" in cannot.sentence
    assert cannot.classes is not None
    assert cannot.classes > 20
    with pytest.raises(ValueError, match="delta, the difference to detect, must be a fraction"):
        needed(d, units, 0.0)


def test_holm_is_that_of_the_textbook():
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.9, 0.8])) == pytest.approx([1.0, 1.0])


def test_ranks_are_sets():
    a, b, units = two_runs(gain=0.2)
    c = b + np.random.default_rng(9).normal(0, 0.02, len(b))
    assert rank_sets({"a": a, "b": b, "c": c}, units) == {"a": (1, 1), "b": (2, 3), "c": (2, 3)}


def test_two_lines_over_data_sets():
    these, new = over_sets(np.array([0.01, 0.03, 0.02]), np.array([0.003, 0.004, 0.0]))
    assert these.standard_error == pytest.approx(0.005 / 3)
    assert (new.low, new.high) == pytest.approx(stats.t.interval(0.95, 2, 0.02, stats.sem([0.01, 0.03, 0.02])))
    assert over_sets(np.array([0.01]), np.array([0.01]))[1].reason == "one data set has no spread"


def test_meta_datasets_ranks_share_ties_with_the_best_of_the_rest():
    spread = np.tile([-0.1, 0.1], 200)  # standard error .005, of a difference .0071
    means = {"a": 0.80, "b": 0.79, "c": 0.78, "d": 0.775, "e": 0.5}
    found = tied_ranks({name: mean + spread for name, mean in reversed(means.items())})
    assert found == {"a": 1.5, "b": 1.5, "c": 3.5, "d": 3.5, "e": 5.0}
    assert tied_ranks({"one": np.ones(1), "other": np.zeros(1), "same": np.ones(1)}) == {
        "one": 1.5, "same": 1.5, "other": 3.0
    }  # fmt: skip


def test_turned_around_it_is_the_comparison_of_the_others():
    a, b, units = two_runs(n_classes=8)
    turned, wanted = compare(a, b, units).turned(), compare(b, a, units)
    for name in ("these_images", "new_classes"):
        for bound in ("mean", "low", "high", "standard_error", "monte_carlo"):
            assert getattr(getattr(turned, name), bound) == pytest.approx(getattr(getattr(wanted, name), bound))
    assert (turned.p_classes, turned.correlation) == pytest.approx((wanted.p_classes, wanted.correlation))


def test_runs_on_other_episodes_are_refused():
    with pytest.raises(ValueError, match="the same 2 or more episodes of both runs"):
        compare(np.ones(3), np.ones(4), Units(np.zeros(6, int), np.full(3, 2), 2))
