"""Short names that a user gave to backbones and methods of a results file, for tables, reports and comparisons.

They lie beside the rows, in `<name>.names.json`, by the text of the spec: no row and no run id changes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fewshot.files.atomic import write_atomically
from fewshot.files.regular import parsed_json, read_bytes
from fewshot.plugins.short_name import one_line

LONGEST = 64  # characters of a name


@dataclass(frozen=True)
class ShortNames:
    """Names by spec: "RawPixels(image_size=32)" of a backbone, "L2() + Prototype(metric='euclidean')" of a method."""

    of: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", {spec: one_line(name, LONGEST) for spec, name in self.of.items()})

    @staticmethod
    def read(path: Path) -> ShortNames:
        """The names in a file, none if there is no file. A ValueError if it is anything else."""
        try:
            content = read_bytes(path, "file of short names")
        except FileNotFoundError:
            return ShortNames()
        try:
            names = parsed_json(content)
        except ValueError as error:
            raise _unreadable(path) from error
        if not isinstance(names, dict) or not all(isinstance(name, str) and name.strip() for name in names.values()):
            raise _unreadable(path)
        return ShortNames(names)

    def write(self, path: Path) -> None:
        """Writes the file, whole or not at all; without names there is no file."""
        if self.of:
            write_atomically(path, (json.dumps(dict(self.of), ensure_ascii=False, indent=1) + "\n").encode())
        else:
            path.unlink(missing_ok=True)

    def changed(self, names: Mapping[str, str]) -> ShortNames:
        """These names with further ones; an empty name gives a spec its usual name back."""
        return ShortNames({spec: name for spec, name in {**self.of, **names}.items() if name})


def method_text(transform: str, evaluator: str) -> str:
    """What stands for a method in the file of names."""
    return f"{transform} + {evaluator}"


def _unreadable(path: Path) -> ValueError:
    return ValueError(f"{path} holds no short names; delete it, then name again with `fewshot results rename`")
