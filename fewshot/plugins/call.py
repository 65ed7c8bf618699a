"""The parser of spec texts: a name and its arguments. It parses and never evaluates."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_TEXT_OR_DOTTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[A-Za-z_][\w.]*:[A-Za-z_]\w*""")
_NAME = re.compile(r"[A-Za-z_][\w.]*(:[A-Za-z_]\w*)?")
_PATHS = ("Path", "PosixPath", "WindowsPath")  # the repr of a member with a Path field has these names
_MOST_CHARACTERS = 10_000  # of a spec; Python's parser crashes the process on some longer texts


@dataclass(frozen=True)
class Call:
    """A parsed spec: a name and its arguments, which may be calls themselves."""

    name: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


def parse(text: str, kind: str) -> Call:
    """The call that the text "Name" or "Name(field=value, ...)" describes; any other text raises a ValueError."""
    try:
        if len(text) > _MOST_CHARACTERS:
            raise ValueError(f"it has more than {_MOST_CHARACTERS:,} characters")
        plain, dotted = _without_dotted(text)
        call: Call = _renamed(_call(ast.parse(plain.strip(), mode="eval").body), dotted)
        return call
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(
            f"cannot read the {kind} {_short(text)!r}: write Name or Name(field=value, ...) "
            "with numbers, strings, booleans, None and tuples"
        ) from error


def is_call(text: str) -> bool:
    """Whether a text is meant as a call, "Name(field=value)", and not as a name or as the path of a file."""
    return "(" in text


def is_name(text: str) -> bool:
    """Whether a text is a bare name, "Name" or "package.module:Class", and not a call."""
    return _NAME.fullmatch(text.strip()) is not None


def _call(node: ast.expr) -> Call:
    if isinstance(node, ast.Name):
        return Call(node.id, (), {})
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        raise ValueError("neither a name nor a call")
    kwargs = {}
    for keyword in node.keywords:
        if keyword.arg is None or keyword.arg in kwargs:
            raise ValueError("keyword arguments must be named, once each")
        kwargs[keyword.arg] = _literal(keyword.value)
    return Call(node.func.id, tuple(_literal(a) for a in node.args), kwargs)


def _without_dotted(spec: str) -> tuple[str, dict[str, str]]:
    """The spec with a plain name in place of each "package.module:Class" outside strings, and the dotted names by
    these plain names."""
    dotted: dict[str, str] = {}

    def plain(match: re.Match[str]) -> str:
        if match[0][0] in "'\"":
            return match[0]
        name = f"Outside_{len(dotted)}_"
        dotted[name] = match[0]
        return name

    return _TEXT_OR_DOTTED.sub(plain, spec), dotted


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """The value with its calls renamed, at any depth."""
    if isinstance(value, tuple):
        return tuple(_renamed(item, names) for item in value)
    if not isinstance(value, Call):
        return value
    kwargs = {name: _renamed(argument, names) for name, argument in value.kwargs.items()}
    return Call(names.get(value.name, value.name), _renamed(value.args, names), kwargs)


def _literal(node: ast.expr) -> Any:
    """A number, string, boolean, None, nested call, or a tuple of these. Lists become tuples, paths strings."""
    if isinstance(node, ast.Call):
        call = _call(node)
        return call.args[0] if call.name in _PATHS and len(call.args) == 1 else call
    if isinstance(node, ast.Name):
        return math.inf if node.id == "inf" else Call(node.id, (), {})
    if isinstance(node, ast.Tuple | ast.List):
        return tuple(_literal(item) for item in node.elts)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _literal(node.operand)
        if type(value) in (int, float):
            return -value
    elif isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, bool | int | float | str)):
        return node.value
    raise ValueError(f"{ast.unparse(node)} is not a value")


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."
