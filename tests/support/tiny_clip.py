"""A CLIP model of two small towers with random weights, as open_clip saves one: no hub is needed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

open_clip = pytest.importorskip("open_clip", reason="open_clip_torch is not installed (pip install 'fewshot[clip]')")

SIZE = 32
MODEL: dict[str, Any] = {
    "embed_dim": 16,
    "quick_gelu": False,
    "vision_cfg": {"image_size": SIZE, "layers": 2, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 24, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
}
PREPROCESS = {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.3, 0.25], "interpolation": "bicubic", "resize_mode": "shortest"}


def tiny_model(seed: int = 0, **changed: Any) -> Any:
    """The model, with weights of this seed that no layer leaves at zero."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = open_clip.CLIP(**json.loads(json.dumps({**MODEL, **changed})))
        with torch.no_grad():
            for value in model.parameters():
                value.add_(torch.randn(value.shape) * 0.1)
    return model.eval()


def write_tiny_clip(folder: Path, seed: int = 0, preprocess: dict[str, Any] = PREPROCESS, **changed: Any) -> Path:
    """The file of the weights, with open_clip's config beside it; `changed` replaces parts of MODEL."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "open_clip_model.safetensors"
    save_file({name: value.contiguous() for name, value in tiny_model(seed, **changed).state_dict().items()}, path)
    config = {"model_cfg": {**MODEL, **changed}, "preprocess_cfg": preprocess}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    return path
