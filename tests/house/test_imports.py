"""Imports point one way, in no circle, and `import fewshot` is instant."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import fewshot

ROOT = Path(fewshot.__file__).parent

# From the ground up: a room imports, at its top level, only rooms of lower floors. Rooms of one floor may import each
# other (a folder its own package), in no circle.
FLOORS = [
    {
        "files",
        "csv_files",
        "draws",
        "names",
        "presets",
        "statistics",
        "comparison",
        "decoding",
        "folding",
        "vectors",
        "compiled",
        "grids",
    },
    {"plugins", "episodes", "episode_lists"},
    {"datasets", "scoring", "logistic", "gram", "squared_hinge", "similarity", "transforms", "provenance"}
    | {"summaries", "seen_classes"}
    | {"class_similarity"},
    {"splits", "images", "results", "pairing", "over_sets", "episode_tables", "measures"}
    | {"learn2learn_tasks"}
    | {"duplicates"},
    {"samplers", "backbones", "specs", "selection", "guards"},
    {"embedding", "feature_files", "features", "evaluators", "tuning", "further_views", "scaling"},
    {"learners", "solving", "laws", "columns", "pretraining", "distances", "report"},
    {"runs", "evaluation"},
    {"commands", "cli", "__main__"},
]
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

# What a room imports of fewshot at run time, anywhere in it, where that is less than its floor allows.
ONLY = {
    "episodes": {"files"},
    "episode_lists": {"files", "episodes"},
    "statistics": set(),
    "comparison": {"statistics"},
    "vectors": set(),
    "csv_files": set(),
    "class_similarity": {"csv_files", "datasets", "episodes"},
    "grids": set(),
    "compiled": {"compiled"},
    "logistic": {"compiled", "gram"},
    "gram": {"compiled"},
    "squared_hinge": set(),
    "similarity": {"compiled"},
    "summaries": {"compiled"},
    "transforms": {"transforms"},
    "evaluators": {"evaluators", "episodes", "images", "tuning", "further_views", "compiled", "grids"}
    | {"logistic", "gram", "similarity", "squared_hinge"},
    "tuning": {"tuning", "draws", "embedding", "episodes", "evaluators", "gram", "images", "logistic"},
    "scoring": {"episodes", "files"},
    "measures": {"measures", "episodes", "scoring", "statistics"},
    "results": {"files", "scoring"},
    "scaling": {"scaling", "draws", "files", "plugins"},
}


def modules() -> dict[str, ast.Module]:
    """The syntax tree of every module of the package, by its dotted name."""
    paths = {path: path.relative_to(ROOT.parent).with_suffix("").parts for path in sorted(ROOT.rglob("*.py"))}
    return {
        ".".join(parts[:-1] if parts[-1] == "__init__" else parts): ast.parse(path.read_text(encoding="utf-8"))
        for path, parts in paths.items()
    }


MODULES = modules()


def statements(node: ast.AST, inside_functions: bool) -> list[ast.Import | ast.ImportFrom]:
    """The imports below a node that happen at run time: not those under `if TYPE_CHECKING`."""
    found = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.Import | ast.ImportFrom):
            found.append(child)
        elif inside_functions or not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            found += statements(child, inside_functions)
    return found


def imported(module: str, inside_functions: bool = False) -> set[str]:
    """The dotted names of the modules that a module imports."""
    names = set()
    for statement in statements(MODULES[module], inside_functions):
        if isinstance(statement, ast.Import):
            names |= {alias.name for alias in statement.names}
        else:
            assert statement.level == 0, f"{module}: relative imports are not used here"
            whole = {f"{statement.module}.{alias.name}" for alias in statement.names}
            names |= {name if name in MODULES else str(statement.module) for name in whole}
    return names - {module}


def room(module: str) -> str:
    """The first part of the name inside the package: "evaluators" of fewshot.evaluators.prototype."""
    return module.split(".")[1]


OWN = [m for m in MODULES if m != "fewshot"]


def test_every_module_has_a_floor():
    assert {room(m) for m in OWN} == set(FLOOR_OF)


@pytest.mark.parametrize("module", OWN)
def test_imports_point_down(module):
    for name in imported(module):
        if name in MODULES and name != "fewshot":
            assert FLOOR_OF[room(name)] <= FLOOR_OF[room(module)], f"{module} imports {name} of a floor above"


@pytest.mark.parametrize("module", [m for m in OWN if room(m) in ONLY])
def test_evaluators_and_measures_know_only_their_own_ground(module):
    known = {room(name) for name in imported(module, inside_functions=True) if name in MODULES}
    assert known <= ONLY[room(module)] | {room(module)}


def test_no_imports_go_in_a_circle():
    TopologicalSorter({m: imported(m) & set(MODULES) for m in MODULES}).prepare()  # a CycleError names the circle


@pytest.mark.parametrize("name", ["fewshot", "fewshot.cli"])
def test_importing_it_loads_no_library(name):
    code = f"import sys, {name}; print(sorted({{m.split('.')[0] for m in sys.modules}} & set({HEAVY!r})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


HEAVY = ["numba", "numpy", "torch", "timm", "torchvision", "sklearn", "scipy", "matplotlib", "PIL", "jinja2"]


@pytest.mark.parametrize("name", fewshot.__all__)
def test_a_public_name_resolves_and_says_what_it_is(name):
    thing = getattr(fewshot, name)
    assert thing.__name__ == name
    text = inspect.getdoc(thing)
    assert text
    assert not text.startswith(f"{name}("), "this is the docstring that dataclass writes where there is none"


def test_an_unknown_public_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'fewshot' has no attribute 'Protoype'"):
        fewshot.Protoype  # noqa: B018


def test_all_and_dir_name_the_same_things():
    assert dir(fewshot) == sorted(fewshot.__all__)
    assert set(fewshot._MODULE_OF) == set(fewshot.__all__)


PUBLIC_ROOMS = [
    "runs", "specs", "learners", "solving", "scoring", "results", "statistics", "logistic", "gram", "squared_hinge",
    "similarity", "laws", "images", "presets", "provenance", "evaluators", "transforms", "tuning", "grids", "selection",
    "further_views", "scaling", "measures", "pretraining", "distances",
]  # fmt: skip


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
