"""What a network does with its first two images is said: pixels that it never reads, logits, other outputs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
import timm
import torch
import torchvision
from fewshot.benchmarks.all_of_timm import read_table
from torch import Tensor, nn

from fewshot.backbones._dry_run import feature_count
from fewshot.backbones._live import live_backbone
from fewshot.backbones._timm_network import as_backbone, build, data_config, pooled
from fewshot.backbones.function import Function
from fewshot.backbones.random_init import RandomInit

SECONDS = 1.9  # that the benchmark took for a network
FAMILIES = {r["network"]: r["image_size"] for r in read_table() if "skipped" not in r and r["seconds"] < SECONDS}
UNREAD = "never reads the lowest {0} and the rightmost {0} pixels"


def warned(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING)


def unread(network: nn.Module, size: int) -> int:
    """How many of the last rows have no gradient, as no row is unread by chance where no parameter is 0."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(parameter.abs().sum() == 0)
    images = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(0)).requires_grad_()
    network(images).square().sum().backward()
    assert images.grad is not None
    return int((images.grad.abs().sum((0, 1, 3)) == 0).flip(0).long().cumprod(0).sum())


def loaded(source: RandomInit) -> tuple[nn.Module | None, str]:
    """Its network, or why there is none."""
    try:
        return source.load().network, ""
    except ValueError as error:
        return None, str(error)


@pytest.mark.parametrize("name", FAMILIES)
def test_pixels_that_are_never_read_are_refused_or_told(name: str, caplog: pytest.LogCaptureFixture) -> None:
    size = FAMILIES[name] + 15
    network, refusal = loaded(RandomInit(name, image_size=size))
    if network is None:
        assert "choose another image_size" in refusal or f"at {size} px" in refusal
        return
    margin = unread(network, size)
    assert (UNREAD.format(margin) in warned(caplog)) == (margin > 0), (margin, warned(caplog))


def test_the_sizes_that_fit_are_told(caplog: pytest.LogCaptureFixture) -> None:
    RandomInit("deit_tiny_patch16_224", image_size=239).load()
    assert warned(caplog).endswith(f"at 239 x 239 px {UNREAD.format(15)} of an image; choose image_size=224 or 240")
    caplog.clear()
    RandomInit("deit_tiny_patch16_224", image_size=240).load()
    assert warned(caplog) == ""


def test_the_size_of_the_weights_themselves_is_not_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    name = "test_vit_relpos"
    network = pooled(build(name, 159), name)
    network.pretrained_cfg = dict(network.pretrained_cfg, input_size=(3, 159, 159))  # type: ignore[arg-type]
    as_backbone(name, network, data_config(network))
    assert warned(caplog) == ""


@pytest.mark.parametrize("size", [(224, 128), 64.0, 0, -1, "64"])
def test_an_image_size_that_is_no_side_of_a_square_is_one_sentence(size: Any) -> None:
    for source, first in ((RandomInit, "test_vit"), (Function, f"{__name__}:a_network")):
        with pytest.raises(ValueError, match=r"The 'image_size' parameter of \w+ must be an integer of at least 1"):
            source(first, image_size=size)


@pytest.mark.parametrize(
    "made",
    [
        lambda: timm.create_model("test_resnet"),
        lambda: timm.create_model("levit_128s"),  # the mean of two heads
        lambda: timm.create_model("test_convnext", num_classes=7),
        lambda: torchvision.models.resnet18(),
        lambda: torchvision.models.mobilenet_v3_small(),
        lambda: torchvision.models.squeezenet1_1(),  # a convolution classifies
        lambda: torchvision.models.shufflenet_v2_x0_5(),
    ],
)
def test_a_classifier_that_is_left_on_is_told(made: Callable[[], Any], caplog: pytest.LogCaptureFixture) -> None:
    network = made()
    count = as_backbone(
        "mine", network, data_config(network, 64 if not hasattr(network, "pretrained_cfg") else None)
    ).dim
    assert f"mine ends in a classifier of {count} classes, so its features are logits" in warned(caplog)


def test_a_classifier_of_a_network_in_training_is_told_too(caplog: pytest.LogCaptureFixture) -> None:
    with live_backbone(timm.create_model("test_resnet")):
        assert "live network ends in a classifier of 1000 classes" in warned(caplog)


@pytest.mark.parametrize(
    "made",
    [
        lambda: timm.create_model("test_convnext", num_classes=0),  # its head is a norm
        lambda: nn.Sequential(torchvision.models.mobilenet_v3_small().features, nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        lambda: nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(48, 8)),  # a projection
    ],
)
def test_features_are_not_taken_for_logits(made: Callable[[], Any], caplog: pytest.LogCaptureFixture) -> None:
    network = made().eval()
    feature_count("mine", network, torch.zeros(2, 3, 160, 160))
    assert warned(caplog) == ""


class Returns(nn.Module):
    """A network that returns what a function makes of the mean colours [b, 3]."""

    def __init__(self, answer: Callable[[Tensor], Any], channels: int = 3) -> None:
        super().__init__()
        self.answer, self.first = answer, nn.Conv2d(channels, 3, 1)

    def forward(self, images: Tensor) -> Any:
        return self.answer(self.first(images).mean((2, 3)))


@pytest.mark.parametrize(
    ("network", "sentence"),
    [
        (
            Returns(lambda x: (x, x.sum())),
            r"'mine' returns a tuple of 2 \(\[2, 3\], \[\]\) for 2 images, but one tensor",
        ),
        (Returns(lambda x: [x]), r"returns a list of 1 \(\[2, 3\]\)"),
        (Returns(lambda x: {"features": x, "loss": 0}), r"returns a dict of 'features', 'loss' for 2 images"),
        (Returns(lambda x: None), "returns a NoneType"),
        (Returns(lambda x: x[0]), r"gives features of shape \(3,\) for 2 images"),
        (Returns(lambda x: x, channels=1), "'mine' takes images of 1 channel, but all images are RGB, of 3 channels"),
        (Returns(lambda x: x @ x), "cannot take images of 8 x 8 px: mat1 and mat2"),
    ],
)
def test_a_network_that_gives_no_vectors_says_what_it_does(network: nn.Module, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        feature_count("mine", network.eval(), torch.zeros(2, 3, 8, 8))


def a_network() -> nn.Module:
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())


def takes_an_argument(width: int) -> nn.Module:
    return nn.Identity()


def test_a_function_that_needs_arguments_is_told() -> None:
    with pytest.raises(ValueError, match=r"takes_an_argument needs arguments \(width\), but is called without any"):
        Function(f"{__name__}:takes_an_argument").load()


def test_a_network_can_be_trained_after_its_first_images() -> None:
    """ConViT keeps positions of its first images: made in inference mode, they would refuse gradients."""
    network = RandomInit("convit_tiny", image_size=64).load().network.requires_grad_(True)
    network(torch.zeros(1, 3, 64, 64)).sum().backward()
