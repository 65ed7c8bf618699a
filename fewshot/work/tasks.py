"""A task: what to do, as JSON, and the tasks that must be done before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

KINDS = {
    "train": ("train", "step"),
    "embed": ("embed", "image"),
    "table": ("have all ranges", "range"),
    "words": ("embed class names", "class"),
    "solve": ("solve", "episode"),
    "row": ("write the row", "row"),
}  # by kind: its verb, and the unit of its size


@dataclass(frozen=True)
class Task:
    """One piece of work. Its name is a digest of what it does, so the same work has the same name in every plan.

    What a task leaves is a file that is written whole or not at all: weights, a range of features, vectors of class
    names, predictions, or a row. Doing a task twice changes nothing.
    """

    kind: str
    what: Mapping[str, Any]  # JSON values: texts of specs, and a range
    needs: tuple[str, ...] = ()  # names of tasks
    size: int = 1  # in the unit of its kind
    subject: str = ""  # in words, for lists and progress
    rate: str = ""  # the key of its speed, for estimates

    @cached_property
    def name(self) -> str:
        """32 hex digits. Neither its needs nor its words are part of it."""
        return hashlib.sha256(json.dumps([self.kind, self.what], sort_keys=True).encode()).hexdigest()[:32]

    @property
    def words(self) -> str:
        """The task in words: "embed images 0 to 4,095 of icons mono by pixels"."""
        return f"{KINDS[self.kind][0]} {self.subject}"

    def to_json(self) -> dict[str, Any]:
        """The task as a JSON object."""
        return {
            "kind": self.kind,
            "what": dict(self.what),
            "needs": list(self.needs),
            "size": self.size,
            "subject": self.subject,
            "rate": self.rate,
        }

    @staticmethod
    def from_json(values: Any) -> Task:
        """The task of a JSON object; a ValueError for anything else. Specs in it are read when the task is done."""
        fields = {"kind": str, "what": dict, "needs": list, "size": int, "subject": str, "rate": str}
        if not isinstance(values, dict) or values.keys() != fields.keys():
            raise ValueError(f"a task has the fields {', '.join(fields)}; found {values!r:.80}")
        for name, kind in fields.items():
            if type(values[name]) is not kind:
                raise ValueError(f"{name} of a task is of type {kind.__name__}; found {values[name]!r:.80}")
        if values["kind"] not in KINDS:
            raise ValueError(f"a task is of the kind {', '.join(KINDS)}; found {values['kind']!r:.80}")
        if not all(_is_name(need) for need in values["needs"]):
            raise ValueError(f"a task needs tasks, by their names of 32 hex digits; found {values['needs']!r:.80}")
        return Task(**{**values, "needs": tuple(values["needs"])})


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 32 and set(value) <= set("0123456789abcdef")
