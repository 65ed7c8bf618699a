"""The preprocessing of a file of weights: by fields, by the config beside it, and always part of the run's identity."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file
from timm.data.transforms_factory import create_transform

from fewshot.backbones._timm_network import build
from fewshot.backbones.checkpoint import Checkpoint
from fewshot.backbones.timm import Timm
from fewshot.plugins.registry import BACKBONES
from fewshot.plugins.shorthand import shorthand

MEAN, STD = (0.1, 0.2, 0.3), (0.4, 0.5, 0.6)
PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 70, 3), dtype=np.uint8))


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    save_file(build("test_resnet").state_dict(), tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


def write_config(weights: Path, architecture: str = "test_resnet", arguments: Any = None, **pretrained: Any) -> Path:
    config = {
        "architecture": architecture,
        "pretrained_cfg": pretrained,
        **({"model_args": arguments} if arguments else {}),
    }
    path = weights.with_name("config.json")
    path.write_text(json.dumps(config))
    return path


def preprocessed(path: Path, name: str = "test_resnet", **fields: Any) -> torch.Tensor:
    return Checkpoint(name, path, **fields).load().preprocess(PICTURE)


def timms(**config: Any) -> torch.Tensor:
    """What timm's evaluation transform makes of the picture; defaults are those of test_resnet's weights."""
    known: Any = timm.get_pretrained_cfg("test_resnet")
    names = ("input_size", "mean", "std", "interpolation", "crop_pct", "crop_mode")
    made = create_transform(**{**{name: getattr(known, name) for name in names}, **config})(PICTURE)
    assert isinstance(made, torch.Tensor)
    return made


CHANGES: list[dict[str, Any]] = [
    {},
    {"mean": MEAN},
    {"std": STD},
    {"mean": MEAN, "std": STD},
    {"interpolation": "bilinear"},
    {"crop_pct": 0.5},
    {"crop_mode": "squash"},
    {"crop_mode": "border", "crop_pct": 0.8},
]


@pytest.mark.parametrize("change", CHANGES, ids=repr)
def test_fields_and_config_change_what_timm_would_change(change: dict[str, Any], weights: Path) -> None:
    assert torch.equal(preprocessed(weights, **change), timms(**change))
    write_config(weights, **change)
    assert torch.equal(preprocessed(weights), timms(**change))


def test_fields_win_over_the_config_and_the_config_over_timm(weights: Path) -> None:
    write_config(weights, mean=MEAN, std=STD, input_size=[3, 96, 96])
    assert torch.equal(preprocessed(weights), timms(mean=MEAN, std=STD, input_size=(3, 96, 96)))
    found = preprocessed(weights, std=(1.0, 1.0, 1.0), image_size=64)
    assert torch.equal(found, timms(mean=MEAN, std=(1.0, 1.0, 1.0), input_size=(3, 64, 64)))


def test_the_config_says_how_the_network_is_built(tmp_path: Path) -> None:
    arguments = {"reg_tokens": 4, "img_size": 96, "num_classes": 5}
    network = timm.create_model("test_vit", **arguments)  # type: ignore[arg-type]
    save_file(network.state_dict(), tmp_path / "a.safetensors")
    with pytest.raises(ValueError, match="does not fit timm's 'test_vit'"):
        Checkpoint("test_vit", tmp_path / "a.safetensors").load()
    write_config(tmp_path / "a.safetensors", "test_vit", arguments)
    backbone = Checkpoint("test_vit", tmp_path / "a.safetensors").load()
    assert backbone.preprocess(PICTURE).shape == (3, 96, 96)
    resized = Checkpoint("test_vit", tmp_path / "a.safetensors", image_size=160).load()
    assert resized.preprocess(PICTURE).shape == (3, 160, 160)


def test_what_timm_saves_for_its_hub_is_what_is_read(tmp_path: Path) -> None:
    network = timm.create_model("test_vit", num_classes=3)
    network.pretrained_cfg |= {"mean": MEAN, "std": STD, "crop_pct": 0.7}
    timm.models.save_for_hf(network, tmp_path)
    made = BACKBONES.make(shorthand(f"local-dir:{tmp_path}")).load()
    theirs = timm.create_model(f"local-dir:{tmp_path}", pretrained=True, num_classes=0).eval()
    images = made.preprocess(PICTURE)[None]
    with torch.inference_mode():
        assert torch.equal(made.embed(images), theirs(images))
    config = {"input_size": (3, 160, 160), "interpolation": "bicubic"} | {"mean": MEAN, "std": STD, "crop_pct": 0.7}
    assert torch.equal(images[0], create_transform(**config)(PICTURE))  # type: ignore[arg-type]


@pytest.mark.parametrize("content", ["{}", "[]", '{"model_type": "vit"}', '{"lr": 0.1, "mean": 3}'])
def test_a_config_of_another_program_is_not_read(content: str, weights: Path) -> None:
    weights.with_name("config.json").write_text(content)
    assert torch.equal(preprocessed(weights), timms())


def test_a_config_of_another_network_is_told_and_not_used(weights: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_config(weights, "resnet18", mean=MEAN)
    assert torch.equal(preprocessed(weights), timms())
    assert f"{path} is for resnet18, not for test_resnet: ignored" in caplog.text


def test_a_config_that_is_used_is_told(weights: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    path = write_config(weights, crop_pct=0.5)
    preprocessed(weights)
    assert f"preprocessing from {path}: crop_pct 0.5" in caplog.text


def test_a_damaged_config_is_one_sentence(weights: Path) -> None:
    weights.with_name("config.json").write_text("{")
    with pytest.raises(
        ValueError, match=r"the config .*config\.json beside the weights cannot be read .* move it away"
    ):
        preprocessed(weights)
    write_config(weights, crop_pct=7)
    with pytest.raises(
        ValueError, match=r"the 'crop_pct' of the config\.json beside .* must be a share in \(0, 1\]; got 7"
    ):
        preprocessed(weights)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("mean", (0.5, 0.5)),
        ("mean", 0.5),
        ("mean", ("a", "b", "c")),
        ("mean", (float("nan"),) * 3),
        ("std", (0.0, 0.1, 0.1)),
        ("std", (-0.1, 0.1, 0.1)),
        ("interpolation", "random"),
        ("interpolation", "quux"),
        ("crop_pct", 0),
        ("crop_pct", 1.5),
        ("crop_mode", "quux"),
    ],
)
def test_a_field_that_says_nothing_is_one_sentence(field: str, value: Any, weights: Path) -> None:
    with pytest.raises(ValueError, match=f"the '{field}' of Checkpoint must be .*; got "):
        preprocessed(weights, **{field: value})


def identity(weights: Path, more: str = "") -> str:
    return BACKBONES.spec(f"Checkpoint('test_resnet', {str(weights)!r}{more})").identity


def test_texts_and_identities_of_stored_rows_are_as_they_were(weights: Path) -> None:
    spec = BACKBONES.spec(f"Checkpoint('test_resnet', {str(weights)!r}, 64)")
    assert spec.text == f"Checkpoint(name='test_resnet', path={str(weights)!r}, image_size=64, pool=None)"
    digest = identity(weights).partition("sha256:")[2][:16]
    assert spec.identity == f"Checkpoint(name='test_resnet', path='sha256:{digest}', image_size=64, pool=None)"


def test_all_that_changes_the_number_changes_the_identity(weights: Path) -> None:
    fields = ["state='a'", "mean=(0, 0, 0)", "std=(1, 1, 1)", "interpolation='box'", "crop_pct=1", "crop_mode='squash'"]
    found = [identity(weights), *(identity(weights, f", {field}") for field in fields)]
    for mean in (MEAN, STD):
        write_config(weights, mean=mean)
        found.append(identity(weights))
    assert len(set(found)) == len(found)
    weights.with_name("config.json").unlink()
    assert identity(weights) == found[0]


# Names


@pytest.mark.parametrize("name", ["hf-hub:Owner/Model", "hf-hub:owner/Model.Tag_1@main", "hf_hub:Owner-2/model"])
def test_names_of_the_hub_may_have_capitals(name: str) -> None:
    assert shorthand(name) == f"Timm(name={name!r})"


def test_a_folder_is_the_checkpoint_in_it(weights: Path) -> None:
    write_config(weights)
    spec = f"Checkpoint(name='test_resnet', path={str(weights)!r})"
    assert shorthand(f"local-dir:{weights.parent}") == spec
    with pytest.raises(ValueError, match="is a folder; write Checkpoint"):
        Timm(f"local-dir:{weights.parent}").load()
    assert Timm(f"local-dir:{weights.parent}").to_download() == ""
    weights.rename(weights.with_name("own.safetensors"))
    assert shorthand(f"local-dir:{weights.parent}") == spec.replace("model.safe", "own.safe")


def test_a_folder_without_weights_or_config_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no config\.json that names the architecture"):
        shorthand(f"local-dir:{tmp_path}")
    write_config(tmp_path / "model.safetensors")
    with pytest.raises(
        ValueError, match=r"one file of weights is wanted in the folder .*; found: none; write Checkpoint"
    ):
        shorthand(f"local-dir:{tmp_path}")
    for name in ("a.pth", "b.pth"):
        (tmp_path / name).touch()
    with pytest.raises(ValueError, match=r"found: a\.pth, b\.pth; write Checkpoint"):
        shorthand(f"local-dir:{tmp_path}")


def test_a_name_of_the_hub_without_its_prefix_is_told() -> None:
    with pytest.raises(ValueError, match="for a network of the hub write 'hf-hub:timm/resnet10t'"):
        Timm("timm/resnet10t").load()


@pytest.mark.parametrize("value", [True, 0.5, {"a": {}}, "A" * 5000, 10**18])
def test_a_config_of_other_kinds_of_values_is_one_sentence(value: Any, weights: Path) -> None:
    source = Checkpoint("test_resnet", weights)
    write_config(weights, input_size=value)
    with pytest.raises(ValueError, match=r"^the 'input_size' of the config\.json beside .* must be a list; got "):
        source.load()
    if not isinstance(value, dict):
        write_config(weights, arguments=value)
        with pytest.raises(
            ValueError, match=r"^the 'model_args' of the config\.json beside .* must be an object; got "
        ):
            source.load()
    write_config(weights, mean=[0.5, 0.5, 10**400], interpolation=value)
    with pytest.raises(
        ValueError, match=r"the 'mean' of the config\.json beside .* must be 3 numbers, .*; got \[0\.5, "
    ):
        source.load()
    write_config(weights, interpolation=value)
    with pytest.raises(ValueError, match=r"the 'interpolation' of the .* must be one of nearest") as raised:
        source.load()
    assert len(str(raised.value)) < 1000
