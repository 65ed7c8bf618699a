"""BiT-HyperRule: what follows from the size of the support and of its images, and that it learns."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image
from timm.layers import GroupNormAct, StdConv2d
from timm.models.resnetv2 import ResNetV2
from torch import nn

from fewshot.backbones import Backbone, freeze
from fewshot.conformance import PictureWorld
from fewshot.datasets import ArrayImages
from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators.big_transfer import BigTransfer
from fewshot.evaluators.tuning import one_episode as tuned_episode
from fewshot.evaluators.tuning.image_rows import ImageRows


@pytest.mark.parametrize(
    ("n", "steps"), [(5, 500), (19_999, 500), (20_000, 10_000), (499_999, 10_000), (500_000, 20_000)]
)
@pytest.mark.parametrize("variant", ["paper", "code"])
def test_the_support_says_how_many_steps(variant, n, steps):
    assert len(BigTransfer(variant).rates(n)) == steps


PAPER = {
    25: {0: 1, 149: 1, 150: 0.1, 299: 0.1, 300: 0.01, 449: 0.01, 450: 0.001, 499: 0.001},
    20_000: {0: 1, 2999: 1, 3000: 0.1, 6000: 0.01, 8999: 0.01, 9000: 0.001, 9999: 0.001},
    500_000: {0: 1, 5999: 1, 6000: 0.1, 12_000: 0.01, 18_000: 0.001, 19_999: 0.001},
}
CODE = {
    25: {0: 0, 50: 0.5, 99: 0.99, 100: 1, 200: 1, 201: 0.1, 300: 0.1, 301: 0.01, 400: 0.01, 401: 0.001, 499: 0.001},
    20_000: {0: 0, 250: 0.5, 500: 1, 3000: 1, 3001: 0.1, 6001: 0.01, 9000: 0.01, 9001: 0.001, 9999: 0.001},
    500_000: {250: 0.5, 500: 1, 6000: 1, 6001: 0.1, 12_001: 0.01, 18_001: 0.001, 19_999: 0.001},
}


@pytest.mark.parametrize("n", list(PAPER))
@pytest.mark.parametrize(("variant", "table"), [("paper", PAPER), ("code", CODE)])
def test_the_rate_at_each_step_is_the_rules(variant, table, n):
    rates = BigTransfer(variant).rates(n)
    for step, factor in table[n].items():
        assert rates[step] == pytest.approx(0.003 * factor), step


@pytest.mark.parametrize(
    ("n", "steps"),
    [
        (25, (100, 200, 300, 400, 500)),
        (19_999, (100, 200, 300, 400, 500)),
        (20_000, (500, 3000, 6000, 9000, 10_000)),
        (499_999, (500, 3000, 6000, 9000, 10_000)),
        (500_000, (500, 6000, 12_000, 18_000, 20_000)),
    ],
)
def test_the_code_variant_warms_up_and_falls_after_the_steps_of_the_released_code(n, steps):
    """A step of the schedule still has the old rate, the one after it a tenth."""
    rates = BigTransfer("code").rates(n)
    warm, first, second, third, stop = steps
    assert len(rates) == stop
    assert rates[0] == 0
    assert rates[:warm] == pytest.approx([0.003 * step / warm for step in range(warm)])
    for low, high, rate in (
        (warm, first, 3e-3),
        (first + 1, second, 3e-4),
        (second + 1, third, 3e-5),
        (third + 1, stop - 1, 3e-6),
    ):
        assert rates[low : high + 1] == pytest.approx([rate] * (high + 1 - low))


def test_fewer_steps_are_the_same_schedule_compressed():
    assert BigTransfer(max_steps=10, lr=1.0).rates(25) == pytest.approx([1] * 3 + [0.1] * 3 + [0.01] * 3 + [0.001])
    assert len(BigTransfer(max_steps=1000).rates(25)) == 500


@pytest.mark.parametrize(("n", "alpha"), [(19_999, 0.0), (20_000, 0.1)])
def test_mixup_begins_with_20_000_images(n, alpha):
    assert BigTransfer().mixup(n) == BigTransfer("code").mixup(n) == alpha


@pytest.mark.parametrize(
    ("variant", "area", "sizes"),
    [
        ("paper", 96 * 96 - 1, (160, 128)),
        ("paper", 96 * 96, (448, 384)),
        ("code", 96 * 96 - 1, (160, 128)),
        ("code", 96 * 96, (512, 480)),
    ],
)
def test_the_area_of_the_images_says_the_resolution(variant, area, sizes):
    assert BigTransfer(variant).sizes(area) == sizes


def test_sizes_of_ones_own_replace_the_rules():
    assert BigTransfer(resize=40, crop=32).sizes(10**6) == (40, 32)


def pictures(size, n=12):
    width, height = size
    random = np.random.default_rng(0)
    values = random.integers(0, 256, (n, height, width, 3), dtype=np.uint8)
    values[::2, :, :, 0] //= 4  # classes with little red, and with little blue
    values[1::2, :, :, 2] //= 4
    return ArrayImages(values)


def batch_of(images, orientation=None):
    rows = ImageRows(images, torch.arange(8)[None], orientation)
    labels = torch.arange(8)[None] % 2
    return EpisodeBatch(rows, labels, torch.ones(1, 8, dtype=torch.bool), 2, torch.tensor([7]))


def bit(seed=0):
    """timm's BiT ResNetV2, as small as it gets: GroupNorm and standardised weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = ResNetV2(
            layers=(1, 1, 1, 1),
            channels=(16, 16, 16, 16),
            stem_chs=8,
            norm_layer=partial(GroupNormAct, num_groups=4),
            conv_layer=partial(StdConv2d, eps=1e-8),
            stem_type="fixed",
            num_classes=0,
        )
    return Backbone("tiny BiT", freeze(network), None, "", network.num_features, 0, "")


SHORT = BigTransfer(max_steps=12, batch_size=16, lr=0.05, resize=36, crop=32)


@pytest.mark.parametrize("variant", ["paper", "code"])
def test_it_learns_on_timms_bit(variant):
    images = pictures((20, 30))
    head = replace(SHORT, variant=variant, max_steps=60, batch_size=8, lr=0.1).fit(batch_of(images), bit())
    logits = head(ImageRows(images, torch.arange(8, 12)[None]))
    assert logits.shape == (1, 4, 2)
    assert logits.argmax(2).tolist() == [[0, 1, 0, 1]]


class Means(nn.Module):
    """The mean of each channel."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))

    def forward(self, inputs):
        return inputs.mean((2, 3)) * self.scale


def means():
    return Backbone("means", freeze(Means()), None, "", 3, 0, "")


def shown(monkeypatch, evaluator, size, orientation=None):
    """The inputs of the first step, and those of a query."""
    seen, forward = [], Means.forward
    monkeypatch.setattr(Means, "forward", lambda self, x: seen.append(x) or forward(self, x))
    images = pictures(size)
    head = evaluator.fit(batch_of(images, orientation), means())
    head(ImageRows(images, torch.tensor([[9]])))
    return seen[1:-1], seen[-1], images  # the first is the trial of the size


@pytest.mark.parametrize(("size", "crop"), [((95, 96), 128), ((96, 96), 384)])
def test_inputs_have_the_rules_size_and_lie_between_minus_one_and_one(monkeypatch, size, crop):
    steps, query, images = shown(monkeypatch, BigTransfer(max_steps=1, batch_size=4), size)
    assert steps[0].shape[1:] == query.shape[1:] == (3, crop, crop)
    assert -1 <= steps[0].min() < -0.9 < 0.5 < steps[0].max() <= 1
    resized = np.asarray(images[9].resize((crop, crop), Image.Resampling.BILINEAR), dtype=np.float32)
    torch.testing.assert_close(query[0], torch.from_numpy(resized / 127.5 - 1).permute(2, 0, 1))


@pytest.mark.parametrize("orientation_matters", [True, False])
def test_crops_come_from_the_resized_image_flipped_only_where_that_is_allowed(monkeypatch, orientation_matters):
    orientation = torch.full((1, 8), orientation_matters)
    (step,), _, images = shown(monkeypatch, replace(SHORT, max_steps=1, batch_size=64), (20, 30), orientation)
    whole = [np.asarray(images[row].resize((36, 36), Image.Resampling.BILINEAR)) / 127.5 - 1 for row in range(8)]
    crops = {}
    for row, image in enumerate(whole):
        for left in range(5):
            for top in range(5):
                crop = image[top : top + 32, left : left + 32]
                crops[crop.round(3).tobytes()] = (row, False)
                crops[np.ascontiguousarray(crop[:, ::-1]).round(3).tobytes()] = (row, True)
    found = [crops[x.permute(1, 2, 0).double().numpy().round(3).copy().tobytes()] for x in step]
    assert {flipped for _, flipped in found} == ({False} if orientation_matters else {False, True})
    assert {row for row, _ in found} == set(range(8))  # 64 of 8 images: with replacement
    assert len({x.numpy().tobytes() for x in step}) > 30


def test_without_crop_and_flip_every_view_is_the_image(monkeypatch):
    evaluator = replace(SHORT, max_steps=1, batch_size=8, random_crop=False, flip=False)
    (step,), _, images = shown(monkeypatch, evaluator, (20, 30))
    for row, made in enumerate(step):
        resized = np.asarray(images[row].resize((32, 32), Image.Resampling.BILINEAR), dtype=np.float32)
        torch.testing.assert_close(made, torch.from_numpy(resized / 127.5 - 1).permute(2, 0, 1))


def test_mixup_mixes_inputs_and_losses_by_one_share(monkeypatch):
    monkeypatch.setattr(BigTransfer, "mixup", lambda self, n: 0.1)
    monkeypatch.setattr(tuned_episode, "mixing", lambda uniform, alpha: (0.75, np.roll(np.arange(len(uniform)), 1)))
    evaluator = replace(SHORT, max_steps=1, batch_size=8, random_crop=False, flip=False, lr=1.0)
    (step,), _, images = shown(monkeypatch, evaluator, (20, 30))
    plain = [
        torch.from_numpy(
            np.asarray(images[r].resize((32, 32), Image.Resampling.BILINEAR), dtype=np.float32) / 127.5 - 1
        )
        for r in range(8)
    ]
    expected = torch.stack([0.75 * plain[r] + 0.25 * plain[r - 1] for r in range(8)]).permute(0, 3, 1, 2)
    torch.testing.assert_close(step, expected)
    head = evaluator.fit(batch_of(images), means())
    features, labels = expected.mean((2, 3)), torch.arange(8) % 2
    soft = 0.75 * nn.functional.one_hot(labels, 2) + 0.25 * nn.functional.one_hot(labels.roll(1), 2)
    torch.testing.assert_close(head.heads.weight[0], -features.T @ (0.5 - soft) / 8)  # a step of SGD from zero


def test_a_network_of_a_fixed_size_is_told_to_ask_for_its_own():
    world = PictureWorld()
    with pytest.raises(ValueError, match=r"small cannot take images of 128 x 128 pixels, .* a resize= and a crop="):
        BigTransfer().fit(world.trial(0).batch, world.backbone)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"variant": "blog"}, "The 'variant' parameter of BigTransfer must be one of paper, code. Got 'blog' instead."),
        ({"lr": 0}, "'lr' parameter of BigTransfer must be a positive number. Got 0 instead"),
        (
            {"batch_size": None},
            "'batch_size' parameter of BigTransfer must be an integer of at least 1. Got None instead",
        ),
        (
            {"max_steps": 0},
            "'max_steps' parameter of BigTransfer must be an integer of at least 1, or None for the rule's. Got 0",
        ),
        ({"crop": 8.5}, "'crop' parameter of BigTransfer must be an integer"),
        ({"flip": "no"}, "'flip' parameter of BigTransfer must be True or False. Got 'no' instead"),
        ({"random_crop": 1}, "'random_crop' parameter of BigTransfer must be True or False. Got 1 instead"),
        ({"batchnorm": "on"}, "'batchnorm' parameter of BigTransfer must be one of frozen, support"),
        ({"crop": 170}, "BigTransfer cannot crop 170 pixels from 160; give both resize= and crop="),
    ],
)
def test_wrong_hyperparameters_are_named(fields, message):
    world = PictureWorld()
    with pytest.raises(ValueError, match=message):
        BigTransfer(**fields).fit(world.trial(0).batch, world.backbone)
