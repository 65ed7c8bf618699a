"""Your own features: a file of vectors and labels, without images."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from fewshot.datasets import ClassList, Dataset, LabelledImages
from fewshot.datasets._class_names import SILENT
from fewshot.datasets._kept_digests import kept_digest
from fewshot.datasets._vector_faults import VectorFaults
from fewshot.datasets._vector_files import ArrayFile, Npz, Safetensors
from fewshot.episodes.flat import Ints
from fewshot.files.regular import check_regular, remembered
from fewshot.files.vectors import Vectors, vectors_digest

SUFFIXES = (".npz", ".safetensors", ".parquet")


@dataclass(frozen=True)
class VectorSet(Dataset):
    """Vectors computed elsewhere, in an .npz, .safetensors or .parquet file.

    Arrays: `vectors` (or features, embeddings, X) [n, D] of float16, float32 or float64; `labels` (or label, targets,
    y) [n], integers or strings; optionally `class_names` [C], `class_vectors` [C, D], `partition` and "group:NAME"
    [n], "class:NAME" [C]. See docs/features.md. Runs use the vectors as float32, without a copy in the feature cache.
    They read uncompressed files row by row, so the file can be larger than memory.
    """

    short_name: ClassVar[str] = "[{path:stem}|vectors]"

    path: Path

    def default_split(self) -> str | None:
        """The split by partitions, if they hold different classes; else None."""
        return remembered(_rule_of, Path(self.path))

    def class_list(self) -> ClassList:
        """The class names of the labels, without reading a vector."""
        path = Path(self.path)
        names, labels = opened(path).contents(SILENT).classes(str(path), SILENT)
        return ClassList(path.stem, tuple(names[np.unique(labels)].tolist()))

    def load(self) -> LabelledImages:
        """All vectors in the order of the file; a ValueError names the file and the row of a mistake."""
        path = Path(self.path)
        given = opened(path).contents()
        digest = kept_digest(path, "vectors 2", lambda: vectors_digest(given.vectors, str(path)))

        def faults(vectors: Vectors, labels: Ints) -> VectorFaults:
            kind = f"vector faults 1 {hashlib.sha256(labels.astype('<i8').tobytes()).hexdigest()}"
            return VectorFaults.unpacked(kept_digest(path, kind, lambda: VectorFaults.of(vectors, labels).packed()))

        return given.labelled(path.stem, str(path), digest, faults)


def opened(path: Path) -> ArrayFile:
    """A reader for the file, chosen by its suffix."""
    if not check_regular(path).is_file():
        raise ValueError(f"there is no file {path}; give a file of vectors and labels ({', '.join(SUFFIXES)})")
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        from fewshot.datasets._parquet_columns import Parquet

        return Parquet(path)
    if suffix not in SUFFIXES:
        raise ValueError(f"cannot read vectors from {path}; give a file of one of the types {', '.join(SUFFIXES)}")
    return Npz(path) if suffix == ".npz" else Safetensors(path)


def _rule_of(path: Path) -> str | None:
    """The split rule of the partitions in a file of vectors; None if there is none, or if `load` refuses the file."""
    try:
        file = opened(path)
        return file.contents(SILENT).split_rule(str(path)) if "partition" in file.names else None
    except (ValueError, OSError):
        return None
