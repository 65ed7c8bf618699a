"""Members as their source says, without importing them: fields, defaults, and what their classes declare."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import functools
import importlib.util
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

REQUIRED = object()
Dotted = str  # the annotation of a field that names code to import: "package.module:function"
Later: TypeAlias = None  # "int | Later": a field that came after runs were stored; None leaves their texts as they were


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
        """Whether values are paths: strings in specs, Path objects in members."""
        return self.base == "Path"

    @property
    def is_later(self) -> bool:
        """Whether texts and identities leave it out where it is None."""
        return self.annotation.endswith("| Later")

    @property
    def wants_float(self) -> bool:
        """Whether integers stand for floats here."""
        words = set(re.findall(r"\w+", self.annotation))
        return "float" in words and "int" not in words


@dataclass(frozen=True)
class Signature:
    """What is known of a member without importing it, and the module that holds it. `declared` are the literal class
    attributes of its class and of the bases in its folder."""

    name: str
    summary: str
    parameters: tuple[Parameter, ...]
    module: str
    declared: Mapping[str, Any] = field(default_factory=dict)


@functools.cache
def read_folder(package: str) -> dict[str, Signature]:
    """Signatures of the classes of a folder whose file bears their name, or of all members of one file."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise ValueError(f"there is no package {package!r}")
    bases = _bases(Path(found.origin))
    if found.submodule_search_locations is None:
        return {s.name: s for s in _signatures(Path(found.origin), package, bases)}
    signatures = {}
    for path in sorted(Path(found.submodule_search_locations[0]).glob("[a-z]*.py")):
        for signature in _signatures(path, f"{package}.{path.stem}", bases):
            if path.stem in _module_names(signature.name):
                signatures[signature.name] = signature
    return signatures


def base_names(package: str) -> list[str]:
    """The attributes that the base classes of a folder declare."""
    found = importlib.util.find_spec(package)
    assert found is not None
    assert found.origin is not None
    bases = _bases(Path(found.origin))
    return sorted({name for node in bases.values() for name, _ in _literals(node)})


def signature_of_class(name: str, cls: type[Any], attributes: list[str]) -> Signature:
    """The signature of an imported class; `attributes` are those that its kind declares."""
    if not dataclasses.is_dataclass(cls):
        raise ValueError(
            f"{name} is not a dataclass; write @dataclass(frozen=True) over the class, its hyperparameters as fields"
        )
    parameters = []
    for one in dataclasses.fields(cls):
        if not one.init:
            continue
        default = REQUIRED if one.default is dataclasses.MISSING else one.default
        if one.default_factory is not dataclasses.MISSING:
            made = one.default_factory()
            default = tuple(made) if isinstance(made, list) else made
        annotation = one.type.__name__ if isinstance(one.type, type) else str(one.type)
        parameters.append(Parameter(one.name, annotation, default))
    declared = {attribute: getattr(cls, attribute) for attribute in attributes if hasattr(cls, attribute)}
    return Signature(name, _summary(inspect.getdoc(cls)), tuple(parameters), cls.__module__, declared)


def _module_names(class_name: str) -> set[str]:
    """What the file of a class may be called: linear_probe for LinearProbe, tim for TIM, lora for LoRA."""
    return {re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", class_name).lower(), class_name.lower()}


def _bases(path: Path) -> dict[str, ast.ClassDef]:
    """The classes of a file, by name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def _signatures(path: Path, module: str, bases: Mapping[str, ast.ClassDef]) -> list[Signature]:
    """Signatures of the classes of a file that have a base class: the members, not the helpers."""
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
    """Reads the dataclass fields of a class statement; their defaults must be literals."""
    parameters = []
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            annotation = ast.unparse(statement.annotation)
            if not annotation.startswith("ClassVar"):
                default = REQUIRED if statement.value is None else _default(statement.value, node.name, module)
                parameters.append(Parameter(statement.target.id, annotation, default))
    return Signature(node.name, _summary(ast.get_docstring(node)), tuple(parameters), module, _declared(node, bases))


def _declared(node: ast.ClassDef, bases: Mapping[str, ast.ClassDef]) -> dict[str, Any]:
    """The literal class attributes of a class and of its bases in the folder; the class's own win."""
    inherited = [_declared(bases[name], bases) for name in _base_classes(node) if name in bases and name != node.name]
    return {name: value for each in inherited for name, value in each.items()} | dict(_literals(node))


def _literals(node: ast.ClassDef) -> Iterator[tuple[str, Any]]:
    """Name and value of each class attribute `name: ClassVar[...] = literal`."""
    for statement in node.body:
        if not (isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value):
            continue
        if ast.unparse(statement.annotation).startswith("ClassVar"):
            with contextlib.suppress(ValueError):  # a computed value is not for those who do not import the class
                yield statement.target.id, ast.literal_eval(statement.value)


def _default(node: ast.expr, class_name: str, module: str) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise ValueError(
            f"the defaults of {module}.{class_name} must be literals, because they are read without "
            f"importing it; found {ast.unparse(node)}"
        ) from error


def _summary(docstring: str | None) -> str:
    return (docstring or "").split("\n\n")[0].replace("\n", " ")
