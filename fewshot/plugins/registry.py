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
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from fewshot.files.quoting import quoted
from fewshot.plugins.binding import bind, bind_stored
from fewshot.plugins.call import Call, parse
from fewshot.plugins.members import Members, import_dotted
from fewshot.plugins.object_calls import call_of
from fewshot.plugins.signature import REQUIRED, Parameter, Signature
from fewshot.plugins.spec import Spec
from fewshot.plugins.suggestions import hint


@dataclass(frozen=True)
class Registry(Members):
    """The members of one kind, and the specs of these members.

    `text_reader` and `object_reader` are functions "module:function" to specs: of what users write for a member besides
    specs, such as a folder, and of things that are no members, such as images in memory.
    """

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

    def spec(self, member: Any, allow_import: bool = True) -> Spec:
        """The spec of a member, given as text, object or spec.

        `allow_import=False` refuses dotted names; use it for texts that were read from a file.
        """
        if isinstance(member, Spec):
            return member if allow_import else self.spec(member.text, allow_import)
        if isinstance(member, str) and allow_import and ":" not in member:  # an escape may hide a ":" in a string
            return _spec_of_text(self, member)
        call = parse(member, self.kind) if isinstance(member, str) else call_of(self, member)
        bound: Spec = bind(self, call, allow_import)
        return bound

    def make(self, member: Any, allow_import: bool = True) -> Any:
        """The member that a spec describes; an object comes back unchanged."""
        return self.spec(member, allow_import).make() if isinstance(member, str | Spec) else member

    def canonical(self, member: Any) -> str:
        """The text of a spec with every default written out: the same for every way to write the same member."""
        return self.spec(member).text

    def varied(self, spec: Spec, fields: Mapping[str, Any]) -> Spec:
        """The spec with these fields changed; an unknown field raises a ValueError that lists all fields."""
        varied: Spec = bind(self, Call(spec.name, (), {**spec.fields, **fields}))
        return varied

    def read(self, text: str) -> Spec:
        """The spec of a text in a row of any release, by anybody; reading imports nothing and refuses nothing.

        An unknown name gives a spec with the given fields; a text that is not a spec gives a spec with that name.
        """
        spec: Spec = _read_row_text(self, text)
        return spec

    def signature(self, name: str) -> Signature:
        if self is BACKBONES and name not in self.folder:
            _check_network(name, self.get(name))
        return super().signature(name)

    def known_signature(self, name: str) -> Signature:
        return LISTED if self is SAMPLERS and name == LISTED.name else super().known_signature(name)

    def kind_in(self, parameter: Parameter) -> Registry | None:
        """The registry for the members in a field: that of the class in the field's annotation, because a member of one
        kind may hold one of another kind; None if the annotation names no class of another kind."""
        return _OF_BASE.get(parameter.base)

    def kind_with(self, name: str) -> Registry:
        """The registry whose folder has a member of this name, this one first; this one if none has."""
        return next((each for each in (self, *REGISTRIES) if name in each.folder), self)


def _check_network(name: str, cls: type[Any]) -> None:
    """Raises a ValueError if a backbone is named by a class that is no source of networks: it may be a network."""
    if not dataclasses.is_dataclass(cls):
        raise ValueError(
            f"{name} is no dataclass, so it is no source of networks; write Function({name!r}) if {cls.__name__}() "
            f"gives a network, or derive a dataclass from {BACKBONES.package}.{BACKBONES.base}"
        )


@functools.lru_cache(maxsize=1 << 12)
def _spec_of_text(registry: Registry, text: str) -> Spec:
    """The spec of a text without dotted names: a suite asks for the same ones again and again."""
    spec: Spec = bind(registry, parse(text, registry.kind))
    return spec


@functools.lru_cache(maxsize=1 << 14)
def _read_row_text(registry: Registry, text: str) -> Spec:
    try:
        spec: Spec = bind_stored(registry, parse(text, registry.kind))
        return replace(spec, as_written=text)
    except ValueError:
        return Spec(registry, Signature(text, "", (), ""), (), as_written=text)


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
        import_dotted(name, "class")
    holders = [registry for registry in REGISTRIES if registry.holds(name)]
    if len(holders) > 1:
        raise ValueError(f"{quoted(name)} is a {' and a '.join(r.kind for r in holders)}; choose one with --kind")
    if holders:
        return holders[0]
    if ":" in name:
        bases = ", ".join(f"{registry.package}.{registry.base}" for registry in REGISTRIES)
        raise ValueError(f"{name} has no base class that fewshot knows; derive it from one of {bases}")
    near = hint(name, (known for registry in REGISTRIES for known in registry.names()))
    raise ValueError(f"nothing is called {quoted(name)}; see `fewshot list`, or give package.module:Class.{near}")
