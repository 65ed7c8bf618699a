"""Specs of things that Python holds and no text describes: images in memory, a live network, a function.

They go where other specs go. Rows keep their text, but nobody can make the thing from the text alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fewshot.plugins.signature import Signature
from fewshot.plugins.spec import Home, Spec


@dataclass(frozen=True, eq=False)
class HeldSpec(Spec):
    """The spec of `member`, which `make` returns as it is. Two of them are equal if they hold the same thing."""

    member: Any = None
    digest: str = ""  # of the content; part of run ids

    @property
    def identity(self) -> str:
        """The text and the digest of the content."""
        return f"{self.text}@{self.digest}"

    def make(self) -> Any:
        """The thing itself."""
        return self.member

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HeldSpec) and self.member is other.member

    def __hash__(self) -> int:
        return id(self.member)

    def __repr__(self) -> str:
        return repr(self.text)


def held_spec(
    home: Home, text: str, member: Any, digest: str = "", declared: Mapping[str, Any] | None = None
) -> HeldSpec:
    """The spec of a thing that is called `text` in rows; `declared`: the class attributes that readers ask for."""
    name = re.split(r"[(@]", text)[0]
    return HeldSpec(home, Signature(name, "", (), "", declared or {}), (), text, member, digest)
