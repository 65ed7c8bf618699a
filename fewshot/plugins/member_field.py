"""Dataclass fields that hold a member: users give text, an object or a spec, and the field stores a spec."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, overload

from fewshot.plugins.registry import BACKBONES, Registry
from fewshot.plugins.shorthand import shorthand
from fewshot.plugins.spec import Spec


@dataclass(eq=False)
class MemberField:
    """The descriptor of a field such as `evaluator: MemberField = MemberField(EVALUATORS)`; setting a wrong member
    raises a ValueError."""

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
            raise AttributeError(self.name)  # tells dataclass that the field has no default
        return self.default

    def __set__(self, instance: object, value: object) -> None:
        instance.__dict__[self.name] = member(self.registry, value)


class OptionalMemberField(MemberField):
    """A `MemberField` that may be None."""

    def __get__(self, instance: object | None, owner: type[Any]) -> Any:
        return None if instance is None else instance.__dict__[self.name]

    def __set__(self, instance: object, value: object) -> None:
        instance.__dict__[self.name] = None if value is None else member(self.registry, value)


def member(registry: Registry, value: object) -> Spec:
    """The spec of a member as users name it: backbones may be in shorthand, such as "resnet18", data may be a folder,
    and an evaluator may be a function."""
    short = registry is BACKBONES and isinstance(value, str)
    return registry.named(shorthand(value) if short and isinstance(value, str) else value)
