"""Templates that turn class names into texts: one line, a published list, or the lines of a file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from fewshot.backbones._words import PLACES, Prompts
from fewshot.data import FOLDER
from fewshot.files.regular import read_text
from fewshot.plugins.signature import is_path

LISTS = ("imagenet", "coop")  # the files of data/templates
_OF_SET = "coop:"


def prompts_of(templates: str | Path | tuple[str, ...], dataset: str) -> Prompts:
    """The templates for a data set: of one line, of several, of a published list ("imagenet", "coop"), or of a file.

    "coop" takes CoOp's line for the data set of that name, "coop:EuroSAT" that of a set.
    """
    if isinstance(templates, tuple):
        return Prompts(f"{len(templates)} templates", _checked(templates, "templates"))
    text = str(templates)
    if text == "imagenet":
        lines = tuple(_list("imagenet")["templates"])
        return Prompts(f"imagenet ({len(lines)} templates)", lines)
    if text == "coop" or text.startswith(_OF_SET):
        line = _coop(text.partition(":")[2] or dataset)
        return Prompts(f"coop: {line}", (line,))
    if is_path(templates):
        lines = _of_file(Path(text))
        return Prompts(f"{Path(text).name} ({len(lines)} templates)", lines)
    return Prompts(text, _checked((text,), "templates"))


def check_templates(templates: str | Path | tuple[str, ...]) -> None:
    """Raises a ValueError for templates that no data set can use."""
    if templates != "coop":
        prompts_of(templates, "")


def _of_file(path: Path) -> tuple[str, ...]:
    """The lines of a file, one template each."""
    try:
        lines = [line.strip() for line in read_text(path, "file of templates").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ValueError(
            f"the templates {path} cannot be read ({reason}); give a text file, one template a line"
        ) from error
    return _checked(tuple(filter(None, lines)), str(path))


def _checked(lines: tuple[str, ...], where: str) -> tuple[str, ...]:
    """The lines; a ValueError names one without exactly one place for the class name."""
    example = "'a photo of a {}.'"
    if not lines:
        raise ValueError(f"{where} has no template; give at least one line such as {example}")
    for line in lines:
        number = sum(line.count(place) for place in PLACES)
        if not number:
            raise ValueError(
                f"the template {line[:80]!r} has no {{}} for the class name; write one such as {example}, the name of "
                f"a list ({', '.join(LISTS)}), or the path of a text file"
            )
        if number > 1 or line.count("{") + line.count("}") > 2:
            raise ValueError(
                f"the template {line[:80]!r} of {where} must have one {{}} for the class name and no other braces; "
                f"write one such as {example}"
            )
    return lines


def _coop(dataset: str) -> str:
    """CoOp's line for a data set, known by its name in CoOp or in torchvision."""
    sets = _list("coop")["sets"]
    for name, entry in sets.items():
        if _plain(dataset) in {_plain(known) for known in (name, *entry["also"])}:
            return str(entry["template"])
    raise ValueError(
        f"CoOp has no template for the data set {dataset!r}; choose one of its sets, such as templates='coop:EuroSAT', "
        f"from {', '.join(sets)}"
    )


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())


@cache
def _list(name: str) -> Mapping[str, Any]:
    table: Mapping[str, Any] = json.loads(read_text(FOLDER / "templates" / f"{name}.json"))
    return table
