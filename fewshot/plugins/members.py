"""The members of one kind, by name: classes of a folder, of installed plug-ins, and of dotted names."""

from __future__ import annotations

import functools
import importlib
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from fewshot.files.quoting import quoted
from fewshot.plugins import foreign
from fewshot.plugins.folders import read_folder
from fewshot.plugins.signature import Signature, base_names, signature_of_class
from fewshot.plugins.suggestions import hint


@dataclass(frozen=True)
class Members:
    """The members of one kind.

    `package` is the entry-point group and the import name of the folder (or of a single file with small members); it
    defines the class `base` of all members. `further` lists modules of members that import higher folders.
    """

    kind: str
    package: str
    base: str = "object"
    further: tuple[str, ...] = ()

    @property
    def folder(self) -> dict[str, Signature]:
        """The signatures of the folder's members, by name."""
        if not self.further:
            return read_folder(self.package)
        return {name: one for place in (self.package, *self.further) for name, one in read_folder(place).items()}

    def names(self) -> list[str]:
        """The sorted names of all members: first those of the folder, then those of installed plug-ins."""
        outside = {point.name for point in _points(self.package)} - set(self.folder)
        return sorted(self.folder) + sorted(outside)

    def signature(self, name: str) -> Signature:
        """Name, summary and hyperparameters of a member; an unknown name raises a ValueError that lists all names."""
        if name in self.folder:
            return self.folder[name]
        return signature_of_class(name, self.get(name), base_names(self.package))

    def known_signature(self, name: str) -> Signature:
        """The signature of a member, without fields for an unknown name and for a dotted name (nothing is imported)."""
        if name in self.folder:
            return self.folder[name]
        if ":" not in name and name in self.names():
            try:
                return self.signature(name)
            except Exception:  # a broken plug-in still has a name
                pass
        return Signature(name, "", (), "")

    def get(self, name: str) -> type[Any]:
        """The class of a member, of a plug-in, or of a dotted name "package.module:Class"."""
        if name in self.folder:
            return getattr(importlib.import_module(self.folder[name].module), name)  # type: ignore[no-any-return]
        if ":" in name:
            return import_dotted(name, self.kind)
        for point in _points(self.package):
            if point.name == name:
                return import_dotted(f"{point.module}:{point.attr}", self.kind)
        names = self.names()
        raise ValueError(
            f"unknown {self.kind} {quoted(name)}; known: {', '.join(names)}, or "
            f"package.module:Class.{hint(name, names)}"
        )

    def holds(self, name: str) -> bool:
        """Whether a name is a member's; for a dotted name, whether the class derives from the base of this kind."""
        if ":" not in name:
            return name in self.names()
        return issubclass(self.get(name), getattr(importlib.import_module(self.package), self.base))


def import_dotted(name: str, kind: str) -> type[Any]:
    """The class of a dotted name; a module or a class that is not there raises a ValueError."""
    module_name, _, class_name = name.partition(":")
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # foreign code may raise anything on import
        what = str(error) if isinstance(error, ImportError) else foreign.sentence(error)
        raise ValueError(f"the {kind} {quoted(name)} cannot be imported: {what}") from error
    if not isinstance(getattr(module, class_name, None), type):
        raise ValueError(
            f"the module {quoted(module_name)} has no class {quoted(class_name)}; write package.module:Class"
        )
    return getattr(module, class_name)  # type: ignore[no-any-return]


@functools.cache
def _points(group: str) -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=group))
