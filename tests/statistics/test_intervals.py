"""Intervals against scipy, direct computations and their stated coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from fewshot.statistics.class_intervals import class_interval
from fewshot.statistics.delete_one import delete_one, pseudo_values
from fewshot.statistics.intervals import draw_interval, episode_interval, median_range, pool_interval
from fewshot.statistics.units import Units
from tests.support.paired_runs import episodes


def test_the_interval_is_students():
    values = np.random.default_rng(0).random(50)
    found = episode_interval(values)
    low, high = stats.t.interval(0.95, 49, loc=values.mean(), scale=stats.sem(values))
    assert (found.mean, found.low, found.high) == pytest.approx((values.mean(), low, high))
    assert found.population == "these images"


def test_it_covers_the_mean_of_independent_episodes_as_often_as_it_says():
    values = np.random.default_rng(1).binomial(75, 0.7, size=(2000, 20)) / 75
    covered = np.mean([i.low <= 0.7 <= i.high for i in map(episode_interval, values)])
    assert abs(covered - 0.95) < 3 * (0.95 * 0.05 / 2000) ** 0.5


def test_one_episode_has_a_mean_and_no_interval():
    found = episode_interval(np.array([0.5]))
    assert found.mean == 0.5
    assert np.isnan(found.low)
    assert np.isnan(found.high)
    assert found.reason == "one episode has no spread"


def test_no_episode_is_an_error():
    with pytest.raises(ValueError, match="at least one episode"):
        episode_interval(np.array([]))


def test_pools_are_the_units_of_new_images():
    values, pools = np.random.default_rng(2).random(60), np.repeat(np.arange(6), 10)
    means = values.reshape(6, 10).mean(1)
    found = pool_interval(values, pools)
    low, high = stats.t.interval(0.95, 5, loc=means.mean(), scale=stats.sem(means))
    assert (found.mean, found.low, found.high) == pytest.approx((means.mean(), low, high))
    assert pool_interval(values[:40], pools[:40]).reason == "4 disjoint pools of images; at least 5 are needed"


def test_deleting_a_class_leaves_the_episodes_without_it():
    values, units = episodes(3, n_classes=9, n_episodes=50)
    held = units.held.reshape(50, 5)
    wanted = [values[~(held == c).any(1)].mean() for c in range(9)]
    assert delete_one(values, units) == pytest.approx(wanted)


def test_ragged_episodes_keep_the_weight_of_every_number_of_ways():
    n_way = np.array([2, 2, 2, 3, 3, 3])
    held = np.array([0, 1, 1, 2, 2, 3, 0, 1, 2, 1, 2, 3, 0, 2, 3])
    values = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    without_0 = 0.5 * np.mean([0.2, 0.3]) + 0.5 * 0.5
    assert delete_one(values, Units(held, n_way, 4))[0] == pytest.approx(without_0)


def test_a_group_counts_once_in_an_episode():
    units = Units(np.array([0, 1, 2, 3, 0, 2]), np.array([2, 2, 2]), 4)
    groups = units.grouped(np.array([0, 0, 1, 1]), 2, "superclasses")
    values = np.array([0.2, 0.4, 0.6])
    assert delete_one(values, groups) == pytest.approx([0.4, 0.2])


@pytest.mark.parametrize("n_classes", [8, 30])
def test_the_class_interval_covers_the_mean_over_new_classes(n_classes):
    found = [class_interval(*episodes(seed, n_classes, 300)) for seed in range(400)]
    covered = np.mean([i.low <= 0.7 <= i.high for i in found])
    assert 0.92 <= covered <= 0.985
    closed = np.mean([abs(episode_interval(episodes(s, n_classes, 300)[0]).mean - 0.7) < 0.004 for s in range(50)])
    assert closed < 0.5  # an interval over episodes, about 0.004 wide here, does not speak of new classes


def test_accuracies_stay_inside_zero_and_one_on_the_logit_scale():
    generator = np.random.default_rng(4)
    values, units = episodes(4, 12, 100)
    near_one = 1 - generator.binomial(75, 0.004, len(values)) / 75
    found = class_interval(near_one, units, half_query=0.5 / 7500)
    assert 0.9 < found.low < found.mean < found.high < 1


def test_an_interval_over_classes_that_cannot_be_had_says_why():
    values = np.random.default_rng(5).random(20)
    everything = Units(np.tile(np.arange(5), 20), np.full(20, 5), 5)
    assert class_interval(values, everything).reason == "every episode holds every one of the classes"
    always = Units(np.array([0, 1, 0, 2, 0, 3]), np.full(3, 2), 4)
    assert "draw more episodes" in class_interval(values[:3], always).reason
    assert "too few" in class_interval(values[:3], Units(np.array([0, 1] * 3), np.full(3, 2), 2)).reason
    perfect = class_interval(np.ones(20), episodes(5, 9, 20)[1], half_query=0.005)
    assert perfect.reason == "all answers are right: the spread over classes cannot be seen"


def test_the_monte_carlo_part_falls_with_the_episodes():
    few, many = (class_interval(*episodes(6, 20, n)).monte_carlo for n in (100, 2000))
    assert many < few / 5


def test_the_error_is_that_of_the_pseudo_values_with_the_noise_of_episodes_counted_once():
    values, units = episodes(7, 20, 2000)
    p = pseudo_values(values.mean(), delete_one(values, units))
    found = class_interval(values, units)
    assert p.mean() == pytest.approx(values.mean(), abs=0.01)
    noise = values.var(ddof=1) / 2000
    counted = 19 * 5 / 15 * noise
    assert p.var(ddof=1) / 20 - counted + noise == pytest.approx(found.standard_error**2)
    assert found.monte_carlo == pytest.approx(noise / found.standard_error**2)


def test_draws_of_a_support_and_test_images_both_count():
    generator = np.random.default_rng(8)
    labels = np.repeat(np.arange(4), 25)
    found, truth = [], 0.75
    for _ in range(300):
        chance = truth + generator.normal(0, 0.02, (5, 1)) + generator.normal(0, 0.15, 100)
        correct = generator.random((5, 100)) < chance
        found.append(draw_interval(correct.mean(1), correct.mean(0), labels))
    assert 0.92 <= np.mean([i.low <= truth <= i.high for i in found]) <= 0.985


def test_the_share_of_every_class_in_the_test_set_counts():
    correct = np.random.default_rng(9).random((4, 30)) < 0.6
    labels = np.repeat([0, 1], [10, 20])
    by_image = correct.mean(0)
    spread = [by_image[:10].var(ddof=1) / 10, by_image[10:].var(ddof=1) / 20]
    wanted = correct.mean(1).var(ddof=1) / 4 + (1 / 3) ** 2 * spread[0] + (2 / 3) ** 2 * spread[1]
    assert draw_interval(correct.mean(1), by_image, labels).standard_error == pytest.approx(wanted**0.5)


@pytest.mark.parametrize("k_shot", [1, 10])
def test_images_that_are_a_support_now_and_then_leave_the_interval_on_the_wide_side(k_shot):
    generator, labels, found, truth = np.random.default_rng(10), np.repeat(np.arange(4), 25), [], 0.75
    for _ in range(300):
        chance = truth + generator.normal(0, 0.02, (5, 1)) + generator.normal(0, 0.15, 100)
        correct = (generator.random((5, 100)) < chance).astype(float)
        for draw in correct.reshape(5, 4, 25):
            for c in range(4):
                draw[c, generator.permutation(25)[:k_shot]] = np.nan
        met = np.isfinite(correct).any(0)
        found.append(draw_interval(np.nanmean(correct, 1), np.nanmean(correct[:, met], 0), labels[met]))
    assert 0.95 <= np.mean([i.low <= truth <= i.high for i in found]) <= 0.998


def test_one_draw_or_one_image_of_a_class_has_no_interval():
    correct = np.array([[1.0, 0, 1, 1]])
    assert "one support was drawn" in draw_interval(correct.mean(1), correct[0], np.array([0, 0, 1, 1])).reason
    assert "one test image" in draw_interval(np.ones(3), correct[0], np.array([0, 0, 0, 1])).reason
    assert "alike" in draw_interval(np.ones(3), np.ones(4), np.array([0, 0, 1, 1])).reason


def test_the_range_of_five_draws_covers_the_median_as_often_as_it_says():
    assert median_range(np.array([0.3, 0.1, 0.5, 0.2, 0.4])) == (0.3, 0.1, 0.5, 0.9375)
    draws = np.random.default_rng(11).exponential(size=(4000, 5))
    covered = np.mean([low <= np.log(2) <= high for _, low, high, _ in map(median_range, draws)])
    assert abs(covered - 0.9375) < 3 * (0.9375 * 0.0625 / 4000) ** 0.5
    with pytest.raises(ValueError, match="at least one draw"):
        median_range(np.array([]))
