"""A row of a submission with what lies beside it, and what a check of it found."""

from __future__ import annotations

from dataclasses import dataclass

from fewshot.plugins.short_name import one_line as shortened_line
from fewshot.results.row import Row
from fewshot.sharing.designs import SharedDesign

MOST_CHARACTERS = 400  # of a sentence about a submission


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
    identified: bool = False  # the run id was computed again and is that of the row


class Unknown(Exception):
    """What cannot be checked, and why."""


def one_line(error: Exception) -> str:
    """The message of an error on one line, cut if it is long; its kind where it has none."""
    return bounded(str(error)) or type(error).__name__


def bounded(text: str) -> str:
    """A sentence on one line, with at most 400 characters: its start, which names the column, and what it asks for at
    its end. Values in it may come from a stranger, of any length."""
    return shortened_line(text, MOST_CHARACTERS)
