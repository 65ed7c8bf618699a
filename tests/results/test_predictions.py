"""Predictions are cut, ordered, joined, stored and measured without mixing up whose they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fewshot.results.predictions import Predictions, episode_accuracy
from tests.support.worlds import labelled, ragged

EPISODES = ragged(labelled(8, 40), 12)


def predictions(episodes=EPISODES):
    """Every number says which episode it is of."""
    queries = np.diff(episodes.query_start)
    owner = np.repeat(episodes.index, queries)
    logits = np.repeat(episodes.index, queries * episodes.n_way)
    halves = (owner % 2).astype(bool)
    other = (episodes.query_labels + 1) % np.repeat(episodes.n_way, queries)
    predicted = np.where(halves, episodes.query_labels, other)
    return Predictions(
        episodes,
        predicted.astype(np.uint16),
        (owner / 16).astype(np.float16),
        -owner.astype(np.float16),
        episodes.index % 2 == 1,
        logits.astype(np.float16),
    )


def same(found, wanted):
    assert found.episodes.digest == wanted.episodes.digest
    for name in ("predicted", "confidence", "log_probability", "converged", "logits"):
        assert np.array_equal(getattr(found, name), getattr(wanted, name)), name


@pytest.mark.parametrize("order", [[3, 0, 11], [7], [], list(range(11, -1, -1))])
def test_ragged_predictions_are_taken_with_their_episodes(order):
    order = np.array(order, dtype=np.int64)
    same(predictions().take(order), predictions(EPISODES.take(order)))


@pytest.mark.parametrize("part", [slice(0, 5), slice(5, None), slice(-3, 100), slice(4, 2)])
def test_a_slice_of_predictions_is_that_of_its_episodes(part):
    same(predictions()[part], predictions(EPISODES[part]))


def test_a_slice_of_predictions_copies_nothing():
    whole = predictions()
    for name in ("predicted", "confidence", "log_probability", "converged", "logits"):
        assert np.shares_memory(getattr(whole[3:7], name), getattr(whole, name)), name


def test_parts_join_to_the_whole():
    same(Predictions.concatenate([predictions()[:4], predictions()[4:5], predictions()[5:]]), predictions())


def test_logits_that_one_part_lacks_are_left_out_of_all():
    joined = Predictions.concatenate([predictions()[:4], replace(predictions()[4:], logits=None)])
    assert joined.logits is None
    assert np.array_equal(joined.predicted, predictions().predicted)


@pytest.mark.parametrize("logits", [True, False])
def test_what_is_saved_in_another_order_comes_back_as_it_was(tmp_path, logits):
    kept = predictions().take(np.array([4, 1, 9]))
    kept = kept if logits else replace(kept, logits=None)
    kept.save(tmp_path / "p.safetensors", {"note": "größe"})
    found, about = Predictions.load(tmp_path / "p.safetensors")
    same(replace(found, logits=kept.logits), kept)
    assert (found.logits is None) == (not logits)
    assert about["note"] == "größe"


def test_an_episode_list_is_not_predictions(tmp_path):
    EPISODES.save(tmp_path / "e.safetensors")
    with pytest.raises(
        ValueError, match="does not hold predictions of format fewshot-predictions-1; found 'fewshot-epi"
    ):
        Predictions.load(tmp_path / "e.safetensors")


def test_accuracy_is_of_each_episode_however_many_queries_it_has():
    assert episode_accuracy(predictions()).tolist() == [float(e % 2) for e in range(12)]


def test_an_episode_without_queries_has_no_accuracy_and_harms_no_other():
    bare = replace(EPISODES[:1], query_count=np.zeros_like(EPISODES[:1].query_count), query=EPISODES.query[:0])
    found = episode_accuracy(Predictions.concatenate([predictions()[1:2], predictions(bare), predictions()[3:4]]))
    assert np.isnan(found[1])
    assert found[[0, 2]].tolist() == [1.0, 1.0]
