"""CLIP models of open_clip: two towers with one space, their weights and their preprocessing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fewshot.backbones import Backbone, freeze, weights_digest
from fewshot.backbones._fitting import Misfit, fit
from fewshot.backbones._open_clip_config import Config, Source, package
from fewshot.backbones._open_clip_text import ClipTextTower
from fewshot.backbones._timm_errors import BUILDING, first_line
from fewshot.backbones._timm_network import config_digest, eval_transform
from fewshot.backbones._weight_files import check_finite
from fewshot.backbones._weight_states import of_network, read_states
from fewshot.backbones._words import Prompts
from fewshot.files.quoting import quoted

_CROPS = {"shortest": "center", "squash": "squash"}  # timm's words for open_clip's ways to resize


class ImageTower(nn.Module):
    """Images [b, 3, H, W] to their projected features [b, D], the space of the texts; not normalised."""

    def __init__(self, visual: nn.Module) -> None:
        super().__init__()
        self.visual = visual

    def forward(self, images: Tensor) -> Tensor:
        """The features [b, D]; of a tower that returns its tokens too, the first part."""
        features: Any = self.visual(images)
        vectors: Tensor = features[0] if isinstance(features, tuple) else features
        return vectors


def open_clip_backbone(
    name: str, source: Source, image_size: int | None, prompts: Callable[[str], Prompts | None], with_words: bool
) -> Backbone:
    """The backbone of a CLIP model: its image tower, and its text tower as `words`."""
    path = source.weights(name)
    config = _sized(source.model, image_size)
    model = _built(name, config)
    if path is not None:
        _load(model, path, name)
        _resize(model, name, image_size)
    freeze(model)
    tower = ImageTower(model.visual)  # type: ignore[arg-type]
    preprocessing = _preprocessing(source.preprocess, model)
    text = ClipTextTower(model, config, prompts, path and path.parent)
    digest = f"{json.dumps(config, sort_keys=True)} {weights_digest(tower.state_dict())} {text.digest}"
    return Backbone(
        name=name,
        network=freeze(tower),
        preprocess=eval_transform(preprocessing),
        preprocess_digest=config_digest(preprocessing),
        dim=_dim(tower, preprocessing, name),
        n_params=sum(p.numel() for p in tower.parameters()),
        weights_digest=hashlib.sha256(digest.encode()).hexdigest(),  # of both towers
        pretrained_on=source.trained_on,
        words=text if with_words else None,
    )


def _sized(config: Config, image_size: int | None) -> dict[str, Any]:
    """The configuration of a network without weights, at an image size."""
    own = deepcopy(dict(config))
    if "timm_model_name" in own["vision_cfg"]:
        own["vision_cfg"]["timm_model_pretrained"] = False
    if "hf_model_name" in own["text_cfg"]:
        own["text_cfg"]["hf_model_pretrained"] = False
    if image_size is not None:
        own["vision_cfg"]["image_size"] = image_size
    return own


def _built(name: str, config: Config) -> nn.Module:
    """A CLIP model with random weights of seed 0; does not change the global generator."""
    arguments = deepcopy(dict(config))
    custom = arguments.pop("custom_text", False) or "hf_model_name" in config["text_cfg"]
    kind = ("CoCa" if "multimodal_cfg" in config else "CustomTextCLIP") if custom else "CLIP"
    try:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(0)
            model: nn.Module = getattr(package(), kind)(**arguments)
    except (*BUILDING, ImportError, OSError) as error:
        raise ValueError(f"open_clip cannot build {name}: {first_line(error)}") from error
    return model


def _load(model: nn.Module, path: Path, name: str) -> None:
    """Loads all weights of a file, read as tensors only."""
    states = of_network(read_states(path), model.state_dict())
    if len(states) > 1:
        places = ", ".join(repr(state.place) for state in states)
        raise ValueError(f"{path} has several states that fit ({places}); save the one to use as .safetensors")
    try:
        model.load_state_dict(fit(model, _adapted(model, dict(states[0].tensors))).tensors, strict=True)
    except (Misfit, AssertionError) as misfit:
        raise ValueError(f"{path} does not fit {name}: {misfit}; give the model that the weights belong to") from misfit
    check_finite(model, f"the file {path}")


def _adapted(model: Any, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The entries under the names and in the sizes of this model, by open_clip's own conversions."""
    from open_clip.model import convert_to_custom_text_state_dict, resize_pos_embed, resize_text_pos_embed

    state = package().convert.convert_state_dict(model, state)
    if "positional_embedding" in state and not hasattr(model, "positional_embedding"):
        state = convert_to_custom_text_state_dict(state)
    for scalar in ("logit_scale", "logit_bias"):
        own = getattr(model, scalar, None)
        if own is not None and scalar in state and state[scalar].numel() == own.numel():
            state[scalar] = state[scalar].reshape(own.shape)
        elif own is not None and scalar == "logit_bias":
            state[scalar] = torch.zeros_like(own)
    resize_pos_embed(state, model)
    resize_text_pos_embed(state, model)
    return state


def _resize(model: Any, name: str, image_size: int | None) -> None:
    """Brings a tower of timm to an image size after its weights are loaded; towers of open_clip have it already."""
    if image_size is None or not hasattr(model.visual, "set_input_size"):
        return
    try:
        model.visual.set_input_size(image_size)
    except BUILDING as error:
        raise ValueError(f"open_clip cannot bring {name} to {image_size} px: {first_line(error)}") from error


def _preprocessing(config: Config, model: Any) -> Config:
    """timm's words for open_clip's preprocessing, at the size of the image tower."""
    mode = str(config.get("resize_mode") or "shortest")
    if mode not in _CROPS:
        raise ValueError(f"fewshot has no preprocessing that resizes by {quoted(mode)}; known: {', '.join(_CROPS)}")
    size = model.visual.image_size
    height, width = size if isinstance(size, tuple | list) else (size, size)
    return {
        "input_size": (3, height, width),
        "interpolation": str(config.get("interpolation") or "bicubic"),
        "mean": tuple(config.get("mean") or package().OPENAI_DATASET_MEAN),
        "std": tuple(config.get("std") or package().OPENAI_DATASET_STD),
        "crop_pct": 1.0,
        "crop_mode": _CROPS[mode],
    }


def _dim(tower: nn.Module, preprocessing: Config, name: str) -> int:
    """D, from a run on a plain image."""
    try:
        with torch.no_grad():
            return int(tower(torch.zeros(1, *preprocessing["input_size"])).shape[1])
    except BUILDING as error:
        height, width = preprocessing["input_size"][1:]
        raise ValueError(f"{name} cannot take images of {height} x {width} px: {first_line(error)}") from error
