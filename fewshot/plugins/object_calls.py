"""From objects to calls: what a user would write to create a member that Python holds."""

from __future__ import annotations

import dataclasses
import numbers
from pathlib import PurePath
from typing import Any

from fewshot.plugins.binding import Kind
from fewshot.plugins.call import Call
from fewshot.plugins.spec import Spec


def call_of(kind: Kind, value: Any) -> Any:
    """The call that creates an object, with calls for the objects among its fields; other values stay."""
    if isinstance(value, tuple | list):
        return tuple(call_of(kind, item) for item in value)
    if not dataclasses.is_dataclass(value) or isinstance(value, Spec):
        return _plain(value)
    cls: type[Any] = type(value)
    known = cls.__name__ in kind.names() and kind.get(cls.__name__) is cls
    name = cls.__name__ if known else f"{cls.__module__}:{cls.__name__}"
    held = {f.name: getattr(value, f.name) for f in dataclasses.fields(cls) if f.init}
    kinds = {p.name: kind.kind_in(p) or kind for p in kind.signature(name).parameters}
    return Call(name, (), {field: call_of(kinds[field], inner) for field, inner in held.items()})


def _plain(value: Any) -> Any:
    """A field's value as specs write it: paths as strings, numpy numbers as Python numbers."""
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return value
    return int(value) if isinstance(value, numbers.Integral) else float(value)
