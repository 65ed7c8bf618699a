"""Conditions on lines by column: "k_shot == 5, backbone ~ lite0". Nothing is evaluated.

conditions = condition { ("," | " and ") condition }
condition  = column sign value
sign       = "==" | "=" | "!=" | "<" | "<=" | ">" | ">=" | "~" (contains)
value      = a text, in quotes if it holds a comma, " and " or a sign outside brackets
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fewshot.files.quoting import first_of, quoted
from fewshot.plugins.suggestions import nearest

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ORDERS = ("<", "<=", ">", ">=")
_PART = re.compile(r"\s*([^=<>!~]+?)\s*(==|!=|<=|>=|=|<|>|~)\s*(.*?)\s*", re.DOTALL)
_SIGN = re.compile(r"[=<>!~]")
_ABSENT = ("", "none", "null")


@dataclass(frozen=True)
class Condition:
    """A condition on one column of a line."""

    column: str
    sign: str
    wanted: str

    def holds(self, line: Mapping[str, Any]) -> bool:
        """Whether a line meets the condition. Numbers are compared as numbers; "~" looks for a part of a text."""
        value = line.get(self.column)
        if self.sign == "~":
            return value is not None and self.wanted.lower() in str(value).lower()
        left, right = as_number(value), as_number(self.wanted)
        if left is not None and right is not None:
            return _COMPARE[self.sign](left, right)
        return self.sign not in _ORDERS and _is_called(value, self.wanted) == (self.sign == "=")


def conditions(text: str) -> list[Condition]:
    """The parts of a condition. A ValueError for a text that the grammar does not allow."""
    return [_condition(part) for part in _split(text)]


def as_number(value: Any) -> float | None:
    """A number, or the number in a text; None for anything else."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):  # text, None, or an integer too large for a float
        return None
    return None if math.isnan(number) else number


def missing_column(name: str, known: Iterable[str], where: str) -> ValueError:
    """The error about a column that `where` lacks, such as "results.csv"; it names the nearest and all columns."""
    columns = list(known)
    near = nearest(name, columns)
    hint = f" (did you mean {quoted(near[0])}?)" if near else ""
    return ValueError(f"{where} has no column {quoted(name)}{hint}; it has: {first_of(columns, most=200)}")


def _condition(text: str) -> Condition:
    match = _PART.fullmatch(text)
    if not match:
        raise ValueError(f"a condition reads COLUMN == VALUE, with ==, !=, <, <=, >, >= or ~ (contains), got {text!r}")
    column, sign, value = match.groups()
    sign = "=" if sign == "==" else sign
    wanted = _unquoted(value)
    if wanted == value and _SIGN.search(_masked(value)):
        raise ValueError(f"{text!r} compares twice; join conditions with a comma, or put the value in quotes")
    if sign in _ORDERS and as_number(wanted) is None:
        raise ValueError(f"{sign} compares numbers, but {wanted!r} in {text!r} is not one; write =, != or ~")
    return Condition(column, sign, wanted)


def _is_called(value: Any, wanted: str) -> bool:
    """Whether a value that is no number is the wanted text; "none" and "true" are written in any case."""
    if value is None:
        return wanted.lower() in _ABSENT
    return str(value).lower() == wanted.lower() if isinstance(value, bool) else str(value) == wanted


def _unquoted(value: str) -> str:
    """The value without the quotes around it."""
    if len(value) < 2 or value[0] not in "'\"" or value[0] != value[-1]:
        return value
    try:
        return str(ast.literal_eval(value))
    except (ValueError, SyntaxError):  # quotes that do not belong together, such as 'a' + 'b'
        return value


def _split(text: str) -> list[str]:
    """The conditions of a text, split at commas and "and" outside brackets and quotes."""
    masked = _masked(text)
    parts, start = [], 0
    for match in re.finditer(r",|\band\b", masked):
        is_whole = _SIGN.search(masked, start, match.start()) and _SIGN.search(masked, match.end())
        if match[0] == "," or is_whole:  # else a column or a value holds the word "and"
            parts.append(text[start : match.start()])
            start = match.end()
    return [*parts, text[start:]]


def _masked(text: str) -> str:
    """The text with "_" for every letter in brackets or quotes. A quote opens a text only where a value may begin, so
    the apostrophe inside a word opens none."""
    letters, depth, quote = [], 0, ""
    for before, letter in zip(" " + text, text, strict=False):
        if quote:
            inside, quote = True, "" if letter == quote else quote
        elif letter in "'\"" and before in " =<>~([,":
            inside, quote = True, letter
        else:
            depth -= letter in ")]" and depth > 0
            inside = depth > 0
            depth += letter in "(["
        letters.append("_" if inside else letter)
    return "".join(letters)
