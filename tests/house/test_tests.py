"""tests/ mirrors fewshot/ folder for folder, and tests share only what lies in tests/support/."""

from __future__ import annotations

import ast
import re

import pytest

from tests.support.checkout import ROOT

TESTS = ROOT / "tests"
FILES = sorted(path.relative_to(TESTS) for path in TESTS.rglob("*.py"))
OF_NO_ROOM = {
    "docs",
    "data",
    "benchmarks",
    "faults",
    "house",
    "support",
    "rows",
}  # folders that test what lies outside fewshot/
IN_STRINGS = re.compile(r"\btests(?:\.\w+)+")  # code for another process, or a spec such as package.module:Class


def modules_named(code: str) -> set[str]:
    """The modules that code imports, anywhere in it, and those of tests/ that its strings name."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= set(IN_STRINGS.findall(node.value))
    return found


def refused(code: str) -> list[str]:
    """The modules that no test may name: those of tests/, unless they lie in tests/support/."""
    of_tests = {name for name in modules_named(code) if re.match(r"\.|tests\b", name)}
    return sorted(name for name in of_tests if not re.match(r"tests\.support\b", name))


def test_no_test_imports_another() -> None:
    found = {str(file): refused((TESTS / file).read_text(encoding="utf-8")) for file in FILES}
    assert not {file: names for file, names in found.items() if names}, "move what they share to tests/support/"


@pytest.mark.parametrize(
    "code",
    [
        "import {}.runs.test_specs",
        "from {} import conftest",
        "from {}.runs import *",
        "def inside():\n    from {}.runs.test_specs import spec",
        "code = 'from {}.runs.test_specs import spec; print(spec)'",
        "spec = f'{}.runs.test_solving:Names({{1}})'",
        "from .test_specs import spec",
        "from . import test_specs",
    ],
)
def test_an_import_of_another_test_is_found_wherever_it_hides(code: str) -> None:
    assert refused(code.format("tests"))


@pytest.mark.parametrize("code", ["from {}.support.checkout import ROOT", "from fewshot import run", "a = '{}.'"])
def test_other_imports_are_not_refused(code: str) -> None:
    assert not refused(code.format("tests"))


def test_every_folder_is_one_of_fewshot() -> None:
    folders = {file.parent for file in FILES if file.parts[0] not in OF_NO_ROOM}
    strangers = sorted(str(folder) for folder in folders if not (ROOT / "fewshot" / folder / "__init__.py").is_file())
    assert not strangers, f"no such folders in fewshot/: {strangers}; move their tests to the folder of what they test"
