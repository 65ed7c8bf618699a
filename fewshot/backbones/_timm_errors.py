"""The errors that timm raises when it builds or runs a network, and their first line."""

from __future__ import annotations

from fewshot.files.quoting import shortened

BUILDING = (ArithmeticError, AssertionError, AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError)


def first_line(error: BaseException) -> str:
    """The first line of an error's text, without its full stop, at most 400 characters of it; the error's class if it
    has no text."""
    return shortened((str(error).strip().splitlines() or [type(error).__name__])[0].rstrip("."), 400)
