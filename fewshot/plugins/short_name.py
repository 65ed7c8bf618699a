"""Short names of members for people: "tf_efficientnet_lite0 @128" for Packaged(name='tf_efficientnet_lite0', ...).

A member declares its short name as a template, `short_name: ClassVar[str] = "{name}[ @{image_size}]"`:

    {field}            the value: a member's short name, the items of a tuple joined by " : "
    {field:file}       the last part of a path    {field:stem}    the same without its suffix
    {field:folder}     the same, or the folder above if it is "images", "data", "train" or the like
    {field:set}        the same of a folder; of a file, that of the folder that holds it
    {field:shards}     of a file or several, the stem, or the folder above if it is "train", "0" or the like
    {field:value}      the text after "="         {field:names}   the fields of a grid, "C and max_iter"
    {sides}            of samplers, the source of support and queries: "test images", "support from mono"
    [first|second|...] the first alternative whose fields are all set (not None, False, empty or 0); else nothing
    {field!}           nothing; a condition that the field is set       {field=value!}  that it has this value
    {field~text!}      nothing; a condition that the field begins with this text

A member without a template is named by its class and its fields that differ from the defaults: "LinearProbe(C=10.0)".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from pathlib import PurePath
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from fewshot.files.quoting import shortened
from fewshot.plugins.folder_names import telling_file_name, telling_name
from fewshot.plugins.signature import Parameter

Thing = TypeVar("Thing", bound=Hashable)
_GIVEN: Mapping[str, str] = MappingProxyType({})
_LONGEST = 64  # characters
_MOST_VALUES = 7  # of a field of a grid that a name lists
_HELD = ("code", "weights")  # digests that tell held things of one name apart (plugins/held.py)
_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_FIELD = re.compile(r"\{(\w+)(?:=(\w+)|~([\w-]+))?(?::(\w+))?(!?)\}")


class Named(Protocol):
    """A spec, as far as short names use it."""

    @property
    def name(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def short_name(self) -> str: ...
    @property
    def fields(self) -> Mapping[str, Any]: ...
    @property
    def arguments(self) -> tuple[tuple[Parameter, Any], ...]: ...
    def declares(self, attribute: str, /) -> Any: ...
    def __hash__(self) -> int: ...


AnyNamed = TypeVar("AnyNamed", bound=Named)


def short_name(spec: Named) -> str:
    """The short name of one member, on one line of at most 64 characters."""
    template = spec.declares("short_name")
    if template:
        try:
            return one_line(_filled(template, spec.fields), _LONGEST)
        except (KeyError, TypeError, ValueError):  # the row comes from another release, or somebody wrote it by hand
            pass
    return one_line(without_defaults(spec), _LONGEST)


def short_names(specs: Iterable[AnyNamed], given: Mapping[str, str] = _GIVEN) -> dict[AnyNamed, str]:
    """The short name of every spec, all different: where two would be equal, the fields that differ are added. `given`:
    names by the text of a spec, which replace what members declare."""
    short = {spec: given.get(spec.text) or spec.short_name for spec in specs}
    return distinct_names(short, lambda spec: {"": spec.name, **spec.fields}, lambda spec: spec.text)


def distinct_names(
    short: Mapping[Thing, str], fields: Callable[[Thing], Mapping[str, Any]], text: Callable[[Thing], str]
) -> dict[Thing, str]:
    """The names of things, all different: where two have one name, the fields that differ between them are added, and
    where these do not tell them apart either, each is called by its whole text."""
    namesakes: dict[str, list[Thing]] = {}
    for thing, name in short.items():
        namesakes.setdefault(name, []).append(thing)
    names = dict(short)
    for name, same in namesakes.items():
        if len(same) > 1:
            differing = _differences({thing: fields(thing) for thing in same})
            apart = len(set(differing.values())) == len(same)
            names |= {
                thing: (f"{name} ({extra})" if extra else name) if apart else " ".join(_printable(text(thing)).split())
                for thing, extra in differing.items()
            }
    return names


def one_line(text: str, most: int) -> str:
    """The text on one line, printable, and shortened in the middle if it has more than `most` characters."""
    return shortened(" ".join(_printable(text).split()), most)


def _filled(template: str, fields: Mapping[str, Any]) -> str:
    chosen = _CHOICE.sub(lambda match: _first(match[1].split("|"), fields), template)
    return _FIELD.sub(lambda match: _printed(match, fields), chosen)


def _first(alternatives: Iterable[str], fields: Mapping[str, Any]) -> str:
    """The first alternative whose fields are all set, filled in."""
    for text in alternatives:
        if all(_is_there(match, fields) for match in _FIELD.finditer(text)):
            return _FIELD.sub(lambda match: _printed(match, fields), text)
    return ""


def _is_there(match: re.Match[str], fields: Mapping[str, Any]) -> bool:
    name, wanted, start = match[1], match[2], match[3]
    if name == "sides":
        return bool(_sides(fields))
    if start:
        return str(fields.get(name)).startswith(start)
    return str(fields.get(name)) == wanted if wanted else bool(fields.get(name))


def _printed(match: re.Match[str], fields: Mapping[str, Any]) -> str:
    name, form, test = match[1], match[4], match[5]
    if test:
        return ""
    if name == "sides":
        return _sides(fields)
    value = fields[name]
    if form == "file":
        return PurePath(str(value)).name or str(value)  # "." has no name
    if form == "folder":
        return telling_name(str(value)) or str(value)
    if form == "set":
        path = PurePath(str(value))
        return telling_name(path.parent if path.suffix[1:].isalpha() else path) or path.stem
    if form == "shards":
        return telling_file_name(str(value)) or str(value)
    if form == "stem":
        return PurePath(str(value)).stem or str(value)
    if form == "value":
        return str(value).rpartition("=")[2]
    if form == "names":
        return " and ".join(str(field) for field, _ in value)
    return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, tuple):
        return " : ".join(map(_plain, value))
    return f"{value:g}" if isinstance(value, float) else str(getattr(value, "short_name", value))


def _sides(fields: Mapping[str, Any]) -> str:
    """The source of support and queries: "test images", or "support from mono, queries from colour"."""
    support, query = fields.get("support_from"), fields.get("query_from")
    if support and support == query:
        return f"{str(support).rpartition('=')[2]} images"
    sides = (("support", support), ("queries", query))
    return ", ".join(f"{side} from {str(pool).rpartition('=')[2]}" for side, pool in sides if pool)


def with_values(spec: Named, fields: Collection[str]) -> str:
    """The short name with the values of these fields, also where they are at their defaults."""
    texts = [f"{p.name}={_written(value)}" for p, value in spec.arguments if p.name in fields]
    name = short_name(spec)
    if all(text in name for text in texts):
        return name
    if spec.declares("short_name"):
        return f"{name} with {', '.join(texts)}"
    return one_line(without_defaults(spec, fields), _LONGEST)


def without_defaults(spec: Named, but: Collection[str] = ()) -> str:
    """The text of a spec with the fields that are not at their defaults, or are among `but`."""
    kept = [
        _written(value) if parameter.name.isdigit() else f"{parameter.name}={_written(value)}"
        for parameter, value in spec.arguments
        if (value != parameter.default or parameter.name in but)
        and (parameter.annotation or parameter.name not in _HELD)
    ]
    return f"{spec.name}({', '.join(kept)})" if kept else spec.name


def _written(value: Any) -> str:
    """The text of a value in a spec."""
    return str(getattr(value, "text", repr(value)))


def _differences(fields: Mapping[Thing, Mapping[str, Any]]) -> dict[Thing, str]:
    """Of each thing the fields that differ between them, as specs write them; that of no name is the thing's own."""
    differing = [
        key
        for key in dict.fromkeys(k for each in fields.values() for k in each)
        if len({repr(each.get(key)) for each in fields.values()}) > 1
    ]
    return {
        thing: ", ".join(_difference(k, v) for k in differing if (v := each.get(k)) is not None)
        for thing, each in fields.items()
    }


def _difference(key: str, value: Any) -> str:
    """A field that differs; a grid in words."""
    if _is_grid(value):
        return grid_words(value)
    return f"{key}={_written(value)}" if key else str(value)


def _is_grid(value: Any) -> bool:
    """Whether a value is a grid of hyperparameters: fields, each with its values or the name of known values."""
    return isinstance(value, tuple) and bool(value) and all(map(_is_axis, value))


def _is_axis(item: Any) -> bool:
    return isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str) and isinstance(item[1], tuple | str)


def grid_words(grid: Iterable[tuple[str, Any]]) -> str:
    """The fields of a grid with their values: "C from 1, 10, 100 and max_iter from 50, 100"; of many values their
    number with the first and the last one."""
    return " and ".join(f"{field} from {_values_words(values)}" for field, values in grid)


def _values_words(values: Any) -> str:
    if isinstance(values, str):
        return f"the values of {values}"
    texts = [_plain(value) for value in values]
    return ", ".join(texts) if len(texts) <= _MOST_VALUES else f"{len(texts)} values, {texts[0]} to {texts[-1]}"


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() or c.isspace() else "�" for c in text)
