"""The known names that somebody may have meant: near in spelling, in any case, or with the same parts."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

_SIZES = {"vits": "vit small", "vitb": "vit base", "vitl": "vit large", "vitg": "vit giant"}  # as other hubs name them
_ENOUGH = 0.6  # of the letters, in order


def nearest(name: str, known: Iterable[str], n: int = 1) -> list[str]:
    """At most n known names that resemble a name, the nearest first; none if nothing does.

    "resnet_18" is near "resnet18", and "dinov2_vits14" near "vit_small_patch14_dinov2", which has all of its parts.
    """
    parts, folded = _parts(name), _folded(name)
    scores = []
    for candidate in known:
        text = _folded(candidate)
        held = sum(len(part) for part in parts if part in text)
        share = held / max(1, sum(map(len, parts)))
        matcher = difflib.SequenceMatcher(None, folded, text)
        likeness = matcher.ratio() if max(share, matcher.quick_ratio()) >= _ENOUGH else 0.0
        if max(likeness, share) >= _ENOUGH:
            scores.append((-(likeness + share), len(text), candidate))
    return [candidate for _, _, candidate in sorted(scores)[:n]]


def hint(name: str, known: Iterable[str]) -> str:
    """ " Did you mean resnet18?", or "" if nothing resembles the name."""
    near = nearest(name, known)
    return f" Did you mean {near[0]}?" if near else ""


def _folded(name: str) -> str:
    return re.sub(r"[\W_]", "", name.lower())


def _parts(name: str) -> list[str]:
    """The words and numbers of a name of at least two letters: "vit", "small", "14"."""
    text = name.lower()
    for short, long in _SIZES.items():
        text = re.sub(rf"{short}(?=\d|\b|_)", long, text)
    return [part for part in re.findall(r"[^\W\d_]+\d(?!\d)|[^\W\d_]+|\d+", text) if len(part) > 1]
