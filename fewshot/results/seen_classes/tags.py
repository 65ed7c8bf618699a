"""The training data that timm's tags name."""

from __future__ import annotations

from collections.abc import Sequence

NOTHING, NOT_KNOWN = "nothing", "unknown"  # nothing: random weights, raw pixels
_OF_TAG = {  # the word of a tag, and the data that it means
    "in1k": "ImageNet-1k",
    "in12k": "ImageNet-12k",
    "in21k": "ImageNet-21k",
    "inw21k": "ImageNet-21k",
    "in22k": "ImageNet-22k",
    "dino": "ImageNet-1k",
    "mae": "ImageNet-1k",
    "fcmae": "ImageNet-1k",
    "ssld": "SSLD 4M",  # further images, labelled by the teacher (Cui et al. 2021, arXiv 2103.05959)
    "bamboo": "Bamboo",
    "indomain": "BEiT-3 image-text pairs",
    "florence2": "FLD-5B",
    "radio": "C-RADIO mix",
    "b1k": "BEHAVIOR-1K",
    "ig1b": "Instagram-1B",
    "seer": "Instagram-1B",
    "swag": "Instagram-3.6B",
    "jft": "JFT-300M",
    "openai": "OpenAI WIT-400M",
    "laion2b": "LAION-2B",
    "laion400m": "LAION-400M",
    "laion5b": "LAION-5B",
    "laiona": "LAION-A",
    "aesthetic": "LAION-A",
    "mscoco": "MS COCO",
    "merged2b": "Merged-2B",
    "webli": "WebLI",
    "datacomp1b": "DataComp-1B",
    "datacompxl": "DataComp-XL",
    "datacompdr": "DataCompDR-1B",
    "mclip": "DataCompDR-1B",
    "dfndr2b": "DFNDR-2B",
    "dfn2b": "DFN-2B",
    "dfn5b": "DFN-5B",
    "metaclip": "MetaCLIP",
    "metaclip2": "MetaCLIP 2",
    "yfcc15m": "YFCC-15M",
    "yfcc100m": "YFCC-100M",
    "cc12m": "CC-12M",
    "lvd142m": "LVD-142M",
    "lvd1689m": "LVD-1689M",
    "sat493m": "SAT-493M",
    "m30m": "MIM 30M",
    "m38m": "Merged-38M",
    "sa1b": "SA-1B",
}
_POOLS = {"datacomp": "DataComp", "commonpool": "CommonPool"}  # a size may follow: "datacomp_xl"
_SIZES = ("s", "m", "l", "xl")
_OF_MODELS = {  # tags of open_clip that mean nothing without the model
    ("PE-Core-", "meta"): "Perception Encoder 5.4B",  # Bolya et al. 2025, arXiv 2504.13181
    ("nllb-clip-", "v1"): "LAION-COCO-NLLB",  # Visheratin 2023, arXiv 2309.01859
    ("nllb-clip-", "mrl"): "LAION-COCO-NLLB",
}
_PAIRS = "image-text pairs"  # the data of "clip", unless another word of the tag names it


def pretraining_data(tag: str) -> str:
    """The data that a timm tag names, in order: "augreg_in21k_ft_in1k" gives "ImageNet-21k, ImageNet-1k".

    A tag that names no data is returned unchanged; an empty one gives "unknown".
    """
    words = tag.split("_")
    names = [name for place, word in enumerate(words) if (name := _OF_TAG.get(word) or _pool(words[place:]))]
    if "clip" in words and all(name.startswith("ImageNet-") for name in names):
        names.insert(0, _PAIRS)
    return ", ".join(dict.fromkeys(names)) or tag.strip(" ,") or NOT_KNOWN


def open_clip_data(model: str, tag: str) -> str:
    """The data that a tag of open_clip names for a model: "laion2b_s34b_b88k" gives "LAION-2B"."""
    own = (data for (start, name), data in _OF_MODELS.items() if model.startswith(start) and tag == name)
    return next(own, None) or pretraining_data(tag)


def _pool(words: Sequence[str]) -> str:
    """The pool that the first words of a tag name: "CommonPool-M" of commonpool, m; "" for others."""
    if words[0] not in _POOLS:
        return ""
    size = words[1] if words[1:] and words[1] in _SIZES else ""
    return f"{_POOLS[words[0]]}-{size.upper() or '1B'}"
