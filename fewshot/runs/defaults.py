"""What a run uses if its user names nothing else: the same on the command line and in Python."""

from __future__ import annotations

from fewshot.plugins.spec import Spec

BACKBONE = "tf_efficientnet_lite0"
EVALUATOR = "LinearProbe()"


def usual_transform(evaluator: Spec) -> str:
    """The spec of the transform that fits an evaluator: L2 for evaluators of features, none for those of images."""
    declared: str | None = evaluator.declares("usual_transform")
    return declared or "L2()"
