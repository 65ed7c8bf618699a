"""A row of a submission with what lies beside it, and what a check of it found."""

from __future__ import annotations

from dataclasses import dataclass

from fewshot.results.row import Row
from fewshot.sharing.designs import SharedDesign


@dataclass(frozen=True)
class Shared:
    """A row with what lies beside it in runs.json."""

    row: Row
    design: SharedDesign
    identities: dict[str, str]  # of specs that name files, by column
    own_code: str = ""  # members from outside fewshot, which others cannot run
    command: str = ""


@dataclass(frozen=True)
class Checked:
    """What a check found, in sentences."""

    problems: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()  # what could not be checked, and why


class Unknown(Exception):
    """What cannot be checked, and why."""


def one_line(error: Exception) -> str:
    """The message of an error without line breaks; its kind where it has none."""
    return " ".join(str(error).split()) or type(error).__name__
