"""Pseudo-labels are k-means of scikit-learn on the features, and say that they are no classes of anybody."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from fewshot.cli import main
from fewshot.conformance import check
from fewshot.datasets.icons import Icons
from fewshot.datasets.image_folder_set import ImageFolderSet
from fewshot.datasets.vector_set import VectorSet
from fewshot.features.pseudo_labels import PseudoLabels
from fewshot.results.files import Results


@pytest.fixture
def vectors(tmp_path):
    """Eight classes of 30 vectors, well apart, and one of 5; and their labels."""
    random = np.random.default_rng(0)
    labels = random.permutation(np.append(np.repeat(np.arange(8), 30), [8] * 5))
    values = (4 * random.normal(size=(9, 12))[labels] + random.normal(size=(245, 12))).astype(np.float32)
    np.savez(
        tmp_path / "v.npz", vectors=values, labels=labels, class_vectors=np.eye(9, 12), class_names=list("abcdefghi")
    )
    return tmp_path / "v.npz", values, labels


def test_labels_are_those_of_scikit_learn_where_every_cluster_is_large_enough(vectors):
    path, values, labels = vectors
    images = PseudoLabels(VectorSet(path), "given", clusters=9, fewest=1, seed=3).load()
    unit = values.astype(np.float64) / np.linalg.norm(values.astype(np.float64), axis=1, keepdims=True)
    assert np.array_equal(images.labels, KMeans(9, n_init=1, random_state=3).fit_predict(unit))
    assert images.class_names == tuple(f"cluster {c}" for c in range(9))
    assert images.class_vectors is None
    assert adjusted_rand_score(images.labels, labels) > 0.7


def test_small_clusters_are_dissolved_into_the_nearest_others(vectors):
    path, _, _ = vectors
    all_of_them, large = (PseudoLabels(VectorSet(path), "given", 12, fewest, 1).load() for fewest in (1, 20))
    sizes = np.bincount(all_of_them.labels)
    kept = np.flatnonzero(sizes >= 20)
    assert 2 <= len(kept) < 12
    assert len(large.class_names) == len(kept)
    assert np.bincount(large.labels).min() >= 20
    for new, old in enumerate(kept):  # an image of a kept cluster stays with it
        assert (large.labels[all_of_them.labels == old] == new).all()


def test_a_part_is_the_images_of_those_classes_and_no_others(folder):
    whole = Icons("colour").load()
    made = PseudoLabels(Icons("colour"), "pixels", clusters=10, part="validation")
    images, classes = made.load(), set(made_classes("validation", whole))
    rows = np.flatnonzero(np.isin(whole.labels, sorted(classes)))
    assert len(images) == len(rows) < len(whole)
    assert images.images_digest != whole.images_digest
    assert images.images[3].tobytes() == whole.images[rows[3]].tobytes()
    assert np.array_equal(images.image_groups["set"].codes, whole.image_groups["set"].codes[rows])
    assert images.class_groups == {}
    with pytest.raises(ValueError, match="has no split of its own, so it has no novel classes; give part='all'"):
        PseudoLabels(ImageFolderSet(folder), "pixels", 3, part="novel").load()


def made_classes(part, images):
    from fewshot.plugins.registry import SPLITS

    return SPLITS.make(Icons("colour").default_split()).split(images).classes(part, images).tolist()


def test_the_laws_of_data_sets_hold(vectors, folder):
    assert check("dataset", PseudoLabels(VectorSet(vectors[0]), "given", 8)) == []
    assert check("dataset", PseudoLabels(ImageFolderSet(folder), "pixels", 4, fewest=5)) == []


def test_a_run_names_the_clusters_and_other_seeds_are_other_runs(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for seed in (0, 1):
        data = f"PseudoLabels(ImageFolderSet('{folder}'), 'pixels', clusters=8, fewest=4, seed={seed})"
        words = ["run", "--data", data, "--backbone", "pixels", "--way", "3", "--query", "2", "--episodes", "20"]
        done = CliRunner().invoke(main, words)
        assert done.exit_code == 0, done.output
    rows = Results(Path("results/runs.jsonl")).rows()
    assert [shlex.split(row.dataset)[0][:30] for row in rows] == ["PseudoLabels(images=ImageFolde"] * 2
    assert len({row.run_id for row in rows}) == 2
    assert min(row.accuracy for row in rows) > 0.5  # the clusters are those of the pixels, guessing is 1/3


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"clusters": 1}, r"'clusters' parameter of PseudoLabels must be an integer in \[2, 2\^32\). Got 1 instead"),
        ({"fewest": 0}, "'fewest' parameter of PseudoLabels must be an integer of at least 1. Got 0 instead"),
        ({"seed": -1}, r"'seed' parameter of PseudoLabels must be an integer in \[0, 2\^32\). Got -1 instead"),
        ({"part": "test"}, "'part' parameter of PseudoLabels must be one of all, seen, validation, novel. Got 'test'"),
        ({"clusters": 300}, "300 clusters were requested, but v has 245 images of all classes; lower clusters"),
        ({"fewest": 200}, "fewer than 2 of the 50 clusters of v have 200 images; lower fewest"),
        ({"backbone": "pixels"}, "v holds vectors, so pixels has no images to embed; use Given"),
    ],
)
def test_what_cannot_be_is_one_sentence(vectors, fields, message):
    with pytest.raises(ValueError, match=message):
        PseudoLabels(VectorSet(vectors[0]), **{"backbone": "given", **fields}).load()
