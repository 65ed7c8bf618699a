"""Networks from their specs; fewshot trains a missing `Pretrained` network first."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from fewshot.plugins.spec import Spec

if TYPE_CHECKING:
    from fewshot.backbones import Backbone


def load_backbone(backbone: Spec) -> Backbone:
    """The network. The code of a source from outside counts as weights, so after an edit fewshot computes the features
    again."""
    source = backbone.make()
    if source.to_train():
        from fewshot.pretraining.trainer import load

        loaded = load(source)
    else:
        loaded = source.load()
    code = backbone.code
    if not code or loaded.given:
        return loaded
    digest = hashlib.sha256(f"{loaded.weights_digest}{code}".encode()).hexdigest()
    return replace(loaded, weights_digest=digest)
