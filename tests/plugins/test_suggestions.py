"""Misspelt names get the name that was meant."""

from __future__ import annotations

import pytest
import timm
from hypothesis import given
from hypothesis import strategies as st

from fewshot.plugins.registry import DATASETS, EVALUATORS, REGISTRIES, SAMPLERS, TRANSFORMS
from fewshot.plugins.suggestions import hint, nearest

NETWORKS = timm.list_models()


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("resnet_18", "resnet18"),
        ("resnett18", "resnet18"),
        ("ResNet-18", "resnet18"),
        ("efficientnet-b0", "efficientnet_b0"),
        ("dinov2_vits14", "vit_small_patch14_dinov2"),
        ("dinov2_vitb14_reg", "vit_base_patch14_reg4_dinov2"),
        ("clip", "resnet50_clip"),
        ("convnext-tiny", "convnext_tiny"),
    ],
)
def test_a_network_under_another_spelling_is_found(name, meant):
    assert nearest(name, NETWORKS)[0] == meant
    assert hint(name, NETWORKS) == f" Did you mean {meant}?"


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("rnu", ["run", "bench", "list"], "run"),
        ("linear_probe", EVALUATORS.names(), "LinearProbe"),
        ("svm", EVALUATORS.names(), "LinearSVM"),
        ("l2", TRANSFORMS.names(), "L2"),
        ("icon", DATASETS.names(), "Icons"),
        ("dirichlet", SAMPLERS.names(), "DirichletQuery"),
    ],
)
def test_a_member_in_another_spelling_is_found(name, known, meant):
    assert nearest(name, known) == [meant]


@given(st.sampled_from([name for registry in REGISTRIES for name in registry.names() if len(name) > 4]), st.data())
def test_one_wrong_letter_finds_the_name(name, data):
    place = data.draw(st.integers(0, len(name) - 1))
    letter = data.draw(st.sampled_from("abcxyz"))
    known = [other for registry in REGISTRIES for other in registry.names()]
    assert name in nearest(name[:place] + letter + name[place + 1 :], known, 3)


@given(st.text())
def test_any_text_gets_names_that_are_known(text):
    assert set(nearest(text, EVALUATORS.names(), 3)) <= set(EVALUATORS.names())


def test_what_resembles_nothing_gets_no_hint():
    assert hint("xyzzyq", NETWORKS) == ""
