"""A row of a submission against its predictions and its spec: every number is computed again."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import fields
from functools import partial
from typing import Any

import numpy as np

from fewshot.datasets import classes_digest
from fewshot.episodes.checks import check_layout
from fewshot.episodes.episodes import Episodes
from fewshot.episodes.flat import MOST_ROWS
from fewshot.results.columns import Score
from fewshot.results.files import Results
from fewshot.results.parts import PredictionParts
from fewshot.results.predictions import Predictions
from fewshot.results.row import Row
from fewshot.results.row_specs import specs_of
from fewshot.results.seen_classes import SEEN, UNKNOWN, seen_classes
from fewshot.results.selection_rule import NOTHING, SUPPORT, Selection, chosen_on
from fewshot.runs.scores import score
from fewshot.sharing.claims import OtherVersion, claim_problems
from fewshot.sharing.data_names import name_problems
from fewshot.sharing.designs import SharedDesign
from fewshot.sharing.images import AtHand
from fewshot.sharing.members import (
    member,
    own_columns,
)
from fewshot.sharing.networks import n_params
from fewshot.sharing.run_ids import identity_problems
from fewshot.sharing.shared import Checked, Shared, Unknown, one_line

CLOSE = 1e-7  # between two computations of a number: machines sum in another order, and solve for quantiles
CHOICE = "its choice of hyperparameters"  # the kind of what a rerun checks
_SCORES = tuple(column.name for column in fields(Score) if column.name != "measures")
_LATER = (None, "")  # values of columns that an older release did not have


def check(shared: Shared, results: Results, at_hand: AtHand | None = None) -> Checked:
    """Whether the predictions give every number of the row, and whether the spec gives its run id. The images at hand
    give the second episode of a run that has one."""
    row, parts = shared.row, results.parts(shared.row.run_id)
    first: list[Episodes] = []
    try:
        _check_count(row, parts)
        computed, digest = score(_watched(shared, results, first), shared.design.whole(row))
    except Exception as error:  # predictions of strangers may be damaged in any way
        return Checked((one_line(error),))
    problems = [*score_problems(row, computed, shared.design.has_names)]
    if digest != row.episodes_digest:
        problems.append(f"its predictions are of episodes {digest[:12]}, the row names {row.episodes_digest[:12]}")
    unchecked = [] if shared.design.has_names else ["the name of its lowest class: the names of classes are not here"]
    if shared.own_code and not own_columns(row):
        problems.append("it is said to be own code, but all its members are fewshot's")
    if row.selection_rule:
        unchecked.append(f"{CHOICE}: its trials are not here, but --rerun repeats them")
    identified = False
    for look in (partial(identity_problems, first=first, at_hand=at_hand), *_LOOKS):
        try:
            found = list(look(shared))
            problems += found
            identified |= isinstance(look, partial) and not found
        except (Unknown, ValueError) as error:
            (unchecked if isinstance(error, Unknown) else problems).append(one_line(error))
    return Checked(tuple(problems), tuple(unchecked), identified)


def _check_count(row: Row, parts: PredictionParts) -> None:
    """Exactly the episodes of the row are there, each once."""
    ranges = [tuple(map(int, path.stem.split("-"))) for path in parts.files()]
    reached = 0
    for start, stop in ranges:
        if start != reached or stop <= start:
            raise ValueError(f"its predictions should continue at episode {reached}, but a part starts at {start}")
        reached = stop
    if reached != row.n_episodes or not reached:
        raise ValueError(f"the row says {row.n_episodes:,} episodes, but its predictions hold {reached:,}")


def _watched(shared: Shared, results: Results, first: list[Episodes]) -> Iterator[Predictions]:
    """The predictions of a row, part by part; the shape of each episode is that of the row, its classes those of the
    design. Keeps the first two episodes."""
    for part in results.predictions(shared.row):
        check_layout(part.episodes, MOST_ROWS)
        _check_shape(shared.row, part.episodes)
        if not np.isin(part.episodes.classes, shared.design.classes).all():
            raise ValueError("its predictions have episodes of other classes than its design")
        if sum(map(len, first)) < 2:
            first.append(part.episodes[: 2 - sum(map(len, first))])
        yield part


def _check_shape(row: Row, episodes: Episodes) -> None:
    spec = specs_of(row).sampler
    if row.images_digest != episodes.images_digest:
        raise ValueError("its predictions are of other images than the row")
    if specs_of(row).from_file:
        return
    if episodes.seed != row.seed:
        raise ValueError(f"its predictions are of episodes with seed {episodes.seed}, the row says {row.seed}")
    exact = {"n_way": (row.n_way, episodes.n_way)}
    if not row.k_shot_at_most and not spec.declares("shots_on_average"):
        exact["k_shot"] = (row.k_shot, episodes.support_count)
    if not spec.declares("queries_on_average"):
        exact["n_query"] = (row.n_query, episodes.query_count)
    for name, (wanted, counts) in exact.items():
        if wanted is not None and spec.declares("is_balanced") and not (counts == wanted).all():
            other = counts[counts != wanted][0]
            raise ValueError(f"the row says {name} = {wanted}, but its predictions have an episode with {other}")


def score_problems(row: Row, computed: Score, with_names: bool = True) -> Iterator[str]:
    """The numbers of a row that its predictions do not give, one sentence each."""
    there = row.columns()
    pairs = {name: getattr(computed, name) for name in _SCORES} | dict(computed.measures)
    for name, value in pairs.items():
        if name == "lowest_class" and not with_names:
            continue
        if not same(there.get(name), value):
            yield f"{name} is {_text(there.get(name))} in the row, but its predictions give {_text(value)}"
    further = [name for name, value in row.measures.items() if name not in pairs and value not in (None, "")]
    for name in further:
        yield f"{name} is {_text(row.measures[name])} in the row, but its predictions give none"


def same(a: Any, b: Any) -> bool:
    """Whether two values of a column are equal, up to the order of a sum."""
    if isinstance(a, float | int) and isinstance(b, float | int) and not isinstance(a, bool):
        return math.isclose(a, b, rel_tol=CLOSE, abs_tol=CLOSE) or (math.isnan(a) and math.isnan(b))
    if isinstance(b, float) and math.isnan(b):
        b = None
    return bool(a == b)


def renewed(row: Row, computed: Score) -> Row:
    """The row with columns that an older release did not have; other numbers stay."""
    there = row.columns()
    new = {name: getattr(computed, name) for name in _SCORES if there[name] in _LATER}
    measures = {name: computed.measures.get(name) if value in _LATER else value for name, value in row.measures.items()}
    known = {name: value for name, value in measures.items() if value is not None}
    return Row(**{**vars(row), **new, "measures": known})


def _honesty_problems(shared: Shared) -> Iterable[str]:
    """The labels of a row that its spec does not give: transductive, choice of hyperparameters, seen classes."""
    from fewshot.evaluators import TransductiveEvaluator

    row, wanted = shared.row, dict[str, Any]()
    if "evaluator" in own_columns(row):
        raise Unknown("its labels: the evaluator is own code")
    evaluator = member(row, "evaluator")
    wanted["transductive"] = isinstance(evaluator, TransductiveEvaluator)
    rule = Selection.read(row.selection_rule)
    inside = SUPPORT if evaluator.n_trials() > 1 else NOTHING
    if rule is None:
        wanted |= {"selection": inside, "n_trials": evaluator.n_trials(), "n_labels_selection": 0}
    elif inside == NOTHING:
        wanted["selection"] = chosen_on(rule.on, inside)
    if not row.selection_rule:
        wanted |= {"chosen": "", "trial_accuracies": ""}
    wanted |= seen_columns(row, shared.design)
    return [
        f"{name} is {_text(getattr(row, name))} in the row, but its spec gives {_text(value)}"
        for name, value in wanted.items()
        if getattr(row, name) != value
    ]


def _protocol_problems(shared: Shared) -> Iterable[str]:
    """Every choice of a benchmark of the field that the row claims and does not have."""
    try:
        return list(claim_problems(shared.row, shared.design))
    except OtherVersion as error:
        raise Unknown(str(error)) from error


def _size_problems(shared: Shared) -> Iterable[str]:
    """A number of weights that the network of the row does not have."""
    row = shared.row
    if "backbone" in own_columns(row):
        raise Unknown("its number of weights: the backbone is own code")
    built = n_params(row)
    if built is None:
        raise Unknown("its number of weights: the network cannot be built without its weights")
    return [] if built == row.n_params else [f"n_params is {row.n_params:,} in the row, but its network has {built:,}"]


def _name_problems(shared: Shared) -> Iterable[str]:
    """A name of the data that is not the one beside the row, and a digest of class names that is not that of the names;
    rows of older releases have none."""
    row, design = shared.row, shared.design
    if problems := name_problems(row, design):
        return problems
    if not design.has_names or row.classes_digest in ("", classes_digest(design.class_names)):
        return []
    return [f"classes_digest is {row.classes_digest[:12]} in the row, but it is not that of its class names"]


_LOOKS = (_name_problems, _honesty_problems, _protocol_problems, _size_problems)


def seen_columns(row: Row, design: SharedDesign) -> dict[str, Any]:
    """The columns of seen classes as this release finds them; none without names, and for networks that fewshot
    trained, because a row does not hold the record of their training."""
    if not design.has_names or row.network or not row.seen_classes_by:
        return {}
    seen = seen_classes(row.pretrained_on, design.dataset, [design.class_names[label] for label in design.classes])
    return {
        "seen_classes": seen.state,
        "n_seen_classes": seen.count(SEEN),
        "n_unknown_classes": seen.count(UNKNOWN),
        "seen_classes_by": seen.by,
    }


def _text(value: Any) -> str:
    if isinstance(value, float | np.floating):
        return f"{value:.9g}"
    return repr(value)[:80]
