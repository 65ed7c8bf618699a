"""scikit-learn's digits as a data set, and pickles of others, which are never loaded."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.datasets import load_digits

from fewshot.conformance import check
from fewshot.datasets._shorthand import dataset_spec
from fewshot.datasets.digits import Digits
from fewshot.datasets.image_arrays import ImageArrays


def test_digits_are_those_of_scikit_learn():
    images, digits = Digits().load(), load_digits()
    assert (len(images), images.class_names) == (1797, tuple("0123456789"))
    assert np.array_equal(images.labels, digits.target)
    shown = np.asarray(images.images[7])[..., 0].astype(int)
    assert np.array_equal(np.round(shown * 16 / 255), digits.images[7])
    assert shown.max() <= 255
    assert check("dataset", Digits()) == []


def test_pickles_are_refused_with_the_way_out(tmp_path):
    class Runs:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    for part in ("train", "val", "test"):
        (tmp_path / f"mini-imagenet-cache-{part}.pkl").write_bytes(pickle.dumps(Runs()))
    message = "is a pickle, which can run code; fewshot never loads pickles of others, such as those of mini-ImageNet"
    with pytest.raises(ValueError, match=f"mini-imagenet-cache-test.pkl {message}"):
        dataset_spec(str(tmp_path))
    with pytest.raises(ValueError, match="it is a pickle, which can run code; fewshot never loads pickles"):
        dataset_spec(str(tmp_path / "mini-imagenet-cache-train.pkl"))
    assert not (tmp_path / "ran").exists()


def test_the_lines_of_the_docs_make_a_data_set_of_the_pickles(tmp_path, monkeypatch):
    from tests.support.checkout import ROOT

    for place, part in enumerate(("train", "val", "test")):
        pixels = np.random.default_rng(place).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
        data = {"image_data": pixels, "class_dict": {f"n{place}0": [0, 1], f"n{place}1": [2, 3]}}
        (tmp_path / f"mini-imagenet-cache-{part}.pkl").write_bytes(pickle.dumps(data))
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "images.md").read_text(encoding="utf-8")
    exec(page.partition("import pickle, numpy as np")[2].partition("```")[0], {"pickle": pickle, "np": np})
    images = ImageArrays(tmp_path / "mini_imagenet.npz").load()
    assert images.class_names == ("n00", "n01", "n10", "n11", "n20", "n21")
    assert np.flatnonzero(images.mask("partition=val")).tolist() == [4, 5, 6, 7]


@pytest.mark.parametrize("size", [28, 64])
def test_multi_label_sets_of_medmnist_are_refused_with_the_reason(size, tmp_path):
    parts = {f"{part}_images": np.zeros((2, size, size), np.uint8) for part in ("train", "val", "test")}
    labels = {f"{part}_labels": np.zeros((2, 14), np.uint8) for part in ("train", "val", "test")}
    np.savez(tmp_path / "chestmnist.npz", **parts, **labels)
    with pytest.raises(
        ValueError, match=r"has 14 labels per image \(multi-label or one-hot\), but an image has one class"
    ):
        dataset_spec(str(tmp_path / "chestmnist.npz")).make().load()
