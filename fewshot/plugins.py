"""A folder is a registry: `evaluators/linear_probe.py` holds `LinearProbe`.

A member is a frozen dataclass of hyperparameters; its *spec* is its repr with every default written
out, such as "LinearProbe(C=1.0)". Specs are parsed, never evaluated. Names, docstrings and fields are
read from the source (`ast`), so that listing members and naming runs imports none of them: a finished
benchmark is recognised without loading torch. Classes from outside join by an entry point (group
"fewshot.evaluators", ...) or by a dotted name, "package.module:Class(C=0.1)".
"""

from __future__ import annotations

import ast
import dataclasses
import difflib
import functools
import hashlib
import importlib
import importlib.util
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

REQUIRED = object()
_DOTTED = re.compile(r"^\s*([A-Za-z_][\w.]*):([A-Za-z_]\w*)")


@dataclass(frozen=True)
class Parameter:
    """A hyperparameter: its name, the text of its annotation and its default (or REQUIRED)."""

    name: str
    annotation: str
    default: Any


@dataclass(frozen=True)
class Signature:
    """What is known of a member without importing it, and the module that holds it."""

    name: str
    summary: str
    parameters: tuple[Parameter, ...]
    module: str


@dataclass(frozen=True)
class Call:
    """A parsed spec: a name and its arguments; an argument may be a spec itself."""

    name: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


@dataclass(frozen=True)
class Registry:
    """The members of one kind. `package` is the import name of the folder (or of the one file, where members
    are small) and the entry-point group."""

    kind: str
    package: str

    def names(self) -> list[str]:
        """The sorted names of all members: the folder's first, then those of installed plug-ins."""
        outside = [point.name for point in _points(self.package) if point.name not in self._folder]
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
            return self._import_dotted(name)
        for point in _points(self.package):
            if point.name == name:
                return point.load()  # type: ignore[no-any-return]
        raise ValueError(self._unknown(name))

    def make(self, spec: Any, allow_import: bool = True) -> Any:
        """The object that a spec describes; an object is returned as it is.

        `allow_import=False` refuses dotted names: for specs that were read from a file.
        """
        if not isinstance(spec, str):
            return spec
        call = self._parse(spec)
        if ":" in call.name and not allow_import:
            raise ValueError(f"the {self.kind} {call.name!r} comes from a file and would import code; "
                             "pass --allow-import if you trust it")  # fmt: skip
        cls = self.get(call.name)
        values = self._bind(call)
        arguments = {name: self._value(value, allow_import) for name, value in values.items()}
        for field in dataclasses.fields(cls):
            if str(field.type) == "Path" and isinstance(arguments.get(field.name), str):
                arguments[field.name] = Path(arguments[field.name])
        return cls(**arguments)

    def canonical(self, spec: Any) -> str:
        """The spec with every default written out: equal for every way to write the same thing."""
        return self._render(spec if isinstance(spec, str) else repr(spec), lambda value: value)

    def identity(self, spec: str) -> str:
        """The canonical spec with every path replaced by what it holds: files by their sha256, folders dropped
        (their images are named by an images digest). This is what run ids are made of."""
        return self._render(spec, _content)

    def _render(self, spec: str, path_value: Callable[[Any], Any]) -> str:
        call = self._parse(spec)
        annotations = {p.name: p.annotation for p in self.signature(call.name).parameters}
        parts = []
        for name, value in self._bind(call).items():
            if annotations[name] == "Path":
                value = path_value(str(value))
                if value is None:
                    continue
            text = self._render(_text(value), path_value) if isinstance(value, Call) else repr(value)
            parts.append(f"{name}={text}")
        return f"{call.name}({', '.join(parts)})"

    def _value(self, value: Any, allow_import: bool) -> Any:
        return self.make(_text(value), allow_import) if isinstance(value, Call) else value

    def _parse(self, spec: str) -> Call:
        dotted = _DOTTED.match(spec)
        plain = spec if dotted is None else "Outside" + spec[dotted.end() :]
        try:
            call = _call(ast.parse(plain.strip(), mode="eval").body)
        except (SyntaxError, ValueError) as error:
            raise ValueError(f"cannot read the {self.kind} {spec!r}: write Name or Name(field=value, ...) "
                             "with numbers, strings, booleans, None and tuples") from error  # fmt: skip
        return call if dotted is None else Call(f"{dotted[1]}:{dotted[2]}", call.args, call.kwargs)

    def _bind(self, call: Call) -> dict[str, Any]:
        """Arguments by field name, defaults filled in, integers made floats where the field is a float."""
        parameters = self.signature(call.name).parameters
        known = ", ".join(p.name for p in parameters) or "none"
        if len(call.args) > len(parameters):
            raise ValueError(f"{call.name} takes {len(parameters)} arguments ({known}), got {len(call.args)}")
        given = dict(zip((p.name for p in parameters), call.args, strict=False))
        for name, value in call.kwargs.items():
            if name in given or name not in {p.name for p in parameters}:
                raise ValueError(f"{call.name} has no free field {name!r}; its fields are: {known}")
            given[name] = value
        bound = {p.name: given.get(p.name, p.default) for p in parameters}
        for parameter in parameters:
            value = bound[parameter.name]
            if value is REQUIRED:
                raise ValueError(f"{call.name} needs {parameter.name!r} ({parameter.annotation}); none was given")
            if parameter.annotation.split(" |")[0] == "float" and type(value) is int:
                bound[parameter.name] = float(value)
        return bound

    def _import_dotted(self, name: str) -> type[Any]:
        module_name, _, class_name = name.partition(":")
        try:
            return getattr(importlib.import_module(module_name), class_name)  # type: ignore[no-any-return]
        except ImportError as error:
            raise ValueError(f"the {self.kind} {name!r} cannot be imported: {error}") from error
        except AttributeError as error:
            raise ValueError(f"the module {module_name!r} has no {class_name!r}") from error

    def _unknown(self, name: str) -> str:
        close = difflib.get_close_matches(name, self.names(), n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        return (f"unknown {self.kind} {name!r}; known: {', '.join(self.names())}, or package.module:Class.{hint}")  # fmt: skip

    @property
    def _folder(self) -> dict[str, Signature]:
        return _read_folder(self.package)


def _module_name(class_name: str) -> str:
    """File name of a class: LinearProbe -> linear_probe, TIM -> tim."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", class_name).lower()


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
            if _module_name(signature.name) == path.stem:
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
                default = REQUIRED if statement.value is None else ast.literal_eval(statement.value)
                parameters.append(Parameter(statement.target.id, annotation, default))
    summary = (ast.get_docstring(node) or "").split("\n\n")[0].replace("\n", " ")
    return Signature(node.name, summary, tuple(parameters), module)


def _signature_of_class(name: str, cls: type[Any]) -> Signature:
    if not dataclasses.is_dataclass(cls):
        raise ValueError(f"{name} is not a dataclass; write @dataclass(frozen=True) over the class, "
                         "its hyperparameters as fields")  # fmt: skip
    parameters = []
    for field in dataclasses.fields(cls):
        default = REQUIRED if field.default is dataclasses.MISSING else field.default
        annotation = field.type if isinstance(field.type, str) else getattr(field.type, "__name__", "")
        parameters.append(Parameter(field.name, annotation, default))
    return Signature(name, (cls.__doc__ or "").split("\n\n")[0], tuple(parameters), cls.__module__)


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


def _literal(node: ast.expr) -> Any:
    if isinstance(node, ast.Call):
        return _call(node)
    value = ast.literal_eval(node)
    return tuple(value) if isinstance(value, list) else value


def _text(value: Any) -> str:
    if not isinstance(value, Call):
        return repr(value)
    parts = [_text(a) for a in value.args] + [f"{k}={_text(v)}" for k, v in value.kwargs.items()]
    return f"{value.name}({', '.join(parts)})"


def _content(path: str) -> str | None:
    """What a path field adds to an identity: a file's sha256, and nothing for a folder."""
    if Path(path).is_dir():
        return None
    try:
        with open(path, "rb") as file:
            return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()[:16]
    except OSError as error:
        raise ValueError(f"cannot read the file {path!r}: {error.strerror}") from error


DATASETS = Registry("dataset", "fewshot.datasets")
SPLITS = Registry("split", "fewshot.splits")
SAMPLERS = Registry("sampler", "fewshot.samplers")
BACKBONES = Registry("backbone", "fewshot.backbones")
TRANSFORMS = Registry("transform", "fewshot.transforms")
EVALUATORS = Registry("evaluator", "fewshot.evaluators")
