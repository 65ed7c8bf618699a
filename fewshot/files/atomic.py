"""Atomic writes (a file is whole or absent), safe reads of safetensors, and the cache folder."""

from __future__ import annotations

import json
import logging
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fewshot.files.quoting import message
from fewshot.files.regular import check_local, check_regular, parsed_json

if TYPE_CHECKING:
    from numpy.typing import NDArray

_log = logging.getLogger("fewshot")


def home() -> Path:
    """The folder of all caches: $FEWSHOT_HOME, which is a path, or the user's cache folder."""
    import platformdirs

    given = os.environ.get("FEWSHOT_HOME", "")
    check_local(given)
    return Path(given or platformdirs.user_cache_dir("fewshot"))


def make_folder(path: Path) -> Path:
    """The folder, created if it was absent; an OSError names the folder and says what to do."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(
            f"cannot create the folder {path}: {error.strerror}; make it writable or choose another folder"
        ) from error
    return path


def write_atomically(path: Path, content: bytes) -> None:
    """Writes the whole file or nothing: writes a temporary file beside it, syncs it, and renames it into place."""
    make_folder(path.parent)
    temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}"
    try:
        with open(temporary, "xb") as file:  # not tempfile: only the owner can read its files
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise OSError(f"cannot write {path}: {error.strerror}; any earlier file is unchanged") from error
    finally:
        temporary.unlink(missing_ok=True)


def write_safetensors(path: Path, arrays: Mapping[str, NDArray[Any]], about: Mapping[str, Any]) -> None:
    """Writes these arrays, this metadata and a checksum of both as one .safetensors file, atomically."""
    import numpy as np
    from safetensors.numpy import save

    from fewshot.files.checksums import checksum

    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}  # save garbles strided arrays
    text = json.dumps(about)
    write_atomically(path, save(contiguous, metadata={"fewshot": text, "checksum": checksum(contiguous, text)}))


def read_safetensors(path: Path, what: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Arrays and metadata of a .safetensors file that fewshot wrote; a ValueError if the file is anything else, or if
    its bits changed since. A file of an older release without a checksum is read as it is, with a warning.

    `what` names the expected kind of file in errors: "an episode list".
    """
    with _opened(path, what) as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        about = _metadata(file)
        if not _is_whole(arrays, file.metadata() or {}):
            _warn_unchecked(path.parent, what)
        return arrays, about


def _is_whole(arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> bool:
    """Whether a checksum proves the content; False if there is none, a ValueError if it is that of other content."""
    if metadata.keys() == {"fewshot"}:
        return False
    from fewshot.files.checksums import checksum

    if metadata.get("checksum") != checksum(arrays, metadata.get("fewshot", "")):
        raise ValueError("its checksum is not that of its content: it was changed or damaged")
    return True


@cache
def _warn_unchecked(folder: Path, what: str) -> None:
    """Warns once per folder and process."""
    _log.warning(
        "files in %s were written as %s by an older release, without a checksum; fewshot cannot see whether they "
        "changed since",
        folder,
        what,
    )


def read_metadata(path: Path, what: str) -> dict[str, Any]:
    """The metadata of a .safetensors file, without its arrays."""
    with _opened(path, what) as file:
        return _metadata(file)


def _metadata(file: Any) -> dict[str, Any]:
    metadata = parsed_json((file.metadata() or {}).get("fewshot", "{}"))
    if not isinstance(metadata, dict):
        raise ValueError("its metadata is not a JSON object")
    return metadata


@contextmanager
def _opened(path: Path, what: str) -> Iterator[Any]:
    from safetensors import SafetensorError, safe_open

    check_regular(path)
    try:
        with safe_open(path, framework="numpy") as file:
            yield file
    except FileNotFoundError as error:
        raise ValueError(f"there is no file {path}; expected {what} there") from error
    except (SafetensorError, OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        # The last three: element types that numpy does not know, and endless JSON.
        raise ValueError(f"{path} cannot be read as {what}: {message(error)}") from error
