"""A run never appends its rows to a file of another kind, which they would damage."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.support.command_line import QUICK, fail, succeed

FILES = {
    "a CSV table": b"path,label\na.png,a\n",
    "a gzip file": gzip.compress(b"{}"),
    "not UTF-8 text": "path,label".encode("utf-16"),
    "text that begins with": b"# notes\n",
    "a JSON list": b"[1, 2]\n",
}


@pytest.mark.usefixtures("working_folder")
@pytest.mark.parametrize("kind", FILES)
def test_a_file_of_another_kind_is_refused_and_keeps_its_content(kind):
    Path("other").write_bytes(FILES[kind])
    assert f"cannot append rows to other: it is {kind}" in fail("run", "--data", "birds", *QUICK, "--results", "other")
    assert Path("other").read_bytes() == FILES[kind]


@pytest.mark.usefixtures("working_folder")
@pytest.mark.parametrize("start", [b"", b"\n\n", b'{"run_id": "12', b"\xef\xbb\xbf"])
def test_an_empty_file_and_one_with_a_row_that_was_cut_off_are_continued(start):
    Path("rows.jsonl").write_bytes(start)
    assert "rows: rows.jsonl" in succeed(
        "run", "--data", "birds", *QUICK, "--evaluator", "Prototype", "--results", "rows.jsonl"
    )


@pytest.mark.usefixtures("working_folder")
def test_a_module_that_ends_the_program_on_import_is_one_sentence():
    Path("leaves.py").write_text("import sys\nsys.exit(3)\n")
    args = ("run", "--data", "birds", *QUICK, "--evaluator", "leaves:Own")
    assert fail(*args).startswith("the evaluator 'leaves:Own' cannot be imported: SystemExit: 3 in ")
