"""Parts of compiled loops have no way in from Python: a call would end the process. Only compiled loops name them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.checkout import ROOT

LOOPS = ROOT / "fewshot" / "solvers" / "compiled"


def parts() -> set[tuple[str, str]]:
    """The module and the name of every part."""
    return {
        (path.stem, node.name)
        for path in LOOPS.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
        and any(ast.unparse(mark) == "compiled_part" for mark in node.decorator_list)
    }


def names_of(source: str) -> Iterator[tuple[str, str]]:
    """Modules and the names that a source takes from them, by import or as an attribute."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module.rpartition(".")[2], alias.name) for alias in node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield node.value.id, node.attr


def calls_from_python(path: Path) -> set[tuple[str, str]]:
    return parts() & set(names_of(path.read_text()))


def test_python_names_no_part_of_a_loop() -> None:
    assert ("newton", "minimise") in parts()
    files = [path for room in ("fewshot", "tests", "benchmarks") for path in (ROOT / room).rglob("*.py")]
    outside = [path for path in files if LOOPS not in path.parents]
    assert {path.name: named for path in outside if (named := calls_from_python(path))} == {}


def test_a_call_would_be_seen() -> None:
    imported = "from fewshot.solvers.compiled.newton import minimise"
    taken = "from fewshot.solvers.compiled import matrices\nmatrices.inner(1, 2)"
    assert ("newton", "minimise") in names_of(imported)
    assert ("matrices", "inner") in names_of(taken)
