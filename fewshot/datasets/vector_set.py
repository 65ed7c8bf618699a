"""A user's own features: a file of vectors and labels, no images."""

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
    """Vectors that were computed elsewhere, in an .npz, .safetensors or .parquet file.

    Arrays: `vectors` (or features, embeddings, X) [n, D] of float16, float32 or float64; `labels` (or label, targets,
    y) [n], integers or strings; where wanted `class_names` [C], `class_vectors` [C, D], `partition` and "group:NAME"
    [n], "class:NAME" [C]. See docs/features.md. Runs use them as float32, without a copy in the feature cache; vectors
    of a file that is not compressed are read by row and never held as a whole.
    """

    short_name: ClassVar[str] = "[{path:stem}|vectors]"

    path: Path

    def load(self) -> LabelledImages:
        """All vectors in the order of the file. Whatever is wrong is a ValueError that names the file and the row."""
        path = Path(self.path)
        given = opened(path).contents()
        digest = kept_digest(path, "vectors", lambda: vectors_digest(given.vectors, str(path)))
        return given.labelled(path.stem, str(path), digest)


def opened(path: Path) -> ArrayFile:
    """The file, by its suffix."""
    if not path.is_file():
        raise ValueError(f"there is no file {path}; give a file of vectors and labels ({', '.join(SUFFIXES)})")
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        from fewshot.datasets._parquet_columns import Parquet

        return Parquet(path)
    if suffix not in SUFFIXES:
        raise ValueError(f"vectors are read from {', '.join(SUFFIXES)}; got {path}")
    return Npz(path) if suffix == ".npz" else Safetensors(path)
