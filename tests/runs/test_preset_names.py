"""Names of presets in place of evaluators, and the other way round."""

from __future__ import annotations

import pytest

from fewshot.plugins.registry import EVALUATORS, TRANSFORMS
from fewshot.runs.presets import PRESETS, preset, refuse_presets
from tests.support.command_line import fail

NAMES = [one.name for one in PRESETS if one.name not in EVALUATORS.names()]


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_is_no_evaluator_and_the_error_says_what_to_type(name):
    for written in (name, name.lower()):
        with pytest.raises(ValueError, match="is no evaluator but a preset; type --preset ") as caught:
            refuse_presets(["LinearProbe()", written])
        assert f"type --preset {name} " in str(caught.value)
    refuse_presets(EVALUATORS.names())


@pytest.mark.parametrize(("kind", "members"), [("evaluator", EVALUATORS), ("transform", TRANSFORMS)])
def test_a_member_is_no_preset_and_the_error_says_what_to_type(kind, members):
    known = {one.name.lower() for one in PRESETS}
    for name in members.names():
        if name.lower() not in known:
            with pytest.raises(ValueError, match=f"{name} is no preset but an? {kind}; type --{kind} {name}$"):
                preset(name)
    with pytest.raises(ValueError, match=r"unknown preset 'SimpleShott'; known: .* Did you mean SimpleShot"):
        preset("SimpleShott")


def test_names_of_heads_and_networks_are_refused_before_data_are_read(tmp_path):
    start = ("run", "--data", str(tmp_path / "none"), "--results", str(tmp_path / "r.jsonl"))
    sentence = fail(*start, "--backbone", "pixels", "--evaluator", "SimpleShot-L2N")
    assert "SimpleShot-L2N is no evaluator but a preset; type --preset SimpleShot-L2N" in sentence
    assert "LinearProbe is no preset but an evaluator" in fail(*start, "--preset", "LinearProbe")
    assert "resnet18x" in fail(*start, "--backbone", "resnet18x")
