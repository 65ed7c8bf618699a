"""The rows of one process, which every other way must give too."""

from __future__ import annotations

import pytest

from tests.support.command_line import succeed
from tests.support.work_suites import rows_in, write_suite


@pytest.fixture
def alone(folder, tmp_path, monkeypatch):
    """The rows of one process."""
    monkeypatch.chdir(tmp_path)
    write_suite(tmp_path, folder)
    monkeypatch.setenv("FEWSHOT_HOME", str(tmp_path / "home_of_one"))
    succeed("bench", "suite.py", "--results", "alone.jsonl")
    monkeypatch.setenv("FEWSHOT_HOME", str(tmp_path / "home_of_several"))
    return rows_in(tmp_path / "alone.jsonl")
