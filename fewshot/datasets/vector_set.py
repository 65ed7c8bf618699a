"""Your own features: a file of vectors and labels, without images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from fewshot.datasets import Dataset, LabelledImages
from fewshot.datasets._digests import kept_digest
from fewshot.datasets._vector_files import ArrayFile, Npz, Safetensors
from fewshot.files.vectors import vectors_digest

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

    def load(self) -> LabelledImages:
        """All vectors in the order of the file; a ValueError names the file and the row of a mistake."""
        path = Path(self.path)
        given = opened(path).contents()
        digest = kept_digest(path, "vectors", lambda: vectors_digest(given.vectors, str(path)))
        return given.labelled(path.stem, str(path), digest)


def opened(path: Path) -> ArrayFile:
    """A reader for the file, chosen by its suffix."""
    if not path.is_file():
        raise ValueError(f"there is no file {path}; give a file of vectors and labels ({', '.join(SUFFIXES)})")
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        from fewshot.datasets._parquet_columns import Parquet

        return Parquet(path)
    if suffix not in SUFFIXES:
        raise ValueError(f"cannot read vectors from {path}; give a file of one of the types {', '.join(SUFFIXES)}")
    return Npz(path) if suffix == ".npz" else Safetensors(path)
