"""A user's own network."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import inspect
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import nn

from fewshot.backbones import Backbone, BackboneSource
from fewshot.backbones._timm_network import as_backbone, data_config
from fewshot.plugins.code import code_digest, search_here
from fewshot.plugins.fields import declare, integer
from fewshot.plugins.signature import Dotted


@dataclass(frozen=True)
class Function(BackboneSource):
    """The network that your function "package.module:function" returns. It is called without arguments.

    It returns a `Backbone`, or an nn.Module that maps [b, 3, H, W] to [b, D]. A module with a `pretrained_cfg` (timm's)
    uses that preprocessing; any other uses that of ImageNet: shorter side resized (bicubic) to image_size / 0.875,
    centre crop of image_size (default 224), ImageNet's mean and deviation.

    The source of the function's module, and of the modules that it imports from the same folder, counts as weights:
    after an edit fewshot computes the features again.
    """

    short_name: ClassVar[str] = "{target}[ @{image_size}]"

    target: Dotted
    image_size: int | None = None

    rules = declare(image_size=integer(1))

    def load(self) -> Backbone:
        """The backbone. Imports and runs the user's code."""
        result = self._function()()
        if isinstance(result, nn.Module):
            result = as_backbone(self.target, result, data_config(result, self.image_size))
        elif not isinstance(result, Backbone):
            raise ValueError(
                f"{self.target} should return a Backbone or an nn.Module, but returned {type(result).__name__}"
            )
        elif self.image_size is not None:
            raise ValueError(
                f"{self.target} returns a Backbone, which has its own preprocessing; "
                f"leave out image_size={self.image_size}"
            )
        return dataclasses.replace(result, own=True, weights_digest=self._with_source(result.weights_digest))

    def _function(self) -> Any:
        """The function, imported. Also searches the working folder."""
        module_name, colon, name = self.target.partition(":")
        if not (colon and module_name and name):
            raise ValueError(f"write a function as 'package.module:function'; got {self.target!r}")
        search_here()
        try:
            function = getattr(importlib.import_module(module_name), name, None)
        except ImportError as error:
            raise ValueError(f"the backbone {self.target!r} cannot be imported: {error}") from error
        if not callable(function):
            raise ValueError(f"the module {module_name!r} has no function {name!r}; define it there")
        needed = _needed(function)
        if needed:
            raise ValueError(
                f"{self.target} needs arguments ({', '.join(needed)}), but is called without any; give them defaults, "
                "or name a function that passes them on"
            )
        return function

    def _with_source(self, digest: str) -> str:
        return hashlib.sha256(digest.encode() + code_digest(self.target.partition(":")[0]).encode()).hexdigest()


def _needed(function: Any) -> list[str]:
    """The parameters without a default; none if Python has no signature."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    optional = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD
    return [p.name for p in parameters if p.default is p.empty and p.kind not in optional]
