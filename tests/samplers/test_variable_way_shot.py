"""VariableWayShot draws as Meta-Dataset's code does, beside the laws of every sampler."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import chi2_contingency, ks_2samp

from fewshot.conformance.samplers import labelled, more_episodes_keep_the_first_ones, shards_make_their_own_episodes
from fewshot.datasets import Group
from fewshot.episodes.shape import EpisodeShape
from fewshot.samplers.variable_way_shot import VariableWayShot
from tests.support.sampler_worlds import sample

OPEN = EpisodeShape(None, None, None)
SIZES = 13 + np.arange(60) * 37 % 230
SCRIPTS = np.arange(60) % 7 % 4  # 18, 18, 16 and 8 classes
IMAGES = labelled(SIZES, {"script": Group(SCRIPTS, tuple("abcd"))})
CLASSES = np.arange(60)
# Genera of 4 to 11 classes, each below a family of its own alone; families below two orders, and a trait across them.
PARENTS = {c: [f"genus {c * c % 11}"] + ["trait"] * (c % 4 == 0) for c in range(60)}
PARENTS |= {f"genus {g}": [f"family {g}"] for g in range(11)}
PARENTS |= {f"family {g}": [f"order {g % 2}"] for g in range(11)}
PARENTS |= {"order 0": ["life"], "order 1": ["life"], "trait": ["order 1"], "life": ["everything"]}


@pytest.fixture
def tree(tmp_path):
    path = tmp_path / "tree.json"
    named = {f"class {node}" if isinstance(node, int) else node: above for node, above in PARENTS.items()}
    path.write_text(json.dumps(named))
    return path


def drawn(sampler=None, shape=OPEN, images=IMAGES, classes=CLASSES, count=300, **asked):
    return sample(sampler or VariableWayShot(), shape, images, classes, count=count, **asked)


def test_the_limits_of_fewtrans_hold_and_are_reached():
    episodes = drawn(VariableWayShot(ways=(2, 15), most_support=150, most_shots=10), count=400)
    assert (episodes.n_way.min(), episodes.n_way.max()) == (2, 15)
    assert (episodes.support_count.min(), episodes.support_count.max()) == (1, 10)
    assert 100 < support_sizes(episodes).max() <= 150
    few = drawn(VariableWayShot(ways=(2, 15), most_support=20, most_shots=10), count=100)
    assert 15 < support_sizes(few).max() <= 20


def support_sizes(episodes) -> np.ndarray:
    """The number of support images of each episode."""
    return np.add.reduceat(episodes.support_count, np.cumsum([0, *episodes.n_way[:-1]]))


def published_episode(random, sizes, scripts):
    """The formulas of Meta-Dataset's code for one episode: sizes of its classes, their support, queries a class."""
    members = np.flatnonzero(scripts == random.choice(np.unique(scripts)))
    ways = random.integers(5, min(50, len(members)) + 1)
    return published_counts(random, sizes[random.choice(members, size=ways, replace=False)])


def published_counts(random, n):
    """Support of each class and queries a class, of classes of n images."""
    ways = len(n)
    query = min(10, (n // 2).min())
    remaining = n - query
    beta = random.uniform()
    size = min(500, np.floor(beta * np.minimum(100, remaining) + 1).sum())
    weights = n * np.exp(random.uniform(np.log(0.5), np.log(2), size=ways))
    wanted = np.floor(weights / weights.sum() * (size - ways)).astype(int) + 1
    return np.minimum(wanted, remaining), query


def published_spans(parents, leaves):
    """The leaves below every inner node, as Meta-Dataset's code has them: the graph of the ancestors of the leaves, of
    which nodes with one child are taken out, their child put under their parents, until none is left."""
    nodes, waiting = set(), list(leaves)
    while waiting:
        node = waiting.pop()
        nodes.add(node)
        waiting += parents.get(node, ())
    below = {node: {child for child in nodes if node in parents.get(child, ())} for node in nodes}
    while alone := [node for node in below if len(below[node]) == 1]:
        (child,) = below.pop(alone[0])
        for children in below.values():
            if alone[0] in children:
                children.remove(alone[0])
                children.add(child)
    spans = []
    for node in below:
        reached, waiting = set(), [node]
        while waiting:
            reached.add(waiting.pop())
            waiting += [child for known in reached for child in below[known] if child not in reached]
        spans.append(sorted(reached & set(leaves)))
    return [span for span, node in zip(spans, below, strict=True) if below[node]]


def published_tree_episode(random, sizes, spans):
    """Support of each class and queries a class of one episode with a tree."""
    eligible = [span for span in spans if 5 <= len(span) <= 392]
    members = np.array(eligible[random.integers(len(eligible))])
    if len(members) > 50:
        members = random.choice(members, size=50, replace=False)
    return published_counts(random, sizes[members])


def summary(supports, queries):
    """[E, 5] ways, support images, the largest support, the ratio of largest to smallest, queries a class."""
    return np.array([[len(k), k.sum(), k.max(), k.max() / k.min(), q] for k, q in zip(supports, queries, strict=True)])


@pytest.mark.parametrize("kind", ["flat", "group", "tree"])
def test_ways_shots_and_imbalance_are_distributed_as_in_a_direct_simulation_of_the_formulas(kind, tree):
    """10 000 draws of each, or 3000: Kolmogorov-Smirnov, and chi-square for ways and queries, at level 1e-3."""
    count, random = 3000 if kind == "group" else 10_000, np.random.default_rng(2)
    sampler = {"flat": VariableWayShot(), "group": VariableWayShot("script"), "tree": VariableWayShot(tree=tree)}[kind]
    ours = drawn(sampler, count=count, seed=1)
    supports = np.split(ours.support_count, ours.way_start[1:-1])
    found = summary(supports, ours.query_count[ours.way_start[:-1]])
    scripts, spans = SCRIPTS if kind == "group" else np.zeros(60), published_spans(PARENTS, range(60))
    one = (lambda: published_tree_episode(random, SIZES, spans)) if kind == "tree" else None
    one = one or (lambda: published_episode(random, SIZES, scripts))
    direct = summary(*zip(*(one() for _ in range(count)), strict=True))
    for column in range(5):
        assert ks_2samp(found[:, column], direct[:, column], method="asymp").pvalue > 1e-3
    for column in (0, 4):
        values = np.unique(direct[:, column])
        table = [(part[:, column, None] == values).sum(0) for part in (found, direct)]
        assert np.sum(table) == 2 * count  # nothing is drawn that the formulas do not give
        assert chi2_contingency(table).pvalue > 1e-3
    assert (
        abs(np.corrcoef(found[:, :4].T) - np.corrcoef(direct[:, :4].T)).max() < 4 / (count / 2) ** 0.5
    )  # 4 standard errors


def test_the_limits_hold_and_episodes_are_well_formed():
    episodes = drawn(count=400)
    episodes.check(IMAGES)
    assert (episodes.n_way.min(), episodes.n_way.max()) == (5, 50)
    assert 480 < np.diff(episodes.support_start).max() <= 500  # shares are rounded down
    assert episodes.query_count.max() == 10
    assert (episodes.support_count + episodes.query_count <= SIZES[episodes.classes]).all()


def test_every_class_comes_as_often():
    """Chi-square at level 1e-4; classes of an episode differ, which makes the counts more even, never less."""
    from scipy.stats import chisquare

    assert chisquare(np.bincount(drawn(count=2000).classes, minlength=60)).pvalue > 1e-4


@pytest.mark.parametrize("law", [more_episodes_keep_the_first_ones, shards_make_their_own_episodes])
@pytest.mark.parametrize("sampler", VariableWayShot.examples(), ids=repr)
def test_the_laws_of_prefix_and_shards_hold_for_open_shapes(law, sampler, monkeypatch):
    from fewshot.conformance import samplers

    monkeypatch.setattr(samplers, "SHAPES", (OPEN, EpisodeShape(None, None, 3), EpisodeShape(5, None, None)))
    assert law(sampler, samplers.SamplerWorld()) is None


def test_the_classes_of_an_episode_are_of_one_group_and_each_group_comes_as_often():
    from scipy.stats import chisquare

    episodes = drawn(VariableWayShot("script"), count=2000)
    ways = np.split(SCRIPTS[episodes.classes], episodes.way_start[1:-1])
    assert all(len(set(codes)) == 1 for codes in ways)
    assert chisquare(np.bincount([codes[0] for codes in ways])).pvalue > 1e-4


def test_the_ways_of_a_tree_are_all_classes_below_a_node_and_each_node_comes_as_often(tree):
    from scipy.stats import chisquare

    episodes = drawn(VariableWayShot(tree=tree), count=4000)
    ways = [tuple(sorted(way)) for way in np.split(episodes.classes.tolist(), episodes.way_start[1:-1])]
    spans = [tuple(span) for span in published_spans(PARENTS, range(60)) if len(span) >= 5]
    assert len(set(spans)) == len(spans) > 8
    small = [span for span in spans if len(span) <= 50]
    assert chisquare([ways.count(span) for span in small] + [sum(len(way) == 50 for way in ways)]).pvalue > 1e-4
    assert {way for way in ways if len(way) < 50} == {span for span in small if len(span) < 50}


def test_a_tree_is_of_the_classes_that_are_drawn_from(tree):
    some = np.arange(20, 40)
    episodes = drawn(VariableWayShot(tree=tree), classes=some, count=300)
    assert set(episodes.classes) <= set(some)
    ways = {tuple(sorted(way)) for way in np.split(episodes.classes.tolist(), episodes.way_start[1:-1])}
    assert ways == {tuple(span) for span in published_spans(PARENTS, some) if len(span) >= 5}


def test_the_runs_that_were_stored_before_there_were_trees_keep_their_names(tree):
    from fewshot.plugins.registry import SAMPLERS

    assert SAMPLERS.spec("VariableWayShot('script')").identity == "VariableWayShot(group='script')"
    assert "tree='sha256:" in SAMPLERS.spec(f"VariableWayShot(tree={str(tree)!r})").identity
    assert SAMPLERS.canonical("VariableWayShot()") == "VariableWayShot(group=None)"


def test_a_tree_and_a_group_or_a_tree_without_wide_nodes_is_one_sentence(tree):
    with pytest.raises(ValueError, match="samples classes by a group or by a tree; give only one"):
        drawn(VariableWayShot("script", tree))
    tree.write_text(json.dumps({f"class {c}": f"genus {c % 15}" for c in range(60)}))
    message = (
        "5-way episodes inside one node of the tree .* no node of the tree has 5 to 392 of the 60 .* leave out tree"
    )
    with pytest.raises(ValueError, match=message):
        drawn(VariableWayShot(tree=tree))


def test_what_the_shape_gives_is_fixed():
    episodes = drawn(shape=EpisodeShape(7, 3, 2), count=20)
    assert (set(episodes.n_way), set(episodes.support_count), set(episodes.query_count)) == ({7}, {3}, {2})
    assert set(drawn(shape=EpisodeShape(7, 30, None, True), count=50).support_count) > {30}


@pytest.mark.parametrize(
    ("sampler", "shape", "classes", "message"),
    [
        (VariableWayShot(), OPEN, CLASSES[:4], "5 to 50-way episodes need more classes than the 4"),
        (VariableWayShot("script"), OPEN, CLASSES[:8], "5-way episodes inside one script .* no script has 5 of the 8"),
        (VariableWayShot("alphabet"), OPEN, CLASSES, "test has no class group 'alphabet'; it has: script"),
        (VariableWayShot(), EpisodeShape(5, 8, None), CLASSES, "k_shot = 8 images and 6 queries a class, but class 0 "),
        (VariableWayShot(), EpisodeShape(5, None, 13), CLASSES, r"k_shot \+ n_query = 1 \+ 13 images a class, but cl"),
    ],
)
def test_what_cannot_be_is_one_sentence(sampler, shape, classes, message):
    with pytest.raises(ValueError, match=message):
        drawn(sampler, shape, classes=classes)
