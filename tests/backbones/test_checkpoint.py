"""A file of weights is loaded as it was saved, whatever its trainer put around it; which of several states is said."""

from __future__ import annotations

import argparse
import collections
import datetime
import logging
import os
import pathlib
import warnings
import zipfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from timm.layers import resample_abs_pos_embed
from torch import Tensor, nn

from fewshot.backbones import weights_digest
from fewshot.backbones._timm_network import build
from fewshot.backbones._weight_files import read_content
from fewshot.backbones.checkpoint import Checkpoint

State = dict[str, Tensor]
NETWORKS = ("test_resnet", "test_vit")


@cache
def state_of(name: str, n_classes: int = 7, add: float = 0.0, size: int | None = None) -> State:
    """Weights that no initialisation gives."""
    state = build(name, size, num_classes=n_classes).state_dict()
    generator = torch.Generator().manual_seed(1)
    return {
        key: value + add + 0.1 * torch.rand(value.shape, generator=generator)
        if value.is_floating_point()
        else value + 3
        for key, value in state.items()
    }


def saved(content: Any, folder: Path, name: str = "a.pth") -> Path:
    if name.endswith(".safetensors"):
        save_file({key: value.contiguous() for key, value in content.items()}, folder / name)
    else:
        torch.save(content, folder / name)
    return folder / name


def loaded(name: str, path: Path, **fields: Any) -> str:
    """The digest of the weights without a classifier."""
    return Checkpoint(name, path, **fields).load().weights_digest


def expected(name: str, state: Mapping[str, Tensor], n_classes: int = 7) -> str:
    network: Any = build(name, num_classes=n_classes)
    network.load_state_dict(state)
    network.reset_classifier(0)
    return weights_digest(network.state_dict())


def prefixed(state: State, *parts: str) -> State:
    return {".".join([*parts, key]): value for key, value in state.items()}


def without_counts(state: State) -> State:
    return {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}


def chunked(state: State, restart: bool = False) -> State:
    """Blocks of a ViT in chunks of two, as FSDP trains them; counted on, or from 0 in each."""
    renamed = {}
    for key, value in state.items():
        parts = key.split(".")
        if parts[0] == "blocks":
            number = int(parts[1])
            parts[1] = f"{number // 2}.{number % 2 if restart else number}"
        renamed[".".join(parts)] = value
    return renamed


# What trainers make of a state; all hold the same weights, and no others that fit.
WRAPPINGS: Mapping[str, Callable[[State], Any]] = {
    **{
        prefix: lambda state, prefix=prefix: prefixed(state, *prefix.split("."))  # type: ignore[misc]
        for prefix in (
            "module",
            "model",
            "backbone",
            "encoder",
            "_orig_mod",
            "module._orig_mod",
            "module.encoder_q",
            "module.base_encoder",
            "student.backbone",
            "net.trunk.visual",
        )
    },
    "state_dict": lambda state: {"state_dict": state, "epoch": 3, "optimizer": {"state": {0: {"step": torch.ones(1)}}}},
    "model_state_dict": lambda state: {"model_state_dict": state},
    "two containers": lambda state: {"checkpoint": {"model": prefixed(state, "module")}},
    "the average alone": lambda state: {"state_dict_ema": state, "epoch": 3},
    "AveragedModel": lambda state: {"n_averaged": torch.tensor(4), **prefixed(state, "module")},
    "Lightning": lambda state: {
        "state_dict": {**prefixed(state, "model"), "criterion.weight": torch.ones(3)},
        "hyper_parameters": argparse.Namespace(lr=0.1),
        "callbacks": {},
        "pytorch-lightning_version": "2.0",
    },
    "FSDP": lambda state: {key.replace(".", "._fsdp_wrapped_module.", 1): value for key, value in state.items()},
    "a projector beside": lambda state: {**prefixed(state, "encoder"), "projector.0.weight": torch.ones(8, 8)},
    "a mask token": lambda state: {**state, "mask_token": torch.zeros(1, 1, 4)},
    "a decoder": lambda state: {
        **state,
        "decoder_embed.weight": torch.ones(3),
        "decoder_blocks.0.norm1.bias": torch.ones(3),
    },
    "MoCo": lambda state: {"state_dict": {**prefixed(state, "module", "encoder_q"), "module.queue": torch.ones(2, 4)}},
}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_the_same_weights_come_out_of_every_wrapping(name: str, wrapping: str, tmp_path: Path) -> None:
    state = state_of(name)
    path = saved(WRAPPINGS[wrapping](state), tmp_path)
    assert loaded(name, path) == expected(name, state)


@pytest.mark.parametrize("name", ["test_convnext", "levit_128s", "test_efficientnet", "test_nfnet"])
def test_heads_of_any_family_are_known(name: str, tmp_path: Path) -> None:
    state = state_of(name)
    assert loaded(name, saved({"state_dict": prefixed(state, "module")}, tmp_path)) == expected(name, state)


@pytest.mark.parametrize("suffix", ["safetensors", "pth", "pt", "bin", "ckpt", "pth.tar"])
def test_the_same_weights_come_out_of_every_kind_of_file(suffix: str, tmp_path: Path) -> None:
    state = state_of("test_vit")
    path = saved(prefixed(state, "module"), tmp_path, f"a.{suffix}")
    assert loaded("test_vit", path) == expected("test_vit", state)
    assert loaded("test_vit", path, image_size=96) != expected("test_vit", state)  # its positions are resampled


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("parts", [(), ("teacher", "backbone")])
def test_blocks_in_chunks_are_counted_through(restart: bool, parts: tuple[str, ...], tmp_path: Path) -> None:
    state = state_of("test_vit")
    path = saved(prefixed(chunked(state, restart), *parts), tmp_path)
    assert loaded("test_vit", path) == expected("test_vit", state)


@pytest.mark.parametrize("name", ["test_resnet", "test_efficientnet", "levit_128s"])
def test_counts_of_batches_may_be_absent(name: str, tmp_path: Path) -> None:
    state = state_of(name)
    kept = without_counts(state)
    zeros = {key: kept.get(key, torch.zeros_like(value)) for key, value in state.items()}
    assert loaded(name, saved(kept, tmp_path)) == expected(name, zeros)


@pytest.mark.parametrize("head", ["fc.0.weight", "head.mlp.2.bias", "head.last_layer.weight_g", "classifier.weight"])
def test_a_head_of_another_kind_is_left_out_and_told(head: str, tmp_path: Path, caplog: Any) -> None:
    caplog.set_level(logging.INFO)
    state = {key: value for key, value in state_of("test_vit").items() if not key.startswith("head.")}
    assert loaded("test_vit", saved({**state, head: torch.ones(5, 4)}, tmp_path)) == expected("test_vit", state, 0)
    assert f"a.pth: left out 1 entry, such as {head}" in caplog.text


@pytest.mark.parametrize("extra", ["blocks.99.norm1.weight", "extra.weight", "norm.extra", "fc_norm.weight"])
def test_an_entry_that_speaks_against_the_network_is_refused(extra: str, tmp_path: Path) -> None:
    path = saved({**state_of("test_vit"), extra: torch.ones(4)}, tmp_path)
    with pytest.raises(ValueError, match=rf"1 of its \d+ are unexpected \(first: {extra}\)"):
        loaded("test_vit", path)


@pytest.mark.parametrize("name", NETWORKS)
def test_no_weight_may_be_missing_or_of_another_shape(name: str, tmp_path: Path) -> None:
    state = state_of(name)
    weights = [
        key for key, value in state.items() if value.is_floating_point() and "head" not in key and "fc" not in key
    ]
    for key in weights[:: max(1, len(weights) // 6)]:
        for changed in (None, torch.ones(*state[key].shape, 2), state[key][..., :-1]):
            other = {k: v for k, v in state.items() if k != key} | ({} if changed is None else {key: changed})
            with pytest.raises(ValueError, match="does not fit timm's"):
                loaded(name, saved(other, tmp_path))


# Several states


PAIRS: Mapping[str, tuple[Callable[[State, State], Any], str, str]] = {
    "timm": (lambda a, b: {"state_dict": a, "state_dict_ema": b}, "state_dict", "state_dict_ema"),
    "average": (lambda a, b: {"model": a, "model_ema": b}, "model", "model_ema"),
    "DINO": (
        lambda a, b: {"student": prefixed(a, "module", "backbone"), "teacher": prefixed(b, "backbone")},
        "student",
        "teacher",
    ),
    "MoCo": (
        lambda a, b: {
            "state_dict": {
                **prefixed(a, "module", "encoder_q"),
                **prefixed(b, "module", "encoder_k"),
                "module.queue": torch.ones(2),
            }
        },
        "encoder_q",
        "encoder_k",
    ),
    "flat": (lambda a, b: {**a, **prefixed(b, "momentum_encoder")}, "", "momentum_encoder"),
}


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("name", ["test_resnet", "test_vit"])
def test_of_two_states_one_is_asked_for_and_that_one_is_loaded(
    pair: str, name: str, tmp_path: Path, caplog: Any
) -> None:
    caplog.set_level(logging.INFO)
    make, first, second = PAIRS[pair]
    states = state_of(name), state_of(name, add=1.0)
    path = saved(make(*states), tmp_path)
    with pytest.raises(ValueError, match=r"has 2 states that fit: .*; choose one, such as state=") as caught:
        loaded(name, path)
    assert repr(first)[1:-1] in str(caught.value)
    assert second in str(caught.value)
    for asked, state in zip((first, second), states, strict=True):
        caplog.clear()
        assert loaded(name, path, state=asked) == expected(name, state)
        assert "a.pth: " in caplog.text
        assert asked in caplog.text
    with pytest.raises(ValueError, match="has no state 'quux' that fits; those that fit are: "):
        loaded(name, path, state="quux")


def test_what_timm_itself_would_take_is_said(tmp_path: Path) -> None:
    path = saved({"state_dict": state_of("test_vit"), "state_dict_ema": state_of("test_vit", add=1)}, tmp_path)
    with pytest.raises(ValueError, match=r"\(timm itself takes 'state_dict_ema'\)"):
        loaded("test_vit", path)


def test_one_state_under_two_names_is_one_and_an_average_of_another_network_does_not_count(tmp_path: Path) -> None:
    state = state_of("test_vit")
    assert loaded("test_vit", saved({"model": state, "state_dict": state}, tmp_path)) == expected("test_vit", state)
    both = {"model": state, "model_ema": state_of("test_resnet")}
    assert loaded("test_vit", saved(both, tmp_path)) == expected("test_vit", state)


def test_a_state_that_was_asked_for_and_does_not_fit_says_why(tmp_path: Path) -> None:
    broken = {key: value for key, value in state_of("test_vit").items() if key != "norm.weight"}
    path = saved({"model": broken, "model_ema": broken}, tmp_path)
    with pytest.raises(ValueError, match=r"\('model_ema'\) does not fit timm's 'test_vit': 1 of .*norm.weight"):
        loaded("test_vit", path, state="model_ema")


# Position embeddings of another size


def test_positions_of_another_size_are_resampled_by_timm_and_told(tmp_path: Path, caplog: Any) -> None:
    caplog.set_level(logging.INFO)
    state = state_of("test_vit", size=96)
    resampled = resample_abs_pos_embed(state["pos_embed"], new_size=[10, 10], old_size=[6, 6], num_prefix_tokens=1)
    path = saved(prefixed(state, "model"), tmp_path)
    assert loaded("test_vit", path) == expected("test_vit", {**state, "pos_embed": resampled})
    assert "timm resampled 1 entry of positions, such as pos_embed from (1, 37, 64) to (1, 101, 64)" in caplog.text
    caplog.clear()
    kept = Checkpoint("test_vit", path, image_size=96).load().network.state_dict()
    assert torch.equal(kept["pos_embed"], state["pos_embed"])
    assert "resampled" not in caplog.text


def test_a_patch_of_another_size_is_another_network(tmp_path: Path) -> None:
    path = saved(build("deit_tiny_patch16_224", 64).state_dict(), tmp_path)
    with pytest.raises(ValueError, match=r"does not fit timm's 'vit_tiny_r_s16_p8_224'"):
        loaded("vit_tiny_r_s16_p8_224", path)
    state = {**state_of("test_vit"), "patch_embed.proj.weight": torch.ones(64, 3, 8, 8)}
    with pytest.raises(ValueError, match="1 have another shape"):
        loaded("test_vit", saved(state, tmp_path))


# Pickles


BESIDE: Mapping[str, Any] = {
    "Namespace": argparse.Namespace(lr=0.1, nested=argparse.Namespace(a=[1])),
    "float64": np.float64(76.1),
    "float32": np.float32(76.1),
    "int64": np.int64(3),
    "bool": np.bool_(True),
    "array": np.arange(6.0).reshape(2, 3),
    "texts": np.array(["cat", "dog"]),
    "dtype": np.dtype("float32"),
    "defaultdict": collections.defaultdict(list, {"a": [1]}),
    "path": pathlib.Path("/data"),
    "date": datetime.datetime(2024, 1, 1),
    "type": float,
    "deep": {"a": [(np.float32(1), argparse.Namespace(b=pathlib.Path("/x")))]},
}


@pytest.mark.parametrize("beside", BESIDE)
@pytest.mark.parametrize("zipped", [True, False])
def test_what_lies_beside_the_weights_does_not_matter_and_is_not_made(
    beside: str, zipped: bool, tmp_path: Path
) -> None:
    state, before = state_of("test_resnet"), set(torch.serialization.get_safe_globals())
    path = tmp_path / "a.pth"
    torch.save({"state_dict": state, "args": BESIDE[beside]}, path, _use_new_zipfile_serialization=zipped)
    assert loaded("test_resnet", path) == expected("test_resnet", state)
    assert type(read_content(path)["args"]) is not type(BESIDE[beside]) or beside in ("deep", "type")
    assert set(torch.serialization.get_safe_globals()) == before


class Hostile:
    """Calls what it is given when it is unpickled."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize(
    "call", [(os.mkdir,), (os.system,), (eval,), (exec,), (getattr, 1), (np.load,), (np.fromfile,), (__import__,)]
)
@pytest.mark.parametrize("zipped", [True, False])
def test_nothing_that_a_file_names_is_called(call: tuple[Any, ...], zipped: bool, tmp_path: Path) -> None:
    proof, path = tmp_path / "proof", tmp_path / "a.pth"
    content = {"state_dict": state_of("test_resnet"), "args": Hostile(*call, str(proof))}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(ValueError, match=r"\(a pickle that names code\): not loaded, it names \S+;"):
        loaded("test_resnet", path)
    assert not proof.exists()


def test_weights_in_arrays_of_numpy_are_no_state(tmp_path: Path) -> None:
    path = saved({"model": {key: value.numpy() for key, value in state_of("test_resnet").items()}}, tmp_path)
    with pytest.raises(ValueError, match="holds a dict of model, but a state dict was expected"):
        loaded("test_resnet", path)


def rewritten(path: Path, part: str, data: bytes) -> Path:
    """The same zip file with another content of the part that ends so."""
    other = path.with_name("other.pth")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(other, "w") as target:
        for info in source.infolist():
            target.writestr(info.filename, data if info.filename.endswith(part) else source.read(info.filename))
    return other


def test_files_of_other_torches_are_one_sentence_that_says_what_to_do(tmp_path: Path) -> None:
    path = saved(state_of("test_resnet"), tmp_path)
    with pytest.raises(ValueError, match=r"a newer torch than .* wrote .* \(file version 99\); install it, or save"):
        loaded("test_resnet", rewritten(path, "/version", b"99\n"))
    with zipfile.ZipFile(path) as source:
        pickled = source.read(next(name for name in source.namelist() if name.endswith("data.pkl")))
    future = pickled.replace(b"_rebuild_tensor_v2", b"_rebuild_tensor_v9")
    with pytest.raises(ValueError, match=r"needs torch\._utils\._rebuild_tensor_v9, which torch .* does not have"):
        loaded("test_resnet", rewritten(path, "data.pkl", future))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # TorchScript is on its way out, its files stay
        torch.jit.save(torch.jit.trace(nn.Linear(2, 2), torch.zeros(1, 2)), tmp_path / "program.pt")
    with pytest.raises(ValueError, match=r"is a TorchScript program, not weights; load it with torch\.jit\.load"):
        loaded("test_resnet", tmp_path / "program.pt")
    torch.save(state_of("test_resnet"), tmp_path / "four.pth", pickle_protocol=4)
    with pytest.raises(ValueError, match=r"uses a pickle protocol that cannot be read without running code"):
        loaded("test_resnet", tmp_path / "four.pth")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused_by_name(value, tmp_path):
    state = {name: tensor.clone() for name, tensor in state_of("test_resnet").items()}
    name = next(name for name in state if name.endswith("conv2.weight"))
    state[name].view(-1)[3] = value
    path = saved(state, tmp_path)
    with pytest.raises(
        ValueError, match=rf"{path} holds weights that are NaN or infinite, the first in '.*conv2.weight'"
    ):
        Checkpoint("test_resnet", path).load()
