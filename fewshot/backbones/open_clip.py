"""CLIP models of open_clip: an image tower and a text tower that share a space."""

from __future__ import annotations

import importlib.util
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from fewshot.backbones import Backbone, BackboneSource
from fewshot.backbones._hub_files import cached
from fewshot.backbones._open_clip_config import CONFIG, HUB, Source, source
from fewshot.backbones._open_clip_network import open_clip_backbone
from fewshot.backbones._open_clip_text import clip_words
from fewshot.backbones._templates import check_templates, prompts_of
from fewshot.backbones._words import Prompts
from fewshot.plugins.fields import Rule, declare, integer
from fewshot.plugins.signature import NameOrPath, is_path

_LOCAL = ("local-dir:", "local_dir:")
_log = logging.getLogger("fewshot")


@dataclass(frozen=True)
class OpenCLIP(BackboneSource):
    """A CLIP model of open_clip with both towers: features are the projected ones, and class names become vectors.

    `model` is open_clip's name ("ViT-B-16"), "hf-hub:owner/repository", or a name of your own if open_clip_config.json
    lies beside the weights. `pretrained` is a tag ("openai", "laion2b_s34b_b88k"), the path of a file of weights
    (.safetensors, or .pt, .pth and .bin, read as weights only), or None for random weights. `image_size` replaces the
    size of the model. The preprocessing is that of the weights. Weights that were trained with quick GELU get it, with
    a warning if the model's name has no "-quickgelu"; a file without a config has the activation of the model's name.

    `templates` turn class names into texts: one line such as "a photo of a {}.", several as a tuple, "imagenet" (CLIP's
    80), "coop" (CoOp's line for the data set) or "coop:EuroSAT", or the path of a text file with one template a line.
    A class's vector is the mean of its normalised text vectors (Radford et al. 2021, arXiv 2103.00020). With None, the
    model is an image tower alone, and heads of class names take the vectors of the data set. `pretrained_on` names the
    training data of a file; the tags have theirs.
    """

    short_name: ClassVar[str] = "{model}[ {pretrained:file}|{model~hf-hub!}| random init][ @{image_size}]"
    has_words: ClassVar[bool] = True
    companions: ClassVar[tuple[str, ...]] = ("open_clip_config.json",)  # beside the weights; part of the identity

    model: str
    pretrained: NameOrPath | None
    image_size: int | None = None
    templates: NameOrPath | tuple[str, ...] | None = "a photo of a {}."
    pretrained_on: str | None = None

    rules = declare(
        image_size=integer(1),
        templates=Rule(
            "a template such as 'a photo of a {}.', several as a tuple, 'imagenet', 'coop', or the path of a text file",
            lambda value: isinstance(value, str | Path) or _are_lines(value),
        ),
    )

    def check(self) -> None:
        """Raises a ValueError for an unknown model or tag, a missing file, and templates that nobody can use."""
        if self.model.startswith(_LOCAL):
            raise ValueError(
                f"{self.model!r} is a folder; write OpenCLIP('a name of yours', '<folder>/open_clip_model.safetensors')"
                ": it reads open_clip_config.json beside the weights"
            )
        if self._path is not None and not self._path.exists():
            raise ValueError(f"there is no file {self._path} of weights; give the path of a file, or a tag")
        if self.templates is not None:
            check_templates(self.templates)
        if self.model.startswith(HUB) and self.pretrained is not None:
            raise ValueError(f"{self.model!r} has one file of weights; leave out pretrained={str(self.pretrained)!r}")
        if self.model.startswith(HUB) and self.to_download():
            return
        tokenizer = self._source().model["text_cfg"].get("hf_tokenizer_name")
        if self.templates is not None and tokenizer and importlib.util.find_spec("transformers") is None:
            raise ValueError(
                f"the text tower of {self.model!r} needs the package transformers, which is not installed; run: pip "
                "install transformers, or set templates=None to use the images alone"
            )

    def load(self) -> Backbone:
        """Both towers. Unknown names, an unreachable hub and files that do not fit are a ValueError."""
        self.check()
        found = self._source()
        if found.note:
            _log.warning(found.note)
        return open_clip_backbone(self._name, found, self.image_size, self.prompts, self.templates is not None)

    def trained_on(self) -> str:
        """The training data of the weights."""
        return self._source().trained_on

    def to_download(self) -> str:
        """The weights, unless the cache holds them."""
        if self.model.startswith(HUB) and cached(self.model.removeprefix(HUB), (CONFIG,)) is None:
            return f"the weights of open_clip's {self.model!r}"
        return "" if self._source().is_here() else f"the weights {self.pretrained!r} of open_clip's {self.model!r}"

    def prompts(self, dataset: str) -> Prompts | None:
        """The templates for a data set."""
        return None if self.templates is None else replace(prompts_of(self.templates, dataset), words=clip_words)

    def _source(self) -> Source:
        found = source(self.model, self.pretrained)
        return found if self.pretrained_on is None else replace(found, trained_on=self.pretrained_on)

    @property
    def _path(self) -> Path | None:
        return Path(self.pretrained) if self.pretrained is not None and is_path(self.pretrained) else None

    @property
    def _name(self) -> str:
        weights = self._path.name if self._path is not None else self.pretrained
        return " ".join(filter(None, [self.model, weights or ("" if self.model.startswith(HUB) else "random init")]))


def _are_lines(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and all(isinstance(line, str) for line in value)
