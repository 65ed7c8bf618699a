"""The row of a run: from its stored predictions, and brought up to date where an older one is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fewshot.results import provenance
from fewshot.results.columns import Cost, RunName, Score
from fewshot.results.files import Results
from fewshot.results.parts import PredictionParts
from fewshot.results.row import Row
from fewshot.runs.columns import digests, honesty, spec_columns, training
from fewshot.runs.design import Design
from fewshot.runs.prepared import PreparedRun
from fewshot.runs.resources import resources
from fewshot.runs.scores import score
from fewshot.runs.specs import RunSpec

if TYPE_CHECKING:
    from fewshot.backbones import Backbone


def row_of(prepared: PreparedRun, backbone: Backbone, parts: PredictionParts) -> Row:
    """The row of stored predictions."""
    scores, episodes_digest = _score(prepared, parts, prepared.n_episodes)
    honest = honesty(prepared.evaluator, prepared.images, prepared.classes, backbone, prepared.prompts)
    costs = parts.costs()
    return Row.of(
        run_name(prepared.run_id, prepared.spec),
        spec_columns(prepared.spec),
        scores,
        honest if prepared.choice is None else prepared.choice.added_to(honest),
        training(backbone),
        Cost(
            seconds_embedding=costs.cost("seconds_embedding"),
            seconds_solving=costs.cost("seconds_solving"),
            n_embedded=int(costs.cost("n_embedded")),
            n_params=backbone.n_params,
            dim=backbone.dim,
            flops=backbone.flops,
        ),
        digests(prepared.images, backbone, episodes_digest, prepared.split.digest),
        provenance.current(backbone.device.type),
        resources(costs),
    )


def _score(prepared: PreparedRun, parts: PredictionParts, n_episodes: int) -> tuple[Score, str]:
    """What stored predictions say, and the digest of their episodes."""
    names, depend = prepared.images.class_names, prepared.draws_depend
    design = Design(names, prepared.classes, prepared.pools_of, prepared.groups, depend)
    return score(parts.read(n_episodes), design)


def run_name(run_id: str, spec: RunSpec) -> RunName:
    """The columns that name a run."""
    return RunName(run_id, protocol=spec.protocol, benchmark_set=spec.benchmark_set)


def with_all_columns(row: Row, prepared: PreparedRun, results: Results) -> Row:
    """The row; a row of an older release gets its missing columns, if its predictions still exist. Solves nothing."""
    if row.new_classes_unit:
        return row
    try:
        scores, digest = _score(prepared, results.parts(row.run_id), row.n_episodes)
    except ValueError:  # predictions are gone, or some of them
        return row
    if (digest, scores.accuracy) != (row.episodes_digest, row.accuracy):
        return row
    with results.locked(row.run_id):
        latest = results.row(row.run_id) or row
        if latest.new_classes_unit:  # another process was faster
            return latest
        results.append(renewed := Row.of(row, scores))
    return renewed


def of_benchmark(row: Row, spec: RunSpec, results: Results) -> Row:
    """The row, which names the benchmark of the spec from now on, if it was computed without it or for another one."""
    if not spec.benchmark_set or row.n_episodes != spec.n_episodes:
        return row
    if (row.protocol, row.benchmark_set) == (spec.protocol, spec.benchmark_set):
        return row
    with results.locked(row.run_id):
        results.append(renamed := Row.of(row, run_name(row.run_id, spec)))
    return renamed
