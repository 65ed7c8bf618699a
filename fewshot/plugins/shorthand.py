"""Specs of the short forms that users type for backbones. Loads neither torch nor timm."""

from __future__ import annotations

import re

PACKAGED = ("mobilenetv2_100", "tf_efficientnet_lite0", "tf_efficientnet_lite1", "tf_efficientnet_lite2")
WEIGHT_SUFFIXES = (".safetensors", ".pth", ".pt", ".bin")
_MODEL = re.compile(r"(hf[-_]hub:)?[a-z][\w./@-]*")
_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[a-z_]\w*")


def shorthand(text: str) -> str:
    """The spec of a backbone that a user typed in short form; a spec comes back unchanged.

    "pixels" is RawPixels(), "given" is Given(), a name of PACKAGED is Packaged(name=...), any other bare lower-case
    name is Timm(name=...), "module.sub:function" is Function(target=...). A bare weight file raises a ValueError,
    because it does not name its network.
    """
    text = text.strip()
    if text == "pixels":
        return "RawPixels()"
    if text == "given":
        return "Given()"
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
