"""Ways in which files are damaged: bytes cut, flipped, copied or replaced, and structures with other values."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

Mutation = Callable[[bytes], bytes]

PLACES = st.integers(0, (1 << 20) - 1)  # modulo the length of the file
_SIZES = [
    0,
    1,
    127,
    255,
    1 << 15,
    (1 << 16) - 1,
    1 << 24,
    (1 << 31) - 1,
    1 << 31,
    (1 << 32) - 1,
    1 << 40,
    (1 << 63) - 1,
]
SIZES = st.tuples(st.sampled_from(_SIZES), st.sampled_from([2, 4, 8]), st.sampled_from(["little", "big"]))
TOKENS = st.sampled_from(
    [
        *(b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\r", b"\n\n", b"\x1a", b'"', b",", b"\\", b"\x80"),
        *(b"NaN", b"Infinity", b"-1", b"1e999", b"9" * 400, b"9" * 5000, b"0.1e-400", b"null", b"true", b"../../x"),
        *(b"[" * 100_000, b'{"a":' * 50_000, b"A" * 200_000, "é😀‮".encode(), b"/dev/zero", b"[]", b"{}"),
    ]
)
VALUES = st.sampled_from(
    [
        *(None, True, -1, 0, 10**18, 10**400, 0.5, 1e308, "", "a\0b", "\ud800", "A" * 5000, [], {}, [[]], [None]),
        *({"a": {}}, ["a", "a"], [1, "1"], "NaN", "../x", "/dev/zero", "[" * 3000),
    ]
)


def _at(content: bytes, place: int) -> int:
    return place % (len(content) + 1)


def cut(place: int) -> Mutation:
    """The file ends early."""
    return lambda content: content[: _at(content, place)]


def flip(bits: list[int]) -> Mutation:
    """Bits are turned."""

    def flipped(content: bytes) -> bytes:
        changed = bytearray(content)
        for bit in bits if content else ():
            changed[bit // 8 % len(content)] ^= 1 << bit % 8
        return bytes(changed)

    return flipped


def insert(place: int, token: bytes) -> Mutation:
    """Other bytes stand inside."""
    return lambda content: content[: _at(content, place)] + token + content[_at(content, place) :]


def resize(place: int, size: tuple[int, int, Any]) -> Mutation:
    """A number of a header is another, small or huge."""
    number, width, order = size
    token = (number % (1 << 8 * width)).to_bytes(width, order)
    return lambda content: content[: _at(content, place)] + token + content[_at(content, place) + width :]


def copy_range(source: int, length: int, target: int, over: bool) -> Mutation:
    """A piece stands twice, or over another."""

    def copied(content: bytes) -> bytes:
        start, at = _at(content, source), _at(content, target)
        piece = content[start : start + length]
        return content[:at] + piece + content[at + (len(piece) if over else 0) :]

    return copied


def remove(place: int, length: int) -> Mutation:
    """A piece is missing."""
    return lambda content: content[: _at(content, place)] + content[_at(content, place) + length :]


def replace_lines(order: list[int], keep: int) -> Mutation:
    """Lines are missing, stand twice or in another order."""

    def ordered(content: bytes) -> bytes:
        lines = content.split(b"\n")
        return b"\n".join([*lines[: keep % (len(lines) + 1)], *(lines[at % len(lines)] for at in order)])

    return ordered


def set_json(way: list[int], value: Any, remove_it: bool) -> Mutation:
    """One value of a JSON text, or of one of its lines, is another or missing; other files stay as they are."""

    def changed(content: bytes) -> bytes:
        lines = [content] if _parsed(content) is not None else content.split(b"\n")
        at = (way[0] if way else 0) % len(lines)
        parsed = _parsed(lines[at])
        if parsed is None:
            return content
        lines[at] = json.dumps(_with(parsed, way[1:], value, remove_it)).encode()
        return b"\n".join(lines)

    return changed


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _with(parsed: Any, way: list[int], value: Any, remove_it: bool) -> Any:
    whole = copy.deepcopy(parsed)
    inside = whole
    for step in way:
        if not isinstance(inside, dict | list) or not inside:
            break
        keys: list[Any] = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
        key = keys[step % len(keys)]
        if step == way[-1] or not isinstance(inside[key], dict | list) or not inside[key]:
            if remove_it:
                del inside[key]
            else:
                inside[key] = value
            return whole
        inside = inside[key]
    return value


_ORDERS = st.lists(st.integers(0, 50), max_size=4)
BYTES: st.SearchStrategy[Mutation] = st.one_of(
    st.builds(cut, PLACES),
    st.builds(flip, st.lists(st.integers(0, (1 << 23) - 1), min_size=1, max_size=4)),
    st.builds(insert, PLACES, TOKENS),
    st.builds(resize, PLACES, SIZES),
    st.builds(copy_range, PLACES, st.integers(1, 400), PLACES, st.booleans()),
    st.builds(remove, PLACES, st.integers(1, 400)),
    st.builds(lambda content: lambda _: content, st.binary(max_size=200)),
)
TEXT = st.one_of(BYTES, st.builds(replace_lines, _ORDERS, st.integers(0, 50)))
JSON = st.one_of(TEXT, st.builds(set_json, st.lists(st.integers(0, 30), max_size=5), VALUES, st.booleans()))


def several(one: st.SearchStrategy[Mutation]) -> st.SearchStrategy[Mutation]:
    """One to three mutations, one after the other."""

    def composed(mutations: list[Mutation]) -> Mutation:
        def every(content: bytes) -> bytes:
            for mutation in mutations:
                content = mutation(content)
            return content

        return every

    return st.builds(composed, st.lists(one, min_size=1, max_size=3))
