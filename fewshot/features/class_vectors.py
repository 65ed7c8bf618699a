"""Vectors of class names from a text tower, computed once and kept on disk under a content key."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fewshot.backbones import Backbone
from fewshot.backbones._words import TextTower
from fewshot.files.atomic import home, read_safetensors, write_safetensors
from fewshot.files.progress import progress_bar

_VERSION = "class-vectors-1"
_AT_ONCE = 1024  # texts between two steps of the progress
_log = logging.getLogger("fewshot")
Floats = NDArray[np.float32]


def class_vectors(
    backbone: Backbone, dataset: str, class_names: Sequence[str], progress: bool = True, folder: Path | None = None
) -> Floats:
    """[C, D] float32 unit vectors of the class names of a data set: the mean of the unit vectors of each class's texts,
    of length one again.

    fewshot computes each text once, in one order, so the order of the templates changes no bit. `folder` holds the
    files (None: the usual cache). A network without a text tower is a ValueError.
    """
    tower = backbone.words
    prompts = None if tower is None else tower.prompts(dataset)
    if tower is None or prompts is None:
        raise ValueError(f"{backbone.name} has no text tower, so it gives no vectors of the class names of {dataset}")
    texts = [prompts.texts(name) for name in class_names]
    _warn_of_same(class_names, texts)
    key = texts_key(texts, tower.digest)
    path = (folder or home() / "class_vectors") / f"{key}.safetensors"
    stored = _stored(path, len(class_names))
    if stored is not None:
        return stored
    vectors = _means(texts, _embedded(backbone, tower, texts, progress))
    about = {"backbone": backbone.name, "dataset": dataset, "templates": prompts.name, "texts": sum(map(len, texts))}
    write_safetensors(path, {"vectors": vectors}, about)
    return vectors


def texts_key(texts: Sequence[Sequence[str]], digest: str = "") -> str:
    """sha256 hex of the texts of every class, and of a tower's digest."""
    content = json.dumps([_VERSION, digest, [list(each) for each in texts]])
    return hashlib.sha256(content.encode()).hexdigest()


def _warn_of_same(class_names: Sequence[str], texts: Sequence[Sequence[str]]) -> None:
    """Warns of classes whose names become the same words."""
    first: dict[tuple[str, ...], str] = {}
    pairs = [(first.setdefault(tuple(each), name), name) for name, each in zip(class_names, texts, strict=True)]
    same = [pair for pair in pairs if pair[0] != pair[1]]
    if same:
        number = "1 pair of classes has" if len(same) == 1 else f"{len(same)} pairs of classes have"
        _log.warning("%s the same words, such as %r and %r: class names cannot tell them apart", number, *same[0])


def _embedded(
    backbone: Backbone, tower: TextTower, texts: Sequence[Sequence[str]], progress: bool
) -> dict[str, NDArray[np.float64]]:
    """The unit vector of every different text."""
    different = sorted({text for each in texts for text in each})
    vectors: dict[str, NDArray[np.float64]] = {}
    with progress_bar(len(different), f"embedding class names by {backbone.name}", "text", progress) as bar:
        for start in range(0, len(different), _AT_ONCE):
            part = different[start : start + _AT_ONCE]
            values = _unit(tower.embed(part, str(backbone.device)).double().numpy())
            vectors |= dict(zip(part, values, strict=True))
            bar.update(len(part))
    return vectors


def _means(texts: Sequence[Sequence[str]], vectors: dict[str, NDArray[np.float64]]) -> Floats:
    means = np.stack([np.mean([vectors[text] for text in each], axis=0) for each in texts])
    return _unit(means).astype(np.float32)


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths: NDArray[np.float64] = np.linalg.norm(rows, axis=1, keepdims=True)
    if not (np.isfinite(lengths).all() and (lengths > 0).all()):
        raise ValueError("the text tower gave a vector of zeros or of numbers that are not finite; check its weights")
    return rows / lengths


def _stored(path: Path, n_classes: int) -> Floats | None:
    """The vectors of a file; None if it is absent or damaged."""
    if not path.is_file():
        return None
    try:
        vectors = read_safetensors(path, "vectors of class names")[0]["vectors"]
    except (ValueError, KeyError) as error:
        _log.warning("%s is damaged (%s); fewshot computes the vectors of the class names again", path, error)
        return None
    return vectors if len(vectors) == n_classes else None
