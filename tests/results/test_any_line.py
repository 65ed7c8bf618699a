"""Whatever stands in a file of rows: a line is a row that can be written again, or it is counted as skipped."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot.results.files import Results
from fewshot.results.row import Row, known_columns
from tests.support.report_rows import row

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**59, 10**60)
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
)
GOOD = json.loads(row().to_json())
LINES = st.dictionaries(st.sampled_from(sorted(known_columns())), SCALARS, max_size=6).map(
    lambda columns: json.dumps(GOOD | columns)
)


def _read(line: str) -> tuple[Row | None, str]:
    try:
        return Row.from_json(line), ""
    except ValueError as error:
        return None, str(error)


@given(LINES | st.text(max_size=200) | st.just("[" * 100_000) | st.recursive(SCALARS, st.lists).map(json.dumps))
def test_a_line_is_a_row_that_comes_back_or_a_value_error(line):
    found, message = _read(line)
    if found is None:
        assert 0 < len(message) < 1000
        return
    assert Row.from_json(found.to_json()) == found
    found.to_json().encode()
    assert found.accuracy is None or 0 <= found.accuracy <= 1 + 1e-9


@given(st.lists(st.binary(max_size=60) | LINES.map(str.encode), max_size=5))
def test_every_line_of_a_file_is_a_row_or_is_counted(tmp_path, lines):
    whole = [line.replace(b"\n", b" ") for line in lines]
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"\n".join(whole))
    results, n_rows = Results(path), 0
    for line in whole:
        try:
            Row.from_json(line.decode())
            n_rows += 1
        except ValueError:
            n_rows += not line.strip()
    assert results.n_unreadable == len(whole) - n_rows
    assert len(results.rows()) <= n_rows


@pytest.mark.parametrize("value", [10**60, -(10**60), float("inf"), float("nan"), 1.5, -0.1])
def test_an_accuracy_beyond_its_range_is_not_a_row(value):
    with pytest.raises(ValueError, match=r"column accuracy should be in \[0, 1\]|is not JSON"):
        Row.from_json(json.dumps({"run_id": "a", "accuracy": value}))


def test_the_largest_seed_is_a_seed():
    assert Row.from_json(json.dumps({"run_id": "a", "seed": (1 << 64) - 1})).seed == (1 << 64) - 1
    with pytest.raises(ValueError, match="column seed should be between"):
        Row.from_json(json.dumps({"run_id": "a", "seed": 1 << 64}))


def test_an_unreadable_line_says_why(tmp_path, caplog):
    (tmp_path / "rows.jsonl").write_text(f'{row().to_json()}\n{{"run_id": "x", "n_episodes": "many"}}\n')
    Results(tmp_path / "rows.jsonl").rows()
    assert "skipped line 2, which is unreadable (column n_episodes should be int, found 'many')" in caplog.text
