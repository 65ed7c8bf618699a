"""Episodes to predictions: order, padding, chunks, numbers that do not fit float16, and ties."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from fewshot.backbones.raw_pixels import RawPixels
from fewshot.episodes.episodes import Episodes
from fewshot.episodes.shape import EpisodeShape
from fewshot.evaluators import FeatureEvaluator, Head, TransductiveEvaluator
from fewshot.evaluators.prototype import Prototype
from fewshot.features.table import feature_table
from fewshot.plugins.registry import EVALUATORS, TRANSFORMS
from fewshot.results.predictions import episode_accuracy
from fewshot.runs.feature_learner import FeatureLearner, Held
from fewshot.runs.learner_setup import learner
from fewshot.runs.learners import Answers, Learner
from fewshot.runs.needs import needs
from fewshot.runs.solving import episode_seeds, solve
from fewshot.samplers.balanced import Balanced
from fewshot.solvers.summaries import summarise
from tests.support.worlds import gather, labelled, ragged, vectors

IMAGES = labelled(8, 40)
TABLE = vectors(IMAGES, 6, 0.5)
EPISODES = Balanced().sample(IMAGES, np.arange(8), EpisodeShape(4, 2, 5), seed=0, start=0, count=9)


@dataclass(frozen=True)
class Fixed(FeatureEvaluator):
    """Gives the first numbers of a query's vector as its logits."""

    scale: float = 1.0

    @classmethod
    def examples(cls):
        return [cls()]

    def fit(self, batch):
        return _FixedHead(self.scale, batch.n_way)


@dataclass(frozen=True)
class _FixedHead(Head):
    scale: float
    n_way: int

    def __call__(self, query):
        return self.scale * query[:, :, : self.n_way]


def answers(table, evaluator=Fixed(), episodes=EPISODES, **kwargs):
    return solve(episodes, FeatureLearner(evaluator, gather(table), table.shape[1]), **kwargs)


def test_every_number_belongs_to_its_query():
    episodes = ragged(IMAGES, 30)
    solved = answers(TABLE, episodes=episodes)
    assert solved.episodes.digest == episodes.digest
    logits_start = 0
    for e in range(30):
        ways, queries = int(episodes.n_way[e]), slice(episodes.query_start[e], episodes.query_start[e + 1])
        logits = TABLE[torch.from_numpy(episodes.query[queries].astype(np.int64)), :ways].double()
        log_p, truth = torch.log_softmax(logits, 1), episodes.query_labels[queries]
        kept = solved.logits[logits_start : logits_start + logits.numel()].reshape(-1, ways)
        logits_start += logits.numel()
        np.testing.assert_allclose(kept, logits, rtol=1e-3)
        assert np.array_equal(solved.predicted[queries], logits.argmax(1))
        np.testing.assert_allclose(solved.confidence[queries], log_p.max(1).values.exp(), rtol=1e-3)
        np.testing.assert_allclose(solved.log_probability[queries], log_p[np.arange(len(truth)), truth], rtol=1e-3)


@pytest.mark.parametrize("budget", [1, 3_000, 20_000])
def test_ragged_episodes_of_mixed_ways_do_not_depend_on_the_budget(budget):
    episodes = ragged(IMAGES, 30)
    usual, other = (answers(TABLE, Prototype(), episodes, **kwargs) for kwargs in ({}, {"budget_bytes": budget}))
    assert np.array_equal(usual.predicted, other.predicted)
    assert np.array_equal(usual.episodes.index, other.episodes.index)


def test_stored_logits_keep_queries_apart_that_float16_would_tie():
    near = 100 + torch.arange(320 * 6).reshape(320, 6) / 1e4
    kept = answers(near).logits
    assert kept.dtype == np.float32
    assert len(np.unique(kept)) > 10 * len(np.unique(kept.astype(np.float16)))
    huge = answers(1e300 * near.double()).logits
    assert np.isfinite(huge).all()


def test_logits_are_left_out_when_they_are_not_kept():
    kept, left_out = answers(TABLE), answers(TABLE, keep_logits=False)
    assert left_out.logits is None
    for name in ("predicted", "confidence", "log_probability"):
        assert np.array_equal(getattr(kept, name), getattr(left_out, name))


def test_numbers_beyond_float16_are_held_at_its_ends():
    solved = answers(TABLE, Fixed(1e30))
    assert np.isfinite(solved.logits).all()
    assert np.isfinite(solved.log_probability).all()
    assert solved.log_probability.min() == -65504
    assert np.array_equal(solved.predicted, answers(TABLE).predicted)


def test_of_equal_logits_the_first_wins():
    solved = answers(torch.zeros(320, 6))
    assert (solved.predicted == 0).all()
    assert episode_accuracy(solved).tolist() == [0.25] * 9
    late = torch.zeros(320, 6)
    late[:, 2:4] = 1.0
    assert (answers(late).predicted == 2).all()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_logits_that_are_not_finite_name_evaluator_and_episode(value):
    table = TABLE.clone()
    table[EPISODES.query[EPISODES.query_start[4] + 3], 0] = value
    first = next(e for e in range(9) if not torch.isfinite(table[EPISODES[e : e + 1].query.astype(np.int64)]).all())
    with pytest.raises(ValueError, match=rf"Fixed\(scale=1.0\) gave logits that are not finite in episode {first};"):
        answers(table)


def test_padding_with_a_broken_image_harms_nobody():
    episodes = ragged(labelled(8, 40), 20)
    table = TABLE.clone()
    unused = [e for e in range(20) if 0 not in np.concatenate([episodes[e : e + 1].support, episodes[e : e + 1].query])]
    table[0] = float("nan")  # padding repeats row 0
    solved = answers(table, episodes=episodes.take(np.array(unused)))
    assert len(solved) == len(unused) > 10


@dataclass(frozen=True)
class CentredOnQueries(TransductiveEvaluator):
    """Prototype around the mean of the real queries."""

    @classmethod
    def examples(cls):
        return [cls()]

    def logits(self, batch, query, query_mask):
        held = query_mask[:, :, None]
        mean = (query * held).sum(1, keepdim=True) / held.sum(1, keepdim=True)
        return Prototype().fit(batch)(query - mean)


def test_a_transductive_evaluator_sees_all_queries_of_an_episode_and_no_padding():
    episodes = ragged(IMAGES, 30)
    together = answers(TABLE, CentredOnQueries(), episodes)
    for e in range(30):
        alone = answers(TABLE, CentredOnQueries(), episodes[e : e + 1])
        assert np.array_equal(alone.predicted, together[e : e + 1].predicted)
        np.testing.assert_allclose(alone.logits, together[e : e + 1].logits, rtol=2e-3, atol=2e-3)


@dataclass(frozen=True)
class Names(FeatureEvaluator):
    """Writes down which class vectors it was given."""

    @classmethod
    def examples(cls):
        return [cls()]

    def fit(self, batch):
        return _NamesHead(batch.class_features)


@dataclass(frozen=True)
class _NamesHead(Head):
    names: torch.Tensor

    def __call__(self, query):
        return self.names[:, None, :, 0].expand(-1, query.shape[1], -1)


def test_class_features_are_those_of_the_classes_of_each_episode_in_their_order():
    names = torch.arange(8.0)[:, None].expand(8, 6)
    solved = solve(EPISODES, FeatureLearner(Names(), gather(TABLE), 6, class_features=names))
    by_query = solved.logits.reshape(9, 20, 4)
    assert np.array_equal(by_query[:, 7], EPISODES.classes.reshape(9, 4))


def learn(images, transform, seen=()):
    """The learner of `Names` over raw pixels of black images [8 x 40]."""
    backbone = RawPixels(2).load()
    rows, seen = np.arange(len(images)), np.asarray(seen, dtype=np.int64)
    needed = needs(EVALUATORS.spec(f"{__name__}:Names()"), TRANSFORMS.spec(transform), images, rows, rows, seen)
    return learner(needed, backbone, lambda wanted, asked: feature_table(wanted, backbone, asked, progress=False))


def test_class_vectors_of_a_data_set_reach_the_evaluator_under_the_transform_of_the_features():
    class_vectors = np.random.default_rng(0).normal(size=(8, 12)).astype(np.float16)
    named = replace(IMAGES, class_vectors=class_vectors)
    exact = torch.from_numpy(class_vectors.astype(np.float32))
    assert torch.equal(learn(named, "Identity()").class_features, exact)
    unit = exact / exact.norm(dim=1, keepdim=True)
    torch.testing.assert_close(learn(named, "L2()").class_features, unit)
    torch.testing.assert_close(learn(named, "CentredL2()", [0, 1]).class_features, unit)  # the mean image is black
    assert learn(IMAGES, "Identity()").class_features is None


def test_class_vectors_of_another_length_than_the_features_are_told_and_not_given(caplog):
    named = replace(IMAGES, class_vectors=np.ones((8, 5)))
    assert learn(named, "L2()").class_features is None
    assert "class vectors of test have 5 numbers, but its features have 12; evaluators do not" in caplog.text


def test_held_features_are_transformed_a_part_at_a_time(monkeypatch):
    sizes, whole = [], learn(IMAGES, "L2()").items(np.arange(320, dtype=np.int32)[None])
    monkeypatch.setattr("fewshot.runs.learner_setup._MAPPED_ROWS", 100)
    monkeypatch.setattr("fewshot.transforms.l2.normalise", lambda x: sizes.append(len(x)) or x)
    assert torch.equal(learn(IMAGES, "L2()").items(np.arange(320, dtype=np.int32)[None]), whole)  # black: nothing to do
    assert sizes == [100, 100, 100, 20]


def test_seeds_are_functions_of_seed_and_index_alone():
    seeds = episode_seeds(EPISODES)
    assert torch.equal(episode_seeds(EPISODES[3:5]), seeds[3:5])
    assert len(set(seeds.tolist())) == 9
    assert ((seeds >= 0) & (seeds < 1 << 62)).all()
    other = Balanced().sample(IMAGES, np.arange(8), EpisodeShape(4, 2, 5), seed=1, start=0, count=9)
    assert not (episode_seeds(other) == seeds).any()


def test_an_evaluator_that_did_not_converge_is_counted_for_its_episode_alone():
    class HalfDone(Learner):
        name = "half"

        def items(self, rows):
            return gather(TABLE)(rows)

        def answer(self, batch, query_rows, query_mask, chunk, probe):
            return Answers(batch.seeds % 2 == 0, None, iter([gather(TABLE)(query_rows)[:, :, :4]]))

        def batch_and_chunk(self, *_):
            return 4, 100

    solved = solve(EPISODES, HalfDone())
    assert np.array_equal(solved.converged, (episode_seeds(EPISODES) % 2 == 0).numpy())
    assert 0 < solved.converged.sum() < 9


def test_episodes_of_one_query_and_of_many_stand_together():
    rows = [np.arange(40 * c, 40 * c + 40) for c in range(3)]
    support = [[r[0] for r in rows]] * 2
    episodes = Episodes.from_rows(IMAGES, support, [[rows[2][5]], np.concatenate([r[1:] for r in rows])])
    solved = answers(TABLE, Prototype(), episodes, budget_bytes=5_000)
    assert len(solved.predicted) == 1 + 3 * 39
    assert np.array_equal(solved[1:2].predicted, answers(TABLE, Prototype(), episodes[1:2]).predicted)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("budget", [3_000, 1 << 24])
def test_what_reads_rows_in_their_table_answers_as_with_gathered_vectors(metric, budget):
    episodes, order = ragged(IMAGES, 30), np.random.default_rng(0).permutation(320)
    place = torch.from_numpy(np.argsort(order))
    held = Held(TABLE[torch.from_numpy(order)].contiguous(), place)
    assert torch.equal(held(EPISODES.support.reshape(9, 8)), gather(TABLE)(EPISODES.support.reshape(9, 8)))
    gathered = answers(TABLE, Prototype(metric), episodes)
    read = solve(episodes, FeatureLearner(Prototype(metric), held, 6), budget)
    for name in ("predicted", "confidence", "log_probability"):
        np.testing.assert_allclose(getattr(read, name), getattr(gathered, name), rtol=2e-3)
    np.testing.assert_allclose(read.logits, gathered.logits, rtol=2e-3, atol=1e-6)


def test_a_zero_vector_in_a_table_has_cosine_zero_with_all():
    solved = solve(EPISODES, FeatureLearner(Prototype("cosine"), Held(torch.zeros(320, 6)), 6))
    assert (solved.logits == 0).all()


def test_an_unknown_metric_is_named_where_rows_are_read_in_their_table():
    with pytest.raises(ValueError, match=r"must be one of euclidean, cosine. Got 'manhattan' instead"):
        solve(EPISODES, FeatureLearner(Prototype("manhattan"), Held(TABLE), 6))


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_summary_is_that_of_a_direct_computation(dtype):
    logits = torch.randn(3, 7, 5, generator=torch.Generator().manual_seed(0)).to(dtype) * 4
    logits[0, 0], logits[1, 2, 1:3] = 0.0, 50.0  # ties
    logits[2, 6] = torch.tensor([0.0, 1e30, 0.0, 0.0, -1e30])
    truth = np.random.default_rng(0).integers(0, 5, (3, 7)).astype(np.int32)
    summary, log_p = summarise(logits, truth, True), torch.log_softmax(logits.double(), 2)
    assert np.array_equal(summary.predicted, log_p.argmax(2))
    assert (summary.predicted[0, 0], summary.predicted[1, 2]) == (0, 1)
    np.testing.assert_allclose(summary.confidence, log_p.amax(2).exp(), rtol=1e-3)
    expected = log_p.gather(2, torch.from_numpy(truth.astype(np.int64))[:, :, None])[:, :, 0].clamp_min(-65504)
    np.testing.assert_allclose(summary.log_probability, expected, rtol=1e-3)
    assert summary.logits[2, 6].tolist() == logits[2, 6].float().tolist()
    assert summarise(logits, truth, False).logits is None
