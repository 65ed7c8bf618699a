"""A field of a dataclass that holds a member: given as text, as an object or as a spec, kept as a spec."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, overload

from fewshot.plugins.registry import BACKBONES, Registry
from fewshot.plugins.shorthand import shorthand
from fewshot.plugins.spec import Spec


@dataclass(eq=False)
class MemberField:
    """The descriptor behind a field such as `evaluator: MemberField = MemberField(EVALUATORS)`; a wrong member is a
    ValueError when the field is set."""

    registry: Registry
    default: str | None = None

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self.name = f"_{name}"

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> str: ...
    @overload
    def __get__(self, instance: object, owner: type[Any]) -> Spec: ...
    def __get__(self, instance: object | None, owner: type[Any]) -> Spec | str:
        if instance is not None:
            spec: Spec = instance.__dict__[self.name]
            return spec
        if self.default is None:
            raise AttributeError(self.name)  # so that the dataclass has no default for it
        return self.default

    def __set__(self, instance: object, value: object) -> None:
        instance.__dict__[self.name] = member(self.registry, value)


class OptionalMemberField(MemberField):
    """A field that may be None."""

    def __get__(self, instance: object | None, owner: type[Any]) -> Any:
        return None if instance is None else instance.__dict__[self.name]

    def __set__(self, instance: object, value: object) -> None:
        instance.__dict__[self.name] = None if value is None else member(self.registry, value)


def member(registry: Registry, value: object) -> Spec:
    """The spec of a member; backbones may be written in short, such as "resnet18"."""
    short = registry is BACKBONES and isinstance(value, str)
    return registry.spec(shorthand(value) if short and isinstance(value, str) else value)
