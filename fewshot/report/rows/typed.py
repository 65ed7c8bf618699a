"""Specs as people type them on the command line: without defaults, and by the short form of a backbone or of data."""

from __future__ import annotations

import shlex
from pathlib import Path

from fewshot.plugins.registry import DATASETS, Registry
from fewshot.plugins.shorthand import shorthand
from fewshot.plugins.spec import Spec

_BY_PATH = {"ImageFolderSet": "root", "Manifest": "path", "VectorSet": "path", "ImageArrays": "path"}
_SUFFIXES = {"Manifest": (".csv",), "VectorSet": (".npz", ".safetensors", ".parquet"), "ImageArrays": (".npz",)}


def typed(spec: Spec) -> str:
    """The shortest text that means this spec, such as "LinearProbe(C=1.0)" without its other fields; the whole text if
    the shorter one would mean something else, as with the defaults of another release."""
    short = _without_defaults(spec)
    return short if _means(short, spec) else spec.text


def typed_backbone(spec: Spec) -> str:
    """The same for a backbone: "resnet18", "pixels", or its spec."""
    fields = [parameter.name for parameter, value in spec.arguments if value != parameter.default]
    name = {"RawPixels": "pixels", "Given": "given"}.get(spec.name, str(spec.fields.get("name", "")))
    return name if name and fields in ([], ["name"]) and _means(shorthand(name), spec) else typed(spec)


def typed_data(spec: Spec) -> str:
    """The same for a data set: its folder or file, or its spec."""
    field = _BY_PATH.get(spec.name, "")
    path = str(spec.fields.get(field, ""))
    others = [parameter.name for parameter, value in spec.arguments if value != parameter.default]
    fits = Path(path).suffix.lower() in _SUFFIXES.get(spec.name, (Path(path).suffix.lower(),))
    plain = path and not path.startswith(("-", "~")) and path not in DATASETS.names()
    return path if others == [field] and fits and plain else typed(spec)


def quoted(word: str) -> str:
    """The word as a shell reads it, in double quotes if it holds single ones."""
    if "'" in word and not any(sign in word for sign in '"$`\\!'):
        return f'"{word}"'
    return shlex.quote(word)


def _means(text: str, spec: Spec) -> bool:
    """Whether a text is read as this spec."""
    try:
        return isinstance(spec.home, Registry) and spec.home.spec(text, allow_import=False).text == spec.text
    except ValueError:
        return False


def _without_defaults(spec: Spec) -> str:
    kept = [
        value_text(value) if parameter.name.isdigit() else f"{parameter.name}={value_text(value)}"
        for parameter, value in spec.arguments
        if value != parameter.default
    ]
    return f"{spec.name}({', '.join(kept)})" if kept else spec.name


def value_text(value: object) -> str:
    """The text of a field in a spec; members inside it are as short as typed."""
    if isinstance(value, Spec):
        return typed(value)
    if isinstance(value, tuple):
        items = [value_text(item) for item in value]
        return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"
    return repr(str(value) if isinstance(value, Path) else value)
