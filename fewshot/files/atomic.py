"""Files that are whole or absent: atomic writes, safe reads, and where things are kept."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewshot.files.checksums import checksum


def home() -> Path:
    """Where caches live: $FEWSHOT_HOME, or the user's cache folder."""
    import platformdirs

    return Path(os.environ.get("FEWSHOT_HOME") or platformdirs.user_cache_dir("fewshot"))


def make_folder(path: Path) -> Path:
    """The folder, made if it was absent; an OSError names it and says what to do."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(f"cannot create the folder {path}: {error.strerror}; make it writable or set another") from error
    return path


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a whole file or none: into a temporary neighbour, synced, then renamed into place."""
    make_folder(path.parent)
    temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}"
    try:
        with open(temporary, "xb") as file:  # not tempfile: its files are readable by their owner only
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise OSError(f"cannot write {path}: {error.strerror}; nothing was changed") from error
    finally:
        temporary.unlink(missing_ok=True)


def write_safetensors(path: Path, arrays: Mapping[str, NDArray[Any]], about: Mapping[str, Any]) -> None:
    """Writes the .safetensors file of these arrays and this metadata, with a checksum of both, whole or not at all."""
    from safetensors.numpy import save

    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}  # of strided ones it writes others
    text = json.dumps(about)
    write_atomically(path, save(whole, metadata={"fewshot": text, "checksum": checksum(whole, text)}))


def read_safetensors(path: Path, what: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Arrays and metadata of one of fewshot's .safetensors files; a ValueError names a file that is none, or whose bits
    are not those that were written."""
    with _opened(path, what) as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = file.metadata() or {}
        if metadata.get("checksum") != checksum(arrays, metadata.get("fewshot", "")):
            raise ValueError("its checksum is not that of its content: it was changed or damaged")
        return arrays, _metadata(file)


def read_metadata(path: Path, what: str) -> dict[str, Any]:
    """The metadata alone."""
    with _opened(path, what) as file:
        return _metadata(file)


def _metadata(file: Any) -> dict[str, Any]:
    metadata = json.loads((file.metadata() or {}).get("fewshot", "{}"))
    if not isinstance(metadata, dict):
        raise ValueError("its metadata is not an object")
    return metadata


@contextmanager
def _opened(path: Path, what: str) -> Iterator[Any]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            yield file
    except FileNotFoundError as error:
        raise ValueError(f"there is no file {path}; {what} was expected there") from error
    except (SafetensorError, OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        # The last three: element types that numpy does not know, and JSON without end.
        raise ValueError(f"{path} cannot be read as {what}: {error}") from error
