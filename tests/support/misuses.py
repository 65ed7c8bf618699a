"""Every command with everything that a hurried user gets wrong, found from the commands themselves."""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
from PIL import Image

from fewshot.cli import main
from fewshot.commands._options import Device

# What a parameter needs, by its name: a new required one is added here.
GOOD = {
    "data": "birds",
    "spec": "Prototype",
    "rule": "BySeed()",
    "sources": "birds",
    "targets": "birds",
    "target": "0.5",
    "x": "k_shot",
    "pretrained": "n_episodes",
    "run_id": "a",
    "names": "raw=new",
    "name": "simpleshot",
    "where": "k_shot == 1",
}
WRITTEN = {"out", "plan", "plot", "report", "results", "new", "similarity"}  # paths that a command writes
BESIDE = {
    "delete": ("--where", "k_shot == 1"),
    "compare": ("--unit", "superclass"),
    "reproduce": ("--rows", "rows.jsonl"),
}  # without which others do nothing
OWN_FOLDERS = {"root", "board", "folder"}  # of data sets or submissions, which an empty folder is not
NAMED = {  # names with one wrong letter, by the parameter that takes them
    "data": "Icens",
    "backbone": "RawPixals()",
    "backbones": "RawPixals()",
    "evaluators": "Prototipe()",
    "evaluator": "Prototipe()",
    "transform": "L3()",
    "sampler": "Balanzed()",
    "split": "AllNovels()",
    "rule": "BySeeds()",
    "recipe": "CrossEntropi()",
    "presets": "SimpleShod",
    "suite": "quik",
    "law": "M44",
    "spec": "Prototipe",
    "reference": "RawPixals()",
    "sources": "Icens",
    "targets": "Icens",
    "network": "RawPixals()",
}


@dataclass(frozen=True)
class Misuse:
    """A command line, and the exit codes that it may have."""

    words: tuple[str, ...]
    codes: tuple[int, ...]

    def __str__(self) -> str:
        return " ".join(self.words) or "nothing"


def misuses() -> list[Misuse]:
    """Every misuse of every command."""
    return list(dict.fromkeys(_of(main)))


def write_files(folder: Path) -> None:
    """The files that the command lines name: an empty one, and ones of another kind with every suffix."""
    (folder / "empty").write_text("")
    (folder / "text").write_text("once upon a time\nthere was a bird\n")
    Image.new("RGB", (4, 4)).save(folder / "picture.png")
    (folder / "folder").mkdir()


def _of(command: click.Command, *path: str) -> Iterator[Misuse]:
    yield Misuse((*path, "--no-such-option"), (2,))
    if isinstance(command, click.Group):
        context = click.Context(command)
        yield Misuse(path, (0,))
        yield Misuse((*path, "no-such-command"), (2,))
        for name in command.list_commands(context):
            yield Misuse((*path, _misspelt(name)), (2,))
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _of(inner, *path, name)
        return
    dry = ("--dry-run",) if any("--dry-run" in parameter.opts for parameter in command.params) else ()
    yield Misuse((*path, *dry), (2,) if any(parameter.required for parameter in command.params) else (0, 1, 2))
    for parameter in command.params:
        for value, codes in _wrong(parameter):
            others = BESIDE.get(path[-1], ())
            beside = () if parameter.opts[0] in others else others
            yield Misuse((*path, *_words(command, parameter, value), *beside, *dry), codes)


def _wrong(parameter: click.Parameter) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Wrong values of a parameter, and the exit codes that follow."""
    kind, name = parameter.type, str(parameter.name)
    if name in NAMED:
        yield NAMED[name], (1, 2)
        yield "", (1, 2)
    if name == "where":
        yield "k_shod == 1", (1,)
        yield "k_shot", (1, 2)
    if isinstance(kind, click.Path):
        yield "a\0b", (2,)
        good = (1,) if name in OWN_FOLDERS else (0,)
        yield "folder", good if not kind.file_okay or kind.dir_okay else (1, 2)
        if name not in WRITTEN:
            for file in ("missing", "empty", "text", "picture.png"):
                yield file, (1,)
    elif isinstance(kind, click.Choice):
        yield _misspelt(str(kind.choices[0])), (2,)
    elif isinstance(kind, Device):
        yield "gpu", (2,)
    elif isinstance(kind, click.types.IntParamType | click.types.FloatParamType | click.types.FuncParamType):
        yield "many", (2,)
        yield "-7", (1, 2)


def _words(command: click.Command, wrong: click.Parameter, value: str) -> Iterator[str]:
    """The words of a command line with one wrong value, and right ones where values are required."""
    for parameter in command.params:
        if parameter is not wrong and not parameter.required:
            continue
        text = value if parameter is wrong else _good(parameter)
        yield from ((text,) if isinstance(parameter, click.Argument) else (parameter.opts[0], text))


def _good(parameter: click.Parameter) -> str:
    if isinstance(parameter.type, click.Path):
        return "new.csv" if parameter.name in WRITTEN else "rows.jsonl"
    if isinstance(parameter.type, click.Choice):
        return str(parameter.type.choices[0])
    return GOOD[str(parameter.name)]


def _misspelt(word: str) -> str:
    """The word with its middle letter changed."""
    place = len(word) // 2
    letters = string.ascii_lowercase
    return word[:place] + letters[(letters.find(word[place]) + 1) % 26] + word[place + 1 :]
