"""Nobody asks the text of a spec anything: it is read into an object, and what is asked of a member its file declares.

Only fewshot/plugins/ takes the texts of specs apart. Elsewhere a test of such a text is a second parser, which goes
wrong without notice when a member is renamed, gets a field, or comes from another package.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import fewshot
from fewshot.plugins.registry import LISTED, REGISTRIES

ROOT = Path(fewshot.__file__).parent
FILES = [path for path in sorted(ROOT.rglob("*.py")) if path.relative_to(ROOT).parts[0] != "plugins"]

MEMBERS = {LISTED.name, *(name for registry in REGISTRIES for name in registry.names())}
COLUMNS = {"dataset", "split", "backbone", "transform", "evaluator", "sampler", "selection", "selection_rule"}
MATCHING = {"startswith", "endswith", "removeprefix", "removesuffix"}
CUTTING = {"partition", "rpartition", "split", "rsplit", "find", "rfind", "index", "rindex", "count"}
BEGINNING = re.compile(r"([A-Z]\w*)(\(.*)?", re.DOTALL)  # of the text of a spec


def begins_a_spec(text: object) -> bool:
    """Whether a literal is the name of a member, or a text that begins like its spec."""
    found = BEGINNING.fullmatch(text) if isinstance(text, str) else None
    return found is not None and found[1] in MEMBERS


def literals(node: ast.AST, constants: dict[str, ast.expr]) -> list[object]:
    """The literals that an expression holds, itself or in a tuple, list, set or dict; module constants looked up."""
    if isinstance(node, ast.Name) and node.id in constants:
        node = constants[node.id]
    parts = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else [node]
    return [part.value for part in parts if isinstance(part, ast.Constant)]


def is_spec_column(node: ast.AST) -> bool:
    """Whether an expression is a column of a row that holds the text of a spec: `row.sampler`, `row["sampler"]`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "str" and node.args:
        return is_spec_column(node.args[0])
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return node.slice.value in COLUMNS
    return isinstance(node, ast.Attribute) and node.attr in COLUMNS


def asks_a_text(node: ast.AST, constants: dict[str, ast.expr]) -> bool:
    """Whether an expression asks the text of a spec something."""
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        words = [word for side in sides for word in literals(side, constants)]
        contains = any(isinstance(operator, ast.In | ast.NotIn) for operator in node.ops)
        inside = contains and any(is_spec_column(side) for side in node.comparators)
        return any(map(begins_a_spec, words)) or "(" in words or (inside and any(isinstance(w, str) for w in words))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        words = [word for argument in node.args for word in literals(argument, constants)]
        if node.func.attr in MATCHING:
            return is_spec_column(node.func.value) or any(map(begins_a_spec, words)) or bool({"(", ")"} & {*words})
        return node.func.attr in CUTTING and ((is_spec_column(node.func.value) and bool(words)) or "(" in words)
    if isinstance(node, ast.Dict):  # a table that is looked up by the texts of specs
        return any(isinstance(key, ast.Constant) and begins_a_spec(key.value) and "(" in key.value for key in node.keys)
    return isinstance(node, ast.MatchValue) and any(map(begins_a_spec, literals(node.value, constants)))


def asked_texts(source: str) -> Iterator[ast.AST]:
    """The places in a file that ask the text of a spec something."""
    tree = ast.parse(source)
    constants = {
        target.id: statement.value
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    yield from (node for node in ast.walk(tree) if asks_a_text(node, constants))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_text_of_a_spec_is_asked_anything(path: Path) -> None:
    found = [f"line {node.lineno}: {ast.unparse(node)[:100]}" for node in asked_texts(path.read_text(encoding="utf-8"))]
    assert not found, "read it into a Spec, and let the member declare what is asked of it"


@pytest.mark.parametrize(
    "source",
    [
        'if row.sampler.startswith("Listed"): pass',
        'x = row.sampler.startswith(("Hierarchical", "VariableWayShot"))',
        'KINDS = ("Hierarchical", "VariableWayShot")\nx = text.startswith(KINDS)',
        "x = [row for row in rows if row.sampler.startswith(prefix)]",
        'x = "oracle" in row.selection',
        "x = 1 if transform == 'Identity()' else 2",
        'x = transform in ("", "Identity")',
        "while str(row['transform']) != \"L2()\": pass",
        'x = spec.partition("(")[0]',
        'x = a and spec.rstrip().endswith(")")',
        'x = "(" in data',
        "x = row.backbone.split(' ')",
        "x = {\"Icons(domain='mono')\": 'icons mono'}.get(dataset)",
        'match name:\n    case "LinearProbe": pass',
    ],
)
def test_every_way_to_ask_a_text_is_found(source: str) -> None:
    assert list(asked_texts(source))


@pytest.mark.parametrize(
    "source",
    [
        'x = specs_of(row).sampler.declares("from_file")',
        'x = row.status == "failed" and row.classes in ("novel", "")',
        "x = row.backbone == other.backbone",
        'x = spec.split is None or images.split(",")',
        'SAMPLERS.spec("Balanced()")',
        'x = sentence.startswith("Image sizes")',
    ],
)
def test_what_asks_no_text_of_a_spec_is_let_be(source: str) -> None:
    assert not list(asked_texts(source))
