"""`evaluate`: a backbone on episodes of one's own, without a results file."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import fewshot
from fewshot.backbones import Backbone, freeze
from fewshot.evaluators.linear_probe import LinearProbe
from fewshot.transforms.l2 import L2
from tests.support.worlds import as_tensor, labelled

PIXELS = np.clip(
    np.repeat(np.random.default_rng(0).integers(60, 200, size=(5, 1, 1, 3)), 12, axis=0)
    + np.random.default_rng(1).normal(size=(60, 6, 6, 3)) * 70,
    0,
    255,
).astype(np.uint8)
IMAGES = labelled(5, 12, PIXELS)
EPISODES = fewshot.Balanced().sample(IMAGES, np.arange(5), fewshot.EpisodeShape(3, 2, 4), seed=0, start=0, count=20)


def evaluate(backbone="RawPixels(4)", **kwargs):
    return fewshot.evaluate(backbone, IMAGES, EPISODES, progress=False, **kwargs)


def test_names_specs_and_objects_give_the_same_row():
    from fewshot.backbones.raw_pixels import RawPixels

    rows = [
        evaluate("RawPixels(image_size=4)", evaluator="LinearProbe(1)", transform="L2"),
        evaluate(RawPixels(4), evaluator=LinearProbe(1), transform=L2()),
        evaluate(RawPixels(4).load(), evaluator="LinearProbe(C=1)", transform="L2()"),
    ]
    assert rows[0].accuracy > 0.5
    for row in rows[1:]:
        for name in ("accuracy", "accuracy_low", "evaluator", "transform", "weights_digest"):
            assert getattr(row, name) == getattr(rows[0], name)
    assert [row.backbone for row in rows] == [*["RawPixels(image_size=4)"] * 2, "pixels"]


def test_it_agrees_with_a_run_of_the_same_episodes(tmp_path):
    from fewshot.runs.pipeline import run
    from fewshot.runs.specs import Listed, RunSpec
    from fewshot.runs.workbench import Workbench

    EPISODES.save(tmp_path / "mine.safetensors")
    spec = RunSpec("Icons", "RawPixels(4)", "LinearProbe", Listed(tmp_path / "mine.safetensors"), split="AllNovel")
    row = run(spec, fewshot.Results(tmp_path / "rows.jsonl"), Workbench(progress=False, images=lambda _: IMAGES))
    mine = evaluate(evaluator="LinearProbe")
    assert (mine.accuracy, mine.accuracy_low, mine.episodes_digest) == (
        row.accuracy,
        row.accuracy_low,
        row.episodes_digest,
    )


def test_a_network_of_ones_own_is_scored_and_not_changed():
    network = freeze(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten()))
    kept = {name: value.clone() for name, value in network.state_dict().items()}
    mine = Backbone("mine", network, as_tensor, "p", 64, 0, "w")
    for evaluator in ("Prototype", "FineTune(steps=2, batchnorm='support')"):
        assert evaluate(mine, evaluator=evaluator).backbone == "mine"
    assert all(torch.equal(kept[name], value) for name, value in network.state_dict().items())


def test_a_transform_is_fitted_on_the_rows_given_and_on_nothing_else():
    seen = np.arange(48, 60)
    fitted, shuffled = (
        evaluate(evaluator="Prototype", transform="CentredL2", seen=s) for s in (seen, seen[::-1].tolist())
    )
    assert fitted.accuracy == shuffled.accuracy
    assert fitted.accuracy != evaluate(evaluator="Prototype", transform="CentredL2", seen=np.arange(12)).accuracy


@pytest.mark.parametrize(
    ("seen", "message"),
    [
        (None, "has none here; use L2"),
        ([], "has none here; use L2"),
        (np.ones(60, bool), "seen must hold integers, rows of the images; got bool"),
        ([60], r"rows of test must be in \[0, 60\)"),
    ],
)
def test_seen_rows_that_are_none_are_named(seen, message):
    with pytest.raises(ValueError, match=message):
        evaluate(transform="CentredL2", seen=seen)


def test_episodes_of_other_images_are_refused():
    other = fewshot.LabelledImages("other", IMAGES.images, IMAGES.labels, IMAGES.class_names, "another digest")
    with pytest.raises(ValueError, match="these episodes were made for images digest"):
        fewshot.evaluate("pixels", other, EPISODES, progress=False)
