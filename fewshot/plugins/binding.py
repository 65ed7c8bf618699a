"""From calls to specs: the arguments of a call get the names, the types and the defaults of the member's fields.

`bind` is for what users write, and refuses what does not fit; `bind_stored` is for rows, which keep what they say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from fewshot.files.quoting import quoted
from fewshot.plugins.call import Call, parse
from fewshot.plugins.signature import REQUIRED, Parameter, Signature
from fewshot.plugins.spec import Home, Spec
from fewshot.plugins.suggestions import no_field
from fewshot.plugins.wording import counted


class Kind(Home, Protocol):
    """The registry of one kind, as far as binding uses it."""

    @property
    def text_reader(self) -> str: ...
    def names(self) -> list[str]: ...
    def signature(self, name: str) -> Signature: ...
    def known_signature(self, name: str) -> Signature: ...
    def named(self, member: Any) -> Spec: ...
    def kind_in(self, parameter: Parameter) -> Kind | None: ...
    def kind_with(self, name: str) -> Kind: ...


def bind(kind: Kind, call: Any, allow_import: bool = True) -> Any:
    """The spec of a call, with specs for the calls among its arguments; other values stay."""
    if isinstance(call, tuple):
        return tuple(bind(kind, item, allow_import) for item in call)
    if not isinstance(call, Call):
        return call
    if not allow_import and ":" in call.name:
        raise _would_import(kind, call.name)
    signature = kind.signature(call.name)
    given = _given(call, [p.name for p in signature.parameters])
    _refuse_bare_texts(call.name, given, signature)
    arguments = []
    for parameter in signature.parameters:
        value = given.get(parameter.name, parameter.default)
        if value is REQUIRED:
            raise ValueError(
                f"{call.name} needs {parameter.name!r} ({parameter.annotation}); "
                f"write {call.name}({parameter.name}=...)"
            )
        arguments.append((parameter, _argument(kind, parameter, value, allow_import)))
    return Spec(kind, signature, tuple(arguments))


def _argument(own: Kind, parameter: Parameter, value: Any, allow_import: bool) -> Any:
    """The value of a field: specs for members (also if given as text), floats for integers in a float field, text for
    paths."""
    kind = own.kind_in(parameter)
    if not allow_import and parameter.annotation == "Dotted" and ":" in str(value):
        raise _would_import(own, str(value))
    if isinstance(value, str) and kind is not None:
        if allow_import and kind.text_reader:
            return kind.named(value)
        value = parse(value, kind.kind)
    if parameter.is_path:
        return None if value is None else str(value)
    return bind(kind or own, _floats(value) if parameter.wants_float else value, allow_import)


def bind_stored(own: Kind, value: Any) -> Any:
    """The spec of a call in a row, with specs for the calls among its arguments, as far as fewshot knows the members;
    a field that fewshot does not know stays. Nothing is imported."""
    if isinstance(value, tuple):
        return tuple(bind_stored(own, item) for item in value)
    if not isinstance(value, Call):
        return value
    kind = own.kind_with(value.name)
    signature = kind.known_signature(value.name)
    names = [p.name for p in signature.parameters] + [str(i) for i in range(len(value.args))]
    given = {**dict(zip(names, value.args, strict=False)), **value.kwargs}
    known = {p.name: p for p in signature.parameters}
    held = {name: p.default for name, p in known.items() if p.default is not REQUIRED} | given
    order = [name for name in known if name in held] + [name for name in held if name not in known]
    arguments = []
    for parameter in (known.get(name, Parameter(name, "", REQUIRED)) for name in order):
        argument = held[parameter.name]
        inner = bind_stored(kind.kind_in(parameter) or kind, _floats(argument) if parameter.wants_float else argument)
        arguments.append((parameter, inner))
    return Spec(kind, signature, tuple(arguments))


class WouldImportError(ValueError):
    """A spec names a member as package.module:Class, and its reader may not import code."""


def _would_import(kind: Kind, name: str) -> ValueError:
    return WouldImportError(
        f"the {kind.kind} {quoted(name)} comes from a file and would import code; pass --allow-import if you trust it"
    )


def _given(call: Call, names: list[str]) -> dict[str, Any]:
    """The arguments of a call by field name; too many, unknown or repeated ones raise a ValueError."""
    known = ", ".join(names) or "none"
    if len(call.args) > len(names):
        arguments = counted(len(names), "argument")
        raise ValueError(f"{call.name} takes {arguments} ({known}), got {len(call.args)}")
    given = dict(zip(names, call.args, strict=False))
    for name, value in call.kwargs.items():
        if name not in names:
            raise ValueError(no_field(call.name, name, names))
        if name in given:
            raise ValueError(f"{call.name} was given its field {quoted(name)} twice; give it once")
        given[name] = value
    return given


def _refuse_bare_texts(name: str, given: Mapping[str, Any], signature: Signature) -> None:
    """Raises a ValueError for a word without quotes in a field of text, such as RandomInit(resnet18)."""
    for parameter in signature.parameters:
        value = given.get(parameter.name)
        if parameter.base in ("str", "NameOrPath") and isinstance(value, Call) and not (value.args or value.kwargs):
            raise ValueError(
                f"the {parameter.name} of {name} is a text; write it in quotes inside the quotes of the shell: "
                f"\"{name}({parameter.name}='{value.name}')\""
            )


def _floats(value: Any) -> Any:
    """Integers as floats, in tuples too; through their text, because that turns too large ones into inf, like 1e999."""
    if isinstance(value, tuple):
        return tuple(_floats(item) for item in value)
    return float(str(value)) if type(value) is int else value
