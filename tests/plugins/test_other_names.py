"""Names from papers and other libraries are answered with ours, and a forgotten quote is explained."""

from __future__ import annotations

import pytest

from fewshot.plugins import suggestions
from fewshot.plugins.registry import BACKBONES, EVALUATORS, TRANSFORMS


def test_every_other_name_leads_to_a_member():
    members = {*EVALUATORS.names(), *TRANSFORMS.names()}
    assert set(suggestions._OTHER_NAMES.values()) <= members
    assert not {name.casefold() for name in members} & set(suggestions._OTHER_NAMES)


@pytest.mark.parametrize(
    ("name", "member"),
    [
        ("LogisticRegression", "LinearProbe"),
        ("SVC", "LinearSVM"),
        ("kNN", "NearestNeighbour"),
        ("NearestMean", "Prototype"),
        ("ProtoNet", "Prototype"),
        ("Ridge", "RidgeProbe"),
        ("LDA", "GaussianHead"),
        ("MAML", "ProtoMAML"),
        ("MAML(steps=3)", "ProtoMAML"),
    ],
)
def test_a_name_of_the_field_is_answered_with_ours(name: str, member: str):
    with pytest.raises(ValueError, match=rf"Did you mean {member}\?$"):
        EVALUATORS.spec(name)


@pytest.mark.parametrize("text", ["RandomInit(resnet18)", "RandomInit(name=resnet18)"])
def test_a_word_without_quotes_is_explained(text: str):
    with pytest.raises(ValueError, match=r"write it in quotes .*\"RandomInit\(name='resnet18'\)\"$"):
        BACKBONES.spec(text)
