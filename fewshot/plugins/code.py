"""A digest of the code of a member from outside: its source, and the source of the modules beside it that it imports.

If you edit an evaluator or one of its helpers, its runs get new ids. Modules are "beside" it if they lie below the
folder of the member's own module, or in the same installed package. The digest ignores imports by a computed name, data
files that the code reads, and other installed packages.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import inspect
import logging
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType
from typing import Any

_INSTALLED = ("site-packages", "dist-packages")
_OWN = "fewshot"
_PLAIN = (type(None), bool, int, float, complex, str, bytes)
_log = logging.getLogger("fewshot")


def code_digest(module: str, cls: type[Any] | None = None) -> str:
    """16 hex digits of the source of a module and of the modules beside it that it imports.

    A module without a file (a notebook) gets the digest of the class `cls`. Without any source the digest is a new
    one in every process, and fewshot warns.
    """
    file = file_of(module)
    if file is not None:
        return _digest_of_files(module, file)
    source = "" if cls is None else _source_of_methods(cls)
    if source:
        return hashlib.sha256(source.encode()).hexdigest()[:16]
    return _unknown(module)


def function_digest(function: Callable[..., Any]) -> str:
    """16 hex digits of a function: its source, that of the functions beside it that it names, and the values that both
    use. A function with values that fewshot cannot read gets a new digest every time, so that no result of another one
    is taken for its own."""
    sha = hashlib.sha256()
    for part in _parts_of(function, set()):
        sha.update(part.encode() + b"\0")
    return sha.hexdigest()[:16]


def _parts_of(function: Any, known: set[int]) -> Iterator[str]:
    """The texts that a function is made of."""
    if id(function) in known:
        return
    known.add(id(function))
    if not inspect.isfunction(function):
        yield uuid.uuid4().hex
        return
    try:
        yield inspect.getsource(function)
    except (OSError, TypeError):
        yield _bytecode(function.__code__)
    if function.__name__ == "<lambda>":  # several may stand on one line
        yield _bytecode(function.__code__)
    try:
        used = inspect.getclosurevars(function)
    except ValueError:  # a variable of the closure is empty yet
        yield uuid.uuid4().hex
        return
    defaults = {"defaults": function.__defaults__, "keywords": function.__kwdefaults__}
    for name, value in sorted([*used.nonlocals.items(), *used.globals.items(), *defaults.items()]):
        yield name
        if inspect.isfunction(value) and value.__module__ == function.__module__:
            yield from _parts_of(value, known)
        else:
            yield _value_text(value)


def _bytecode(code: CodeType) -> str:
    """What Python runs, with the functions inside."""
    held = (_bytecode(value) if isinstance(value, CodeType) else repr(value) for value in code.co_consts)
    return f"{code.co_code.hex()} {code.co_names} {' '.join(held)}"


def _value_text(value: Any) -> str:
    """A text that two values share only if they are the same: plain values, modules, and what modules define."""
    if isinstance(value, _PLAIN):
        return repr(value)
    if isinstance(value, tuple | list | dict):
        items = value.items() if isinstance(value, dict) else value
        return f"{type(value).__name__}({', '.join(map(_value_text, items))})"
    if inspect.ismodule(value):
        return f"{value.__name__} {getattr(value, '__version__', '')}"
    if inspect.isroutine(value) or inspect.isclass(value):
        module, name = str(value.__module__), str(value.__qualname__)
        return f"{module}.{name}" if "<locals>" not in name and module != "__main__" else uuid.uuid4().hex
    return uuid.uuid4().hex


def file_of(module: str) -> Path | None:
    """The source file of a module, found without importing it, in the working folder too; None if there is none."""
    search_here()
    if module in sys.modules:
        origin = getattr(sys.modules[module], "__file__", None)
    else:
        try:
            importable = importlib.util.find_spec(module)
        except (ImportError, ValueError, AttributeError):
            return None
        origin = None if importable is None else importable.origin
    return Path(origin) if origin and Path(origin).suffix == ".py" and Path(origin).is_file() else None


def search_here() -> None:
    """Lets imports find modules in the working folder, after all other folders."""
    if str(Path.cwd()) not in sys.path and "" not in sys.path:
        sys.path.append(str(Path.cwd()))


def _digest_of_files(module: str, file: Path) -> str:
    parts = [] if module == "__main__" else module.split(".")
    is_package = file.name == "__init__.py"
    root = file.parents[len(parts) - 1 + is_package] if parts else file.parent
    top = parts[0] if set(_INSTALLED) & set(root.parts) else None
    name = module if parts else file.stem
    sha = hashlib.sha256()
    for path in sorted(_reached(root, name, file, top)):
        sha.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return sha.hexdigest()[:16]


def _reached(root: Path, module: str, file: Path, top: str | None) -> set[Path]:
    """The files of a module and of all modules beside it that it reaches by imports."""
    files: set[Path] = set()
    waiting = [(module, file)]
    while waiting:
        name, path = waiting.pop()
        if path in files:
            continue
        files.add(path)
        for imported in _imports(name, path, path.stat().st_mtime_ns):
            beside = _file_beside(root, imported, top)
            if beside is not None:
                waiting.append((imported, beside))
    return files


def _file_beside(root: Path, module: str, top: str | None) -> Path | None:
    """The source file of a module below the root; None for all other modules."""
    parts = module.split(".")
    if parts[0] == _OWN or top not in (None, parts[0]):
        return None
    for path in (root.joinpath(*parts).with_suffix(".py"), root.joinpath(*parts, "__init__.py")):
        if path.is_file() and not set(_INSTALLED) & set(path.relative_to(root).parts):
            return path
    return None


@functools.lru_cache(maxsize=1024)
def _imports(module: str, path: Path, changed: int) -> tuple[str, ...]:
    """The names of all modules that a file may import, with parent packages: `from a import b` gives "a.b" and "a"."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):  # importing the file fails anyway
        return ()
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = [*filter(None, above), *filter(None, [node.module])]
            names += [".".join([*base, alias.name]) for alias in node.names]
    return tuple(parent for name in names for parent in _with_parents(name))


def _with_parents(module: str) -> Iterator[str]:
    parts = module.split(".")
    for length in range(1, len(parts) + 1):
        yield ".".join(parts[:length])


def _source_of_methods(cls: type[Any]) -> str:
    try:
        functions = [value for value in vars(cls).values() if inspect.isfunction(value)]
        return "\n".join(inspect.getsource(function) for function in functions if function.__module__ == cls.__module__)
    except (OSError, TypeError):
        return ""


@functools.cache
def _unknown(module: str) -> str:
    _log.warning("fewshot finds no source of %s, so it cannot recognise its finished runs and repeats them", module)
    return uuid.uuid4().hex[:16]
