"""One data set of vectors, in every format."""

from __future__ import annotations

import json

import numpy as np
from safetensors.numpy import save_file

from fewshot.datasets.vector_set import VectorSet

N, D, C = 60, 7, 5
NAMES = np.array(["gull", "wren", "hawk", "lark", "swan"])
PLACES = np.random.default_rng(0).permutation(np.arange(N) % C)
CENTRES = np.random.default_rng(1).normal(size=(C, D)).astype(np.float32)
VALUES = (CENTRES[PLACES] + np.random.default_rng(2).normal(size=(N, D)) / 2).astype(np.float32)
PARTITION = np.where(np.arange(N) < 30, "train", "test")
FAMILY = np.array(["sea", "land", "land", "land", "sea"])


def arrays(**changes):
    """The arrays of a complete file; a change to None leaves one out."""
    whole = {"vectors": VALUES, "labels": PLACES, "class_names": NAMES, "class_vectors": CENTRES}
    whole |= {"partition": PARTITION, "group:camera": np.arange(N) % 2, "class:family": FAMILY}
    return {name: array for name, array in (whole | changes).items() if array is not None}


def npz(path, compressed=False, **changes):
    """Writes an .npz file and returns its path."""
    (np.savez_compressed if compressed else np.savez)(path, **arrays(**changes))
    return path


def safetensors(path):
    """Writes a .safetensors file and returns its path."""
    tensors = arrays(class_names=None, partition=(np.arange(N) >= 30).astype(np.uint8))
    tensors["class:family"] = (FAMILY == "sea").astype(np.int16)
    strings = {"class_names": NAMES.tolist(), "partition": ["train", "test"], "class:family": ["land", "sea"]}
    save_file(tensors, path, metadata={name: json.dumps(values) for name, values in strings.items()})
    return path


def load(path):
    """The data set of a file."""
    return VectorSet(path).load()


def vectors(images):
    """All vectors of a data set, in its order."""
    return images.vectors.gather(np.arange(len(images)))


def says_the_same(images, tmp_path):
    """Asserts that this is the data set of `arrays()`, apart from its class vectors."""
    assert images.name == "a"
    assert np.array_equal(vectors(images), VALUES)
    assert [images.class_names[label] for label in images.labels] == NAMES[PLACES].tolist()
    assert images.images_digest == load(npz(tmp_path / "other.npz")).images_digest
    assert np.array_equal(images.mask("partition=train"), PARTITION == "train")
    assert np.array_equal(images.mask("camera=1"), np.arange(N) % 2 == 1)
    families = dict(zip(images.class_names, images.class_groups["family"].mask("sea"), strict=True))
    assert families == dict(zip(NAMES, FAMILY == "sea", strict=True))
