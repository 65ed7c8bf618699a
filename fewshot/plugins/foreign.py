"""Errors of code from outside in one sentence: what was raised, in which file and line, and by which class."""

from __future__ import annotations

import re
import sys
import sysconfig
import traceback
from collections.abc import Iterable
from pathlib import Path

_OWN = Path(__file__).resolve().parent.parent
_KNOWN = (_OWN, _OWN.parent / "benchmarks", Path(sysconfig.get_path("stdlib")).resolve())  # benchmarks: of a checkout
_INSTALLED = {"site-packages", "dist-packages"}
_DOTTED = re.compile(r"([A-Za-z_][\w.]*):([A-Za-z_]\w*)")


def concerns(error: BaseException, texts: Iterable[str]) -> bool:
    """Whether an error passed a user's code, or specs in `texts` name a class of it."""
    return bool(_place(error) or _classes(texts))


def sentence(error: BaseException, texts: Iterable[str] = ()) -> str:
    """What an error was, and where in a user's code: "TypeError: ... in own.py, line 12 (fit)", and the classes from
    outside that these specs name."""
    text = " ".join(str(error).split())
    raised = f"{type(error).__name__}: {text}" if text else type(error).__name__
    where, classes = _place(error), _classes(texts)
    cause = "; the cause may be " + " or ".join(f"{name} ({file})" for name, file in classes.items())
    return f"{raised}{f' in {where}' if where else ''}{cause if classes else ''}"


def home_of(member: object) -> str:
    """Where the class of a member is, to end a sentence: "; its class is in own.py"; "" for one of fewshot."""
    file = getattr(sys.modules.get(type(member).__module__), "__file__", None)
    return f"; its class is in {file}" if file and _is_outside(file) else ""


def _place(error: BaseException) -> str:
    """The last file and line of a user's code that an error passed; "" if it passed none."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if _is_outside(frame.filename):
            return f"{frame.filename}, line {frame.lineno} ({frame.name})"
    return ""


def _classes(texts: Iterable[str]) -> dict[str, str]:
    """The files of the classes from outside that specs name, by their dotted names."""
    files: dict[str, str] = {}
    for module, name in (match for text in texts for match in _DOTTED.findall(text)):
        file = getattr(sys.modules.get(module), "__file__", None)
        if file and _is_outside(file) and hasattr(sys.modules[module], name):
            files[f"{module}:{name}"] = file
    return files


def _is_outside(file: str) -> bool:
    """Whether a file is neither fewshot's nor Python's nor of an installed package."""
    path = Path(file).absolute()
    return (
        path.is_file()
        and not _INSTALLED & set(path.parts)
        and not any(path.resolve().is_relative_to(folder) for folder in _KNOWN)
    )
