"""What a source reads and imports beside its import statements: files by name, and what nobody can tell from it."""

from __future__ import annotations

import ast
import dis
import functools
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

from fewshot.files.regular import check_regular

_READERS = {  # functions and methods that read a file which an argument, or the object, names
    "open", "read_text", "read_bytes", "load", "loadtxt", "genfromtxt", "fromfile", "memmap", "loadmat", "load_file",
    "safe_open", "read_csv", "read_table", "read_json", "read_parquet", "read_pickle", "read_excel", "imread",
    "urlopen",
}  # fmt: skip
_IMPORTERS = {"import_module", "__import__"}
_RUNNERS = {
    "exec", "eval", "run_path", "run_module", "exec_module", "spec_from_file_location", "SourceFileLoader", "reload",
}  # fmt: skip
_ONLY_NAMES = {"exec", "eval"}  # methods of these names do something else: network.eval()
_MODE = re.compile(r"(?=[rbt+U]*[wax])[rwaxbt+U]{1,3}")  # of a file that is written
_LARGE = 1 << 26  # bytes: of a larger file, size and time stand for the content


@dataclass(frozen=True)
class Reading:
    """A place in a source that reads a file or imports a module, and the texts there that may name it."""

    place: str
    imports: bool
    names: tuple[str, ...]

    def files(self, folders: tuple[Path, ...]) -> set[Path]:
        """The files in these folders that the texts name."""
        names = {*self.names, "/".join(self.names)}
        return {folder / name for folder in folders for name in names if name and os.path.isfile(folder / name)}


def readings_of(path: Path) -> tuple[Reading, ...]:
    """All readings of a source file, but for those below `if __name__ == "__main__":`."""
    return _readings(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=1024)
def _readings(path: Path, changed: int) -> tuple[Reading, ...]:
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):  # importing the file fails anyway
        return ()
    tree.body = [node for node in tree.body if not (isinstance(node, ast.If) and "__main__" in ast.unparse(node.test))]
    known = _assigned(tree)
    return tuple(
        Reading(f"{name}() in {path.name}, line {call.lineno}", name in _IMPORTERS, _names(call, name, known))
        for call, name in _calls(tree)
    )


def _calls(tree: ast.Module) -> Iterator[tuple[ast.Call, str]]:
    """The calls that read, import or run something, with the last part of the function's name."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        is_method = isinstance(node.func, ast.Attribute)
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        reads = name in _READERS and not _writes(node) and (name != "load" or bool(node.args))
        if reads or name in _IMPORTERS or (name in _RUNNERS and not (is_method and name in _ONLY_NAMES)):
            yield node, name


def _writes(call: ast.Call) -> bool:
    """Whether a file is opened to be written."""
    given = call.args[: 2 if isinstance(call.func, ast.Name) else 1]
    given = [*given, *(word.value for word in call.keywords if word.arg == "mode")]
    last = given[-1] if given and (isinstance(call.func, ast.Attribute) or len(given) > 1) else None
    return isinstance(last, ast.Constant) and bool(_MODE.fullmatch(str(last.value)))


def _names(call: ast.Call, name: str, known: dict[str, list[ast.expr]]) -> tuple[str, ...]:
    """The texts in a call and in the values of its variables. A module is named by the first argument alone, and code
    that is run by nothing."""
    if name in _RUNNERS:
        return ()
    if name in _IMPORTERS:
        first = call.args[0] if len(call.args) == 1 else None
        return (first.value,) if isinstance(first, ast.Constant) and isinstance(first.value, str) else ()
    return tuple(_texts(call, known, 3))


def _texts(expression: ast.expr, known: dict[str, list[ast.expr]], depth: int) -> Iterator[str]:
    for node in ast.walk(expression):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.Name) and depth:
            for value in known.get(node.id, ()):
                yield from _texts(value, known, depth - 1)


def _assigned(tree: ast.Module) -> dict[str, list[ast.expr]]:
    """The expressions that are assigned to each name anywhere in a source."""
    known: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            pairs = [(target, node.value) for target in node.targets]
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            pairs = [(node.target, node.value)]
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            pairs = [(node.optional_vars, node.context_expr)]
        else:
            continue
        for target, value in pairs:
            if isinstance(target, ast.Name):
                known.setdefault(target.id, []).append(value)
    return known


def reads_unknown(code: CodeType) -> bool:
    """Whether a function reads a file, imports by a computed name, or runs text."""
    for step in dis.get_instructions(code):
        is_attribute = step.opname in ("LOAD_ATTR", "LOAD_METHOD")
        if step.argval in _ONLY_NAMES and is_attribute:
            continue
        is_name = is_attribute or step.opname in ("LOAD_GLOBAL", "LOAD_NAME")
        if is_name and step.argval in _READERS | _IMPORTERS | _RUNNERS:
            return True
    return any(reads_unknown(inner) for inner in code.co_consts if isinstance(inner, CodeType))


def imported_by(code: CodeType) -> set[str]:
    """The modules that a function imports in its body."""
    steps = dis.get_instructions(code)
    names = {str(step.argval) for step in steps if step.opname == "IMPORT_NAME" and step.argval}
    return names.union(*(imported_by(inner) for inner in code.co_consts if isinstance(inner, CodeType)))


def names_in(code: CodeType) -> set[str]:
    """The global names and attributes that a function uses, with those of the functions inside."""
    return set(code.co_names).union(*(names_in(inner) for inner in code.co_consts if isinstance(inner, CodeType)))


def content_of(path: Path) -> bytes:
    """A digest of the content of a file; of a large one, of its size and time."""
    status = os.stat(check_regular(path))
    return _content(path, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@functools.lru_cache(maxsize=256)
def _content(path: Path, size: int, *times: int) -> bytes:
    if size > _LARGE:
        return f"{size} {times[0]}".encode()
    return hashlib.sha256(path.read_bytes()).digest()
