"""A folder is a registry: `evaluators/linear_probe.py` holds `LinearProbe`.

A member is a frozen dataclass of hyperparameters; its *spec* is its repr with every default written
out, such as "LinearProbe(C=1.0)". Specs are parsed, never evaluated. Names, docstrings and fields are
read from the source (`ast`), so that listing members and naming runs imports none of them: a finished
benchmark is recognised without loading torch. Classes from outside join by an entry point (group
"fewshot.evaluators", ...) or by a dotted name, "package.module:Class(C=0.1)".
"""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import difflib
import functools
import hashlib
import importlib
import importlib.util
import inspect
import math
import numbers
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path, PurePath
from typing import Any, TypeAlias

REQUIRED = object()
Dotted = str  # the annotation of a field that names code to import: "package.module:function"
Later: TypeAlias = None  # "int | Later": a field that came after runs were stored; None leaves their ids as they were
_TEXT_OR_DOTTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[A-Za-z_][\w.]*:[A-Za-z_]\w*""")
_PATHS = ("Path", "PosixPath", "WindowsPath")  # what the repr of a member with a Path field says
_LITERALS = (bool, int, float, str, tuple, list, dict)
_MOST_CHARACTERS = 10_000  # of a spec; Python's parser has its own limits, and some of them end the process


@dataclass(frozen=True)
class Parameter:
    """A hyperparameter: its name, the text of its annotation and its default (or REQUIRED)."""

    name: str
    annotation: str
    default: Any

    @property
    def is_path(self) -> bool:
        """Whether values are paths: strings in specs, Path objects in members."""
        return self.annotation.split(" |")[0] == "Path"

    @property
    def is_later(self) -> bool:
        """Whether identities leave it out where it is None."""
        return self.annotation.endswith("| Later")

    def registry(self, own: Registry) -> Registry:
        """Where a member in this field is from, by the class that the annotation names: a member of one kind may hold
        one of another; else it is of its `own` kind."""
        return _OF_BASE.get(self.annotation.split(" |")[0], own)


@dataclass(frozen=True)
class Signature:
    """What is known of a member without importing it, and the module that holds it."""

    name: str
    summary: str
    parameters: tuple[Parameter, ...]
    module: str
    declared: Mapping[str, Any] = dataclasses.field(default_factory=dict)  # literal class attributes

    @property
    def sentence(self) -> str:
        """The first sentence of the summary."""
        return re.split(r"(?<!et al)\. (?=[A-Z`])", self.summary)[0].rstrip(".") + "." if self.summary else ""


@dataclass(frozen=True)
class Call:
    """A parsed spec: a name and its arguments; an argument may be a spec itself."""

    name: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


@dataclass(frozen=True)
class Registry:
    """The members of one kind. `package` is the import name of the folder (or of the one file, where members
    are small) and the entry-point group; it defines the class `base` that all members derive from."""

    kind: str
    package: str
    base: str = "object"

    def names(self) -> list[str]:
        """The sorted names of all members: the folder's first, then those of installed plug-ins."""
        outside = {point.name for point in _points(self.package)} - set(self._folder)
        return sorted(self._folder) + sorted(outside)

    def signature(self, name: str) -> Signature:
        """Name, summary and hyperparameters of a member; an unknown name is a ValueError that lists the known."""
        if name in self._folder:
            return self._folder[name]
        return _signature_of_class(name, self.get(name))

    def get(self, name: str) -> type[Any]:
        """The class of a member, a plug-in or "package.module:Class"."""
        if name in self._folder:
            return getattr(importlib.import_module(self._folder[name].module), name)  # type: ignore[no-any-return]
        if ":" in name:
            return _import_dotted(name, self.kind)
        for point in _points(self.package):
            if point.name == name:
                return _import_dotted(f"{point.module}:{point.attr}", self.kind)
        raise ValueError(self._unknown(name))

    def holds(self, name: str) -> bool:
        """Whether a name is that of a member; of a class outside, whether it derives from the base of this kind."""
        if ":" not in name:
            return name in self.names()
        return issubclass(self.get(name), getattr(importlib.import_module(self.package), self.base))

    def make(self, spec: Any, allow_import: bool = True) -> Any:
        """The object that a spec describes; an object is returned as it is.

        `allow_import=False` refuses dotted names: for specs that were read from a file.
        """
        if not isinstance(spec, str):
            return spec
        return self._build(self._parse(spec), allow_import)

    def canonical(self, spec: Any) -> str:
        """The spec with every default written out: equal for every way to write the same thing."""
        if isinstance(spec, str):
            return self._render(self._parse(spec)) if ":" in spec else _canonical(self, spec)
        return self._render(self._read(spec))

    def varied(self, spec: str, fields: Mapping[str, Any]) -> str:
        """The canonical spec with these fields instead; an unknown field is a ValueError that lists the known."""
        call = self._parse(self.canonical(spec))
        return self._render(replace(call, kwargs={**call.kwargs, **fields}))

    def given(self, spec: str) -> dict[str, Any]:
        """The fields that a spec writes out, by name. Nothing is imported, so specs of any file may be read; places of
        fields without a name are known for the folder's own members alone."""
        call = self._parse(spec)
        known = self._folder[call.name].parameters if call.name in self._folder else ()
        return {**dict(zip([p.name for p in known], call.args, strict=False)), **call.kwargs}

    def paths(self, spec: Any) -> tuple[Path, ...]:
        """Every path that a spec or an object names, those of members inside it too."""
        return tuple(self._paths(self._parse(spec) if isinstance(spec, str) else self._read(spec)))

    def identity(self, spec: str) -> str:
        """The canonical spec with every path replaced by what it holds: files by their sha256, folders dropped
        (their images are named by an images digest), and without fields that came later and are not used. This is what
        run ids are made of. Paths inside a member of another kind, such as the data that a backbone was pre-trained on,
        stay: no digest speaks of them."""
        known = None if ":" in spec else _identity_without_paths(self, spec)
        return self._render(self._parse(spec), as_identity=True) if known is None else known

    def _read(self, value: Any) -> Any:
        """The call that makes an object, and every object among its fields; other values are returned as they are."""
        if isinstance(value, tuple | list):
            return tuple(self._read(item) for item in value)
        if not dataclasses.is_dataclass(value):
            return _plain(value)
        cls: type[Any] = type(value)
        known = cls.__name__ in self.names() and self.get(cls.__name__) is cls
        name = cls.__name__ if known else f"{cls.__module__}:{cls.__name__}"
        held = {f.name: getattr(value, f.name) for f in dataclasses.fields(cls) if f.init}
        kinds = {p.name: p.registry(self) for p in self.signature(name).parameters}
        return Call(name, (), {field: kinds[field]._read(inner) for field, inner in held.items()})

    def _build(self, value: Any, allow_import: bool) -> Any:
        """The object of a call, and of every call among its arguments; other values are returned as they are."""
        if isinstance(value, tuple):
            return tuple(self._build(item, allow_import) for item in value)
        if not isinstance(value, Call):
            return value
        bound = self._bind(value) if allow_import or ":" not in value.name else []
        named = [value.name, *(str(argument) for parameter, argument in bound if parameter.annotation == "Dotted")]
        if not allow_import and any(":" in name for name in named):
            raise ValueError(
                f"the {self.kind} {named[-1]!r} comes from a file and would import code; "
                "pass --allow-import if you trust it"
            )
        arguments = {}
        for parameter, argument in bound:
            built = parameter.registry(self)._build(argument, allow_import)
            arguments[parameter.name] = Path(built) if parameter.is_path and isinstance(built, str) else built
        return self.get(value.name)(**arguments)

    def _render(self, value: Any, as_identity: bool = False, paths_stay: bool = False) -> str:
        """The text of a parsed value, of all fields, or of those that name what it is."""
        if isinstance(value, tuple):
            items = [self._render(item, as_identity, paths_stay) for item in value]
            return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"
        if not isinstance(value, Call):
            return repr(value)
        parts = []
        for parameter, argument in self._bind(value):
            if parameter.is_path and argument is not None:
                argument = _content(str(argument)) if as_identity and not paths_stay else str(argument)
                if argument is None:
                    continue
            if as_identity and parameter.is_later and argument is None:
                continue
            kind = parameter.registry(self)
            inner = kind._render(argument, as_identity, paths_stay=paths_stay or kind is not self)
            parts.append(f"{parameter.name}={inner}")
        return f"{value.name}({', '.join(parts)})"

    def _parse(self, spec: str) -> Call:
        try:
            return _parsed(spec)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise ValueError(
                f"cannot read the {self.kind} {_short(spec)!r}: write Name or Name(field=value, ...) "
                "with numbers, strings, booleans, None and tuples"
            ) from error

    def _bind(self, call: Call) -> list[tuple[Parameter, Any]]:
        """Every field and its argument, defaults filled in, integers made floats where the field is a float."""
        parameters = self.signature(call.name).parameters
        names = [p.name for p in parameters]
        known = ", ".join(names) or "none"
        if len(call.args) > len(parameters):
            raise ValueError(f"{call.name} takes {len(parameters)} arguments ({known}), got {len(call.args)}")
        given = dict(zip(names, call.args, strict=False))
        for name, value in call.kwargs.items():
            if name not in names:
                raise ValueError(f"{call.name} has no field {name!r}; its fields are: {known}")
            if name in given:
                raise ValueError(f"{call.name} was given its field {name!r} twice")
            given[name] = value
        bound = [(p, given.get(p.name, p.default)) for p in parameters]
        for parameter, value in bound:
            if value is REQUIRED:
                raise ValueError(f"{call.name} needs {parameter.name!r} ({parameter.annotation}); none was given")
        return [(p, p.registry(self)._called(_floats(value) if _wants_float(p) else value, p)) for p, value in bound]

    def _paths(self, value: Any) -> Iterator[Path]:
        if isinstance(value, tuple):
            for item in value:
                yield from self._paths(item)
        elif isinstance(value, Call):
            for parameter, argument in self._bind(value):
                if not parameter.is_path:
                    yield from parameter.registry(self)._paths(argument)
                elif argument is not None:
                    yield Path(str(argument))

    def _called(self, value: Any, parameter: Parameter) -> Any:
        """The call that a string stands for in a field that holds a member; other values as they are."""
        named = isinstance(value, str) and parameter.annotation.split(" |")[0] in _OF_BASE
        return self._parse(value) if named else value

    def _unknown(self, name: str) -> str:
        folded = {known.lower(): known for known in self.names()}
        close = difflib.get_close_matches(name.lower(), folded, n=1)
        hint = f" Did you mean {folded[close[0]]}?" if close else ""
        return f"unknown {self.kind} {name!r}; known: {', '.join(self.names())}, or package.module:Class.{hint}"

    @property
    def _folder(self) -> dict[str, Signature]:
        return _read_folder(self.package)


@functools.lru_cache(maxsize=1 << 12)
def _parsed(spec: str) -> Call:
    """The call that a spec writes."""
    if len(spec) > _MOST_CHARACTERS:
        raise ValueError(f"it has more than {_MOST_CHARACTERS} characters")
    plain, dotted = _without_dotted(spec)
    renamed: Call = _renamed(_call(ast.parse(plain.strip(), mode="eval").body), dotted)
    return renamed


@functools.lru_cache(maxsize=1 << 12)
def _canonical(registry: Registry, spec: str) -> str:
    """The canonical text of a spec of named members: a suite asks for the same ones again and again."""
    return registry._render(registry._parse(spec))


@functools.lru_cache(maxsize=1 << 12)
def _identity_without_paths(registry: Registry, spec: str) -> str | None:
    """The identity of a spec of named members; None where it has a path, whose content may change."""
    call = registry._parse(spec)
    return None if any(registry._paths(call)) else registry._render(call, as_identity=True)


def _import_dotted(name: str, kind: str) -> type[Any]:
    module_name, _, class_name = name.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise ValueError(f"the {kind} {name!r} cannot be imported: {error}") from error
    if not isinstance(getattr(module, class_name, None), type):
        raise ValueError(f"the module {module_name!r} has no class {class_name!r}")
    return getattr(module, class_name)  # type: ignore[no-any-return]


def _plain(value: Any) -> Any:
    """A field's value as specs write it: paths as strings, numbers of numpy as those of Python."""
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return value
    return int(value) if isinstance(value, numbers.Integral) else float(value)


def _module_names(class_name: str) -> set[str]:
    """What the file of a class may be called: linear_probe for LinearProbe, tim for TIM, lora for LoRA."""
    return {re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", class_name).lower(), class_name.lower()}


@functools.cache
def _points(group: str) -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=group))


@functools.cache
def _read_folder(package: str) -> dict[str, Signature]:
    """Signatures of the classes of a folder whose file bears their name, or of all dataclasses of one file."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise ValueError(f"there is no package {package!r}")
    if found.submodule_search_locations is None:
        return {s.name: s for s in _signatures(Path(found.origin), package)}
    signatures = {}
    for path in sorted(Path(found.submodule_search_locations[0]).glob("[a-z]*.py")):
        for signature in _signatures(path, f"{package}.{path.stem}"):
            if path.stem in _module_names(signature.name):
                signatures[signature.name] = signature
    return signatures


def _signatures(path: Path, module: str) -> list[Signature]:
    """Signatures of the classes of a file that have a base class: the members, not the helpers."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [_signature_of_source(n, module) for n in tree.body if isinstance(n, ast.ClassDef) and _is_member(n)]


def _is_member(node: ast.ClassDef) -> bool:
    bases = {ast.unparse(base).split("[")[0] for base in node.bases}
    return bool(bases - {"ABC", "Protocol"}) and not node.name.startswith("_") and bool(node.decorator_list)


def _signature_of_source(node: ast.ClassDef, module: str) -> Signature:
    """Reads the dataclass fields of a class statement; their defaults must be literals."""
    parameters = []
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            annotation = ast.unparse(statement.annotation)
            if not annotation.startswith("ClassVar"):
                default = REQUIRED if statement.value is None else _default(statement.value, node.name, module)
                parameters.append(Parameter(statement.target.id, annotation, default))
    summary = (ast.get_docstring(node) or "").split("\n\n")[0].replace("\n", " ")
    return Signature(node.name, summary, tuple(parameters), module, dict(_declared(node)))


def _declared(node: ast.ClassDef) -> Iterator[tuple[str, Any]]:
    """The class attributes of a class statement that are literals, dataclass fields left out."""
    for statement in node.body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target, value = statement.targets[0], statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            if not ast.unparse(statement.annotation).startswith("ClassVar"):
                continue
            target, value = statement.target, statement.value
        else:
            continue
        if isinstance(target, ast.Name):
            with contextlib.suppress(ValueError):  # computed: known to those who import the class
                yield target.id, ast.literal_eval(value)


def _default(node: ast.expr, class_name: str, module: str) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise ValueError(
            f"the defaults of {module}.{class_name} must be literals, because they are read without "
            f"importing it; found {ast.unparse(node)}"
        ) from error


def _signature_of_class(name: str, cls: type[Any]) -> Signature:
    if not dataclasses.is_dataclass(cls):
        raise ValueError(
            f"{name} is not a dataclass; write @dataclass(frozen=True) over the class, its hyperparameters as fields"
        )
    parameters = []
    for field in dataclasses.fields(cls):
        if not field.init:
            continue
        default = REQUIRED if field.default is dataclasses.MISSING else field.default
        if field.default_factory is not dataclasses.MISSING:
            made = field.default_factory()
            default = tuple(made) if isinstance(made, list) else made
        annotation = field.type.__name__ if isinstance(field.type, type) else str(field.type)
        parameters.append(Parameter(field.name, annotation, default))
    summary = (inspect.getdoc(cls) or "").split("\n\n")[0].replace("\n", " ")
    others = set(dir(cls)) - {field.name for field in dataclasses.fields(cls)}
    found = {other: inspect.getattr_static(cls, other) for other in sorted(others) if not other.startswith("_")}
    declared = {other: value for other, value in found.items() if isinstance(value, _LITERALS)}
    return Signature(name, summary, tuple(parameters), cls.__module__, declared)


def _call(node: ast.expr) -> Call:
    if isinstance(node, ast.Name):
        return Call(node.id, (), {})
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        raise ValueError("neither a name nor a call")
    kwargs = {}
    for keyword in node.keywords:
        if keyword.arg is None or keyword.arg in kwargs:
            raise ValueError("keyword arguments must be named, once each")
        kwargs[keyword.arg] = _literal(keyword.value)
    return Call(node.func.id, tuple(_literal(a) for a in node.args), kwargs)


def _without_dotted(spec: str) -> tuple[str, dict[str, str]]:
    """The spec with a plain name for each "package.module:Class" outside of strings, and what these names stand for."""
    dotted: dict[str, str] = {}

    def plain(found: re.Match[str]) -> str:
        if found[0][0] in "'\"":
            return found[0]
        name = f"Outside_{len(dotted)}_"
        dotted[name] = found[0]
        return name

    return _TEXT_OR_DOTTED.sub(plain, spec), dotted


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """The value with other names of calls, at any depth."""
    if isinstance(value, tuple):
        return tuple(_renamed(item, names) for item in value)
    if not isinstance(value, Call):
        return value
    kwargs = {name: _renamed(argument, names) for name, argument in value.kwargs.items()}
    return Call(names.get(value.name, value.name), _renamed(value.args, names), kwargs)


def _literal(node: ast.expr) -> Any:
    """A number, string, boolean, None, nested call, or a tuple of these. Lists become tuples, Path(...) its string."""
    if isinstance(node, ast.Call):
        call = _call(node)
        return call.args[0] if call.name in _PATHS and len(call.args) == 1 else call
    if isinstance(node, ast.Name):
        return math.inf if node.id == "inf" else Call(node.id, (), {})
    if isinstance(node, ast.Tuple | ast.List):
        return tuple(_literal(item) for item in node.elts)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _literal(node.operand)
        if type(value) in (int, float):
            return -value
    elif isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, bool | int | float | str)):
        return node.value
    raise ValueError(f"{ast.unparse(node)} is not a value")


def _wants_float(parameter: Parameter) -> bool:
    words = set(re.findall(r"\w+", parameter.annotation))
    return "float" in words and "int" not in words


def _floats(value: Any) -> Any:
    """Integers as floats, in tuples too. By their text, because that turns too large ones into inf like 1e999."""
    if isinstance(value, tuple):
        return tuple(_floats(item) for item in value)
    return float(str(value)) if type(value) is int else value


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."


def _content(path: str) -> str | None:
    """What a path field adds to an identity: a file's sha256, and nothing for a folder."""
    if Path(path).is_dir():
        return None
    try:
        status = os.stat(path)
        return "sha256:" + _file_digest(path, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    except OSError as error:
        raise ValueError(f"cannot read the file {path!r}: {error.strerror}") from error


@functools.lru_cache(maxsize=64)
def _file_digest(path: str, *state: int) -> str:
    """16 hex digits of a file's sha256; a large file is read once for many runs, unless it was changed."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


DATASETS = Registry("dataset", "fewshot.datasets", "Dataset")
SPLITS = Registry("split", "fewshot.splits", "SplitRule")
SAMPLERS = Registry("sampler", "fewshot.samplers", "Sampler")
BACKBONES = Registry("backbone", "fewshot.backbones", "BackboneSource")
TRANSFORMS = Registry("transform", "fewshot.transforms", "FeatureTransform")
EVALUATORS = Registry("evaluator", "fewshot.evaluators", "Evaluator")
RECIPES = Registry("recipe", "fewshot.pretraining", "Recipe")
MEASURES = Registry("measure", "fewshot.measures", "Measure")
REGISTRIES = (DATASETS, SPLITS, SAMPLERS, BACKBONES, TRANSFORMS, EVALUATORS, RECIPES, MEASURES)
_OF_BASE = {registry.base: registry for registry in (DATASETS, SPLITS, BACKBONES, RECIPES)}


def registry_of(name: str) -> Registry:
    """The registry that a member is in, by its name, or by the base of "package.module:Class"."""
    if ":" in name:
        _import_dotted(name, "class")
    found = [registry for registry in REGISTRIES if registry.holds(name)]
    if len(found) > 1:
        raise ValueError(f"{name!r} is a {' and a '.join(r.kind for r in found)}; say which by --kind")
    if found:
        return found[0]
    if ":" in name:
        bases = ", ".join(f"{registry.package}.{registry.base}" for registry in REGISTRIES)
        raise ValueError(f"{name} is of no kind that fewshot knows; derive it from one of {bases}")
    names = {known.lower(): known for registry in REGISTRIES for known in registry.names()}
    close = difflib.get_close_matches(name.lower(), names, n=1)
    hint = f" Did you mean {names[close[0]]}?" if close else ""
    raise ValueError(f"nothing is called {name!r}; see `fewshot list`, or give package.module:Class.{hint}")
