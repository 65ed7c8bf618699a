"""A run that goes on after stored predictions changed: its number is that of a fresh start, and a warning says why."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fewshot.episodes.shape import EpisodeShape
from fewshot.files.atomic import read_safetensors, write_safetensors
from fewshot.results.files import Results
from fewshot.results.made_here import was_made_here
from fewshot.runs.pipeline import run
from fewshot.runs.specs import RunSpec, Sampled
from fewshot.runs.workbench import Workbench

BENCH = Workbench(progress=False)
SPEC = RunSpec("Glyphs()", "RawPixels(4)", "Prototype()", Sampled(EpisodeShape(5, 1, 5)), "L2()", n_episodes=12)


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-3] ^= 4
    path.write_bytes(content)


def change_answers(path: Path) -> None:
    """As somebody does who also writes the checksum."""
    arrays, about = read_safetensors(path, "predictions")
    arrays["predicted"] = np.zeros_like(arrays["predicted"])
    write_safetensors(path, arrays, about)


def claim_certainty(path: Path) -> None:
    arrays, about = read_safetensors(path, "predictions")
    arrays["confidence"] = np.full_like(arrays["confidence"], 2)
    write_safetensors(path, arrays, about)


def swap_in_another_run(path: Path) -> None:
    other = Results(path.parents[2] / "other.jsonl")
    found = run(replace(SPEC, evaluator="LinearProbe()"), other, BENCH)
    assert found is not None
    shutil.copy(other.parts(found.run_id).files()[0], path)


@pytest.mark.parametrize("change", [flip_a_bit, change_answers, claim_certainty, swap_in_another_run])
def test_more_episodes_after_a_change_give_the_number_of_a_fresh_start(tmp_path, change, caplog):
    fresh = run(replace(SPEC, n_episodes=20), Results(tmp_path / "fresh" / "rows.jsonl"), BENCH)
    results = Results(tmp_path / "rows.jsonl")
    first = run(SPEC, results, BENCH)
    assert first is not None
    assert fresh is not None
    assert was_made_here(first)
    change(results.parts(first.run_id).files()[0])
    more = run(replace(SPEC, n_episodes=20), results, BENCH)
    assert more is not None
    assert "run again" in caplog.text
    assert (more.accuracy, more.measures) == (fresh.accuracy, fresh.measures)
    list(results.predictions(more))
