"""Shortened texts fit their width, fit no other text, and keep what differs."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot.report.tables.short_texts import are_numbered, shortened, shortened_or_wrapped

NETWORKS = ("resnet10t", "resnet18", "mobilenetv3_small_050", "mobilenetv3_small_075", "lcnet_050", "tinynet_e")
BACKBONES = [f"{name} random init @32 (seed={seed})" for name in NETWORKS for seed in range(3)]
BACKBONES += [f"tf_efficientnet_lite{n} @{size}" for n in range(3) for size in (32, 64, 96)]
RUNS = [f"{backbone}, L2 + {head}" for backbone in BACKBONES for head in ("LinearProbe", "Prototype")]
WORDS = st.lists(st.sampled_from(["resnet", "18", "_", " ", "seed=1", "seed=2", "…", "(", "head", "#1"]), max_size=9)


@given(texts=st.lists(st.text("ab …,()=", min_size=1, max_size=30) | WORDS.map("".join), unique=True, max_size=12))
@pytest.mark.parametrize("most", [8, 17, 40])
def test_different_texts_stay_different(texts: list[str], most: int):
    names = [" ".join(text.split()) or "-" for text in texts]
    short = shortened(names, most)
    assert all(len(text) <= most for text in short)
    assert len(set(short)) == len(set(names))


@pytest.mark.parametrize(("texts", "most"), [(BACKBONES, 28), (BACKBONES, 18), (RUNS, 36)])
def test_what_is_left_of_a_name_fits_no_other(texts: list[str], most: int):
    short = shortened(texts, most)
    assert not are_numbered(short, texts)
    for text, left in zip(texts, short, strict=True):
        pattern = re.compile(".+".join(map(re.escape, left.split("…"))))
        assert [other for other in texts if pattern.fullmatch(other)] == [text]
        assert len(left) <= most


def test_the_part_that_differs_stays():
    assert shortened(BACKBONES[6:8], 28) == ["mobilenetv3_small_… (seed=0)", "mobilenetv3_small_… (seed=1)"]
    assert shortened([BACKBONES[6], BACKBONES[9]], 12) == ["mobilen…050…", "mobilen…075…"]


def test_numbers_are_the_last_resort():
    texts = [f"{'a' * 15}{letter}{'a' * 15}" for letter in "bc"]
    short = shortened(texts, 8)
    assert are_numbered(short, texts)
    assert [text[-3:] for text in short] == [" #1", " #2"]
    assert not are_numbered(["run #1", "run"], ["run #1", "run"])


def test_names_that_would_need_numbers_stay_whole_on_several_lines():
    lines = shortened_or_wrapped(RUNS, 22)
    assert [" ".join(line.split()) for line in lines] == RUNS
    assert all(len(part) <= 22 for line in lines for part in line.splitlines())
    assert shortened_or_wrapped(RUNS, 36) == shortened(RUNS, 36)
