"""A folder is a registry: `evaluators/linear_probe.py` holds `LinearProbe`.

A member is a frozen dataclass of hyperparameters. Its *spec* is its repr with every default written out, such as
"LinearProbe(C=1.0)". fewshot parses specs and never evaluates them. It reads names, docstrings, fields and declarations
from the source (`ast`), so listing members and computing run ids imports no member: fewshot recognises a finished
benchmark without loading torch. Classes from outside join by an entry point (group "fewshot.evaluators", ...) or by a
dotted name, "package.module:Class(C=0.1)".
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import numbers
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import PurePath
from typing import Any

from fewshot.plugins import foreign
from fewshot.plugins.call import Call, parse
from fewshot.plugins.folders import read_folder
from fewshot.plugins.signature import REQUIRED, Parameter, Signature, base_names, signature_of_class
from fewshot.plugins.spec import Spec
from fewshot.plugins.suggestions import hint, no_field
from fewshot.plugins.wording import counted


@dataclass(frozen=True)
class Registry:
    """The members of one kind.

    `package` is the entry-point group and the import name of the folder (or of a single file with small members); it
    defines the class `base` of all members. `further` lists modules of members that import higher folders.
    `text_reader` and `object_reader` are functions "module:function" to specs: of what users write for a member besides
    specs, such as a folder, and of things that are no members, such as images in memory.
    """

    kind: str
    package: str
    base: str = "object"
    further: tuple[str, ...] = ()
    text_reader: str = ""
    object_reader: str = ""

    def named(self, member: Any) -> Spec:
        """The spec of a member as users name it: what `spec` takes, and what the readers of this kind take."""
        if isinstance(member, Spec):
            return member
        reader = self.text_reader if isinstance(member, str) else self.object_reader
        if not reader:
            return self.spec(member)
        module, _, function = reader.partition(":")
        spec: Spec = getattr(importlib.import_module(module), function)(member)
        return spec

    def names(self) -> list[str]:
        """The sorted names of all members: first those of the folder, then those of installed plug-ins."""
        outside = {point.name for point in _points(self.package)} - set(self._folder)
        return sorted(self._folder) + sorted(outside)

    def signature(self, name: str) -> Signature:
        """Name, summary and hyperparameters of a member; an unknown name raises a ValueError that lists all names."""
        if name in self._folder:
            return self._folder[name]
        self._check_network(name)
        return signature_of_class(name, self.get(name), base_names(self.package))

    def get(self, name: str) -> type[Any]:
        """The class of a member, of a plug-in, or of a dotted name "package.module:Class"."""
        if name in self._folder:
            return getattr(importlib.import_module(self._folder[name].module), name)  # type: ignore[no-any-return]
        if ":" in name:
            return _import_dotted(name, self.kind)
        for point in _points(self.package):
            if point.name == name:
                return _import_dotted(f"{point.module}:{point.attr}", self.kind)
        raise ValueError(self._unknown(name))

    def holds(self, name: str) -> bool:
        """Whether a name is a member's; for a dotted name, whether the class derives from the base of this kind."""
        if ":" not in name:
            return name in self.names()
        return issubclass(self.get(name), getattr(importlib.import_module(self.package), self.base))

    def _check_network(self, name: str) -> None:
        """Raises a ValueError if a backbone is named by a class that is no source of networks: it may be a network."""
        cls = self.get(name)
        if self is BACKBONES and not dataclasses.is_dataclass(cls):
            raise ValueError(
                f"{name} is no dataclass, so it is no source of networks; write Function({name!r}) if {cls.__name__}() "
                f"gives a network, or derive a dataclass from {self.package}.{self.base}"
            )

    def spec(self, member: Any, allow_import: bool = True) -> Spec:
        """The spec of a member, given as text, object or spec.

        `allow_import=False` refuses dotted names; use it for texts that were read from a file.
        """
        if isinstance(member, Spec):
            return member if allow_import else self.spec(member.text, allow_import)
        if isinstance(member, str) and allow_import and ":" not in member:  # an escape may hide a ":" in a string
            return _spec_of_text(self, member)
        call = parse(member, self.kind) if isinstance(member, str) else self._read(member)
        bound: Spec = self._bound(call, allow_import)
        return bound

    def make(self, member: Any, allow_import: bool = True) -> Any:
        """The member that a spec describes; an object comes back unchanged."""
        return self.spec(member, allow_import).make() if isinstance(member, str | Spec) else member

    def canonical(self, member: Any) -> str:
        """The text of a spec with every default written out: the same for every way to write the same member."""
        return self.spec(member).text

    def varied(self, spec: Spec, fields: Mapping[str, Any]) -> Spec:
        """The spec with these fields changed; an unknown field raises a ValueError that lists all fields."""
        varied: Spec = self._bound(Call(spec.name, (), {**spec.fields, **fields}))
        return varied

    def read(self, text: str) -> Spec:
        """The spec of a text in a row of any release, by anybody; reading imports nothing and refuses nothing.

        An unknown name gives a spec with the given fields; a text that is not a spec gives a spec with that name.
        """
        spec: Spec = _read_row_text(self, text)
        return spec

    def _read(self, value: Any) -> Any:
        """The call that creates an object, with calls for the objects among its fields; other values stay."""
        if isinstance(value, tuple | list):
            return tuple(self._read(item) for item in value)
        if not dataclasses.is_dataclass(value) or isinstance(value, Spec):
            return _plain(value)
        cls: type[Any] = type(value)
        known = cls.__name__ in self.names() and self.get(cls.__name__) is cls
        name = cls.__name__ if known else f"{cls.__module__}:{cls.__name__}"
        held = {f.name: getattr(value, f.name) for f in dataclasses.fields(cls) if f.init}
        kinds = {p.name: kind_of(p, self) for p in self.signature(name).parameters}
        return Call(name, (), {field: kinds[field]._read(inner) for field, inner in held.items()})

    def _bound(self, call: Any, allow_import: bool = True) -> Any:
        """The spec of a call, with specs for the calls among its arguments; other values stay."""
        if isinstance(call, tuple):
            return tuple(self._bound(item, allow_import) for item in call)
        if not isinstance(call, Call):
            return call
        if not allow_import and ":" in call.name:
            raise _would_import(self.kind, call.name)
        signature = self.signature(call.name)
        given = _given(call, [p.name for p in signature.parameters])
        _refuse_bare_texts(call.name, given, signature)
        arguments = []
        for parameter in signature.parameters:
            value = given.get(parameter.name, parameter.default)
            if value is REQUIRED:
                raise ValueError(
                    f"{call.name} needs {parameter.name!r} ({parameter.annotation}); "
                    f"write {call.name}({parameter.name}=...)"
                )
            arguments.append((parameter, self._argument(parameter, value, allow_import)))
        return Spec(self, signature, tuple(arguments))

    def _argument(self, parameter: Parameter, value: Any, allow_import: bool) -> Any:
        """The value of a field: specs for members (also if given as text), floats for integers in a float field, text
        for paths."""
        kind = kind_of(parameter, self)
        if not allow_import and parameter.annotation == "Dotted" and ":" in str(value):
            raise _would_import(self.kind, str(value))
        if isinstance(value, str) and parameter.base in _OF_BASE:
            if allow_import and kind.text_reader:
                return kind.named(value)
            value = parse(value, kind.kind)
        if parameter.is_path:
            return None if value is None else str(value)
        return kind._bound(_floats(value) if parameter.wants_float else value, allow_import)

    def _lenient(self, value: Any) -> Any:
        """The spec of a call, with specs for the calls among its arguments, as far as fewshot knows the members."""
        if isinstance(value, tuple):
            return tuple(self._lenient(item) for item in value)
        if not isinstance(value, Call):
            return value
        home = next((each for each in (self, *REGISTRIES) if value.name in each._folder), self)
        signature = home._known(value.name)
        names = [p.name for p in signature.parameters] + [str(i) for i in range(len(value.args))]
        given = {**dict(zip(names, value.args, strict=False)), **value.kwargs}
        known = {p.name: p for p in signature.parameters}
        held = {name: p.default for name, p in known.items() if p.default is not REQUIRED} | given
        order = [name for name in known if name in held] + [name for name in held if name not in known]
        parameters = [known.get(name, Parameter(name, "", REQUIRED)) for name in order]
        read = [
            (p, kind_of(p, home)._lenient(_floats(held[p.name]) if p.wants_float else held[p.name])) for p in parameters
        ]
        return Spec(home, signature, tuple(read))

    def _known(self, name: str) -> Signature:
        """The signature of a member, without fields for an unknown name and for a dotted name (nothing is imported)."""
        if name in self._folder:
            return self._folder[name]
        if self is SAMPLERS and name == LISTED.name:
            return LISTED
        if ":" not in name and name in self.names():
            try:
                return self.signature(name)
            except Exception:  # a broken plug-in still has a name
                pass
        return Signature(name, "", (), "")

    def _unknown(self, name: str) -> str:
        names = self.names()
        return f"unknown {self.kind} {name!r}; known: {', '.join(names)}, or package.module:Class.{hint(name, names)}"

    @property
    def _folder(self) -> dict[str, Signature]:
        if not self.further:
            return read_folder(self.package)
        return {name: one for place in (self.package, *self.further) for name, one in read_folder(place).items()}


def kind_of(parameter: Parameter, own: Registry) -> Registry:
    """The registry for the members in a field: that of the class in the field's annotation (a member of one kind may
    hold one of another kind), else `own`."""
    return _OF_BASE.get(parameter.base, own)


def _given(call: Call, names: list[str]) -> dict[str, Any]:
    """The arguments of a call by field name; too many, unknown or repeated ones raise a ValueError."""
    known = ", ".join(names) or "none"
    if len(call.args) > len(names):
        arguments = counted(len(names), "argument")
        raise ValueError(f"{call.name} takes {arguments} ({known}), got {len(call.args)}")
    given = dict(zip(names, call.args, strict=False))
    for name, value in call.kwargs.items():
        if name not in names:
            raise ValueError(no_field(call.name, name, names))
        if name in given:
            raise ValueError(f"{call.name} was given its field {name!r} twice; give it once")
        given[name] = value
    return given


def _refuse_bare_texts(name: str, given: Mapping[str, Any], signature: Signature) -> None:
    """Raises a ValueError for a word without quotes in a field of text, such as RandomInit(resnet18)."""
    for parameter in signature.parameters:
        value = given.get(parameter.name)
        if parameter.base in ("str", "NameOrPath") and isinstance(value, Call) and not (value.args or value.kwargs):
            raise ValueError(
                f"the {parameter.name} of {name} is a text; write it in quotes inside the quotes of the shell: "
                f"\"{name}({parameter.name}='{value.name}')\""
            )


@functools.lru_cache(maxsize=1 << 12)
def _spec_of_text(registry: Registry, text: str) -> Spec:
    """The spec of a text without dotted names: a suite asks for the same ones again and again."""
    spec: Spec = registry._bound(parse(text, registry.kind))
    return spec


@functools.lru_cache(maxsize=1 << 14)
def _read_row_text(registry: Registry, text: str) -> Spec:
    try:
        spec: Spec = registry._lenient(parse(text, registry.kind))
        return replace(spec, as_written=text)
    except ValueError:
        return Spec(registry, Signature(text, "", (), ""), (), as_written=text)


class WouldImportError(ValueError):
    """A spec names a member as package.module:Class, and its reader may not import code."""


def _would_import(kind: str, name: str) -> ValueError:
    return WouldImportError(
        f"the {kind} {name!r} comes from a file and would import code; pass --allow-import if you trust it"
    )


def _import_dotted(name: str, kind: str) -> type[Any]:
    module_name, _, class_name = name.partition(":")
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # foreign code may raise anything on import
        what = str(error) if isinstance(error, ImportError) else foreign.sentence(error)
        raise ValueError(f"the {kind} {name!r} cannot be imported: {what}") from error
    if not isinstance(getattr(module, class_name, None), type):
        raise ValueError(f"the module {module_name!r} has no class {class_name!r}; write package.module:Class")
    return getattr(module, class_name)  # type: ignore[no-any-return]


def _plain(value: Any) -> Any:
    """A field's value as specs write it: paths as strings, numpy numbers as Python numbers."""
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return value
    return int(value) if isinstance(value, numbers.Integral) else float(value)


@functools.cache
def _points(group: str) -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=group))


def _floats(value: Any) -> Any:
    """Integers as floats, in tuples too; through their text, because that turns too large ones into inf, like 1e999."""
    if isinstance(value, tuple):
        return tuple(_floats(item) for item in value)
    return float(str(value)) if type(value) is int else value


_DATA = "fewshot.datasets._shorthand:dataset_spec"
DATASETS = Registry(
    "dataset",
    "fewshot.datasets",
    "Dataset",
    ("fewshot.features.pseudo_labels",),
    text_reader=_DATA,
    object_reader=_DATA,
)
SPLITS = Registry("split", "fewshot.splits", "SplitRule")
SAMPLERS = Registry("sampler", "fewshot.samplers", "Sampler")
BACKBONES = Registry("backbone", "fewshot.backbones", "BackboneSource")
TRANSFORMS = Registry("transform", "fewshot.transforms", "FeatureTransform")
EVALUATORS = Registry(
    "evaluator", "fewshot.evaluators", "Evaluator", object_reader="fewshot.evaluators._own_code:evaluator_spec"
)
RECIPES = Registry("recipe", "fewshot.pretraining", "Recipe")
# Rows name this in place of a sampler if their episodes came from a file.
LISTED = Signature(
    "Listed",
    "Episodes of a file.",
    (Parameter("path", "Path", REQUIRED),),
    "",
    {"from_file": True, "short_name": "listed in {path:file}"},
)
MEASURES = Registry("measure", "fewshot.measures", "Measure")
REGISTRIES = (DATASETS, SPLITS, SAMPLERS, BACKBONES, TRANSFORMS, EVALUATORS, RECIPES, MEASURES)
# Kinds that no run names: what rows are read by.
LAWS = Registry("law", "fewshot.scaling.laws", "Law")
STUDIES = Registry("study", "fewshot.report.studies", "Study")
_OF_BASE = {registry.base: registry for registry in (DATASETS, SPLITS, BACKBONES, RECIPES)}


def registry_of(name: str) -> Registry:
    """The registry of a member, by its name or by the base class of "package.module:Class"."""
    if ":" in name:
        _import_dotted(name, "class")
    holders = [registry for registry in REGISTRIES if registry.holds(name)]
    if len(holders) > 1:
        raise ValueError(f"{name!r} is a {' and a '.join(r.kind for r in holders)}; choose one with --kind")
    if holders:
        return holders[0]
    if ":" in name:
        bases = ", ".join(f"{registry.package}.{registry.base}" for registry in REGISTRIES)
        raise ValueError(f"{name} has no base class that fewshot knows; derive it from one of {bases}")
    near = hint(name, (known for registry in REGISTRIES for known in registry.names()))
    raise ValueError(f"nothing is called {name!r}; see `fewshot list`, or give package.module:Class.{near}")
