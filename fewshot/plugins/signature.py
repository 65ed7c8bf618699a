"""Signatures of members, read from their source without importing it: fields, defaults, class attributes."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import functools
import importlib.util
import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any, TypeAlias

REQUIRED = object()
Dotted = str  # the annotation of a field that names code to import: "package.module:function"
NameOrPath = str  # the annotation of a field that holds a name, or a path: a text with a separator or a suffix
Later: TypeAlias = None  # "int | Later": a field added after runs were stored; None keeps the texts of those runs


def is_path(value: Any) -> bool:
    """Whether the value of a `NameOrPath` field is a path. Looks at the text alone, so that all machines agree; a text
    with braces is a template."""
    if not isinstance(value, str | PurePath):
        return False
    text = str(value)
    return "{" not in text and ("/" in text or "\\" in text or PurePath(text).suffix != "")


@dataclass(frozen=True)
class Parameter:
    """A hyperparameter: its name, the text of its annotation and its default (or REQUIRED)."""

    name: str
    annotation: str
    default: Any

    @property
    def base(self) -> str:
        """The first type of the annotation: "Dataset" of `Dataset | None`."""
        return self.annotation.split(" |")[0]

    @property
    def is_path(self) -> bool:
        """Whether the values are paths: strings in specs, Path objects in members."""
        return self.base == "Path"

    def holds_path(self, value: Any) -> bool:
        """Whether this value of the field is a path, so that its content replaces it in identities."""
        return value is not None and (self.is_path or (self.base == "NameOrPath" and is_path(value)))

    @property
    def is_later(self) -> bool:
        """Whether texts and identities omit the field if it is None."""
        return self.annotation.endswith("| Later")

    @property
    def wants_float(self) -> bool:
        """Whether the field turns integers into floats."""
        words = set(re.findall(r"\w+", self.annotation))
        return "float" in words and "int" not in words


@dataclass(frozen=True)
class Signature:
    """What fewshot knows about a member without importing it. `declared` holds the literal class attributes of the
    class and of its bases in the folder."""

    name: str
    summary: str
    parameters: tuple[Parameter, ...]
    module: str
    declared: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """The first sentence of the summary."""
        return re.split(r"(?<!et al)\. (?=[A-Z`])", self.summary)[0].rstrip(".") + "." if self.summary else ""


def sources_of(package: str) -> list[Path]:
    """The file that holds the base classes of a folder, then those of its members; a single file alone."""
    home = importlib.util.find_spec(package)
    if home is None or home.origin is None:
        raise ValueError(f"there is no package {package!r}")
    folder = home.submodule_search_locations
    return [Path(home.origin), *([] if folder is None else sorted(Path(folder[0]).glob("[a-z]*.py")))]


def parse_folder(package: str, sources: Sequence[Path]) -> dict[str, Signature]:
    """Signatures by name: of a folder, the classes whose file bears their name; of a single file, all its members."""
    bases = _bases(sources[0])
    if sources[0].stem != "__init__":
        return {s.name: s for s in _signatures(sources[0], package, bases)}
    signatures = {}
    for path in sources[1:]:
        for signature in _signatures(path, f"{package}.{path.stem}", bases):
            if path.stem in _module_names(signature.name):
                signatures[signature.name] = signature
    return signatures


@functools.cache
def base_names(package: str) -> list[str]:
    """The attributes that the base classes of a folder declare, with or without a value."""
    home = importlib.util.find_spec(package)
    assert home is not None
    assert home.origin is not None
    return sorted({name for node in _bases(Path(home.origin)).values() for name, _ in _class_attributes(node)})


def signature_of_class(name: str, cls: type[Any], attributes: list[str]) -> Signature:
    """The signature of an imported class; `attributes` names the class attributes that its kind declares."""
    if not dataclasses.is_dataclass(cls):
        raise ValueError(
            f"{name} is not a dataclass; write @dataclass(frozen=True) above the class and its hyperparameters as "
            "fields"
        )
    parameters = []
    for one in dataclasses.fields(cls):
        if not one.init:
            continue
        default = REQUIRED if one.default is dataclasses.MISSING else one.default
        if one.default_factory is not dataclasses.MISSING:
            default = one.default_factory()
            default = tuple(default) if isinstance(default, list) else default
        annotation = one.type.__name__ if isinstance(one.type, type) else str(one.type)
        parameters.append(Parameter(one.name, annotation, default))
    declared = {attribute: getattr(cls, attribute) for attribute in attributes if hasattr(cls, attribute)}
    return Signature(name, _summary(inspect.getdoc(cls)), tuple(parameters), cls.__module__, declared)


def _module_names(class_name: str) -> set[str]:
    """The possible file names of a class: linear_probe for LinearProbe, tim for TIM, lora for LoRA."""
    return {re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", class_name).lower(), class_name.lower()}


def _bases(path: Path) -> dict[str, ast.ClassDef]:
    """The classes of a file, by name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def _signatures(path: Path, module: str, bases: Mapping[str, ast.ClassDef]) -> list[Signature]:
    """Signatures of the members in a file: the public decorated classes that have a base class."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = [node for node in tree.body if isinstance(node, ast.ClassDef) and _is_member(node)]
    return [_signature_of_source(node, module, bases) for node in nodes]


def _is_member(node: ast.ClassDef) -> bool:
    return (
        bool(_base_classes(node) - {"ABC", "Protocol"}) and not node.name.startswith("_") and bool(node.decorator_list)
    )


def _base_classes(node: ast.ClassDef) -> set[str]:
    return {ast.unparse(base).split("[")[0] for base in node.bases}


def _signature_of_source(node: ast.ClassDef, module: str, bases: Mapping[str, ast.ClassDef]) -> Signature:
    """The signature of a class statement; the defaults of its dataclass fields must be literals."""
    parameters = []
    for statement in node.body:
        if not (isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)):
            continue
        if not _is_class_variable(statement):
            default = REQUIRED if statement.value is None else _default(statement.value, node.name, module)
            parameters.append(Parameter(statement.target.id, ast.unparse(statement.annotation), default))
    return Signature(node.name, _summary(ast.get_docstring(node)), tuple(parameters), module, _declared(node, bases))


def _declared(node: ast.ClassDef, bases: Mapping[str, ast.ClassDef]) -> dict[str, Any]:
    """The literal class attributes of a class and of its bases in the folder; those of the class win."""
    inherited = [_declared(bases[name], bases) for name in _base_classes(node) if name in bases and name != node.name]
    return {name: value for each in inherited for name, value in each.items()} | dict(_literals(node))


def _literals(node: ast.ClassDef) -> Iterator[tuple[str, Any]]:
    """Name and value of each class attribute with a literal value."""
    for name, value in _class_attributes(node):
        if value is not None:
            with contextlib.suppress(ValueError):  # a computed value is not for those who do not import the class
                yield name, ast.literal_eval(value)


def _class_attributes(node: ast.ClassDef) -> Iterator[tuple[str, ast.expr | None]]:
    """Name and value of each class attribute, `name = value` or `name: ClassVar[...]`; dataclass fields are none."""
    for statement in node.body:
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, ast.AnnAssign) and _is_class_variable(statement):
            targets = [statement.target]
        else:
            continue
        yield from ((target.id, statement.value) for target in targets if isinstance(target, ast.Name))


def _is_class_variable(statement: ast.AnnAssign) -> bool:
    return ast.unparse(statement.annotation).startswith("ClassVar")


def _default(node: ast.expr, class_name: str, module: str) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise ValueError(
            f"the defaults of {module}.{class_name} must be literals, because fewshot reads them without "
            f"importing the module; found {ast.unparse(node)}"
        ) from error


def _summary(docstring: str | None) -> str:
    return (docstring or "").split("\n\n")[0].replace("\n", " ")
