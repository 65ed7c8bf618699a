"""Run specs as JSON: the same run comes back, and nothing else is read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from fewshot.benchmarks import load, names

from fewshot.episodes.shape import EpisodeShape
from fewshot.results.selection_rule import Selection
from fewshot.runs.spec_json import spec_from_json, spec_to_json
from fewshot.runs.specs import Listed, RunSpec, Sampled

GRID = (("C", (0.1, 1.0)),)


def spec_of(**fields):
    defaults = {"dataset": "Icons('mono')", "backbone": "RawPixels(8)", "evaluator": "LinearProbe()"}
    return RunSpec(**{**defaults, **fields})


@pytest.mark.parametrize(
    "spec",
    [
        spec_of(),
        spec_of(episodes=Sampled(EpisodeShape(None, 5, None), 3, "Balanced(support_from='domain=mono')")),
        spec_of(episodes=Listed(Path("episodes.safetensors")), transform="Identity()", split="BySeed()"),
        spec_of(selection=Selection("validation", GRID, seed=4), dtype="bfloat16", protocol="own@1", n_episodes=7),
        spec_of(backbone="Pretrained(ConvNet(), Icons('mono'), CrossEntropy())"),
    ],
)
def test_a_spec_comes_back(spec):
    assert spec_from_json(json.loads(json.dumps(spec_to_json(spec)))) == spec


@pytest.mark.parametrize("suite", names())
def test_every_suite_comes_back(suite):
    for spec in list(load(suite)())[:20]:
        assert spec_from_json(json.loads(json.dumps(spec_to_json(spec)))) == spec


def test_a_thing_that_only_this_process_has_is_refused():
    def own(support, labels, query):
        return np.zeros((len(query), 5))

    with pytest.raises(ValueError, match="held by this process alone"):
        spec_to_json(spec_of(evaluator=own))


def test_code_is_imported_only_where_that_is_allowed():
    values = spec_to_json(spec_of()) | {"evaluator": "os:system()"}
    with pytest.raises(ValueError, match="would import code"):
        spec_from_json(values)


@pytest.mark.parametrize(
    "change",
    [
        {"n_episodes": "4"},
        {"n_episodes": True},
        {"dataset": 3},
        {"dataset": None},
        {"episodes": {}},
        {"episodes": {"path": 1}},
        {"selection": "Selection("},
        {"selection": "os.system('x')"},
        {"more": 1},
        {"classes": None},
    ],
)
def test_anything_else_is_a_sentence(change):
    with pytest.raises(ValueError, match=r"in JSON|is not|cannot"):
        spec_from_json(spec_to_json(spec_of()) | change)


@pytest.mark.parametrize("values", [None, [], "x", {}, 3])
def test_what_is_no_object_is_a_sentence(values):
    with pytest.raises(ValueError, match="a run in JSON has the fields"):
        spec_from_json(values)
