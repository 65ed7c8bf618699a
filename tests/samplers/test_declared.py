"""What a sampler declares for the readers of rows is what it does."""

from __future__ import annotations

import numpy as np
import pytest

from fewshot.conformance.samplers import SamplerWorld
from fewshot.episodes.episodes import EpisodeShape
from fewshot.plugins.registry import SAMPLERS
from fewshot.samplers import Sampler
from fewshot.samplers.balanced import Balanced

WORLD = SamplerWorld()
EXAMPLES = [example for name in SAMPLERS.names() for example in SAMPLERS.get(name).examples()]
K, Q = 3, 4


@pytest.mark.parametrize("sampler", EXAMPLES, ids=repr)
def test_shots_and_queries_differ_between_classes_where_they_are_means(sampler: Sampler) -> None:
    episodes = WORLD.sample(sampler, EpisodeShape(5, K, Q), 60)
    assert (episodes.support_count == K).all() == (not sampler.shots_on_average)
    assert (episodes.query_count == Q).all() == (not sampler.queries_on_average)
    assert np.isclose(episodes.support_count.mean(), K)
    assert np.isclose(episodes.query_count.mean(), Q)


@pytest.mark.parametrize("sampler", EXAMPLES, ids=repr)
def test_every_class_has_as_many_shots_where_they_are_nested(sampler: Sampler) -> None:
    assert not (sampler.nests_shots and sampler.shots_on_average)
    assert SAMPLERS.read(type(sampler).__name__).declares("nests_shots") == sampler.nests_shots


@pytest.mark.parametrize("sampler", EXAMPLES, ids=repr)
def test_an_open_number_of_ways_is_all_classes_or_said_to_vary(sampler: Sampler) -> None:
    n_way = WORLD.sample(sampler, EpisodeShape(None, 2, 1), 60).n_way
    assert (n_way == len(WORLD.classes)).all() == (not sampler.open_ways_vary)


@pytest.mark.parametrize("sampler", EXAMPLES, ids=repr)
def test_open_queries_are_all_other_images_or_at_most_what_is_said(sampler: Sampler) -> None:
    try:
        counts = WORLD.sample(sampler, EpisodeShape(5, 1, None), 10).query_count
    except ValueError as error:  # it wants to be told
        assert "n_query" in str(error)
        return
    if sampler.most_open_queries is None:
        assert counts.min() >= 12 - 1 if "pools" not in repr(sampler) else counts.min() >= 1
    else:
        assert counts.max() == sampler.most_open_queries


@pytest.mark.parametrize("sampler", EXAMPLES, ids=repr)
def test_what_differs_from_balanced_episodes_in_queries_alone_asks_for_the_same_classes(sampler: Sampler) -> None:
    if sampler.is_balanced_but_for_queries:
        fields = SAMPLERS.spec(sampler).fields
        plain = Balanced(fields["support_from"], fields["query_from"])
        assert plain.is_balanced
        assert np.array_equal(WORLD.sample(sampler).classes, WORLD.sample(plain).classes)
