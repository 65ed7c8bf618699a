"""A row of a submission against its predictions and its spec: every number is computed again."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from fewshot.episodes.episodes import MOST_ROWS, Episodes
from fewshot.plugins.wording import listed
from fewshot.results.columns import Score
from fewshot.results.files import Results
from fewshot.results.parts import PredictionParts
from fewshot.results.predictions import Predictions
from fewshot.results.row import Row
from fewshot.results.row_specs import specs_of
from fewshot.results.seen_classes import SEEN, UNKNOWN, seen_classes
from fewshot.results.selection_rule import NOTHING, SUPPORT, Selection, chosen_on
from fewshot.runs.columns import score
from fewshot.runs.identity import RunIdentity, sampled_name
from fewshot.sharing.claims import OtherVersion, claim_problems
from fewshot.sharing.designs import SharedDesign
from fewshot.sharing.members import (
    NAMED,
    RECORDED,
    identity,
    member,
    own_columns,
    selection_identity,
    shape,
    templates_are_a_file,
    texts_identity,
)
from fewshot.sharing.networks import n_params

CLOSE = 1e-7  # between two computations of a number: machines sum in another order, and solve for quantiles
_SCORES = tuple(column.name for column in fields(Score) if column.name != "measures")
_LATER = (None, "")  # values of columns that an older release did not have


@dataclass(frozen=True)
class Shared:
    """A row with what lies beside it in runs.json."""

    row: Row
    design: SharedDesign
    identities: dict[str, str]  # of specs that name files, by column
    own_code: str = ""  # members from outside fewshot, which others cannot run
    command: str = ""


@dataclass(frozen=True)
class Checked:
    """What a check found, in sentences."""

    problems: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()  # what could not be checked, and why


def check(shared: Shared, results: Results) -> Checked:
    """Whether the predictions give every number of the row, and whether the spec gives its run id."""
    row, parts = shared.row, results.parts(shared.row.run_id)
    first: list[Episodes] = []
    try:
        _check_count(row, parts)
        computed, digest = score(_watched(shared, results, first), shared.design.whole(row))
    except Exception as error:  # predictions of strangers may be damaged in any way
        return Checked((_one_line(error),))
    problems = [*score_problems(row, computed, shared.design.has_names)]
    if digest != row.episodes_digest:
        problems.append(f"its predictions are of episodes {digest[:12]}, the row names {row.episodes_digest[:12]}")
    unchecked = [] if shared.design.has_names else ["the name of its lowest class: the names of classes are not here"]
    if shared.own_code and not own_columns(row):
        problems.append("it is said to be own code, but all its members are fewshot's")
    if row.selection_rule:
        unchecked.append("its choice of hyperparameters: its trials are not here, but --rerun repeats them")
    for look in (_identity_problems, _honesty_problems, _protocol_problems, _size_problems):
        try:
            problems += look(shared, first)
        except (Unknown, ValueError) as error:
            (unchecked if isinstance(error, Unknown) else problems).append(_one_line(error))
    return Checked(tuple(problems), tuple(unchecked))


class Unknown(Exception):
    """What cannot be checked, and why."""


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
        part.episodes.check_layout(MOST_ROWS)
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


def run_identity(shared: Shared, first: Episodes, digest: str) -> RunIdentity:
    """What the run id of a row hashes. `first`: its first two episodes; `digest`: of all of them."""
    row, design = shared.row, shared.design
    return RunIdentity(
        **{column: identity(row, column, shared.identities.get(column, "")) for column in NAMED},
        images_digest=row.images_digest,
        labels_digest=design.labels_digest,
        split_digest=row.split_digest,
        classes=row.classes,
        episodes=digest if specs_of(row).from_file else _sampled(shared),
        first_digest=first.digest,
        dtype=row.dtype,
        class_vectors_digest=design.class_vectors_digest,
        texts_digest=texts_identity(row, design.dataset, design.class_names),
        selection=selection_identity(row),
    )


def _sampled(shared: Shared) -> dict[str, Any]:
    """The identity of the episodes of a sampler; that of files that it names lies beside the row."""
    row = shared.row
    return sampled_name(shape(row), row.seed, identity(row, "sampler", shared.identities.get("sampler", "")))


def _identity_problems(shared: Shared, first: list[Episodes]) -> Iterable[str]:
    row = shared.row
    why = _why_no_identity(shared, sum(map(len, first)))
    if why:
        raise Unknown(f"its run id: {why}")
    try:
        found = run_identity(shared, Episodes.concatenate(first), row.episodes_digest).run_id
    except ImportError as error:
        raise Unknown(f"its run id: {_one_line(error)}") from error
    if found == row.run_id:
        return []
    if specs_of(row).from_file:  # the run id names the whole list, of which the run may have solved a part
        raise Unknown("its run id: it names a list of episodes that is not here")
    return [f"its run id is {row.run_id}, but its spec, images and episodes give {found}"]


def _why_no_identity(shared: Shared, n_first: int) -> str:
    if own := own_columns(shared.row):
        return f"the {listed(own)} {'is' if len(own) == 1 else 'are'} own code"
    if not shared.design.labels_digest:
        return "the labels of its images are not here"
    if templates_are_a_file(shared.row):
        return "its templates are a file that only its author has"
    if n_first < 2:
        return "it needs two episodes"
    for column in RECORDED:
        spec = getattr(specs_of(shared.row), column)
        if column == "sampler" and specs_of(shared.row).from_file:
            continue
        if spec.paths and not shared.identities.get(column):
            return f"the {column} names a file that only its author has"
    return ""


def _honesty_problems(shared: Shared, first: list[Episodes]) -> Iterable[str]:
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
        wanted |= {"selection": inside, "n_trials": evaluator.n_trials()}
    elif inside == NOTHING:
        wanted["selection"] = chosen_on(rule.on, inside)
    wanted |= seen_columns(row, shared.design)
    return [
        f"{name} is {_text(getattr(row, name))} in the row, but its spec gives {_text(value)}"
        for name, value in wanted.items()
        if getattr(row, name) != value
    ]


def _protocol_problems(shared: Shared, first: list[Episodes]) -> Iterable[str]:
    """Every choice of a benchmark of the field that the row claims and does not have."""
    try:
        return list(claim_problems(shared.row, shared.design))
    except OtherVersion as error:
        raise Unknown(str(error)) from error


def _size_problems(shared: Shared, first: list[Episodes]) -> Iterable[str]:
    """A number of weights that the network of the row does not have."""
    row = shared.row
    if "backbone" in own_columns(row):
        raise Unknown("its number of weights: the backbone is own code")
    built = n_params(row)
    if built is None:
        raise Unknown("its number of weights: the network cannot be built without its weights")
    return [] if built == row.n_params else [f"n_params is {row.n_params:,} in the row, but its network has {built:,}"]


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


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
