"""Whether arrays of a file are predictions: their names, types, shapes and ranges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewshot.episodes.arrays import ARRAY_TYPES
from fewshot.plugins.wording import counted

Arrays = Mapping[str, NDArray[Any]]

EPISODES = "episodes."  # before the names of the episodes' arrays
ANSWERS = {"predicted": "<u2", "confidence": "<f2", "log_probability": "<f2", "converged": "|b1", "logits": "<f4"}
ANSWERS |= {"setting": "<u2"}
_OPTIONAL = ("logits", "setting")
_OLDER = {"logits": "<f2"}  # types in files of older versions
_TYPES = {EPISODES + name: kind for name, kind in ARRAY_TYPES.items()} | ANSWERS
_ABOVE_ZERO = 1e-3  # rounding of a log-probability


def check_arrays(arrays: Arrays) -> None:
    """Raises a ValueError, half a sentence about "it", unless these are the arrays of predictions."""
    _check_types(arrays)
    of = {name: arrays[EPISODES + name] for name in ARRAY_TYPES}
    _check_sizes(of, arrays)
    _check_ranges(of, arrays)


def _check_types(arrays: Arrays) -> None:
    missing = [name for name in _TYPES if name not in arrays and name not in _OPTIONAL]
    if missing:
        raise ValueError(f"it has no array {missing[0]!r}")
    for name, array in arrays.items():
        if name not in _TYPES:
            raise ValueError(f"it has an unknown array {name[:80]!r}")
        if array.dtype.str not in (_TYPES[name], _OLDER.get(name)):
            raise ValueError(f"its array {name!r} should be {np.dtype(_TYPES[name])}, but is {array.dtype}")


def _check_sizes(of: Arrays, arrays: Arrays) -> None:
    """Counts are not negative, and every array is as long as they say."""
    for name in ("n_way", "support_count", "query_count"):
        if of[name].min(initial=1 if name == "n_way" else 0) < (name == "n_way"):
            raise ValueError(f"its counts in {EPISODES + name!r} go down to {of[name].min()}")
    total = {name: int(of[name].sum(dtype=np.int64)) for name in ("n_way", "support_count", "query_count")}
    n_episodes, n_queries = of["index"].size, total["query_count"]
    ways = dict.fromkeys(("classes", "support_count", "query_count"), total["n_way"])
    rows = {"support": total["support_count"], "query": n_queries}
    sizes = {EPISODES + name: size for name, size in ({"index": n_episodes, "n_way": n_episodes} | ways | rows).items()}
    sizes |= dict.fromkeys(("predicted", "confidence", "log_probability"), n_queries) | {"converged": n_episodes}
    sizes |= {"setting": n_episodes} if "setting" in arrays else {}
    for name, size in sizes.items():
        if arrays[name].shape != (size,):
            raise ValueError(
                f"its array {name!r} should have {counted(size, 'entry')}, but its shape is {arrays[name].shape}"
            )
    if "logits" in arrays:
        expected, shape = int(_ways_of_queries(of, per_query=False).sum()), arrays["logits"].shape
        if shape != (expected,):
            raise ValueError(f"its array 'logits' should have {counted(expected, 'entry')}, but its shape is {shape}")


def _check_ranges(of: Arrays, arrays: Arrays) -> None:
    for name in ("index", "classes", "support", "query"):
        if of[name].min(initial=0) < 0:
            raise ValueError(f"its array {EPISODES + name!r} goes down to {of[name].min()}")
    n_way = _ways_of_queries(of, per_query=True)
    beyond = np.flatnonzero(arrays["predicted"] >= n_way)
    if len(beyond):
        raise ValueError(f"it predicts way {arrays['predicted'][beyond[0]]} in an episode of {n_way[beyond[0]]} ways")
    confidence, log_probability = arrays["confidence"], arrays["log_probability"]
    if not ((confidence >= 0) & (confidence <= 1)).all():
        raise ValueError("its confidences are not all in [0, 1]")
    if not (log_probability <= _ABOVE_ZERO).all():
        raise ValueError("its log-probabilities are not all numbers of at most 0")
    if "logits" in arrays and np.isnan(arrays["logits"]).any():
        raise ValueError("its logits are not all numbers")


def _ways_of_queries(of: Arrays, per_query: bool) -> NDArray[np.int64]:
    """The number of ways of each query's episode [sum M], or each episode's queries times its ways [E]."""
    ends = np.cumsum(of["n_way"], dtype=np.int64)
    total = np.concatenate([[0], np.cumsum(of["query_count"], dtype=np.int64)])
    queries = total[ends] - total[ends - of["n_way"]]
    n_way = of["n_way"].astype(np.int64)
    return np.repeat(n_way, queries) if per_query else n_way * queries
