"""Heads that know vectors of the class names: each against a direct computation, an episode at a time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from scipy.optimize import minimize
from torch.nn.functional import cross_entropy, normalize

from fewshot.cli import main
from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import _warned_once
from fewshot.evaluators.linear_probe_plus_plus import LinearProbePlusPlus
from fewshot.evaluators.tip_adapter import TipAdapter
from fewshot.evaluators.zero_shot import ZeroShot
from fewshot.evaluators.zero_shot_gaussian import ZeroShotGaussian
from fewshot.evaluators.zero_shot_probe import ZeroShotProbe
from fewshot.plugins.registry import EVALUATORS
from fewshot.results.files import Results
from fewshot.runs.guards import check_support

HEADS = [ZeroShot(), TipAdapter(), LinearProbePlusPlus(), ZeroShotGaussian(), ZeroShotProbe()]
each_head = pytest.mark.parametrize("head", HEADS, ids=repr)


def episodes(n_way=4, k_shot=3, dim=20, count=3, noise=1.0, seed=0):
    """Ragged supports (the last row of every other episode is padding), queries, and vectors of the names."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    centres = normal(count, n_way, dim)
    support, query = (
        (centres[:, :, None] + noise * normal(count, n_way, per_class, dim)).flatten(1, 2) for per_class in (k_shot, 5)
    )
    labels = torch.arange(n_way).repeat_interleave(k_shot).repeat(count, 1)
    held = torch.ones_like(labels, dtype=torch.bool)
    if k_shot > 1:
        held[1::2, -1] = False
    names = 3 * (centres + 1.5 * normal(count, n_way, dim))
    return EpisodeBatch(support, labels * held, held, n_way, torch.arange(count), names), query


def one_by_one(batch, query):
    """Support, its labels, names and queries of each episode, all but the labels of length one."""
    for e in range(len(query)):
        held = batch.support_mask[e]
        rows, names, asked = (normalize(x, dim=1) for x in (batch.support[e, held], batch.class_features[e], query[e]))
        yield rows, batch.support_labels[e, held], names, asked


def test_zero_shot_is_the_cosine_with_each_name():
    batch, query = episodes()
    found = ZeroShot(temperature=0.1).fit(batch)(query)
    for e, (_, _, names, asked) in enumerate(one_by_one(batch, query)):
        assert torch.allclose(found[e], 10 * asked @ names.T, rtol=0, atol=1e-12)


@pytest.mark.parametrize("head", [TipAdapter(), TipAdapter(alpha=7.0, beta=0.0), TipAdapter(0.5, 30.0, 0.1)], ids=repr)
@pytest.mark.parametrize("k_shot", [1, 3])
def test_tip_adapter_is_the_formula_of_the_paper(head, k_shot):
    batch, query = episodes(k_shot=k_shot)
    found = head.fit(batch)(query)
    for e, (rows, labels, names, asked) in enumerate(one_by_one(batch, query)):
        cache = torch.exp(-head.beta * (1 - asked @ rows.T)) @ torch.eye(4, dtype=torch.float64)[labels]
        assert torch.allclose(found[e], asked @ names.T / head.temperature + head.alpha * cache, rtol=0, atol=1e-10)


@pytest.mark.parametrize("k_shot", [2, 8])
def test_gda_with_names_is_the_formula_of_the_paper(k_shot):
    batch, query = episodes(k_shot=k_shot, dim=12)
    batch = replace(batch, support=normalize(batch.support, dim=2))
    query = normalize(query, dim=2)
    found = ZeroShotGaussian(alpha=3.0, temperature=0.1).fit(batch)(query)
    for e, (rows, labels, names, asked) in enumerate(one_by_one(batch, query)):
        n, dim = rows.shape
        centres = torch.stack([rows[labels == c].mean(0) for c in range(4)])
        within = rows - centres[labels]
        covariance = within.T @ within / (n - 1)
        precision = dim * torch.linalg.inv((n - 1) * covariance + covariance.trace() * torch.eye(dim).double())
        weight = precision @ centres.T
        gaussian = asked @ weight - (centres.T * weight).sum(0) / 2
        wanted = 10 * asked @ names.T + 3 * gaussian
        assert torch.allclose(found[e] - found[e].mean(1, True), wanted - wanted.mean(1, True), rtol=0, atol=1e-8)


def test_gda_with_names_and_no_weight_on_the_support_is_zero_shot():
    batch, query = episodes()
    found, zero_shot = ZeroShotGaussian(alpha=0.0).fit(batch)(query), ZeroShot().fit(batch)(query)
    assert torch.allclose(found, zero_shot, rtol=1e-13, atol=1e-11)


def descent_of_the_paper(rows, labels, names, iterations):
    """LP++ by autograd in the space of the features."""
    n, eye = len(rows), torch.eye(len(names), dtype=torch.float64)
    w = (eye[labels].T @ rows).requires_grad_()
    of_own_name = (rows @ names.T)[torch.arange(n), labels]
    start = 250 * torch.stack([of_own_name[labels == c].mean() for c in range(len(names))]).mean()
    alpha = torch.full((len(names),), start.item(), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=(4 * n / torch.linalg.eigvalsh(rows.T @ rows)[-1]).item(), momentum=0.9)
    alpha_step = n / (4 * (rows @ names.T).square().sum(0).max())
    losses = []
    for iteration in range(1, iterations + 1):
        loss = cross_entropy(rows @ (w + alpha[:, None] * names).T, labels)
        losses.append(loss.item())
        w.grad = alpha.grad = None
        loss.backward()
        optimizer.step()
        if iteration % 10 == 0:
            with torch.no_grad():
                alpha -= alpha_step * alpha.grad
    return (w + alpha[:, None] * names).detach(), losses


@pytest.mark.parametrize(("k_shot", "dim"), [(1, 20), (3, 20), (12, 5)])
def test_lp_plus_plus_takes_the_steps_of_the_paper_in_few_features_and_in_many(k_shot, dim):
    batch, query = episodes(k_shot=k_shot, dim=dim)
    found = LinearProbePlusPlus(iterations=60).fit(batch)(query)
    for e, (rows, labels, names, asked) in enumerate(one_by_one(batch, query)):
        weights, losses = descent_of_the_paper(rows, labels, names, 60)
        assert torch.allclose(found[e], asked @ weights.T, rtol=1e-9, atol=1e-8)
        assert losses[-1] <= losses[0]  # equal where it is zero up to rounding from the start


def optimum(objective, start):
    """The least value of a function of torch's float64 tensors and where it is, by scipy's L-BFGS."""

    def value_and_gradient(flat):
        x = torch.from_numpy(flat).reshape(start.shape).requires_grad_()
        value = objective(x)
        value.backward()
        return value.item(), x.grad.flatten().numpy().copy()

    options = {"maxiter": 20_000, "maxfun": 40_000, "ftol": 1e-16, "gtol": 1e-10, "maxcor": 40}
    found = minimize(value_and_gradient, start.flatten().numpy(), jac=True, method="L-BFGS-B", options=options)
    return torch.from_numpy(np.asarray(found.x)).reshape(start.shape)


def test_lp_plus_plus_reaches_the_optimum_of_its_loss_where_there_is_one():
    """Many noisy rows of few features: no hyperplane separates them, so the cross-entropy has a minimum."""
    batch, query = episodes(k_shot=40, dim=3, noise=2.0, count=2)
    found = LinearProbePlusPlus(iterations=5000).fit(batch)(query)
    for e, (rows, labels, names, asked) in enumerate(one_by_one(batch, query)):
        weights = optimum(lambda w, r=rows, y=labels: cross_entropy(r @ w.T, y), torch.zeros_like(names))
        logits = asked @ weights.T
        assert torch.allclose(found[e].log_softmax(1), logits.log_softmax(1), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "head",
    [ZeroShotProbe(), ZeroShotProbe(penalty="constant"), ZeroShotProbe(strength=30.0), ZeroShotProbe(temperature=1.0)],
    ids=repr,
)
@pytest.mark.parametrize(("k_shot", "dim"), [(1, 20), (3, 20), (12, 5)])
def test_the_zero_shot_probe_is_at_the_optimum_of_its_objective(head, k_shot, dim):
    batch, query = episodes(k_shot=k_shot, dim=dim)
    fitted = head.fit(batch)
    found = fitted(query)
    assert fitted.converged.all()
    for e, (rows, labels, names, asked) in enumerate(one_by_one(batch, query)):
        chance = torch.softmax(rows @ names.T / head.temperature, 1)[torch.arange(len(rows)), labels]
        penalty = torch.stack([chance[labels == c].mean() for c in range(4)])
        penalty = (penalty if head.penalty == "class-adaptive" else penalty.mean().expand(4)).clamp_min(1e-8)

        def objective(w, rows=rows, labels=labels, names=names, penalty=penalty):
            held = (penalty * (w - names).square().sum(1)).mean()
            return cross_entropy(rows @ w.T / head.temperature, labels) + head.strength * held

        ours = fitted.weight[e].T * head.temperature
        theirs = optimum(objective, names)
        assert objective(ours) <= objective(theirs) * (1 + 1e-7) + 1e-12
        assert torch.allclose(found[e], asked @ ours.T / head.temperature, rtol=1e-9, atol=1e-9)
        residual = torch.autograd.functional.jacobian(objective, ours)
        assert residual.abs().max() < 1e-5 * max(1, 1 / head.temperature)


def test_a_strong_penalty_leaves_the_names_as_they_are():
    batch, query = episodes()
    strong = ZeroShotProbe(strength=1e9, penalty="constant").fit(batch)(query)
    assert torch.allclose(strong, ZeroShot().fit(batch)(query), rtol=0, atol=1e-3)


def test_a_class_whose_name_says_little_moves_more():
    batch, _ = episodes(count=1, n_way=2, k_shot=5)
    swapped = batch.class_features.clone()
    swapped[0, 0] = -swapped[0, 0]  # the name of way 0 now points away from its rows
    head = ZeroShotProbe(temperature=0.5).fit(replace(batch, class_features=swapped))
    moved = (0.5 * head.weight[0].T - normalize(swapped[0], dim=1)).norm(dim=1)
    assert moved[0] > moved[1]


@each_head
def test_without_vectors_of_names_it_is_one_sentence(head):
    batch, _ = episodes()
    message = f"{type(head).__name__} compares features with vectors of the class names, but these images have none"
    with pytest.raises(ValueError, match=message):
        head.fit(replace(batch, class_features=None))


@pytest.mark.parametrize("name", EVALUATORS.names())
def test_at_0_shots_a_head_is_zero_shot_or_is_refused_in_one_sentence(name):
    batch, query = episodes(k_shot=0)
    for head in EVALUATORS.get(name).examples():
        if head.needs_support:
            with pytest.raises(
                ValueError, match=r"0-shot episodes have no support, but .* learns from it; use at least"
            ):
                check_support(EVALUATORS.spec(repr(head)), 0, None)
        else:
            check_support(EVALUATORS.spec(repr(head)), 0, None)
            same = ZeroShot() if isinstance(head, LinearProbePlusPlus) else ZeroShot(head.temperature)
            assert torch.equal(head.fit(batch)(query), same.fit(batch)(query))


@each_head
def test_neither_the_length_of_features_nor_that_of_names_matters(head):
    batch, query = episodes()
    longer = replace(batch, support=1e3 * batch.support, class_features=1e-3 * batch.class_features)
    assert torch.allclose(head.fit(longer)(7 * query), head.fit(batch)(query), rtol=1e-6, atol=1e-6)


@each_head
def test_empty_features_and_names_give_finite_logits(head):
    batch, query = episodes()
    for support, names in ((0, 1), (1, 0), (0, 0)):
        empty = replace(batch, support=support * batch.support, class_features=names * batch.class_features)
        assert torch.isfinite(head.fit(empty)(torch.cat([query, 0 * query], 1))).all()


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (
            lambda: ZeroShot(temperature=0.0),
            "The 'temperature' parameter of ZeroShot must be a positive number. Got",
        ),
        (
            lambda: TipAdapter(alpha=-1.0),
            "The 'alpha' parameter of TipAdapter must be a number of at least 0. Got -1",
        ),
        (lambda: TipAdapter(beta=float("nan")), "The 'beta' parameter of TipAdapter must be a number of at least 0"),
        (lambda: TipAdapter(temperature=0.0), "The 'temperature' parameter of TipAdapter must be a positive number"),
        (
            lambda: LinearProbePlusPlus(iterations=-1),
            "The 'iterations' parameter of LinearProbePlusPlus must be an integer of at",
        ),
        (lambda: ZeroShotProbe(strength=0.0), "The 'strength' parameter of ZeroShotProbe must be a positive number"),
        (lambda: ZeroShotProbe(penalty="none"), "must be one of class-adaptive, constant. Got 'none' instead"),
        (
            lambda: ZeroShotProbe(max_iter=True),
            "The 'max_iter' parameter of ZeroShotProbe must be an integer of at least 1",
        ),
    ],
)
def test_wrong_hyperparameters_are_told(head, message):
    with pytest.raises(ValueError, match=message):
        head()


def test_a_probe_that_ran_out_of_steps_says_so():
    assert not ZeroShotProbe(max_iter=1).fit(episodes()[0]).converged.any()


def a_file_of_vectors(path, named):
    """Six classes of twelve vectors."""
    random = np.random.default_rng(0)
    centres = random.normal(size=(6, 16))
    labels = np.repeat(np.arange(6), 12)
    extra = {"class_vectors": centres + 0.3 * random.normal(size=centres.shape)} if named else {}
    vectors = centres[labels] + random.normal(size=(72, 16))
    np.savez(path, vectors=vectors, labels=labels, class_names=[f"class {c}" for c in range(6)], **extra)


def run(tmp_path, monkeypatch, named):
    """The output of every head on a file of vectors, and its rows."""
    monkeypatch.setenv("FEWSHOT_HOME", str(tmp_path / "home"))
    a_file_of_vectors(tmp_path / "own.npz", named=named)
    asked = [part for head in HEADS for part in ("--evaluator", type(head).__name__)]
    rows = tmp_path / "rows.jsonl"
    shape = ["--query", "3", "--shot", "1", "--shot", "4", "--episodes", "20", "--results", str(rows)]
    result = CliRunner().invoke(main, ["run", "--data", str(tmp_path / "own.npz"), *asked, *shape])
    return result, list(Results(rows).rows())


def test_every_head_runs_on_a_file_of_vectors_with_those_of_the_names(tmp_path, monkeypatch):
    result, rows = run(tmp_path, monkeypatch, named=True)
    assert result.exit_code == 0, result.output
    accuracy = {(row.evaluator.split("(")[0], row.k_shot): row.accuracy for row in rows}
    assert accuracy["ZeroShot", 1] > 0.6
    assert accuracy["ZeroShotProbe", 4] > accuracy["ZeroShot", 4] - 0.05
    assert len(accuracy) == 2 * len(HEADS)


def test_a_file_without_vectors_of_the_names_is_told_what_is_missing(tmp_path, monkeypatch):
    result, rows = run(tmp_path, monkeypatch, named=False)
    assert result.exit_code != 0
    assert "uses vectors of the class names, but Given" in result.output
    assert not rows, "nothing runs before the sentence"


def one_shot_in_many_features():
    """One noisy row a class in 500 features, and names near the classes."""
    batch, query = episodes(n_way=5, k_shot=1, dim=500, count=20, noise=8.0)
    generator = torch.Generator().manual_seed(1)
    centres = query.view(20, 5, 5, 500).mean(2)
    noise = torch.randn(centres.shape, generator=generator, dtype=torch.float64)
    return replace(batch, class_features=centres + noise), query


@pytest.mark.parametrize("scale", ["support", "leave-one-out"])
def test_one_shot_does_not_silence_the_names_under_the_scaled_covariance(scale):
    batch, query = one_shot_in_many_features()
    truth = torch.arange(5).repeat_interleave(5)
    names, published, scaled = (
        (head.fit(batch)(query).argmax(2) == truth).double().mean()
        for head in (ZeroShot(), ZeroShotGaussian(), ZeroShotGaussian(scale=scale))
    )
    assert published < names - 0.2
    assert scaled > names - 0.02


def test_names_without_a_say_are_a_warning_once(caplog):
    _warned_once._warned.cache_clear()
    batch, _ = one_shot_in_many_features()
    for _ in range(3):
        ZeroShotGaussian().fit(batch)
    assert len(caplog.records) == 1
    assert "at 1 shot hardly uses the class names: the logits of the support spread" in caplog.text
    assert "give scale='leave-one-out', or lower alpha" in caplog.text
    caplog.clear()
    scaled = [ZeroShotGaussian(scale=scale) for scale in ("support", "leave-one-out")]
    for head in (*scaled, TipAdapter(), ZeroShotProbe()):
        head.fit(batch)
    assert not caplog.records


def test_a_cache_that_silences_the_names_is_a_warning(caplog):
    _warned_once._warned.cache_clear()
    TipAdapter(alpha=1e4).fit(one_shot_in_many_features()[0])
    assert "lower alpha" in caplog.text
