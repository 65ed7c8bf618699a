"""Benchmarks: suites of runs, and scripts that measure speed, memory and coverage.

A suite is a file `<suite>.py` with a function `suite()`, which yields the runs of `fewshot bench <suite>`.
May import: everything of fewshot, and other files of this folder.
A new suite: one file; `fewshot list suites` shows the first paragraph of its docstring. The docstring of a script says
how to run it.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from fewshot.plugins.suggestions import hint

if TYPE_CHECKING:
    from fewshot.runs.specs import RunSpec

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """The sorted names of the suites in this folder, found without importing them."""
    bodies = {path.stem: _parse(path).body for path in FOLDER.glob("[a-z]*.py")}
    return sorted(name for name, body in bodies.items() if "suite" in {getattr(node, "name", "") for node in body})


def summary(name: str) -> str:
    """The first paragraph of a suite's docstring, read without importing it."""
    return " ".join((ast.get_docstring(_parse(FOLDER / f"{name}.py")) or "").split("\n\n")[0].split())


def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def load(suite: str) -> Callable[[], Iterator[RunSpec]]:
    """The function `suite` of a suite in this folder, or of a file "path/to/own.py"."""
    module = _from_file(Path(suite)) if suite.endswith(".py") else _from_folder(suite)
    function = getattr(module, "suite", None)
    if not callable(function):
        raise ValueError(f"{suite} holds no suite; add a function suite() that yields RunSpecs")
    return lambda: _checked(suite, function)


def _checked(suite: str, function: Callable[[], object]) -> Iterator[RunSpec]:
    """The runs of a suite; a ValueError for anything else that it yields."""
    from fewshot.runs.specs import RunSpec

    runs = function()
    if not isinstance(runs, Iterable):
        raise ValueError(f"suite() of {suite} returns {runs!r:.60}; yield one RunSpec for each run")
    for run in runs:
        if not isinstance(run, RunSpec):
            raise ValueError(
                f"suite() of {suite} yields {run!r:.60}, which is no RunSpec; yield, for example, "
                "RunSpec(dataset='Icons', backbone='RawPixels()', evaluator='Prototype')"
            )
        yield run


def _from_folder(name: str) -> ModuleType:
    if name not in names():
        near = hint(name, names())
        raise ValueError(f"unknown suite {name!r}; known: {', '.join(names())}, or a path to a .py file.{near}")
    return importlib.import_module(f"fewshot.benchmarks.{name}")


def _from_file(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ValueError(f"there is no suite file {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
