"""Stored features, predictions, networks and digests that were cut, flipped or replaced: fewshot finds it, says so,
computes it again or refuses, and never scores it."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.fault_counts import LONG, keep, tries
from tests.support.fault_suite import BENCH, outcome
from tests.support.warm_processes import finish, start

ROWS = ("rows.jsonl",)
RESULTS = (*ROWS, "rows.predictions")
# The files, and what is removed so that the suite reads them again.
PLACES = {
    "features": ("home/features/*/values.f32", RESULTS),
    "sums of features": ("home/features/*/sums.u32", RESULTS),
    "finished rows of features": ("home/features/*/done", RESULTS),
    "description of features": ("home/features/*/about.json", RESULTS),
    "networks": ("home/pretrained/*/weights.safetensors", RESULTS),
    "records of trainings": ("home/pretrained/*/record.json", RESULTS),
    "predictions": ("rows.predictions/*/*.safetensors", ROWS),
    "speeds and runs of this machine": ("home/r*", RESULTS),
}
IN_CI = ("features", "predictions")
REFUSED = ("networks", "records of trainings")  # hours of work: fewshot removes none by itself


def cut(content: bytes, others: list[bytes], choose: random.Random) -> bytes:
    return content[: choose.randrange(len(content))]


def flip(content: bytes, others: list[bytes], choose: random.Random) -> bytes:
    changed, at = bytearray(content), choose.randrange(len(content) * 8)
    changed[at // 8] ^= 1 << at % 8
    return bytes(changed)


def replace(content: bytes, others: list[bytes], choose: random.Random) -> bytes:
    """Another file of the same kind, or as many random bytes."""
    return choose.choice(others) if others and choose.random() < 0.5 else choose.randbytes(len(content))


def damaged(place: Path, pattern: str, way: Callable[..., bytes], choose: random.Random) -> bool:
    """Damages one of the files; False if it is as it was."""
    files = sorted(path for path in place.glob(pattern) if path.is_file())
    path = choose.choice(files)
    before = path.read_bytes()
    changed = way(before, [file.read_bytes() for file in files if file != path], choose)
    path.write_bytes(changed)
    return changed != before


@pytest.mark.parametrize("name", PLACES if LONG else IN_CI)
def test_a_damaged_file_is_found_and_never_scored(name, whole, tmp_path):
    pattern, removed = PLACES[name]
    numbers, counts, wrong = tries(1, 12), Counter(), []
    for number in numbers:
        choose, way = random.Random(f"{name} {number}"), (flip, cut, replace)[number % 3]
        place = shutil.copytree(whole.place, tmp_path / str(number))
        for file in removed:
            shutil.rmtree(place / file) if (place / file).is_dir() else (place / file).unlink()
        changed = damaged(place, pattern, way, choose)
        code = finish(start(place, *BENCH))
        said = (place / "phase.err").read_text()
        assert "Traceback" not in said
        kind = f"{'refused' if code else 'recomputed' if ' again' in said else 'unused'}"
        counts[kind if changed else "unchanged"] += 1
        now = outcome(place)
        if (code == 0 and now["rows"] != whole.outcome["rows"]) or code not in ((0, 1) if name in REFUSED else (0,)):
            wrong.append((number, way.__name__, code, said[-500:]))
        right = {key: row for key, row in whole.outcome["rows"].items() if key in now["rows"]}
        scored = {key: row for key, row in now["rows"].items() if row["status"] == "ok"}
        if any(right.get(key) != row for key, row in scored.items()):
            wrong.append((number, way.__name__, "scored"))
        shutil.rmtree(place)
    equal = len(numbers) - len(wrong) - counts["refused"]
    keep("damage", f"damaged {name}", tried=len(numbers), equal=equal, **counts)
    assert not wrong
