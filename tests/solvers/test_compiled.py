"""Compiled loops over episodes: the numbers of matrix algebra, whatever the threads and the neighbours."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from fewshot.evaluators.linear_probe import LinearProbe
from fewshot.solvers import compiled, logistic
from fewshot.solvers.gram import means
from fewshot.solvers.logistic import solve_path
from fewshot.solvers.similarity import inner_products
from tests.support.logistic_objective import objective
from tests.support.support_sets import batch_of, episodes

pytest.importorskip("numba")


def weights(rows, labels, n_way, c=1.0):
    return LinearProbe(c).fit(batch_of(rows, labels, n_way)).weight


def test_the_number_of_threads_changes_no_bit(threads):
    rows, labels = episodes(5, 5, 40, True, 23)
    found = []
    for number in (1, 2, 5):
        threads(number)
        head = LinearProbe().fit(batch_of(rows, labels, 5))
        found.append((head.weight, head(torch.as_tensor(rows))))
    for weight, logits in found[1:]:
        assert torch.equal(weight, found[0][0])
        assert torch.equal(logits, found[0][1])


def test_neighbours_change_no_bit():
    rows, labels = episodes(5, 5, 40, True, 9)
    together = weights(rows, labels, 5)
    rows[4] = 0.0
    rows[5] *= 1e5
    assert torch.equal(weights(rows[:4], labels, 5), together[:4])
    assert torch.equal(weights(rows, labels, 5)[[0, 3, 8]], together[[0, 3, 8]])


@pytest.mark.parametrize(
    ("n_way", "k_shot", "dim"), [(2, 1, 7), (2, 9, 18), (3, 1, 3), (5, 5, 25), (7, 3, 21), (64, 1, 70)]
)
@pytest.mark.parametrize("c", [1e-5, 1.0, 1e5])
def test_loops_and_matrices_agree(n_way, k_shot, dim, c, monkeypatch):
    rows, labels = episodes(n_way, k_shot, dim, False, 3)
    loops = LinearProbe(c).fit(batch_of(rows, labels, n_way))
    monkeypatch.setattr(compiled, "installed", lambda: False)
    matrices = LinearProbe(c).fit(batch_of(rows, labels, n_way))
    for e in range(3):
        values = [objective(h.weight[e].numpy(), h.bias[e].numpy(), rows[e], labels, c) for h in (loops, matrices)]
        assert values[0] == pytest.approx(values[1], rel=1e-10)


def test_a_path_in_loops_is_at_the_optimum_of_each_value():
    rows, labels = episodes(4, 4, 30, False, 3)
    batch = batch_of(rows, labels, 4)
    grid = [LinearProbe(float(c)) for c in 10 ** np.linspace(-6, 5, 12)]
    for member, head in zip(grid, LinearProbe().fit_path(batch, grid), strict=True):
        assert head.converged.all()
        alone = member.fit(batch)
        for e in range(3):
            values = [
                objective(h.weight[e].numpy(), h.bias[e].numpy(), rows[e], labels, member.C) for h in (head, alone)
            ]
            assert values[0] == pytest.approx(values[1], rel=1e-10)


def test_what_loops_cannot_vouch_for_is_solved_by_matrices(monkeypatch):
    rows, labels = episodes(3, 4, 30, False, 5)
    batch = batch_of(rows, labels, 3)
    arguments = (batch.support, batch.support_mask, batch.support_labels, 3, [(0.1, 100), (10.0, 100)])
    honest = solve_path(*arguments)

    def doubting(first, last, *arrays):
        real(first, last, *arrays)
        arrays[-1][1, 2] = False  # the second C of episode 2
        arrays[-3][:, 2] = np.nan

    from fewshot.solvers.compiled import logistic as loops

    real = loops.fit_path
    monkeypatch.setattr(loops, "fit_path", doubting)
    for whole, mended in zip(honest, solve_path(*arguments), strict=True):
        assert mended.converged.all()
        assert torch.equal(mended.weight[[0, 1, 3, 4]], whole.weight[[0, 1, 3, 4]])
        torch.testing.assert_close(mended.weight[2], whole.weight[2], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("n_query", "n_vectors", "dim"), [(1, 1, 1), (3, 2, 5), (9, 5, 300), (4, 30, 16)])
def test_inner_products_are_those_of_a_direct_computation(dtype, n_query, n_vectors, dim):
    generator = torch.Generator().manual_seed(0)
    query = torch.randn(3, n_query, dim, generator=generator, dtype=torch.float64).to(dtype)
    shift, vectors = (torch.randn(*shape, dim, generator=generator).double() for shape in ((3,), (3, n_vectors)))
    products, squares = inner_products(query, shift, vectors)
    moved = query.double() - shift[:, None]
    torch.testing.assert_close(products, moved @ vectors.transpose(1, 2), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(squares, moved.square().sum(2), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_means_are_those_of_matrices_and_no_padding_is_looked_at(dtype):
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(3, 11, 20, generator=generator).to(dtype)
    weights = torch.rand(3, 11, 4, generator=generator, dtype=torch.float64) * (torch.arange(11) < 8)[:, None]
    expected = weights.transpose(1, 2) @ rows.double() / weights.sum(1)[:, :, None]
    rows[:, 8:] = torch.nan
    torch.testing.assert_close(means(rows, weights), expected, rtol=1e-12, atol=1e-12)


def test_features_under_training_keep_their_gradients():
    rows, labels = episodes(3, 2, 8, False, 2)
    query = torch.as_tensor(rows).requires_grad_()
    logits = LinearProbe().fit(batch_of(rows, labels, 3))(query)
    logits.sum().backward()
    assert torch.isfinite(query.grad).all()


def _sum_of_weights(answers):
    answers.put(float(weights(*episodes(3, 2, 8, False, 6), 3).sum()))


def test_loops_run_in_a_forked_process(threads):
    threads(2)
    here = float(weights(*episodes(3, 2, 8, False, 6), 3).sum())
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    process = context.Process(target=_sum_of_weights, args=(answers,))
    process.start()
    process.join(60)
    assert process.exitcode == 0
    assert answers.get() == here


def test_loops_run_where_numba_finds_no_folder_for_its_cache(tmp_path):
    code = """
import sys
from fewshot.solvers.compiled import compiled

namespace = {}
exec("def double(x): return 2 * x", namespace)  # no file, so no folder beside it
print(compiled(namespace["double"])(21))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "42"


def class_means_of(table, n_way, k_shot, n_query, cosine=False):
    """Logits [1, N Q, N] of an episode of the first rows of a float32 table, class-major."""
    from fewshot.solvers.compiled import prototypes

    rows = np.arange(n_way * (k_shot + n_query)).reshape(n_way, -1)
    support, query = rows[:, :k_shot].reshape(1, -1), rows[:, k_shot:].reshape(1, -1)
    labels = np.repeat(np.arange(n_way), k_shot)[None]
    out = np.empty((1, query.shape[1], n_way), np.float32)
    like = np.empty(0, np.float64 if cosine else np.float32)
    prototypes.logits(0, 1, table, support, labels, np.ones(support.shape, bool), query, cosine, like, out)
    return support[0], query[0], out[0]


@pytest.mark.parametrize("offset", [0.0, 1000.0])
@pytest.mark.parametrize("n_way", [2, 5, 8])
def test_distances_in_float32_have_its_digits_about_the_centre_of_the_classes(offset, n_way):
    table = (offset + np.random.default_rng(0).normal(size=(n_way * 7, 640))).astype(np.float32)
    support, query, found = class_means_of(table, n_way, 3, 4)
    exact = table.astype(np.float64)
    means = exact[support].reshape(n_way, 3, -1).mean(1)
    expected = -((exact[query][:, None] - means) ** 2).sum(2)
    np.testing.assert_allclose(found, expected, rtol=2e-6)


@pytest.mark.parametrize("n_way", [2, 3, 4, 5, 7, 8])
@pytest.mark.parametrize("cosine", [False, True])
def test_classes_of_the_same_images_tie(n_way, cosine):
    rows = np.random.default_rng(0).normal(size=(1, 3, 641)).astype(np.float32)
    queries = np.random.default_rng(1).normal(size=(n_way, 4, 641)).astype(np.float32)
    table = np.concatenate([np.repeat(rows, n_way, 0), queries], 1).reshape(-1, 641)
    _, _, found = class_means_of(table, n_way, 3, 4, cosine)
    assert (found == found[:, :1]).all()


def test_a_setting_of_vectors_that_was_given_is_kept():
    code = "import numba; from fewshot.solvers.compiled import prototypes; print(numba.config.CPU_FEATURES)"
    environment = {**os.environ, "NUMBA_CPU_FEATURES": "+avx2"}
    given = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert given.stdout.strip() == "+avx2"


@pytest.mark.parametrize(("n", "dim"), [(1, 1), (2, 3), (5, 1), (7, 650), (25, 64), (66, 1300)])
def test_gram_matrices_are_those_of_a_direct_computation_and_their_padding_is_zero(n, dim):
    from fewshot.solvers.compiled.aligned import zeros
    from fewshot.solvers.compiled.matrices import gram

    rows = np.random.default_rng(0).normal(size=(n + 1, dim))  # the last one is not in use
    width = (n + 7) // 8 * 8
    out = zeros(n + 1, width, rows)
    gram(rows, n, out)
    np.testing.assert_allclose(out[:n, :n], rows[:n] @ rows[:n].T, rtol=1e-13, atol=1e-12)
    assert not out[:, n:].any()
    assert not out[n:].any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_room_to_work_in_begins_with_a_cache_line(dtype):
    from fewshot.solvers.compiled.aligned import empty, zeros

    for n, width in ((1, 1), (3, 16), (5, 7), (40, 640)):
        for room in (zeros(n, width, np.zeros(1, dtype)), empty(n, width, np.zeros(1, dtype))):
            assert (room.shape, room.dtype, room.ctypes.data % 64) == ((n, width), dtype, 0)
        assert not zeros(n, width, np.zeros(1, dtype)).any()


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_each_thread_works_in_one_space_of_its_own_and_every_episode_is_visited_once(threads, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    made, visited = [], []

    def workspace():
        made.append(space := object())
        return space

    def loop(first, last, space, argument):
        assert argument == "argument"
        visited.extend((episode, space) for episode in range(first, last))

    compiled.over_episodes(loop, 41, "argument", workspace=workspace)
    assert sorted(episode for episode, _ in visited) == list(range(41))
    assert len(made) == threads
    assert {space for _, space in visited} <= set(made)


def test_many_unsolved_episodes_are_solved_a_part_at_a_time(monkeypatch):
    rows, labels = episodes(3, 4, 30, False, 7)
    batch = batch_of(rows, labels, 3)
    arguments = (batch.support, batch.support_mask, batch.support_labels, 3, [(1.0, 100)])
    honest, sizes = solve_path(*arguments), []

    def counted(rows, *rest):
        sizes.append(len(rows))
        return real(rows, *rest)

    real = logistic._by_matrices
    monkeypatch.setattr(logistic, "_by_matrices", counted)
    monkeypatch.setattr(logistic, "_unsolved", lambda solutions: torch.tensor([0, 1, 3, 5, 6]))
    monkeypatch.setattr(logistic, "_AGAIN_BYTES", 2 * logistic._matrix_bytes(12, 3, 30))
    (again,) = solve_path(*arguments)
    assert sizes == [2, 2, 1]
    torch.testing.assert_close(again.weight, honest[0].weight, rtol=1e-5, atol=1e-7)


def test_the_exponential_function_has_its_digits():
    from fewshot.solvers.compiled.exponential import exponential

    values = np.concatenate(
        [-np.logspace(-300, np.log10(690), 400), [0.0, -0.0], -np.random.default_rng(0).random(2000) * 40]
    )
    ours = np.array([exponential(float(value)) for value in values])
    assert (abs(ours / np.exp(values) - 1) < 1e-15 + 2e-16 * abs(values)).all()
    assert exponential(-np.inf) == exponential(-1e300) < 1e-300
    assert np.isnan(exponential(np.nan))
