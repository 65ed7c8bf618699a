"""Imports point one way, in no circle, and `import fewshot` is instant."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import fewshot
from fewshot.plugins.registry import REGISTRIES

ROOT = Path(fewshot.__file__).parent

# From the ground up: a room imports rooms of lower floors only, for types too. Rooms of one floor stand apart.
FLOORS = [
    {"files", "statistics"},
    {"plugins", "solvers"},
    {"episodes"},
    {"datasets"},
    {"splits", "samplers"},
    {"results"},
    {"measures", "backbones", "protocols"},
    {"transforms", "features"},
    {"evaluators"},
    {"pretraining"},
    {"runs", "scaling"},
    {"report", "work"},
    {"conformance", "notebooks", "sharing"},
    {"commands"},
    {"cli"},
    {"__main__"},
]
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
MOST_FOLDERS = 24  # one for each step of the way from data to a row, its readers, and its workers (work)

# What a room imports of fewshot, where that is less than its floor allows.
ONLY = {
    "statistics": set(),
    "plugins": {"files"},
    "files": set(),
    "solvers": set(),
    "episodes": {"files", "plugins"},
    "splits": {"datasets", "episodes", "files", "plugins"},
    "samplers": {"datasets", "episodes", "files", "plugins", "statistics"},
    "measures": {"episodes", "plugins", "results", "statistics"},
    "results": {"episodes", "files", "plugins"},
    "transforms": {"plugins"},
    "evaluators": {"backbones", "datasets", "episodes", "features", "files", "plugins", "solvers"},
    "scaling": {"episodes", "files", "plugins", "results", "statistics"},
}


def modules() -> dict[str, ast.Module]:
    """The syntax tree of every module of the package, by its dotted name."""
    paths = {path: path.relative_to(ROOT.parent).with_suffix("").parts for path in sorted(ROOT.rglob("*.py"))}
    return {
        ".".join(parts[:-1] if parts[-1] == "__init__" else parts): ast.parse(path.read_text(encoding="utf-8"))
        for path, parts in paths.items()
    }


MODULES = modules()


def imported(module: str) -> set[str]:
    """The dotted names of the modules that a module imports anywhere, under `if TYPE_CHECKING` too."""
    names = set()
    for statement in ast.walk(MODULES[module]):
        if isinstance(statement, ast.Import):
            names |= {alias.name for alias in statement.names}
        elif isinstance(statement, ast.ImportFrom):
            assert statement.level == 0, f"{module}: relative imports are not used here"
            whole = {f"{statement.module}.{alias.name}" for alias in statement.names}
            names |= {name if name in MODULES else str(statement.module) for name in whole}
    return (names & set(MODULES)) - {module, "fewshot"}


def room(module: str) -> str:
    """The first part of the name inside the package: "evaluators" of fewshot.evaluators.prototype."""
    return module.split(".")[1]


OWN = [m for m in MODULES if m != "fewshot"]


def test_every_module_has_a_floor():
    assert {room(m) for m in OWN} == set(FLOOR_OF)


def test_the_root_holds_a_few_files_and_folders():
    files = {path.name for path in ROOT.iterdir() if path.is_file()}
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert files == {"__init__.py", "__init__.pyi", "__main__.py", "cli.py", "py.typed"}
    assert len(folders) <= MOST_FOLDERS


@pytest.mark.parametrize("module", OWN)
def test_imports_point_down(module):
    for name in imported(module):
        if room(name) != room(module):
            assert FLOOR_OF[room(name)] < FLOOR_OF[room(module)], f"{module} imports {name} of the same floor or above"


@pytest.mark.parametrize("module", [m for m in OWN if room(m) in ONLY])
def test_a_room_knows_no_more_than_it_needs(module):
    assert {room(name) for name in imported(module)} <= ONLY[room(module)] | {room(module)}


def test_reports_and_laws_never_reach_runs():
    @cache  # there are half a million ways through the imports
    def reached(name):
        return {name}.union(*map(reached, imported(name)))

    for module in OWN:
        if room(module) in ("report", "scaling"):
            assert "runs" not in {room(name) for name in reached(module)}, module


def test_no_imports_go_in_a_circle():
    TopologicalSorter({m: imported(m) for m in OWN}).prepare()  # a CycleError names the circle


@pytest.mark.parametrize("name", ["fewshot", "fewshot.cli"])
def test_importing_it_loads_no_library(name):
    code = f"import sys, {name}; print(sorted({{m.split('.')[0] for m in sys.modules}} & set({HEAVY!r})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


HEAVY = ["numba", "numpy", "torch", "timm", "torchvision", "sklearn", "scipy", "matplotlib", "PIL", "jinja2"]


@pytest.mark.parametrize("name", dir(fewshot))
def test_a_public_name_resolves_and_says_what_it_is(name):
    thing = getattr(fewshot, name)
    assert thing.__name__ == name
    text = inspect.getdoc(thing)
    assert text
    assert not text.startswith(f"{name}("), "this is the docstring that dataclass writes where there is none"


def test_an_unknown_public_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'fewshot' has no attribute 'Protoype'"):
        fewshot.Protoype  # noqa: B018


def test_the_public_names_are_those_of_the_stub_and_every_member_of_a_folder():
    listed = re.findall(r"import (\w+) as \1", (ROOT / "__init__.pyi").read_text())
    assert sorted(fewshot.__all__) == sorted(listed)
    members = [name for registry in REGISTRIES for name in registry.names()]
    assert len(set(members)) == len(members), "two members of one name"
    assert dir(fewshot) == sorted({*listed, *members})


PUBLIC_ROOMS = sorted(set(FLOOR_OF) - {"commands", "report", "cli", "__main__"})


def undocumented(node: ast.Module | ast.ClassDef, where: str) -> list[str]:
    """Public classes, functions and methods without a docstring; methods of subclasses may inherit theirs."""
    found = []
    for child in node.body:
        if isinstance(child, ast.FunctionDef | ast.ClassDef) and not child.name.startswith("_"):
            inherited = isinstance(node, ast.ClassDef) and bool(node.bases)
            if ast.get_docstring(child) is None and not inherited:
                found.append(f"{where}.{child.name}")
            if isinstance(child, ast.ClassDef):
                found += undocumented(child, f"{where}.{child.name}")
    return found


@pytest.mark.parametrize("module", [m for m in OWN if room(m) in PUBLIC_ROOMS])
def test_public_things_are_documented(module):
    assert undocumented(MODULES[module], module) == []
