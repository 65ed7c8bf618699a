"""Draws are Philox, uniform, distinct, and a function of (seed, index, slot, draw) alone."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from scipy.stats import chi2

from fewshot.episodes import draws
from fewshot.episodes.draws import distinct, philox, words

KNOWN_ANSWERS = [  # Random123, tests/kat_vectors: philox4x32 10
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


def sizes(*values):
    return np.array([values], dtype=np.int64)


def below_critical(counts, level=1e-4):
    """Whether equal expected counts pass a chi-square test at this level."""
    expected = counts.sum() / counts.size
    return ((counts - expected) ** 2 / expected).sum() < chi2.ppf(1 - level, counts.size - 1)


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_philox_gives_the_known_answers_of_its_authors(counter, key, answer):
    drawn = philox(tuple(np.array([c], dtype=np.uint64) for c in counter), key)
    assert tuple(int(word[0]) for word in drawn) == answer


def test_words_are_philox_of_index_slot_block_and_stream():
    drawn = words(7 << 32 | 5, np.array([3, 9]), 4, 10, stream=2)
    counter = tuple(np.array([c], dtype=np.uint64) for c in (9, 3, 2, 2))
    assert drawn.shape == (2, 4, 10)
    assert drawn[1, 3, 8:].tolist() == [int(word[0]) for word in philox(counter, (5, 7))][:2]


def test_a_word_does_not_depend_on_the_shape_of_the_array():
    whole = words(1, np.arange(20), 6, 17, 3)
    assert np.array_equal(words(1, np.array([13, 4]), 3, 5, 3), whole[[13, 4], :3, :5])


@pytest.mark.parametrize("seed", [-1, 1 << 64])
def test_a_seed_beyond_64_bits_is_refused(seed):
    with pytest.raises(ValueError, match=r"seed must be in \[0, 2\^64\)"):
        words(seed, np.arange(1), 1, 1, 0)


@pytest.mark.parametrize("index", [-1, 1 << 32])
def test_an_index_beyond_32_bits_is_refused_because_it_would_repeat_another(index):
    with pytest.raises(ValueError, match=r"index must be in \[0, 2\^32\)"):
        words(0, np.array([0, index]), 1, 1, 0)


@pytest.mark.parametrize("n_draws", [1, 7, 128, 129, 200])
def test_draws_are_distinct_and_in_range(n_draws):
    size = np.array([200, 333, 10_000])
    drawn = distinct(5, np.arange(40), size[None], n_draws, 1)
    assert drawn.shape == (40, 3, n_draws)
    assert ((drawn >= 0) & (drawn < size[:, None])).all()
    assert (np.diff(np.sort(drawn, axis=2), axis=2) > 0).all()


@pytest.mark.parametrize("n_draws", [20, 150])
def test_as_many_draws_as_there_are_items_are_a_permutation(n_draws):
    drawn = distinct(5, np.arange(30), sizes(n_draws), n_draws, 1)
    assert (np.sort(drawn, axis=2) == np.arange(n_draws)).all()


def test_every_draw_is_uniform():
    """Chi-square at level 1e-4, fixed seed, for each of the draws of 6 from 12."""
    drawn = distinct(11, np.arange(50_000), sizes(12), 6, 0)[:, 0]
    assert all(below_critical(np.bincount(drawn[:, t], minlength=12)) for t in range(6))


@pytest.mark.parametrize("shuffling", [False, True])
def test_every_ordered_selection_is_equally_likely(shuffling, monkeypatch):
    """Chi-square at level 1e-4, fixed seed, over the 60 ordered selections of 3 from 5."""
    monkeypatch.setattr(draws, "_COMPARED_DRAWS", 0 if shuffling else 128)
    drawn = distinct(3, np.arange(60_000), sizes(5), 3, 0)[:, 0]
    counts = np.bincount(drawn @ [25, 5, 1], minlength=125)
    assert (counts > 0).sum() == 60
    assert below_critical(counts[counts > 0])


def test_slots_seeds_streams_and_indices_are_independent():
    """Chi-square at level 1e-4 over pairs of draws that differ in one of them."""
    index = np.arange(40_000)
    first = distinct(1, index, sizes(6, 6), 1, 0)[:, :, 0]
    changed = [(2, 0), (1 << 32 | 1, 0), (1, 1)]  # seed and stream
    others = [distinct(seed, index, sizes(6), 1, stream)[:, 0, 0] for seed, stream in changed]
    others += [first[:, 1], np.roll(first[:, 0], 1)]
    for other in others:
        assert below_critical(np.bincount(first[:, 0] * 6 + other, minlength=36))


@pytest.mark.parametrize("more", [50, 128, 180])
def test_a_longer_draw_starts_with_the_shorter_one(more):
    size = np.array([[180, 5000]])
    for fewer in (1, 4, 49, more):
        drawn = distinct(2, np.arange(9), size, more, 1)
        assert np.array_equal(distinct(2, np.arange(9), size, fewer, 1), drawn[:, :, :fewer])


def test_a_draw_does_not_depend_on_its_neighbours():
    size = np.random.default_rng(0).integers(30, 60, size=(25, 4))
    whole = distinct(2, np.arange(100, 125), size, 30, 1)
    assert np.array_equal(distinct(2, np.array([117]), size[17:18, :2], 8, 1), whole[17:18, :2, :8])


@pytest.mark.parametrize("cells", [1, 1000, 1 << 22])
def test_comparing_and_shuffling_agree(cells, monkeypatch):
    size = np.random.default_rng(1).integers(1, 90, size=(12, 3))
    compared = distinct(8, np.arange(12), size, 60, 1)
    monkeypatch.setattr(draws, "_COMPARED_DRAWS", 0)
    monkeypatch.setattr(draws, "_SHUFFLED_CELLS", cells)
    assert np.array_equal(distinct(8, np.arange(12), size, 60, 1), compared)


@pytest.mark.parametrize("limit", [0, 128])
def test_a_size_below_the_number_of_draws_leaves_what_comes_before_and_beside_it(limit, monkeypatch):
    monkeypatch.setattr(draws, "_COMPARED_DRAWS", limit)
    drawn = distinct(4, np.arange(20), sizes(0, 3, 50), 10, 1)
    assert np.array_equal(drawn[:, 1, :3], distinct(4, np.arange(20), sizes(0, 3), 3, 1)[:, 1])
    assert np.array_equal(np.sort(drawn[:, 1, :3]), np.tile(np.arange(3), (20, 1)))
    assert np.array_equal(drawn[:, 2], distinct(4, np.arange(20), sizes(50, 50, 50), 10, 1)[:, 2])


@pytest.mark.parametrize("n_draws", [0, 5, 500])
@pytest.mark.parametrize("count", [0, 2])
def test_no_episodes_and_no_draws_are_empty(n_draws, count):
    assert distinct(0, np.arange(count), sizes(600), n_draws, 0).shape == (count, 1, n_draws)


@pytest.mark.parametrize("n_draws", [20, 200])
def test_big_sizes_take_bounded_memory(n_draws):
    tracemalloc.start()
    drawn = distinct(0, np.arange(100), np.full((1, 5), 10**6), n_draws, 0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 << 20
    assert drawn.max() > 900_000
    assert (np.diff(np.sort(drawn, axis=2), axis=2) > 0).all()
