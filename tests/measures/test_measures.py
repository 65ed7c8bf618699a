"""Measures against scikit-learn, episode by episode, and against direct computations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn import metrics

from fewshot.episodes.shape import EpisodeShape
from fewshot.measures._per_class import ClassAccuracy, Mistakes, lowest_class
from fewshot.measures._per_image import ImageAnswers
from fewshot.measures._ranking import ranking
from fewshot.measures.calibration_error import (
    Calibration,
    UnitCalibration,
    answers_of,
    calibration_error,
    calibration_interval,
)
from fewshot.measures.log_loss import log_loss
from fewshot.measures.lowest_tenth import lowest_tenth, lowest_tenth_interval
from fewshot.measures.macro_f1 import macro_f1
from fewshot.measures.mean_per_class import mean_per_class
from fewshot.results.predictions import episode_accuracy
from fewshot.samplers.balanced import Balanced
from fewshot.solvers.summaries import summarise
from fewshot.statistics.class_intervals import class_interval
from fewshot.statistics.units import Units
from tests.support.predictions import answered, of_logits, softmax
from tests.support.worlds import labelled, ragged

IMAGES = labelled(8, 40)


EPISODES = ragged(IMAGES, 12)


def each(predictions):
    """True ways, predicted ways and probabilities of every episode."""
    e, at = predictions.episodes, 0
    for n, (low, high) in enumerate(zip(e.query_start[:-1], e.query_start[1:], strict=True)):
        size = (high - low) * e.n_way[n]
        p = softmax(predictions.logits[at : at + size].reshape(high - low, -1).astype(np.float64))
        yield e.query_labels[low:high], predictions.predicted[low:high], p
        at += size


def one_episode(truth, logits, dtype=np.float16):
    """An episode with these true ways, in ascending order, and logits [M, N]."""
    members = [np.flatnonzero(IMAGES.labels == way) for way in range(logits.shape[1])]
    query = [int(members[way][10 + i]) for i, way in enumerate(truth)]
    from fewshot.episodes.episodes import Episodes

    return of_logits(Episodes.from_rows(IMAGES, [[int(m[0]) for m in members]], [query]), [logits.astype(dtype)])


def test_macro_f1_is_that_of_scikit_learn():
    p = answered(EPISODES)
    wanted = [metrics.f1_score(truth, found, average="macro", zero_division=0) for truth, found, _ in each(p)]
    assert macro_f1(p) == pytest.approx(wanted, abs=1e-12)


def test_a_way_that_is_neither_asked_nor_answered_has_no_f1():
    p = one_episode([0, 0, 1], np.array([[5, 0, 0], [0, 5, 0], [0, 5, 0.0]]))
    assert macro_f1(p) == pytest.approx([metrics.f1_score([0, 0, 1], [0, 1, 1], average="macro")])


def test_log_loss_is_that_of_scikit_learn_to_what_float16_holds():
    p = answered(EPISODES)
    wanted = [metrics.log_loss(truth, q, labels=np.arange(q.shape[1])) for truth, _, q in each(p)]
    assert log_loss(p) == pytest.approx(wanted, rel=2**-11)


@pytest.mark.parametrize("decimals", [None, 0])  # with and without ties
def test_auroc_and_average_precision_are_those_of_scikit_learn(decimals):
    p = answered(EPISODES, decimals=decimals)
    areas, precisions = ranking(p)
    for e, (truth, _, q) in enumerate(each(p)):
        q = q.round(12)  # what differs by less is rounding, which ours ties
        ways = [way for way in range(q.shape[1]) if 0 < (truth == way).sum() < len(truth)]
        assert areas[e] == pytest.approx(np.mean([metrics.roc_auc_score(truth == w, q[:, w]) for w in ways]), abs=1e-12)
        met = [way for way in range(q.shape[1]) if (truth == way).any()]
        wanted = np.mean([metrics.average_precision_score(truth == w, q[:, w]) for w in met])
        assert precisions[e] == pytest.approx(wanted, abs=1e-12)


def test_two_ways_have_the_area_of_the_one_that_is_positive():
    random = np.random.default_rng(3)
    truth = np.repeat([0, 1], [9, 6])
    p = one_episode(truth, random.normal(size=(15, 2)) + np.eye(2)[truth])
    q = next(each(p))[2]
    assert ranking(p)[0][0] == pytest.approx(metrics.roc_auc_score(truth, q[:, 1]), abs=1e-12)


def test_probabilities_that_a_float64_cannot_tell_from_one_keep_their_order():
    logits = np.array([[60.0, 0], [50, 0], [40, 0], [55, 0], [0, 10]])
    assert ranking(one_episode([0, 0, 0, 1, 1], logits))[0][0] == pytest.approx(4 / 6)


def test_an_order_of_queries_of_one_way_alone_has_no_area():
    areas, precisions = ranking(one_episode([0, 0, 0], np.array([[1.0, 0], [0, 1], [1, 2]])))
    assert np.isnan(areas[0])
    assert precisions[0] == 1.0


def test_ranking_works_in_any_number_of_blocks(monkeypatch):
    whole = ranking(answered(EPISODES, decimals=1))
    monkeypatch.setattr("fewshot.measures._ranking._AT_ONCE", 1)
    assert [w.tolist() for w in ranking(answered(EPISODES, decimals=1))] == [w.tolist() for w in whole]


def test_without_logits_there_is_no_order_to_measure():
    with pytest.raises(ValueError, match="need the logits, which were not kept"):
        ranking(replace(answered(EPISODES), logits=None))


def direct_error(confidence, right, n_bins=15):
    """The definition: queries sorted and cut, each counted `n_bins` times so that the cuts fall between queries."""
    order = np.argsort(confidence, kind="stable")
    c, r = (np.repeat(flat[order], n_bins).reshape(n_bins, -1) for flat in (confidence, right.astype(np.float64)))
    return np.abs(c.mean(1) - r.mean(1)).mean()


def test_the_calibration_error_is_that_of_its_definition_however_the_queries_are_parted():
    p = answered(EPISODES)
    spread = np.random.default_rng(5).permutation(np.linspace(0.2, 1, len(p.predicted))).astype(np.float16)
    p = replace(p, confidence=spread)
    assert len(np.unique(spread)) == len(spread)
    counted = Calibration()
    for part in (p[:5], p[5:6], p[6:]):
        counted.add(answers_of(part))
    right = p.predicted == p.episodes.query_labels
    assert calibration_error(counted) == pytest.approx(direct_error(spread.astype(np.float64), right))
    bins = counted.bins()
    assert bins.accuracy.mean() == pytest.approx(right.mean())
    assert bins.confidence.mean() == pytest.approx(spread.astype(np.float64).mean())


def test_queries_of_one_confidence_are_shared_out_and_their_order_does_not_count():
    p = answered(EPISODES)
    p, counted = replace(p, confidence=np.full(len(p.predicted), 0.75, np.float16)), Calibration()
    counted.add(answers_of(p))
    right = (p.predicted == p.episodes.query_labels).mean()
    assert calibration_error(counted) == pytest.approx(abs(0.75 - right))
    assert counted.bins().accuracy == pytest.approx(np.full(15, right))


def test_what_is_said_as_often_as_it_is_right_is_calibrated():
    random = np.random.default_rng(1)
    counted, asked = Calibration(), random.integers(8000, 15360, 200_000)
    confidence = asked.astype(np.uint16).view(np.float16)
    np.add.at(counted.queries, asked, 1)
    np.add.at(counted.right, asked[random.random(len(asked)) < confidence], 1)
    assert calibration_error(counted) < 0.005
    assert np.isnan(calibration_error(Calibration()))


def test_the_interval_of_the_calibration_error_deletes_classes():
    p = answered(ragged(IMAGES, 60))
    e = p.episodes
    units = Units(e.classes.astype(np.int64), e.n_way.astype(np.int64), 8)
    counted = UnitCalibration(8)
    counted.add(answers_of(p), e.query_start, units)
    found = calibration_interval(counted, units)
    without = []
    for c in range(8):
        kept = [n for n in range(60) if c not in e.classes[e.way_start[n] : e.way_start[n + 1]]]
        some = p.take(np.array(kept, dtype=np.int64))
        right = some.predicted == some.episodes.query_labels
        without.append(direct_error(some.confidence.astype(np.float64), right))
    whole = direct_error(p.confidence.astype(np.float64), p.predicted == e.query_labels)
    assert found.mean == pytest.approx(whole, abs=1e-4)  # ties stand in one order there, and are shared out here
    assert found.standard_error == pytest.approx((7 * np.var(without)) ** 0.5, rel=0.02)
    assert 0 <= found.low < found.mean < found.high


def test_the_answers_of_each_unit_are_counted_alike_in_any_parts_and_at_any_confidence():
    e = ragged(IMAGES, 60)
    confidence = np.random.default_rng(2).permutation(np.geomspace(1e-4, 1, len(e.query))).astype(np.float16)
    p = replace(answered(e), confidence=confidence)
    counted, groups = UnitCalibration(3), np.array([0, 0, 1, 1, 1, 2, 2, 2])
    for some in (p[40:], p[:25], p[25:40]):
        held = groups[some.episodes.classes]
        counted.add(answers_of(some), some.episodes.query_start, Units(held, some.episodes.n_way, 3))
    for unit in range(3):
        kept = [n for n in range(60) if unit not in groups[e.classes[e.way_start[n] : e.way_start[n + 1]]]]
        direct, left = Calibration(), counted.without(unit)
        direct.add(answers_of(p.take(np.array(kept, dtype=np.int64))))
        assert np.array_equal(left.queries, direct.queries)
        assert np.array_equal(left.right, direct.right)


def test_a_class_has_the_mean_of_the_episodes_that_ask_for_it_in_any_parts():
    p, rates = answered(EPISODES), {}
    e = p.episodes
    for n, (truth, found, _) in enumerate(each(p)):
        for way in np.unique(truth):
            label = e.classes[e.way_start[n] + way]
            rates.setdefault(label, []).append((found[truth == way] == way).mean())
    by_class = ClassAccuracy()
    for part in (p[:3], p[3:]):
        by_class.add(part)
    for label, found in rates.items():
        assert by_class.mean[label] == pytest.approx(np.mean(found))
        assert by_class.n_episodes[label] == len(found)
    label, least = lowest_class(by_class)
    assert (label, least) == min(((k, np.mean(v)) for k, v in rates.items()), key=lambda pair: (pair[1], pair[0]))
    assert lowest_class(ClassAccuracy()) is None


def test_mistakes_are_counted_by_class_in_any_parts():
    p, wanted, mistakes = answered(EPISODES), {}, Mistakes()
    e = p.episodes
    for n, (truth, found, _) in enumerate(each(p)):
        labels = e.classes[e.way_start[n] : e.way_start[n + 1]]
        for asked, answer in zip(labels[truth], labels[found], strict=True):
            if asked != answer:
                wanted[asked, answer] = wanted.get((asked, answer), 0) + 1
    for part in (p[:4], p[4:]):
        mistakes.add(part)
    best = {}
    for (asked, answer), count in sorted(wanted.items()):
        if count > best.get(asked, (0, 0))[1]:
            best[asked] = (answer, count)
    assert mistakes.most_often() == best
    assert Mistakes().most_often() == {}


def test_the_lowest_tenth_is_the_mean_of_the_lowest_and_an_edge_counts_in_part():
    values = np.random.default_rng(2).random(40)
    assert lowest_tenth(values) == pytest.approx(np.sort(values)[:4].mean())
    low = np.sort(values[:25])
    assert lowest_tenth(values[:25]) == pytest.approx((low[0] + low[1] + 0.5 * low[2]) / 2.5)
    assert lowest_tenth(values, 2 * np.ones(40)) == pytest.approx(lowest_tenth(values))


def test_the_interval_of_the_lowest_tenth_deletes_classes():
    random = np.random.default_rng(7)
    held = np.argsort(random.random((300, 12)), axis=1)[:, :3]
    values = (0.4 + 0.04 * held).mean(1) + random.normal(0, 0.05, 300)
    units = Units(held.reshape(-1), np.full(300, 3), 12)
    found = lowest_tenth_interval(values, units, 0.5 / 9000)
    without = np.array([lowest_tenth(values[~(held == c).any(1)]) for c in range(12)])
    assert found.mean == pytest.approx(lowest_tenth(values))
    assert found.standard_error == pytest.approx((11 * without.var()) ** 0.5)
    assert found.low < found.mean < found.high
    assert "at least 10 are needed" in lowest_tenth_interval(values[:9], units.first(9), 0.01).reason


def test_ragged_episodes_keep_the_weight_of_every_number_of_ways_in_the_lowest_tenth():
    p = answered(ragged(IMAGES, 60))
    e = p.episodes
    units = Units(e.classes.astype(np.int64), e.n_way.astype(np.int64), 8)
    values = episode_accuracy(p)
    found = lowest_tenth_interval(values, units, 0.001)
    assert found.mean == pytest.approx(lowest_tenth(values))
    assert not found.reason or "draw more" in found.reason


def test_images_are_counted_as_queries_right_answers_and_support():
    p, tally = answered(EPISODES), ImageAnswers()
    for part in (p[:5], p[5:]):
        tally.add(part)
    share, labels = tally.accuracy()
    met = np.unique(p.episodes.query)
    assert labels.tolist() == IMAGES.labels[met].tolist()
    right = p.predicted == p.episodes.query_labels
    assert share == pytest.approx([right[p.episodes.query == row].mean() for row in met])
    assert not tally.whole


def test_a_mean_of_some_episodes_has_the_classes_of_those():
    held = np.array([0, 1, 2, 1, 3, 0, 2, 4, 5, 4])
    units, values = Units(held, np.array([2, 3, 2, 3]), 6), np.array([0.1, 0.5, 0.3, 0.9])
    some = units.at(np.array([True, False, True, True]))
    assert some.held.tolist() == [0, 1, 0, 2, 4, 5, 4]
    assert some.n_way.tolist() == [2, 2, 3]
    assert class_interval(values[[0, 2, 3]], some).mean == pytest.approx(values[[0, 2, 3]].mean())


def test_the_mean_per_class_is_the_balanced_accuracy_of_scikit_learn():
    p = answered(EPISODES)
    wanted = [
        metrics.recall_score(truth, found, average="macro", labels=np.unique(truth)) for truth, found, _ in each(p)
    ]
    assert mean_per_class(p) == pytest.approx(wanted, abs=1e-12)
    assert not np.allclose(mean_per_class(p), episode_accuracy(p))


def test_with_equal_queries_the_mean_per_class_is_the_accuracy():
    p = answered(Balanced().sample(IMAGES, np.arange(8), EpisodeShape(4, 1, 5), 0, 0, 20))
    assert mean_per_class(p) == pytest.approx(episode_accuracy(p), abs=1e-15)


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e5])
def test_stored_logits_rank_as_the_heads_own_do(offset):
    """Logits that were stored as float16 tied: an average precision of .4432 where .4638 is exact."""
    truth = np.repeat(np.arange(5), 6)
    logits = np.random.default_rng(0).normal(size=(30, 5)) + np.eye(5)[truth]
    stored = summarise(torch.as_tensor(logits + offset)[None], truth.astype(np.int32)[None], True).logits[0]
    areas, precisions = ranking(one_episode(truth.tolist(), stored, np.float32))
    p, is_way = softmax(logits), np.eye(5)[truth]
    assert areas[0] == pytest.approx(metrics.roc_auc_score(is_way, p), abs=1e-12)
    assert precisions[0] == pytest.approx(metrics.average_precision_score(is_way, p), abs=1e-12)
