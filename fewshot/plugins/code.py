"""A digest of the code of a member from outside: its source, and the source of the modules beside it that it imports.

If you edit an evaluator or one of its helpers, its runs get new ids. Modules are "beside" it if they lie below the
folder of the member's own module, or in the same installed package. Files that the code names where it reads them count
too (plugins/reading.py). Where it reads or imports something by a computed name, nobody can tell what, so the digest is
a new one in every session. Other installed packages, and what they read, do not count.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import inspect
import logging
import os
import sys
import sysconfig
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType
from typing import Any, Literal

from fewshot.plugins.reading import Reading, content_of, imported_by, names_in, readings_of, reads_unknown

Reads = Literal["ignored", "named", "all"]  # files that count: none, those that the code names, or also unknown ones
_INSTALLED = ("site-packages", "dist-packages")
_OWN = "fewshot"
_STANDARD = Path(sysconfig.get_path("stdlib")).resolve()
_SESSION = "FEWSHOT_UNKNOWN_CODE"  # processes that this one starts share its digests
_PLAIN = (type(None), bool, int, float, complex, str, bytes)
_log = logging.getLogger("fewshot")


def code_digest(module: str, cls: type[Any] | None = None, reads: Reads = "named") -> str:
    """16 hex digits of the source of a module and of the modules beside it that it imports, and of the files that they
    read. With `reads="all"`, code that reads or imports by a computed name has a new digest in every session, and
    fewshot warns.

    A module without a file (a notebook) gets the digest of the class `cls`. Without any source the digest is a new
    one in every process, and fewshot warns.
    """
    file = file_of(module)
    if file is not None:
        return _digest_of_files(module, file, reads)
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
    if reads_unknown(function.__code__):
        yield uuid.uuid4().hex
    for module in sorted(filter(_is_own, imported_by(function.__code__))):
        yield code_digest(module, reads="all")
    defaults = {"defaults": function.__defaults__, "keywords": function.__kwdefaults__}
    attributes = names_in(function.__code__)
    used_globals = {name: function.__globals__[name] for name in attributes & set(function.__globals__)}
    for name, value in sorted([*used.nonlocals.items(), *used_globals.items(), *defaults.items()], key=_first):
        yield name
        yield from _parts_of_value(value, function.__module__, attributes, known)


def _parts_of_value(value: Any, home: str, attributes: set[str], known: set[int]) -> Iterator[str]:
    """The texts of a value that a function of the module `home` uses; of a user's module, of its source and of those
    `attributes` that it has."""
    if inspect.isfunction(value) and (value.__module__ == home or _is_own(value.__module__)):
        yield from _parts_of(value, known)
        return
    yield _value_text(value)
    if inspect.isclass(value) and value.__module__ != home and _is_own(value.__module__):
        yield code_digest(value.__module__, reads="all")
    if inspect.ismodule(value) and _is_own(value.__name__) and id(value) not in known:
        known.add(id(value))
        yield code_digest(value.__name__, reads="all")
        for name in sorted(attributes & set(vars(value))):
            yield name
            yield from _parts_of_value(getattr(value, name), value.__name__, attributes, known)


def _first(pair: tuple[str, Any]) -> str:
    return pair[0]


def _is_own(module: str) -> bool:
    """Whether a module is neither fewshot's nor Python's nor of an installed package."""
    file = None if module.partition(".")[0] in (_OWN, "") else file_of(module)
    return file is not None and not set(_INSTALLED) & set(file.parts) and not file.resolve().is_relative_to(_STANDARD)


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


def _digest_of_files(module: str, file: Path, reads: Reads) -> str:
    parts = [] if module == "__main__" else module.split(".")
    is_package = file.name == "__init__.py"
    root = file.parents[len(parts) - 1 + is_package] if parts else file.parent
    top = parts[0] if set(_INSTALLED) & set(root.parts) else None
    name = module if parts else file.stem
    sha = hashlib.sha256()
    reached = sorted(_reached(root, name, file, top))
    for path in reached:
        sha.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    if top is None and reads != "ignored":
        for path in reached:
            for reading in readings_of(path):
                sha.update(_read_by(reading, path.parent, reads))
    return sha.hexdigest()[:16]


def _read_by(reading: Reading, folder: Path, reads: Reads) -> bytes:
    """The content that a place in a source reads, or what stands for it if nobody can tell."""
    if reading.imports and reading.names:
        return b""  # the module counts as an imported one
    files = set() if reading.imports else reading.files((folder, Path.cwd()))
    if files or reads == "named":
        return b"".join(content_of(file) for file in sorted(files))
    _warn_unknown(reading.place)
    return os.environ.setdefault(_SESSION, uuid.uuid4().hex).encode()


@functools.cache
def _warn_unknown(place: str) -> None:
    _log.warning(
        "fewshot cannot know what %s reads or imports, so it does not recognise finished runs of this code in another "
        "session and repeats them; write the name of the file or module there as a text",
        place,
    )


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
    names += [name for reading in readings_of(path) if reading.imports for name in reading.names]
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
