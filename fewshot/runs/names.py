"""Class names as a source of vectors: which heads use them, and where their vectors come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fewshot.datasets import LabelledImages
from fewshot.plugins.spec import Spec, specs_in

if TYPE_CHECKING:
    from fewshot.backbones._words import Prompts

_TOWERS = ("clip", "siglip")  # in names of timm's image towers


def uses_names(evaluator: Spec) -> bool:
    """Whether an evaluator, or one inside it, uses vectors of the class names."""
    inside = (inner for _, value in evaluator.arguments for inner in specs_in(value))
    return bool(evaluator.declares("uses_names")) or any(map(uses_names, inside))


def text_prompts(evaluator: Spec, backbone: Spec, images: LabelledImages) -> Prompts | None:
    """The templates by which the backbone's text tower gives an evaluator vectors of the class names; None if it uses
    none, or those of the data set. A head of names without vectors is a ValueError.

    Vectors on both sides are a ValueError too: equal lengths do not show that two vectors share a space, and the number
    would not say which names it used.
    """
    if not uses_names(evaluator):
        return None
    prompts: Prompts | None = backbone.make().prompts(images.name) if backbone.declares("has_words") else None
    if prompts is not None and images.class_vectors is not None:
        raise ValueError(
            f"{evaluator} would find vectors of the class names twice, in the data set {images.name} and in the text "
            f"tower of {backbone}; set templates=None to use those of the data set, or take them out of the data set"
        )
    if prompts is None and images.class_vectors is None:
        raise ValueError(
            f"{evaluator} uses vectors of the class names, but {backbone} {_lacks(backbone)} and {images.name} has "
            "none; use a backbone with both towers, such as OpenCLIP('ViT-B-16', 'openai'), or wrap the data set in "
            "WithClassVectors"
        )
    return prompts


def texts_digest(prompts: Prompts, class_names: Sequence[str]) -> str:
    """sha256 hex of all texts of the classes: it changes with the templates and with the words of the names."""
    from fewshot.features.class_vectors import texts_key

    return texts_key([prompts.texts(name) for name in class_names])


def _lacks(backbone: Spec) -> str:
    if backbone.declares("has_words"):
        return "has templates=None"
    name = str(backbone.fields.get("name", "")).lower()
    alone = any(word in name for word in _TOWERS)
    return "is the image tower alone" if alone else "has no text tower"
