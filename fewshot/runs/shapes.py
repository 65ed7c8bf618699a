"""Checks of the tensors that members return: a wrong shape is one sentence, before compiled code reads the memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from fewshot.evaluators import Head
from fewshot.plugins.foreign import home_of
from fewshot.transforms import Transform


def check_logits(logits: Any, shape: Sequence[int], evaluator: object) -> Tensor:
    """The logits, if they are a tensor of this shape: episodes, queries and ways."""
    if not isinstance(logits, Tensor) or tuple(logits.shape) != tuple(shape):
        raise ValueError(
            f"{evaluator!r} must give logits of shape {list(shape)} (episodes, queries, classes), but it gave "
            f"{described(logits)}; return one tensor with one row per query and one column per class"
            f"{home_of(evaluator)}"
        )
    return logits


def check_per_episode(values: Any, n_episodes: int, what: str, evaluator: object) -> Tensor | None:
    """The values of a head, if they are None or a tensor with one value per episode."""
    if values is None:
        return None
    if not isinstance(values, Tensor) or tuple(values.shape) != (n_episodes,):
        raise ValueError(
            f"the heads of {evaluator!r} must have {what} of shape [{n_episodes}], one value per episode, or None; "
            f"found {described(values)}{home_of(evaluator)}"
        )
    return values


def check_head(head: Any, evaluator: object) -> None:
    """Raises a ValueError if what an evaluator learned is no head."""
    if not isinstance(head, Head):
        raise ValueError(
            f"{evaluator!r} must give a Head from its method fit, but it gave {described(head)}; derive a class from "
            f"fewshot.evaluators.Head{home_of(evaluator)}"
        )


def checked(mapped: Any, transform: object) -> Transform:
    """The map of a transform, with a check that its features have the shape of those that it gets."""
    if not callable(mapped):
        raise ValueError(
            f"{transform!r} must give a function of features from its method fit, but it gave {described(mapped)}; "
            f"return the function that maps features [..., D]{home_of(transform)}"
        )

    def apply(features: Tensor) -> Tensor:
        result = mapped(features)
        if not isinstance(result, Tensor) or result.shape != features.shape:
            raise ValueError(
                f"{transform!r} must give features of the shape that it gets, {list(features.shape)}, but it gave "
                f"{described(result)}; map row by row, and keep the number of features{home_of(transform)}"
            )
        return result

    return apply


def described(value: Any) -> str:
    """A value in a few words: the shape of a tensor or an array, else the type."""
    if isinstance(value, Tensor):
        return f"a tensor of shape {list(value.shape)}"
    shape = getattr(value, "shape", None)
    size = f" of shape {list(shape)}" if isinstance(shape, tuple) else ""
    return (
        "None" if value is None else f"{type(value).__module__}.{type(value).__name__}{size}".removeprefix("builtins.")
    )
