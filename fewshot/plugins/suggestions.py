"""The known names that somebody may have meant: near in spelling, in any case, or with the same parts."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from fewshot.files.quoting import quoted

_SIZES = {"vits": "vit small", "vitb": "vit base", "vitl": "vit large", "vitg": "vit giant"}  # as other hubs name them
_OTHER_NAMES = {  # of papers and other libraries, folded, for the members that do the same
    "logisticregression": "LinearProbe", "logreg": "LinearProbe", "linear": "LinearProbe",
    "linearprobing": "LinearProbe", "lr": "LinearProbe", "softmaxregression": "LinearProbe",
    "svc": "LinearSVM", "svm": "LinearSVM", "linearsvc": "LinearSVM", "supportvectormachine": "LinearSVM",
    "knn": "NearestNeighbour", "kneighborsclassifier": "NearestNeighbour", "nearestneighbor": "NearestNeighbour",
    "ncm": "Prototype", "nearestmean": "Prototype", "nearestclassmean": "Prototype", "nearestcentroid": "Prototype",
    "protonet": "Prototype", "prototypes": "Prototype", "prototypicalnetwork": "Prototype", "simpleshot": "Prototype",
    "prototypicalnetworks": "Prototype",
    "ridge": "RidgeProbe", "ridgeclassifier": "RidgeProbe", "ridgeregression": "RidgeProbe",
    "lda": "GaussianHead", "lineardiscriminantanalysis": "GaussianHead", "gda": "GaussianHead",
    "maml": "ProtoMAML", "finetuning": "FineTune", "matchingnet": "Matching", "matchingnetworks": "Matching",
    "cnaps": "Mahalanobis", "simplecnaps": "Mahalanobis", "tsa": "TaskSpecificAdapters", "bit": "BigTransfer",
    "hyperrule": "BigTransfer", "mtl": "ScaleAndShift", "clip": "ZeroShot", "clap": "ZeroShotProbe",
    "lpplusplus": "LinearProbePlusPlus", "lp++": "LinearProbePlusPlus", "alphatim": "TIM",
    "normalize": "L2", "l2norm": "L2", "l2n": "L2", "cl2n": "CentredL2", "zca": "Whitening", "none": "Identity",
}  # fmt: skip
_OTHER_FIELDS = {  # of other libraries, folded
    "randomstate": "seed", "nneighbors": "k", "imgsize": "image_size", "inputsize": "image_size",
    "learningrate": "lr", "maxiterations": "max_iter", "modelname": "name",
}  # fmt: skip
_MEMBERS_OF_FIELDS = {"pretrained": " Timm(name) has pre-trained weights, RandomInit(name) random ones."}
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
    """ " Did you mean resnet18?", or "" if nothing resembles the name. Knows what the field calls our members."""
    names = list(known)
    same = _OTHER_NAMES.get(name.lower()) or _OTHER_NAMES.get(_folded(name))
    near = [same] if same in names else nearest(name, names)
    return f" Did you mean {near[0]}?" if near else ""


def no_field(member: str, name: str, fields: Iterable[str]) -> str:
    """The sentence about a field that a member does not have: its fields, and what the field of another library is
    called here."""
    known = list(fields)
    same = _OTHER_FIELDS.get(_folded(name))
    near = f" Did you mean {same}?" if same in known else _MEMBERS_OF_FIELDS.get(name) or hint(name, known)
    return f"{member} has no field {quoted(name)}; its fields are: {', '.join(known) or 'none'}{'.' * bool(near)}{near}"


def _folded(name: str) -> str:
    return re.sub(r"[\W_]", "", name.lower())


def _parts(name: str) -> list[str]:
    """The words and numbers of a name of at least two letters: "vit", "small", "14"."""
    text = name.lower()
    for short, long in _SIZES.items():
        text = re.sub(rf"{short}(?=\d|\b|_)", long, text)
    return [part for part in re.findall(r"[^\W\d_]+\d(?!\d)|[^\W\d_]+|\d+", text) if len(part) > 1]
