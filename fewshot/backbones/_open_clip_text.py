"""The text tower of a CLIP model of open_clip."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fewshot.backbones import weights_digest
from fewshot.backbones._open_clip_config import Config, package
from fewshot.backbones._timm_errors import first_line
from fewshot.backbones._words import Prompts, TextTower, class_words
from fewshot.files.quoting import quoted
from fewshot.files.regular import read_text
from fewshot.results.seen_classes.synsets import FOLDER, IMAGENET

_VISUAL = "visual."  # before the names of the image tower's weights
_AT_ONCE = 64  # texts


class ClipTextTower(TextTower):
    """The text tower of a CLIP model of open_clip."""

    def __init__(self, model: nn.Module, config: Config, prompts: Callable[[str], Prompts | None], folder: Path | None):
        self._model, self._config, self._folder = model, config, folder
        self._prompts = prompts
        weights = {name: value for name, value in model.state_dict().items() if not name.startswith(_VISUAL)}
        about = {name: value for name, value in config.items() if name != "vision_cfg"}
        text = json.dumps(about, sort_keys=True)
        self.digest = hashlib.sha256(f"{text} {weights_digest(weights)}".encode()).hexdigest()

    def prompts(self, dataset: str) -> Prompts | None:
        """The templates for a data set."""
        return self._prompts(dataset)

    def embed(self, texts: Sequence[str], device: str) -> Tensor:
        """[b, D] vectors of texts, in batches of 64."""
        model: Any = self._model.to(device)
        vectors = []
        with torch.inference_mode():
            for start in range(0, len(texts), _AT_ONCE):
                tokens = self._tokenizer(list(texts[start : start + _AT_ONCE])).to(device)
                vectors.append(model.encode_text(tokens, normalize=False).float().cpu())
        return torch.cat(vectors)

    @cached_property
    def _tokenizer(self) -> Callable[[list[str]], Tensor]:
        text = self._config["text_cfg"]
        length, options = text.get("context_length", 77), text.get("tokenizer_kwargs") or {}
        name = text.get("hf_tokenizer_name")
        if not name:
            tokenizer: Callable[[list[str]], Tensor] = package().SimpleTokenizer(context_length=length, **options)
            return tokenizer
        here = self._folder is not None and (self._folder / "tokenizer_config.json").is_file()
        place = str(self._folder) if here else name
        try:
            hugging: Callable[[list[str]], Tensor] = package().tokenizer.HFTokenizer(
                place, context_length=length, tokenizer_mode=text.get("tokenizer_mode"), **options
            )
        except (ImportError, OSError, ValueError) as error:
            raise ValueError(
                f"the tokenizer {quoted(place)} is not available ({first_line(error)}); install "
                "transformers and connect once, or set templates=None to use the images alone"
            ) from error
        return hugging


def clip_words(class_name: str) -> str:
    """The words of a class name; synsets of ImageNet-1k have CLIP's own names of these classes."""
    return class_words(class_name, lambda synset: _clip_names().get(synset))


@cache
def _clip_names() -> dict[str, str]:
    """CLIP's names of the classes of ImageNet-1k by synset, from open_clip."""
    synsets = read_text(FOLDER / IMAGENET).split()
    return dict(zip(synsets, package().IMAGENET_CLASSNAMES, strict=True))
