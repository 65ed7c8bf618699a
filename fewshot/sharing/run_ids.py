"""The run id of a row, computed again from its spec, its images' digests and its first two episodes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from fewshot.episodes.episodes import Episodes
from fewshot.plugins.wording import listed
from fewshot.results.row_specs import specs_of
from fewshot.runs.identity import RunIdentity, sampled_name
from fewshot.sharing.images import AtHand
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
from fewshot.sharing.shared import Shared, Unknown, one_line


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


def identity_problems(shared: Shared, first: list[Episodes], at_hand: AtHand | None) -> list[str]:
    """A run id that the spec does not give; an Unknown if that cannot be known here. `first`: the first episodes, at
    most two."""
    row = shared.row
    why = _why_no_identity(shared)
    if why:
        raise Unknown(f"its run id: {why}")
    try:
        two = _first_two(shared, Episodes.concatenate(first), at_hand)
        found = run_identity(shared, two, row.episodes_digest).run_id
    except ImportError as error:
        raise Unknown(f"its run id: {one_line(error)}") from error
    if found == row.run_id:
        return []
    if specs_of(row).from_file:  # the run id names the whole list, of which the run may have solved a part
        raise Unknown("its run id: it names a list of episodes that is not here")
    return [f"its run id is {row.run_id}, but its spec, images and episodes give {found}"]


def _first_two(shared: Shared, first: Episodes, at_hand: AtHand | None) -> Episodes:
    """The first two episodes, which a run id hashes, also for a run of one episode."""
    row = shared.row
    if len(first) >= 2 or specs_of(row).from_file:
        return first
    sampler = member(row, "sampler")
    if sampler.repeats(shape(row)):
        return Episodes.concatenate([first, replace(first, index=first.index + 1)])
    if specs_of(row).sampler.paths:
        raise Unknown("its run id: it needs two episodes, and the sampler names a file that only its author has")
    try:
        _, images = (at_hand or AtHand()).find(row)
        two: Episodes = sampler.sample(images, np.array(shared.design.classes), shape(row), row.seed, 0, 2)
    except (ValueError, OSError) as error:
        raise Unknown(f"its run id: it needs two episodes, and the run has one; {one_line(error)}") from error
    return two


def _why_no_identity(shared: Shared) -> str:
    if own := own_columns(shared.row):
        return f"the {listed(own)} {'is' if len(own) == 1 else 'are'} own code"
    if not shared.design.labels_digest:
        return "the labels of its images are not here"
    if templates_are_a_file(shared.row):
        return "its templates are a file that only its author has"
    for column in RECORDED:
        spec = getattr(specs_of(shared.row), column)
        if column == "sampler" and specs_of(shared.row).from_file:
            continue
        if spec.paths and not shared.identities.get(column):
            return f"the {column} names a file that only its author has"
    return ""
