"""Functions and classifiers of scikit-learn as evaluators."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import fewshot
from fewshot.plugins.code import function_digest
from fewshot.plugins.registry import EVALUATORS

RANDOM = np.random.default_rng(0)
LABELS = np.repeat(np.arange(6), 15)
DATA = fewshot.labelled_vectors(RANDOM.normal(size=(6, 8))[LABELS] + RANDOM.normal(size=(90, 8)), LABELS)
SCALE = 2.0


def evaluate(evaluator, **words):
    words = {"shots": 3, "ways": 3, "queries": 6, "n_episodes": 30, "transform": "Identity"} | words
    return fewshot.evaluate("given", DATA, evaluator=evaluator, progress=False, **words)


def nearest_mean(support, labels, query):
    assert (support.dtype, labels.dtype, query.dtype) == (np.float32, np.int64, np.float32)
    means = np.stack([support[labels == way].mean(0) for way in range(labels.max() + 1)])
    return -SCALE * ((query[:, None] - means) ** 2).sum(-1)


def as_tensor(support, labels, query):
    return torch.from_numpy(nearest_mean(support, labels, query))


def as_list(support, labels, query):
    return nearest_mean(support, labels, query).tolist()


@pytest.mark.parametrize("function", [nearest_mean, as_tensor, as_list])
def test_a_function_that_is_the_nearest_mean_answers_as_prototype_does(function):
    own, prototype = evaluate(function), evaluate("Prototype(metric='euclidean')")
    assert own.accuracy == prototype.accuracy
    assert own.episodes_digest == prototype.episodes_digest
    assert own.evaluator.startswith(f"{function.__name__}(code=")
    assert own.transductive is False


@pytest.mark.parametrize(
    "classifier",
    [
        LogisticRegression(C=10.0),
        SVC(),
        RidgeClassifier(),
        KNeighborsClassifier(3),
        NearestCentroid(),
        RandomForestClassifier(n_estimators=5),
        make_pipeline(StandardScaler(), LogisticRegression()),
    ],
    ids=lambda classifier: type(classifier).__name__,
)
@pytest.mark.parametrize("ways", [2, 3])
def test_a_classifier_of_scikit_learn_predicts_as_it_does_alone(classifier, ways):
    state = np.random.get_state()[1].copy()
    row = evaluate(classifier, ways=ways)
    assert (np.random.get_state()[1] == state).all()
    assert row.accuracy == evaluate(classifier, ways=ways).accuracy
    assert not hasattr(classifier, "classes_"), "the user's classifier is cloned, not fitted"
    if not isinstance(classifier, RandomForestClassifier):
        episodes = fewshot.Episodes.sample(DATA, ways, 3, 6, 30)
        vectors = DATA.vectors.gather(np.arange(90))
        right = []
        for episode in episodes:
            fitted = clone(classifier).fit(vectors[episode.support], episode.support_labels)
            right.append((fitted.predict(vectors[episode.query]) == episode.query_labels).mean())
        assert row.accuracy == pytest.approx(np.mean(right))


def test_a_classifier_of_ones_own_has_its_code_in_its_name():
    class Constant(ClassifierMixin, BaseEstimator):
        def fit(self, vectors, labels):
            self.classes_ = np.unique(labels)
            return self

        def predict(self, vectors):
            return np.zeros(len(vectors), np.int64)

    row = evaluate(Constant())
    assert row.accuracy == pytest.approx(1 / 3)
    assert row.evaluator.startswith("Constant(code=")


def test_the_name_in_tables_is_that_of_the_function_and_two_of_one_name_are_told_apart():
    twice = [lambda s, y, q: nearest_mean(s, y, q), lambda s, y, q: -nearest_mean(s, y, q)]
    rows = fewshot.evaluate("given", DATA, evaluators=[nearest_mean, *twice], shots=2, n_episodes=5, progress=False)
    names = [standing.name for standing in fewshot.compare(rows).rankings[0].standings]
    assert "L2 + nearest_mean" in names
    assert sorted(name.partition(" (code=")[0] for name in names if "function" in name) == ["L2 + function"] * 2
    assert len(set(names)) == 3


def test_rows_of_own_code_are_read_without_it():
    row = evaluate(nearest_mean)
    assert EVALUATORS.read(row.evaluator).short_name == "nearest_mean"


def test_the_digest_is_of_the_code_and_of_what_it_uses():
    def of(scale):
        return lambda support, labels, query: scale * nearest_mean(support, labels, query)

    assert function_digest(of(1.0)) == function_digest(of(1.0))
    assert function_digest(of(1.0)) != function_digest(of(2.0))
    assert function_digest(nearest_mean) == function_digest(nearest_mean)
    assert function_digest(nearest_mean) != function_digest(as_tensor)
    assert function_digest(of(object())) != function_digest(of(object()))


def test_a_value_that_the_function_uses_is_part_of_its_identity(monkeypatch):
    before = function_digest(as_list)
    monkeypatch.setitem(globals(), "SCALE", 3.0)
    assert function_digest(as_list) != before


def test_a_function_that_uses_the_other_queries_is_refused():
    with pytest.raises(ValueError, match="other logits alone than among other queries"):
        evaluate(lambda support, labels, query: nearest_mean(support, labels, query - query.mean(0)))


def test_an_error_inside_the_function_is_the_users_to_see():
    with pytest.raises(ZeroDivisionError):
        evaluate(lambda support, labels, query: 1 / 0)


def test_a_function_is_the_evaluator_of_a_run_too(tmp_path):
    spec = fewshot.RunSpec("Glyphs", "pixels", nearest_mean, n_episodes=3)
    row = fewshot.run(spec, tmp_path / "rows.jsonl", fewshot.Workbench(progress=False))
    assert row.evaluator.startswith("nearest_mean(")
