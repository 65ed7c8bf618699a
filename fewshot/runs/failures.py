"""Failed runs: the row that says so, and one sentence about the error, without the places of this machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace

from fewshot.files.places import without_places
from fewshot.plugins import foreign
from fewshot.results import provenance
from fewshot.results.row import Row
from fewshot.runs.columns import spec_columns
from fewshot.runs.run_rows import run_name
from fewshot.runs.specs import RunSpec
from fewshot.runs.workbench import Workbench


def failed_row(spec: RunSpec, bench: Workbench, why: str) -> Row:
    """The row of a run that failed, with one sentence about the error."""
    try:
        run_id = bench.prepare(spec).run_id
    except Exception:  # the data side failed, so the spec alone names the run
        run_id = hashlib.sha256(repr(spec).encode()).hexdigest()[:16]
    failed = replace(run_name(run_id, spec), status="failed", error=why)
    return Row.of(failed, spec_columns(spec), provenance.current(bench.device or ""))


def why_failed(spec: RunSpec, error: BaseException) -> str:
    """The sentence about an error that ended a run, without the places of this machine."""
    return error_sentence(error, map(str, vars(spec_columns(spec)).values()))


def error_sentence(error: BaseException, texts: Iterable[str]) -> str:
    """The sentence about an error, without the places of this machine. `texts`: specs that may name its cause."""
    text = str(error) or type(error).__name__
    if not isinstance(error, ValueError | OSError):
        text = foreign.sentence(error, texts)
    return without_places(" ".join(text.encode(errors="replace").decode().split()))
