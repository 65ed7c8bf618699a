"""Specs of the short forms that users type for backbones. Loads neither torch nor timm."""

from __future__ import annotations

import re
from pathlib import Path

from fewshot.files.regular import parsed_json, read_text

PACKAGED = ("mobilenetv2_100", "tf_efficientnet_lite0", "tf_efficientnet_lite1", "tf_efficientnet_lite2")
WORDS = ("pixels", "given")  # short forms that are not the names of networks
WEIGHT_SUFFIXES = (".safetensors", ".pth", ".pt", ".bin", ".ckpt", ".pth.tar")
_LOCAL = ("local-dir:", "local_dir:")
_MODEL = re.compile(r"hf[-_]hub:[\w./@-]+|[a-z][\w./@-]*")
_PREFERRED = ("model.safetensors", "pytorch_model.bin", "pytorch_model.pth", "model.pth")  # in timm's order
_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[a-z_]\w*")


def shorthand(text: str) -> str:
    """The spec of a backbone that a user typed in short form; a spec comes back unchanged.

    "pixels" is RawPixels(), "given" is Given(), a name of PACKAGED is Packaged(name=...), any other bare lower-case
    name is Timm(name=...), as is "hf-hub:owner/repository"; "module.sub:function" is Function(target=...);
    "local-dir:folder", timm's name for a folder of weights with their config, is the Checkpoint in it. A bare weight
    file raises a ValueError, because it does not name its network.
    """
    text = text.strip()
    if text == "pixels":
        return "RawPixels()"
    if text == "given":
        return "Given()"
    if text.startswith(_LOCAL):
        return of_folder(text.partition(":")[2])
    if text in PACKAGED:
        return f"Packaged(name={text!r})"
    if text.endswith(WEIGHT_SUFFIXES):
        raise ValueError(
            f"the backbone {text!r} is a file of weights and does not name its network; "
            f"write Checkpoint(name='<timm name>', path={text!r})"
        )
    if _MODEL.fullmatch(text):
        return f"Timm(name={text!r})"
    if _FUNCTION.fullmatch(text):
        return f"Function(target={text!r})"
    return text


def of_folder(folder: str) -> str:
    """The spec of the Checkpoint in a folder that timm saved: its weights and, in config.json, its network. A
    ValueError says what is missing."""
    path, example = Path(folder), "Checkpoint(name='<timm name>', path=...)"
    try:
        config = parsed_json(read_text(path / "config.json"))
        network = str(config["architecture"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"the folder {folder!r} has no config.json that names the architecture of its weights "
            f"({type(error).__name__}: {error}); write {example}"
        ) from error
    files = [path / name for name in _PREFERRED if (path / name).is_file()]
    others = sorted(file for file in path.iterdir() if file.name.endswith(WEIGHT_SUFFIXES))
    if not files and len(others) != 1:
        found = ", ".join(file.name for file in others[:5]) or "none"
        raise ValueError(f"one file of weights is wanted in the folder {folder!r}; found: {found}; write {example}")
    return f"Checkpoint(name={network!r}, path={str((files or others)[0])!r})"
