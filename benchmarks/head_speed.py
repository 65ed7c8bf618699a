"""Measurements for speed.py: our heads and those of scikit-learn on ready features."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from fewshot.benchmarks.rounds import Case, Measured, rate
from numpy.typing import NDArray

if TYPE_CHECKING:
    from fewshot.episodes.batch import EpisodeBatch

N_QUERY = 15
COMPARED = 8  # episodes with compared answers
Floats = NDArray[np.float32]


def features(
    n_way: int, k_shot: int, dim: int, count: int, twins: bool = False
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """The support [E, N K, D], the queries [E, N Q, D] and the labels [N K] of every support. With `twins` the second
    image of every class is its first one again."""
    random = np.random.default_rng(0)
    centres = random.normal(scale=0.15, size=(count, n_way, 1, dim)).astype(np.float32)
    rows = centres + random.standard_normal((count, n_way, k_shot + N_QUERY, dim), dtype=np.float32)
    rows /= np.linalg.norm(rows, axis=-1, keepdims=True)
    support, query = rows[:, :, :k_shot], rows[:, :, k_shot:]
    if twins:
        support[:, :, 1] = support[:, :, 0]
    return support.reshape(count, -1, dim), query.reshape(count, -1, dim), np.repeat(np.arange(n_way), k_shot)


def batch_of(support: Floats, labels: NDArray[np.int64], n_way: int) -> EpisodeBatch[Any]:
    """The batch of episodes that an evaluator gets."""
    import torch

    from fewshot.episodes.batch import EpisodeBatch

    count = len(support)
    ways = torch.from_numpy(labels).expand(count, -1)
    held = torch.ones(support.shape[:2], dtype=torch.bool)
    return EpisodeBatch(torch.from_numpy(support), ways, held, n_way, torch.arange(count))


def ours_on_arrays(evaluator: str, n_way: int, k_shot: int, dim: int, count: int, twins: bool = False) -> Measured:
    """Our fits and predictions, in the batches and with the memory settings of a run."""
    import torch

    from fewshot.features.embedding import keep_freed_memory
    from fewshot.plugins.registry import EVALUATORS
    from fewshot.runs.feature_learner import FeatureLearner
    from fewshot.runs.solving import DEFAULT_BUDGET_BYTES

    keep_freed_memory()
    support, query, labels = features(n_way, k_shot, dim, count, twins)
    head = EVALUATORS.make(evaluator)
    learner = FeatureLearner(head, torch.from_numpy, dim)
    size, _ = learner.batch_and_chunk(len(labels), n_way * N_QUERY, n_way, DEFAULT_BUDGET_BYTES)
    starts = range(0, count - count % min(size, count), min(size, count))

    def step(index: int) -> int:
        part = slice(start := starts[index % len(starts)], start + min(size, count))
        head.fit(batch_of(support[part], labels, n_way))(torch.from_numpy(query[part])).argmax(2)
        return min(size, count)

    predicted = head.fit(batch_of(support[:COMPARED], labels, n_way))(torch.from_numpy(query[:COMPARED])).argmax(2)
    return Measured(rate(step), predicted.flatten().tolist())


def loop_of_scikit_learn(
    make: Callable[[], Any], n_way: int, k_shot: int, dim: int, count: int, twins: bool = False
) -> Measured:
    """scikit-learn's fits and predictions, one estimator after the other."""
    support, query, labels = features(n_way, k_shot, dim, count, twins)

    def predict(index: int) -> NDArray[np.int64]:
        answer: NDArray[np.int64] = make().fit(support[index % count], labels).predict(query[index % count])
        return answer

    def step(index: int) -> int:
        predict(index)
        return 1

    answers = np.concatenate([predict(index) for index in range(min(COMPARED, count))])
    return Measured(rate(step), answers.tolist())


def same_classes(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """The share of equal predictions; below 99 % it raises a ValueError."""
    equal = float(np.mean(np.array(ours) == np.array(theirs)))
    if equal < 0.99:
        raise ValueError(f"only {equal:.1%} of the predictions equal those of the peer")
    return f"{equal:.2%} of classes"


def on_arrays(
    evaluator: str,
    peer: str,
    make: Callable[[], Any],
    n_way: int = 5,
    k_shot: int = 5,
    dim: int = 640,
    count: int = 256,
    twins: bool = False,
) -> Case:
    """The case of an evaluator against a loop of estimators; with `twins` on supports with equal rows."""
    sizes = (n_way, k_shot, dim, count, twins)
    return Case(
        f"{evaluator.partition('(')[0]} {n_way}x{k_shot}" + (", equal rows" if twins else ""),
        f"{n_way}-way {k_shot}-shot, D = {dim}" + (", an image of every class twice" if twins else ""),
        functools.partial(ours_on_arrays, evaluator, *sizes),
        peer,
        functools.partial(loop_of_scikit_learn, make, *sizes),
        same_classes,
    )


def objectives(weight: NDArray[np.float64], bias: NDArray[np.float64], rows: Floats, c: float) -> float:
    """The objective (C times the losses plus half the squared weights) of weights [D, N] on class-major rows."""
    fit = rows.astype(np.float64) @ weight + bias
    true = np.repeat(np.arange(weight.shape[1]), len(rows) // weight.shape[1])
    fit -= fit[np.arange(len(rows)), true][:, None]
    losses = np.logaddexp.reduce(fit, axis=1)
    return float(c * losses.sum() + (weight**2).sum() / 2)


def ours_on_a_path(n_way: int, k_shot: int, dim: int, count: int, grid: Sequence[float]) -> Measured:
    """Our solutions per second; an episode counts once for every C."""
    import torch

    from fewshot.evaluators.linear_probe import LinearProbe

    support, query, labels = features(n_way, k_shot, dim, count)
    members = [LinearProbe(float(c)) for c in grid]
    reached: list[float] = []

    def step(index: int) -> int:
        heads = LinearProbe(C=1.0).fit_path(batch_of(support, labels, n_way), members)
        for head in heads:
            head(torch.from_numpy(query)).argmax(2)
        if not reached:
            reached.extend(
                objectives(h.weight[0].numpy(), h.bias[0].numpy(), support[0], float(c))  # type: ignore[attr-defined]
                for h, c in zip(heads, grid, strict=True)
            )
        return len(heads) * count

    return Measured(rate(step), reached)


def scikit_learn_on_a_path(
    n_way: int, k_shot: int, dim: int, count: int, grid: Sequence[float], tol: float
) -> Measured:
    """scikit-learn's fits in float64, one after the other, for all values of C on the first episode."""
    from sklearn.linear_model import LogisticRegression

    support, query, labels = features(n_way, k_shot, dim, count)
    rows, queries = support[0].astype(np.float64), query[0].astype(np.float64)
    reached, start = [], time.perf_counter()
    for c in grid:
        model = LogisticRegression(C=float(c), tol=tol, max_iter=10_000).fit(rows, labels)
        model.predict(queries)
        reached.append(objectives(model.coef_.T, model.intercept_, support[0], float(c)))
    return Measured(len(grid) / (time.perf_counter() - start), reached)


def same_optimum(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """The largest relative excess of our objective over the peer's; above a millionth it raises a ValueError."""
    above = float(np.max(np.array(ours) / np.array(theirs) - 1))
    if above > 1e-6:
        raise ValueError(f"our objective is {above:.1e} above that of the peer")
    return f"objective {above:+.0e}"


def path(n_way: int, k_shot: int, dim: int, grid: Sequence[float], tol: float, rounds: int) -> Case:
    """The case of a path of C on two episodes: ours together, the peer's fits one after the other."""
    return Case(
        f"LinearProbe path {n_way}x{k_shot}",
        f"{n_way}-way {k_shot}-shot, D = {dim}, {len(grid)} values of C",
        functools.partial(ours_on_a_path, n_way, k_shot, dim, 2, grid),
        f"LogisticRegression float64, tol {tol:g}",
        functools.partial(scikit_learn_on_a_path, n_way, k_shot, dim, 2, grid, tol),
        same_optimum,
        peer_threads=("default",),
        rounds=rounds,
    )


def logistic_regression() -> Any:
    """scikit-learn's logistic regression, with the settings of the papers."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=1.0, tol=1e-6, max_iter=1000)


def nearest_neighbours() -> Any:
    """scikit-learn's three nearest neighbours with equal votes."""
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(3)


def ridge() -> Any:
    """scikit-learn's least squares on targets of +1 and -1."""
    from sklearn.linear_model import RidgeClassifier

    return RidgeClassifier(alpha=1.0)


def discriminant_analysis() -> Any:
    """scikit-learn's discriminant analysis with a shrunk D x D covariance."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    return LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.5)


def support_vectors() -> Any:
    """scikit-learn's linear SVM: liblinear in the dual."""
    from sklearn.svm import LinearSVC

    return LinearSVC(C=1.0, tol=1e-6, max_iter=100_000)
