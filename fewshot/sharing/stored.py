"""runs.json: for every row its design, its command, and the digests that others need to check its run id."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fewshot.files.regular import parsed_json
from fewshot.results.row import Row, check_run_id, known_columns
from fewshot.results.rules import short
from fewshot.sharing.about import parsed, refuse_constant, unique
from fewshot.sharing.designs import SharedDesign
from fewshot.sharing.layout import ROWS, RUNS, content, is_run_id
from fewshot.sharing.members import RECORDED
from fewshot.sharing.plain_texts import check_plain
from fewshot.sharing.shared import Shared

_FORMAT = "fewshot-shared-runs-1"
_LONGEST = 20_000  # characters of a text


def runs_text(runs: Sequence[Shared]) -> str:
    """The JSON text; runs of one design share it."""
    designs = list(dict.fromkeys(run.design for run in runs))
    place = {design: number for number, design in enumerate(designs)}
    entries = {
        run.row.run_id: {
            "command": run.command,
            "design": place[run.design],
            "episodes_digest": run.row.episodes_digest,
            "identities": run.identities,
            "own_code": run.own_code,
        }
        for run in runs
    }
    return json.dumps(
        {"format": _FORMAT, "designs": [design.values() for design in designs], "runs": entries}, ensure_ascii=False
    )


def read_shared(folder: Path) -> list[Shared]:
    """The rows of a submission with what lies beside them; a ValueError for the first fault."""
    rows = read_rows(folder)
    values = parsed(content(folder, RUNS), RUNS)
    if values.get("format") != _FORMAT:
        raise ValueError(
            f"{RUNS} should have the format {_FORMAT!r}, found {values.get('format')!r:.80}; update fewshot"
        )
    entries = values.get("runs")
    if not isinstance(entries, dict) or not isinstance(values.get("designs"), list):
        raise ValueError(f"{RUNS} should hold designs and runs")
    if odd := sorted(set(entries) ^ {row.run_id for row in rows}):
        raise ValueError(f"the run {odd[0][:40]} is in only one of {ROWS} and {RUNS}")
    designs = [SharedDesign.of_values(design) for design in values["designs"]]
    return [_shared(row, entries[row.run_id], designs) for row in rows]


def _shared(row: Row, entry: Any, designs: Sequence[SharedDesign]) -> Shared:
    where = f"the run {row.run_id} in {RUNS}"
    if not isinstance(entry, dict) or type(entry.get("design")) is not int:
        raise ValueError(f"{where} should name its design")
    if not 0 <= entry["design"] < len(designs):
        raise ValueError(f"{where} names design {entry['design']} of {len(designs)}")
    if entry.get("episodes_digest") != row.episodes_digest:
        raise ValueError(f"{where} names other episodes than the row")
    identities = entry.get("identities")
    if not isinstance(identities, dict) or any(
        name not in RECORDED or not isinstance(text, str) or len(text) > _LONGEST for name, text in identities.items()
    ):
        raise ValueError(f"{where} should give identities of {', '.join(RECORDED)} as texts")
    command, code = str(entry.get("command", ""))[:_LONGEST], str(entry.get("own_code", ""))[:_LONGEST]
    return Shared(row, designs[entry["design"]], identities, code, command)


def read_rows(folder: Path) -> list[Row]:
    """The rows, each line read strictly: no run twice, no failure, no key twice, no column of another release."""
    rows: dict[str, Row] = {}
    for number, line in enumerate(content(folder, ROWS).splitlines(), 1):
        try:
            row = _row(line)
        except ValueError as error:
            raise ValueError(f"line {number} of {ROWS} is no row that can be shared: {error}") from error
        if row.run_id in rows:
            raise ValueError(f"line {number} of {ROWS} is a second row of the run {row.run_id}")
        rows[row.run_id] = row
    if not rows:
        raise ValueError(f"{ROWS} holds no rows")
    return list(rows.values())


def _row(line: bytes) -> Row:
    text = line.decode()
    values: Mapping[str, Any] = parsed_json(text, object_pairs_hook=unique, parse_constant=refuse_constant)
    row = Row.from_json(text)
    check_run_id(row.run_id)
    if not is_run_id(row.run_id):
        raise ValueError(f"the run id {row.run_id[:40]!r} is not 16 hex digits")
    if unknown := [name for name in values if name not in known_columns()]:
        raise ValueError(
            f"the column {unknown[0][:40]!r} is unknown; a newer release may have written it: update fewshot"
        )
    if row.status != "ok" or row.accuracy is None:
        raise ValueError("it has no result")
    for name, value in row.columns().items():
        if isinstance(value, str) and value:
            check_plain(f"column {name}", value)
    if row.error:
        raise ValueError(f"column error should be empty in a row with a result, found {short(row.error)}")
    return row
