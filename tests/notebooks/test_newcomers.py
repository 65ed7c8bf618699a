"""What one types in a notebook without a manual: it works, or one sentence says what to write."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

import fewshot
from tests.support.bird_folders import write_birds


@pytest.fixture(autouse=True)
def birds(tmp_path, monkeypatch):
    """A working folder with the folder "birds"."""
    monkeypatch.chdir(tmp_path)
    write_birds(tmp_path / "birds")


def evaluate(backbone="pixels", data="birds", *args, **words):
    return fewshot.evaluate(backbone, data, *args, progress=False, **({"n_episodes": 8} | words))


def sample(**words):
    return fewshot.Episodes.sample("birds", **({"n_way": 3, "n_query": 4, "n_episodes": 5} | words))


def run_into(path):
    sampled = fewshot.Sampled(fewshot.EpisodeShape(3, 1, 4))
    spec = fewshot.RunSpec("birds", "pixels", "Prototype", sampled, split="AllNovel", n_episodes=2)
    return fewshot.run(spec, path, fewshot.Workbench(progress=False))


def wrong_shape(support, labels, query):
    return np.zeros(len(query))


WORKS = {
    "a name and a folder": lambda: evaluate().accuracy,
    "one number of shots": lambda: evaluate(shots=5).k_shot == 5,
    "a range of shots": lambda: len(evaluate(shots=range(1, 4))) == 3,
    "numbers of numpy": lambda: evaluate(shots=np.arange(1, 3), ways=np.int64(3))[0].n_way == 3,
    "a path": lambda: evaluate(data=Path("birds")).accuracy,
    "an absolute path": lambda: evaluate(data=str(Path("birds").resolve())).accuracy,
    "a data set by name": lambda: evaluate(data="Glyphs", n_episodes=2).accuracy,
    "the class of an evaluator": lambda: evaluate(evaluator=fewshot.Prototype).accuracy,
    "one evaluator where several go": lambda: evaluate(evaluators="Prototype").accuracy,
    "several where one goes": lambda: len(evaluate(evaluator=["Prototype", fewshot.LinearProbe(C=1.0)])) == 2,
    "several backbones": lambda: len(evaluate(["pixels", "RawPixels(image_size=8)"])) == 2,
    "the first episode": lambda: len(sample()[0]) == 1,
    "the last episode": lambda: sample()[-1].index.tolist() == [4],
    "a loop over episodes": lambda: len(list(sample())) == 5,
    "some episodes": lambda: evaluate("pixels", "birds", sample()[:3], n_episodes=None).n_episodes == 3,
    "a spec of a folder": lambda: fewshot.RunSpec("birds", "pixels", "Prototype").dataset.name == "ImageFolderSet",
    "a spec that holds a folder": lambda: (
        "ImageFolderSet(" in fewshot.RunSpec("WithClassVectors('birds', 'v.npz')", "pixels", "Prototype").dataset.text
    ),
    "a run into a path": lambda: run_into("x.jsonl").accuracy and Path("x.jsonl").is_file(),
    "rows of two calls": lambda: fewshot.compare([evaluate(evaluator="Prototype"), evaluate()]).verdict,
    "a sum of rows": lambda: (evaluate(evaluator="Prototype") + evaluate()).compare().verdict,
    "a loop over rows": lambda: [row.accuracy for row in evaluate(shots=(1, 2))],
    "a results file": lambda: evaluate(results="rows.jsonl") and fewshot.Results("rows.jsonl").rows(),
    "saved rows": lambda: evaluate().save("saved.jsonl") or fewshot.Results("saved.jsonl").rows(),
}  # fmt: skip

REFUSED = {
    "an unknown folder": (lambda: evaluate(data="brids"), r"neither a folder 'brids' nor a data set"),
    "both swapped": (lambda: evaluate("birds", "pixels"), r"neither a folder 'pixels' nor a data set"),
    "the head's name misspelt": (
        lambda: evaluate(evaluator="Protoype"),
        r"unknown evaluator 'Protoype'.*mean Prototype",
    ),
    "k_shot": (lambda: evaluate(k_shot=5), r"no argument 'k_shot'; write shots="),
    "n_way": (lambda: evaluate(n_way=5), r"no argument 'n_way'; write ways="),
    "num_episodes": (lambda: evaluate(num_episodes=5), r"no argument 'num_episodes'; write n_episodes="),
    "a misspelt word": (lambda: evaluate(evaluatr="Prototype"), r"no argument 'evaluatr'; write evaluator="),
    "a number of episodes in the third place": (lambda: evaluate("pixels", "birds", 5), r"write n_episodes=5"),
    "a class of scikit-learn": (
        lambda: evaluate(evaluator=LogisticRegression),
        r"give an instance, LogisticRegression\(\)",
    ),
    "a regression": (lambda: evaluate(evaluator=LinearRegression()), r"LinearRegression is no classifier"),
    "a function of two arguments": (
        lambda: evaluate(evaluator=lambda support, query: query),
        r"give it three parameters",
    ),
    "logits of a wrong shape": (
        lambda: evaluate(evaluator=wrong_shape),
        r"wrong_shape must return logits of shape \[\d+, 4\], .* it returned float64 of shape",
    ),
    "a number as evaluator": (lambda: evaluate(evaluator=5), r"an evaluator is a name such as .*; got 5"),
    "vectors without labels": (
        lambda: evaluate("given", np.zeros((4, 2))),
        r"labelled_vectors\(vectors, labels\); got ndarray",
    ),
    "shots as a word": (
        lambda: evaluate(shots="five"),
        r"shots must be integers of at least 0, or 'all'; got 'five'",
    ),
    "no shots": (lambda: evaluate(shots=[]), r"shots is empty; give at least one number"),
    "one way": (lambda: evaluate(ways=1), r"ways must be integers of at least 2"),
    "several ways": (lambda: evaluate(ways=(2, 3)), r"ways must be one number"),
    "too many ways": (lambda: evaluate(ways=50), r"50"),
    "too many shots": (lambda: evaluate(shots=50), r"images a class"),
    "both kinds of episodes": (
        lambda: evaluate(episodes=sample(), shots=5),
        r"episodes= already says which episodes; remove shots",
    ),
    "an unknown class": (lambda: sample(classes=["gul"]), r"there is no class 'gul'; the classes are crow"),
    "too many episodes for memory": (lambda: sample(n_episodes=10**9), r"do not fit in memory; sample at most"),
    "an episode by name": (lambda: sample()["first"], r"episodes\[0\] and episodes\[:100\]"),
    "an episode that is not there": (lambda: sample()[99], r"out of range"),
    "a column of several rows": (
        lambda: evaluate(shots=(1, 2)).accuracy,
        r"these are 2 rows; write rows\[0\].accuracy",
    ),
    "a misspelt column": (lambda: evaluate().acuracy, r"rows have no 'acuracy'; did you mean 'accuracy'"),
    "a column in brackets": (
        lambda: evaluate()["accuracy"],
        r"write rows\[0\].accuracy, or rows.to_frame\(\)\['accuracy'\]",
    ),
    "a comparison of one": (
        lambda: fewshot.compare(evaluate()),
        r"nothing to compare: .* evaluate more backbones or evaluators",
    ),
    "a comparison of nothing": (lambda: fewshot.compare("none.jsonl"), r"there is no results file none.jsonl"),
    "a comparison of a number": (lambda: fewshot.compare(0.7), r"rows are what evaluate\(\) returns"),
    "results of a wrong kind": (lambda: evaluate(results=5), r"results are a path, such as 'runs.jsonl'"),
    "a plot over shots without shots": (
        lambda: fewshot.plot_shots([]),
        r"run evaluate\(..., shots=\(1, 5, 10\)\) first",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WORKS)
def test_it_works(what):
    assert WORKS[what]()


@pytest.mark.parametrize("what", REFUSED)
def test_it_is_refused_in_a_sentence_that_says_what_to_write(what):
    call, sentence = REFUSED[what]
    with pytest.raises((ValueError, TypeError, AttributeError, IndexError), match=sentence) as refused:
        call()
    assert "\n" not in str(refused.value)
