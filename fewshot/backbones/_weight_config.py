"""timm's config.json beside a file of weights: architecture, arguments, preprocessing."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fewshot.files.quoting import quoted
from fewshot.files.regular import parsed_json, read_text

CONFIG = "config.json"
PREPROCESSING = ("mean", "std", "interpolation", "crop_pct", "crop_mode")
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "box", "hamming", "lanczos")
CROP_MODES = ("center", "squash", "border")
_OF_WEIGHTS = ("num_classes", "in_chans", "img_size")  # arguments that the weights determine
_log = logging.getLogger("fewshot")


@dataclass(frozen=True)
class WeightConfig:
    """`arguments` build the network, `preprocessing` are fields of timm's data config; both may be empty. `image_size`:
    that of the weights; None if unknown."""

    arguments: Mapping[str, Any] = field(default_factory=dict)
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    image_size: int | None = None


def config_beside(weights: Path, architecture: str) -> WeightConfig:
    """timm's config in the folder of the weights, if it is for this architecture. An unreadable one is a ValueError."""
    path = weights.with_name(CONFIG)
    content = _content(path)
    if not isinstance(content.get("architecture"), str):  # from another program
        return WeightConfig()
    if content["architecture"] != architecture.partition(".")[0]:
        _log.warning("%s is for %s, not for %s: ignored", path, content["architecture"], architecture)
        return WeightConfig()
    known = content["pretrained_cfg"] if isinstance(content.get("pretrained_cfg"), dict) else content
    arguments, sizes = content.get("model_args") or {}, known.get("input_size") or [None]
    for name, value, kind in (("model_args", arguments, dict), ("input_size", sizes, list)):
        if not isinstance(value, kind):
            wanted = "an object" if kind is dict else "a list"
            raise ValueError(f"the {name!r} of the {CONFIG} beside {weights} must be {wanted}; got {quoted(value)}")
    preprocessing = {name: known[name] for name in PREPROCESSING if known.get(name) is not None}
    if preprocessing:
        _log.info("preprocessing from %s: %s", path, ", ".join(f"{n} {value}" for n, value in preprocessing.items()))
    size = arguments.get("img_size") or sizes[-1]
    return WeightConfig(
        {name: value for name, value in arguments.items() if name not in _OF_WEIGHTS},
        preprocessing,
        size if isinstance(size, int) else None,
    )


def _content(path: Path) -> Mapping[str, Any]:
    """The JSON object of a file; empty if there is no file."""
    try:
        content = parsed_json(read_text(path, "config")) if path.exists() else {}
    except (OSError, ValueError) as error:
        raise ValueError(
            f"the config {path} beside the weights cannot be read ({error}); repair it, or move it away to use timm's "
            "preprocessing of this network"
        ) from error
    return content if isinstance(content, dict) else {}


def check_preprocessing(fields: Mapping[str, Any], whose: str) -> None:
    """Raises a ValueError for a wrong field of preprocessing."""
    for name, value in fields.items():
        wanted, good = _wanted(name, value)
        if not good:
            raise ValueError(f"the {name!r} of {whose} must be {wanted}; got {quoted(value)}")


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) <= sys.float_info.max


def _wanted(name: str, value: Any) -> tuple[str, bool]:
    """The allowed values of a field, in words, and whether this value is one."""
    if name in ("mean", "std"):
        numbers = isinstance(value, tuple | list) and all(map(_is_finite, value))
        positive = name == "mean" or (numbers and all(v > 0 for v in value))
        word = "numbers" if name == "mean" else "positive numbers"
        return f"3 {word}, of red, green and blue in [0, 1], or 1 of all", numbers and positive and len(value) in (1, 3)
    if name == "crop_pct":
        return "a share in (0, 1]", isinstance(value, int | float) and 0 < value <= 1
    known = INTERPOLATIONS if name == "interpolation" else CROP_MODES
    return f"one of {', '.join(known)}", value in known
