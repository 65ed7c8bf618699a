"""Whatever stands in a file of rows: a line is a row that can be written again, or it is counted as skipped."""

from __future__ import annotations

import json

import pytest
from fewshot.benchmarks import FOLDER
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
    with pytest.raises(ValueError, match="column seed should be an integer in"):
        Row.from_json(json.dumps({"run_id": "a", "seed": 1 << 64}))


def test_an_unreadable_line_says_why(tmp_path, caplog):
    (tmp_path / "rows.jsonl").write_text(f'{row().to_json()}\n{{"run_id": "x", "n_episodes": "many"}}\n')
    Results(tmp_path / "rows.jsonl").rows()
    assert "skipped line 2, which is unreadable (column n_episodes should be int, found 'many')" in caplog.text


WRONG = [
    ({"accuracy_low": 0.9, "accuracy_high": 0.7}, "column accuracy_low should be at most accuracy_high"),
    (
        {"accuracy": 0.1},
        r"column accuracy should be in its interval \[0.794, 0.806\] of accuracy_low and accuracy_high",
    ),
    ({"accuracy": None}, "column accuracy should be in its interval .*, found null"),
    ({"accuracy_low": None}, r"columns accuracy_low and accuracy_high should both be numbers or both be null, found"),
    ({"new_classes_low": 0.85, "new_classes_high": 0.9}, "column accuracy should be in its interval .*new_classes_low"),
    ({"macro_f1": 0.5, "macro_f1_low": 0.6, "macro_f1_high": 0.7}, "column macro_f1 should be in its interval"),
    ({"n_episodes": -3}, r"column n_episodes should be an integer in \[0, 2\^53\), found -3"),
    ({"schema": 99}, "column schema should be 1, or update fewshot .* found 99"),
    ({"schema": 0}, "column schema should be 1"),
    ({"status": "fine"}, "column status should be one of ok, failed, found 'fine'"),
    ({"n_way": 0}, r"column n_way should be an integer in \[1, "),
    ({"n_query": 0}, "column n_query should be"),
    ({"k_shot": -1}, "column k_shot should be"),
    ({"seed": -1}, "column seed should be"),
    ({"n_embedded": -1}, "column n_embedded should be"),
    ({"n_classes": 10**60}, "column n_classes should be"),
    ({"accuracy_high": 1.2}, r"column accuracy_high should be in \[0, 1\], found 1.2"),
    ({"log_loss": -0.1}, "column log_loss should be between 0.0 and"),
    ({"calibration_error": 2.0}, r"column calibration_error should be in \[0, 1\], found 2.0"),
    ({"new_classes_monte_carlo": 2.0}, "column new_classes_monte_carlo should be in"),
    ({"seconds_solving": -1.0}, "column seconds_solving should be between 0 and 100,000,000,000 seconds"),
]


@pytest.mark.parametrize(("columns", "message"), WRONG)
def test_a_row_that_no_run_gives_is_refused_by_its_column(columns, message, tmp_path, caplog):
    with pytest.raises(ValueError, match=message):
        Row.from_json(json.dumps(GOOD | columns))
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{json.dumps(GOOD)}\n{json.dumps(GOOD | {'run_id': 'b'} | columns)}\n")
    assert len(Results(path).rows()) == 1
    assert "rows.jsonl: skipped line 2, which is unreadable (column" in caplog.text


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
@pytest.mark.parametrize("name", sorted(name for name, (kind, *_) in known_columns().items() if "float" in kind))
def test_no_column_of_numbers_holds_nan_or_infinity(name, number):
    with pytest.raises(ValueError, match=rf"column {name} should be|is not JSON"):
        Row.from_json(json.dumps(GOOD | {name: 123456.5}).replace("123456.5", number))


@pytest.mark.parametrize("name", sorted(name for name, (kind, *_) in known_columns().items() if kind.startswith("int")))
def test_no_count_is_negative(name):
    with pytest.raises(ValueError, match=f"column {name} should be"):
        Row.from_json(json.dumps(GOOD | {name: -1}))


COMMITTED = [p for p in sorted((FOLDER / "results").glob("*.jsonl")) if p.stem != "all_of_timm"]  # no rows of runs


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_every_committed_row_is_read(path):
    assert Results(path).n_unreadable == 0
    assert Results(path).rows()
