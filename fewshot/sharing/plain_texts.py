"""Texts of strangers that a reader sees as they are: no control characters, and no letters that look like others."""

from __future__ import annotations

import re
import unicodedata

# Control characters, line and paragraph separators, signs that turn the direction, and the marks of bytes.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb]")
# What nobody sees. Persian, Indic scripts and emoji join their letters with U+200C and U+200D, ASCII never does.
_INVISIBLE = re.compile(
    r"[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b\u2060-\u2064\u3164\uffa0]"
    r"|[\u200c\u200d](?=[\x00-\x7f]|$)|(?:^|(?<=[\x00-\x7f]))[\u200c\u200d]"
)
_ALIKE = frozenset("аеорсухіјѕԛԝһӏАВЕЅІЈКМНОРСТУХԌԚԜΑΒΕΖΗΙΚΜΝΟΡΤΥΧοϲϳ")  # Cyrillic and Greek: they look like Latin
_WORD = re.compile(r"[^\W\d_]+")


def odd_sign(text: str, lines: bool = False) -> str:
    """The first character that hides what a text says, as "U+202E"; "" if there is none. `lines`: line ends and tabs
    are none."""
    found = _CONTROL.search(text.translate(_LINES) if lines else text) or _INVISIBLE.search(text)
    return f"U+{ord(found[0]):04X}" if found else ""


def look_alike(text: str) -> str:
    """The first word of Latin letters in which another letter looks like one of them; "" if there is none."""
    if text.isascii():
        return ""
    words = (word for word in _WORD.findall(text) if _ALIKE & set(word))
    return next((str(word) for word in words if any(_is_latin(letter) for letter in word)), "")


def _is_latin(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith("LATIN ")


def check_plain(what: str, text: str, lines: bool = False) -> None:
    """Raises a ValueError for a text with a hidden character, or with a word of letters that look like others."""
    if sign := odd_sign(text, lines):
        raise ValueError(f"{what} should be a text without control or invisible characters, found {sign}")
    if word := look_alike(text):
        raise ValueError(
            f"{what} should not mix letters that look alike: {word.encode('ascii', 'backslashreplace').decode()!r:.80} "
            "has Latin letters and others"
        )


def shown(name: str) -> str:
    """The name with every hidden character as its code: "a\\u202eb" for a file of that name."""
    return "".join(sign if not odd_sign(sign) and sign.isprintable() else _code(sign) for sign in name)


def _code(sign: str) -> str:
    return sign.encode("unicode_escape", "backslashreplace").decode() if not 0xD800 <= ord(sign) < 0xE000 else "?"


_LINES = str.maketrans("", "", "\n\t")
