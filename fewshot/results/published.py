"""Published numbers: what papers and result repositories report, with the protocol behind each number.

The files lie in data/published_numbers, one per source:

    title, source, benchmark   who published, where, and the benchmark of the field that it belongs to ("" for none)
    columns, numbers           one line per number; `common` holds the values that all lines share
    data                       by name: spellings, names of the class split, counts of classes and test images
    networks                   by model: parts of specs that name the same weights; absent where weights are not public
    notes                      what to know about all numbers

A line has a model, data and accuracy (a fraction), and as far as they are published: shots and ways (a number, or a
word such as "all"), episodes, draws, half_width, digits, evaluator, transform, head, and labels such as "oracle",
"vote", "unofficial split" and "not converged". `draws_depend`: one draw fixes the next. `mean_of`, `group`: the number
is the mean over the sets of this benchmark, or of a group of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from fewshot.data import FOLDER

Size = int | str  # a number, or a word such as "all" or "variable"
_DIGITS = 4  # after the point of a fraction: 62.39 % is known to .0001
_NUMBERS = FOLDER / "published_numbers"


@dataclass(frozen=True)
class PublishedData:
    """A data set as a source used it; 0: its count is not published here."""

    name: str
    aliases: tuple[str, ...]  # in small letters and digits alone
    splits: tuple[str, ...]  # names of the class split, likewise; none where all classes are used
    n_classes: int
    n_test: int


@dataclass(frozen=True)
class PublishedNumber:
    """A published accuracy, as a fraction, with its protocol as far as it is known ("" and 0: not known)."""

    source: str  # the name of the file
    model: str
    data: PublishedData
    accuracy: float
    shots: Size
    ways: Size
    queries: Size  # per class
    n_episodes: int
    draws: tuple[float, ...]  # the accuracy of each draw
    half_width: float  # of the published 95 % interval
    digits: int  # after the point of the fraction
    head: str
    evaluator: str
    transform: str
    spread: str  # what the spread is over, in words
    labels: tuple[str, ...]  # "oracle", "vote", "unofficial split", "not converged", ...
    networks: tuple[str, ...]  # parts of specs with these weights
    draws_depend: bool = False  # whether one draw fixes the next, so that they are no independent sample
    mean_of: str = ""  # the benchmark whose sets it averages; "" for the number of one data set
    group: str = ""  # of the benchmark's sets that it averages; "" for all of them

    @property
    def name(self) -> str:
        """Such as "openai/clip-vit-base-patch16, CIFAR100, 16 shots"."""
        shots = f"{self.shots} {'shot' if self.shots == 1 else 'shots'}" if type(self.shots) is int else self.shots
        parts = [self.model, self.head, self.data.name, "" if self.head == "zero-shot" else str(shots)]
        return ", ".join(filter(None, parts))


@dataclass(frozen=True)
class PublishedTable:
    """All numbers of one source."""

    name: str
    title: str
    source: str
    benchmark: str
    notes: tuple[str, ...]
    numbers: tuple[PublishedNumber, ...]


def table_names() -> list[str]:
    """The names of all sources that come with fewshot."""
    return sorted(path.stem for path in _NUMBERS.glob("*.json"))


@cache
def published_table(name: str) -> PublishedTable:
    """The numbers of a source; an unknown name is a ValueError that lists the known ones."""
    if name not in table_names():
        raise ValueError(f"no published numbers are called {name!r}; known: {', '.join(table_names())}")
    content = json.loads((_NUMBERS / f"{name}.json").read_text(encoding="utf-8"))
    return PublishedTable(
        name,
        content["title"],
        content["source"],
        content["benchmark"],
        tuple(content["notes"]),
        tuple(_numbers(name, content)),
    )


def numbers_called(name: str) -> list[PublishedNumber]:
    """The numbers of the source with this name, or of all sources of the benchmark with this name. A ValueError for an
    unknown name lists the known ones."""
    of_benchmark = [one for one in map(published_table, table_names()) if name in (one.name, one.benchmark)]
    tables = [one for one in of_benchmark if one.name == name] or of_benchmark or [published_table(name)]
    return [number for table in tables for number in table.numbers]


def numbers_of_benchmarks() -> dict[str, int]:
    """How many published numbers each benchmark of the field has, by its name; those without any are absent. They are
    what `fewshot reproduce` compares with."""
    counts: dict[str, int] = {}
    for table in map(published_table, table_names()):
        if table.benchmark:
            counts[table.benchmark] = counts.get(table.benchmark, 0) + len(table.numbers)
    return counts


def published_numbers(word: str = "") -> list[PublishedNumber]:
    """The numbers of all sources whose source, model, head or data has a word in it."""
    wanted = word.lower()
    every = (number for name in table_names() for number in published_table(name).numbers)
    return [one for one in every if wanted in f"{one.source} {one.model} {one.head} {one.data.name}".lower()]


def _numbers(name: str, content: Mapping[str, Any]) -> Iterator[PublishedNumber]:
    common, networks = content["common"], content["networks"]
    data = {key: _data(key, values) for key, values in content["data"].items()}
    for values in content["numbers"]:
        line = common | dict(zip(content["columns"], values, strict=True))
        labels = (*common.get("labels", ()), *content["data"][line["data"]].get("labels", ()))
        own = [label for label in line.get("labels", ()) if label not in labels]
        yield PublishedNumber(
            source=name,
            model=line["model"],
            data=data[line["data"]],
            accuracy=line["accuracy"],
            shots=line["shots"],
            ways=line["ways"],
            queries=line.get("queries", ""),
            n_episodes=line.get("episodes", 0),
            draws=tuple(line.get("draws", ())),
            half_width=line.get("half_width", 0.0),
            digits=line.get("digits", _DIGITS),
            head=line.get("head", ""),
            evaluator=line.get("evaluator", ""),
            transform=line.get("transform", ""),
            spread=line["spread"],
            labels=(*labels, *own),
            networks=tuple(networks.get(line["model"], ())),
            draws_depend=line.get("draws_depend", False),
            mean_of=line.get("mean_of", ""),
            group=line.get("group", ""),
        )


def _data(name: str, values: Mapping[str, Any]) -> PublishedData:
    return PublishedData(
        name,
        tuple(values["aliases"]),
        tuple(values.get("splits", ())),
        values.get("classes", 0),
        values.get("test_images", 0),
    )
