"""Every column of a shared row is checked, or named among what the submitter reports; errors have a bounded length."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from fewshot.results.columns import Cost, Provenance, Training
from fewshot.results.resources import Resources
from fewshot.results.row import known_columns
from fewshot.sharing.board import board
from fewshot.sharing.layout import ROWS
from fewshot.sharing.reported import REPORTED, reported
from fewshot.sharing.shared import MOST_CHARACTERS
from fewshot.sharing.verify import verify
from tests.support.command_line import call
from tests.support.report_rows import row
from tests.support.submissions import change_rows, copied, first_row, own_home, rewritten, submission

OF_SUBMITTER = {column for one in REPORTED for column in one.columns}
# A label of the suite, the class in words and the way of matching: nothing follows from them.
FREE = {"protocol", "benchmark_set"}
TEXTS = [name for name, (kind, *_) in known_columns().items() if kind == "str" and name != "run_id"]


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("honest")
    with own_home(folder):
        return submission(folder)


def other(value: Any, kind: str) -> Any:
    """Another value of a column of this type."""
    if kind == "bool":
        return not value
    if kind.startswith("str"):
        return f"{value}x"
    if kind.startswith("int"):
        return (value or 0) + 1
    return 0.25 if value is None else value * 0.5


def test_the_groups_of_columns_that_nobody_can_check_are_reported() -> None:
    groups = (Cost, Provenance, Resources, Training)
    held = {column.name for group in groups for column in fields(group)} - {"n_params"}
    assert held <= OF_SUBMITTER
    assert {"device", "processor", "gpu"} <= OF_SUBMITTER


def test_every_other_column_is_checked_or_said_not_to_be(honest: Path, tmp_path: Path) -> None:
    before, silent, unchecked = first_row(honest).columns(), [], set(verify(honest).unchecked)
    for name, (kind, *_) in known_columns().items():
        if name in OF_SUBMITTER or name in FREE:
            continue
        forged = copied(honest, tmp_path / name)
        change_rows(forged, lambda values, name=name, kind=kind: values.update({name: other(before[name], kind)}))
        if (forged / ROWS).read_bytes() != (honest / ROWS).read_bytes():
            with suppress(ValueError):  # it is no row any more
                rewritten(forged)
        found = verify(forged)
        if not found.problems and set(found.unchecked) <= unchecked:
            silent.append(name)
    assert silent == []


def test_what_a_row_reports_is_named_where_it_has_a_value() -> None:
    names = [one.name for one in reported([row(device="cuda", gpu="NVIDIA H200", processor="", platform="")])]
    assert "device" in names
    assert "GPU" in names
    assert "processor" not in names
    assert "training of the network" not in names
    assert reported([]) == []


@pytest.mark.parametrize("text", ["x" * 100_000, "a word " * 20_000, "(" * 5_000])
def test_errors_of_forged_texts_are_short_and_name_the_column_first(honest: Path, tmp_path: Path, text: str) -> None:
    for name in TEXTS:
        forged = copied(honest, tmp_path / name)
        change_rows(forged, lambda values, name=name: values.update({name: text}))
        found = verify(forged)
        for sentence in (*found.problems, *found.unchecked):
            assert len(sentence) <= MOST_CHARACTERS, name
            assert "\n" not in sentence
    done = call("verify", forged, "--verbose")
    assert max(map(len, (done.stdout + done.stderr).splitlines())) <= MOST_CHARACTERS + 80


def test_a_board_shows_short_errors(honest: Path, tmp_path: Path) -> None:
    forged = copied(honest, tmp_path / "all" / "a")
    change_rows(forged, lambda values: values.update(population="x" * 100_000, lowest_class="y" * 100_000))
    (refused,) = board(tmp_path / "all").refused
    assert all(len(problem) <= MOST_CHARACTERS for problem in refused.problems)
    assert any("population is " in problem for problem in refused.problems)


def test_a_leaderboard_says_that_nobody_checks_the_device(honest: Path, tmp_path: Path) -> None:
    forged = copied(honest, tmp_path / "all" / "a")
    change_rows(forged, lambda values: values.update(device="cuda", gpu="NVIDIA H200", processor="AMD EPYC"))
    rewritten(forged)
    (table,) = board(tmp_path / "all").tables
    entry = table.entries[first_row(forged).run_id]
    assert entry.not_checked.endswith("device, processor, GPU")
    assert replace(entry, costs=None).cost().machine
    value = json.loads(call("verify", forged, "--json").stdout)
    assert {"device", "processor", "gpu"} <= set(value["reported"])
    assert "devices, processors, GPUs" in call("verify", forged).stdout
