"""Presets: published methods by name, as pairs of a transform and an evaluator, with their deviations."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from fewshot.plugins.call import parse
from fewshot.plugins.registry import EVALUATORS, TRANSFORMS
from fewshot.plugins.suggestions import hint


@dataclass(frozen=True)
class Preset:
    """A published method. `transform` and `evaluator` are specs; rows hold these specs, not the name of the preset."""

    name: str
    transform: str
    evaluator: str
    source: str  # authors, year, arXiv id or repository
    differs: str  # deviations from the original protocol
    without_seen: str = ""  # the preset to use where the split has no seen classes, which this one needs


PRESETS = (
    Preset(
        "SimpleShot",
        "CentredL2()",
        "Prototype()",
        "CL2N of Wang et al. 2019, arXiv 1911.04623",
        "Any backbone; the paper trains its own on the seen classes. The split must have seen classes.",
        "SimpleShot-L2N",
    ),
    Preset(
        "SimpleShot-L2N",
        "L2()",
        "Prototype()",
        "L2N of Wang et al. 2019, arXiv 1911.04623",
        "Any backbone; the paper trains its own on the seen classes.",
    ),
    Preset(
        "SimpleShot-UN",
        "Identity()",
        "Prototype()",
        "UN of Wang et al. 2019, arXiv 1911.04623",
        "Any backbone; the paper trains its own on the seen classes.",
    ),
    Preset(
        "RFS",
        "L2()",
        'AugmentedSupport(LinearProbe(C=1.0), views=5, augment="crop+flip+colour")',
        "Tian et al. 2020, arXiv 2003.11539",
        "Five views of each support image as in the paper, but the first is plain and crops cover at least half the "
        "area; the paper shifts by up to 8 pixels. No distillation. The optimum is exact; the paper's lbfgs stops "
        "after 1000 steps.",
    ),
    Preset(
        "RFS-single",
        "L2()",
        "LinearProbe(C=1.0)",
        "Tian et al. 2020, arXiv 2003.11539",
        "One view of each support image, so it works on vectors too; the paper tiles the support five times with "
        "augmentation. No distillation. The optimum is exact; the paper's lbfgs stops after 1000 steps.",
    ),
    Preset(
        "RFS-SVM",
        "Identity()",
        'AugmentedSupport(Standardised(LinearSVM(C=1.0)), views=5, augment="crop+flip+colour")',
        "the SVM of Tian et al. 2020, arXiv 2003.11539",
        "The views of RFS: the first is plain, crops cover at least half the area.",
    ),
    Preset(
        "DINOv2-kNN",
        "L2()",
        "NearestNeighbour(k=10, temperature=0.07)",
        "Oquab et al. 2023, arXiv 2304.07193",
        "k is 10; the paper has 10, 20, 100 and 200. In a smaller support all rows vote.",
    ),
    Preset(
        "DINOv2-linear",
        "Identity()",
        "LinearProbe(C=1.0)",
        "the logistic regression of Oquab et al. 2023, arXiv 2304.07193",
        "C is 1; the paper chooses among 45 values on a held-out tenth of the training set. "
        "CrossValidated(LinearProbe(), (('C', 'dinov2'),)) chooses among the same values on the support.",
    ),
    Preset(
        "DINOv2-logistic",
        "Identity()",
        "CrossValidated(LinearProbe(), (('C', 'dinov2'),))",
        "the logistic regression of Oquab et al. 2023, arXiv 2304.07193",
        "C is chosen among the paper's 45 values by cross-validation on the support, so it needs 2 shots; the paper "
        "holds out a tenth of the training set. pool='last4+avg' of the backbone gives the paper's largest features.",
    ),
    Preset(
        "big_vision",
        "Identity()",
        "Standardised(RidgeProbe(l2=1024.0, intercept_scaling=100.0), eps=1e-5)",
        "github.com/google-research/big_vision, evaluators/fewshot_lsr.py",
        "Episodes of any shape; the original uses all classes, 1, 5, 10 and 25 shots and the whole test set, with "
        "l2 = 2^10.",
    ),
    Preset(
        "GDA",
        "L2()",
        "GaussianHead()",
        "Wang et al. 2024, arXiv 2402.04087",
        "No mixture with a zero-shot classifier of class names (GDA-names has it), and no augmented views of the "
        "support.",
    ),
    Preset(
        "GDA-names",
        "L2()",
        "ZeroShotGaussian()",
        "Wang et al. 2024, arXiv 2402.04087",
        "alpha is 1; the paper chooses it on validation images. One view of every support image; the paper has ten.",
    ),
    Preset(
        "CLIP",
        "L2()",
        "ZeroShot()",
        "the zero-shot classifier of Radford et al. 2021, arXiv 2103.00020",
        "The templates are those of the backbone: one line unless it says more. The temperature is 0.01, the largest "
        "scale that CLIP may learn.",
    ),
    Preset(
        "Tip-Adapter",
        "L2()",
        "TipAdapter()",
        "Zhang et al. 2022, arXiv 2111.03930, without training",
        "alpha and beta are the paper's defaults; its released code searches both on the test images. One view of each "
        "support image; the paper has ten.",
    ),
    Preset(
        "LP++",
        "L2()",
        "LinearProbePlusPlus()",
        "Huang et al. 2024, arXiv 2404.02285",
        "The last iteration; the released code keeps the one that is best on validation images. No bias.",
    ),
    Preset(
        "CLAP",
        "L2()",
        "ZeroShotProbe()",
        "Silva-Rodriguez et al. 2023, arXiv 2312.12730",
        "The optimum is exact; the paper's SGD stops after 300 epochs. No augmented views of the support.",
    ),
    Preset(
        "BiT-HyperRule",
        "Identity()",
        "BigTransfer()",
        "Kolesnikov et al. 2020, arXiv 1912.11370",
        "Any backbone; the paper's are resnetv2_50x1_bit.goog_in21k and larger ones. The image size is the median area "
        "of the support; the paper's is that of the data set.",
    ),
    Preset(
        "MatchingNetworks",
        "Identity()",
        "Matching()",
        "Vinyals et al. 2016, arXiv 1606.04080",
        "The backbone is fixed and not trained for matching; no context embeddings.",
    ),
    Preset(
        "SimpleCNAPS",
        "Identity()",
        "Mahalanobis()",
        "the classifier of Bateni et al. 2020, arXiv 1912.03432",
        "The backbone is fixed and not adapted to the task; a class with one row has covariance 0.",
    ),
    Preset(
        "TSA",
        "Identity()",
        "TaskSpecificAdapters(steps=40, lr=0.5, map_lr=1.0)",
        "Li et al. 2022, arXiv 2107.00358, for unseen domains",
        "Any backbone with convolutions; the paper trains a ResNet-18 on the seen domains. Adapters start at 0, not at "
        "0.0001 times the identity.",
    ),
    Preset(
        "TSA-seen",
        "Identity()",
        "TaskSpecificAdapters(steps=40, lr=0.05, map_lr=0.1)",
        "Li et al. 2022, arXiv 2107.00358, for domains seen in training",
        "As TSA.",
    ),
    Preset(
        "CLIP-LoRA",
        "Identity()",
        "LoRA(layers='qkv', rank=2, alpha=1.4142135623730951, dropout=0.25, steps=500, per_shot=True, lr=0.0002, "
        "optimizer='adamw', weight_decay=0.01, batch_size=32, schedule='cosine', start='prototypes')",
        "Zanella and Ben Ayed 2024, arXiv 2405.18541",
        "Only the image encoder, with a linear head that starts at the class means; the original adapts the text "
        "encoder too and classifies by class names. No random crops and flips. Dropout hides the same inputs for all "
        "images of a step. The learning rate falls to 0, not to 0.000001.",
    ),
)


def refuse_presets(evaluators: Iterable[object]) -> None:
    """Raises a ValueError that says what to type if the name of a preset stands for an evaluator."""
    known = {p.name.lower(): p.name for p in PRESETS}
    for evaluator in evaluators:
        name = known.get(evaluator.strip().lower()) if isinstance(evaluator, str) else None
        if name is not None and evaluator not in EVALUATORS.names():
            raise ValueError(f"{name} is no evaluator but a preset; type --preset {name} (in Python: presets={name!r})")


def preset(name: str) -> Preset:
    """The preset with this name, in upper or lower case; an unknown name raises a ValueError that lists all presets."""
    known = {p.name.lower(): p for p in PRESETS}
    if name.lower() not in known:
        names = [p.name for p in PRESETS]
        member = _member_name(name)
        for article, kind, members in (("an", "evaluator", EVALUATORS), ("a", "transform", TRANSFORMS)):
            if member in members.names():
                raise ValueError(f"{member} is no preset but {article} {kind}; type --{kind} {shlex.quote(name)}")
        raise ValueError(f"unknown preset {name!r}; known: {', '.join(names)}.{hint(name, names)}")
    return known[name.lower()]


def _member_name(text: str) -> str:
    """The name of the member in the text of a spec; "" for another text."""
    try:
        return parse(text, "preset").name
    except ValueError:
        return ""
