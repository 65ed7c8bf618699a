"""Tiny copies of the data sets of benchmarks, as users have them, and benchmarks cut down to them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fewshot import protocols
from fewshot.datasets import _published_classes
from fewshot.datasets._published_classes import published_split
from fewshot.protocols import Benchmark, BenchmarkSet
from tests.support.command_line import succeed

PIXELS = ("--backbone", "RawPixels(image_size=4)")
PROTOTYPE = ("--evaluator", "Prototype", "--transform", "Identity")
_noise = np.random.default_rng(0)


def picture(path: Path, label: int = 0) -> None:
    """A picture of 8 x 8 pixels: noise, and a colour per label so faint that accuracies are between chance and 1."""
    path.parent.mkdir(parents=True, exist_ok=True)
    colour = np.array([label * 5 % 13, label * 8 % 13, label * 11 % 13])
    pixels = colour + _noise.integers(0, 240, (8, 8, 3))
    Image.fromarray(pixels.astype(np.uint8)).save(path, compress_level=0)


def class_folders(root: Path, sizes: Mapping[str, int]) -> None:
    """A folder of pictures for each class."""
    for label, (name, size) in enumerate(sizes.items()):
        for number in range(size):
            picture(root / name / f"{number:04d}.png", label)


def sizes_of_split(name: str, novel: int, others: int = 1) -> dict[str, int]:
    """So many images of each novel class of a published split, and of its other classes."""
    split = published_split(name)
    return {one: novel if one in split.novel else others for one in split.classes}


def cut_benchmark(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    change: Callable[[BenchmarkSet], BenchmarkSet] = lambda one: one,
    keep_editions: bool = False,
    **changes: object,
) -> Benchmark:
    """The benchmark without published counts, with these changes; the command line finds it in place of the real one.

    Only a test can do this: users have no way to change a benchmark.
    """
    real = protocols.benchmark(name)
    sets = tuple(change(one if keep_editions else replace(one, edition=None)) for one in real.sets)
    cut: Benchmark = replace(real, **{"sets": sets, **changes})  # type: ignore[arg-type]
    monkeypatch.setattr(protocols, "benchmark", lambda asked: cut if asked == name else real)
    return cut


def cut_splits(monkeypatch: pytest.MonkeyPatch, folder: Path, most: Mapping[str, tuple[int, int]]) -> None:
    """Published splits with the first classes of each part: (7, 0) keeps 7 of them, (6, 2) keeps 6 of each of the first
    2 alphabets. The caller clears the cache of `published_split` at its end."""
    whole = {name: published_split(name) for name in most}
    folder.mkdir()
    for name, split in whole.items():
        parts = {part: _first(getattr(split, part), *most[name]) for part in _published_classes.PARTS}
        content = {"title": split.title, "source": split.source, "licence": split.licence, **parts}
        (folder / f"{name}.json").write_text(json.dumps(content))
    monkeypatch.setattr(_published_classes, "_SPLITS", folder)
    published_split.cache_clear()


def _first(classes: tuple[str, ...], most: int, groups: int) -> list[str]:
    if not groups:
        return list(classes[:most])
    tops = list(dict.fromkeys(one.partition("/")[0] for one in classes))[:groups]
    return [one for top in tops for one in [c for c in classes if c.partition("/")[0] == top][:most]]


def run_benchmark(name: str, root: Path, *more: str, method: tuple[str, ...] = PROTOTYPE) -> dict:
    """The JSON answer of a benchmark on raw pixels."""
    results = ("--results", str(root / "rows.jsonl"))
    shown = succeed("run", "--benchmark", name, "--data", root, *PIXELS, *method, *more, *results, "--json")
    answer: dict = json.loads(shown)
    failed = [row["error"] for row in answer["rows"] if row["status"] != "ok"]
    assert not failed, failed
    return answer
