"""Signatures of a folder of members, kept on disk: parsing the sources of all folders takes a tenth of a second, and
every command needs them.

A kept file is used as Python uses its bytecode: while every source has the size and the time of change that it had.
Whatever cannot be read or written is parsed again, so the cache can only save time.
"""

from __future__ import annotations

import functools
import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from fewshot.files.atomic import home, write_atomically
from fewshot.files.regular import parsed_json, read_text
from fewshot.plugins.signature import REQUIRED, Parameter, Signature, parse_folder, sources_of

_FORM = 2  # of the file; another form is parsed again


@functools.cache
def read_folder(package: str) -> dict[str, Signature]:
    """Signatures by name: of a folder, the classes whose file bears their name; of a single file, all its members."""
    sources = sources_of(package)
    place = _place(package, sources)
    stamps = [[path.name, path.stat().st_size, path.stat().st_mtime_ns] for path in sources]
    with suppress(OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        content = parsed_json(read_text(place))
        text = content["signatures"]
        if content["form"] == _FORM and content["sources"] == stamps and content["checksum"] == _checksum(text):
            return {name: _signature(name, *values) for name, values in parsed_json(text).items()}
    signatures = parse_folder(package, sources)
    with suppress(OSError, TypeError):  # a TypeError: a literal that JSON cannot hold
        text = json.dumps({name: _written(signature) for name, signature in signatures.items()})
        kept = {"form": _FORM, "sources": stamps, "checksum": _checksum(text), "signatures": text}
        write_atomically(place, json.dumps(kept).encode())
    return signatures


def _checksum(text: str) -> int:
    """A changed bit in a default would change what a run computes, and its name."""
    return zlib.crc32(text.encode())


def _place(package: str, sources: Sequence[Path]) -> Path:
    """The file of a folder; two installations of fewshot have one each."""
    here = hashlib.sha256(str(sources[0].parent).encode()).hexdigest()[:8]
    return home() / "signatures" / f"{package}-{here}.json"


def _written(signature: Signature) -> list[Any]:
    parameters = [[p.name, p.annotation, _tagged(p.default)] for p in signature.parameters]
    return [signature.summary, parameters, signature.module, _tagged(dict(signature.declared))]


def _signature(name: str, summary: str, parameters: list[Any], module: str, declared: Any) -> Signature:
    fields = tuple(Parameter(field, annotation, _plain(default)) for field, annotation, default in parameters)
    return Signature(name, summary, fields, module, _plain(declared))


def _tagged(value: Any) -> Any:
    """A literal in JSON: what JSON lacks, and its lists and objects, are lists that start with their kind."""
    if value is REQUIRED:
        return ["required"]
    if isinstance(value, tuple | list):
        return [type(value).__name__, *map(_tagged, value)]
    if isinstance(value, Mapping):
        return ["dict", *([_tagged(key), _tagged(item)] for key, item in value.items())]
    if value is None or type(value) in (bool, int, float, str):
        return value
    raise TypeError(f"no form for {type(value).__name__}")


def _plain(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    kind, *items = value
    if kind == "required":
        return REQUIRED
    if kind == "dict":
        return {_plain(key): _plain(item) for key, item in items}
    return {"tuple": tuple, "list": list}[kind](map(_plain, items))
