"""What a sampler declares for the readers of rows is what it does."""

from __future__ import annotations

import numpy as np
import pytest

from fewshot.conformance.samplers import SamplerWorld
from fewshot.episodes.shape import EpisodeShape
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
def test_shots_are_nested_only_where_every_class_has_as_many(sampler: Sampler) -> None:
    assert not (sampler.nests_shots and sampler.shots_on_average)
    fewer, more = (WORLD.sample(sampler, EpisodeShape(5, k, Q), 20) for k in (K, K + 1))
    if sampler.nests_shots:
        assert np.array_equal(fewer.support.reshape(-1, K), more.support.reshape(-1, K + 1)[:, :K])


@pytest.mark.parametrize("sampler", EXAMPLES, ids=repr)
def test_an_open_number_of_ways_is_all_classes_or_said_to_vary(sampler: Sampler) -> None:
    n_way = WORLD.sample(sampler, EpisodeShape(None, 2, 1), 60).n_way
    assert (n_way == len(WORLD.classes)).all() == (not sampler.open_ways_vary)


@pytest.mark.parametrize("sampler", EXAMPLES, ids=repr)
def test_open_queries_are_all_other_images_or_at_most_what_is_said(sampler: Sampler) -> None:
    if sampler.shots_on_average or sampler.queries_on_average:
        with pytest.raises(ValueError, match="n_query"):
            WORLD.sample(sampler, EpisodeShape(5, 1, None))
        return
    counts = WORLD.sample(sampler, EpisodeShape(5, 1, None)).query_count
    if sampler.most_open_queries is None:
        assert len(np.unique(counts)) > 1  # classes are of 50 to 62 images
    else:
        assert (counts == sampler.most_open_queries).all()


@pytest.mark.parametrize("sampler", EXAMPLES, ids=repr)
def test_what_differs_from_balanced_episodes_in_queries_alone_asks_for_the_same_classes(sampler: Sampler) -> None:
    if sampler.is_balanced_but_for_queries:
        fields = SAMPLERS.spec(sampler).fields
        plain = Balanced(fields["support_from"], fields["query_from"])
        assert plain.is_balanced
        assert np.array_equal(WORLD.sample(sampler).classes, WORLD.sample(plain).classes)
