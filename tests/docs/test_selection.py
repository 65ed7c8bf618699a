"""What docs/selection.md says can be typed and pasted."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from fewshot.cli import main
from fewshot.results.files import Results
from tests.support.checkout import DOCS

TEXT = (DOCS / "selection.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def birds(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder with the pictures that the page speaks of."""
    (tmp_path / "birds").symlink_to(folder)
    monkeypatch.chdir(tmp_path)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def test_the_commands_run_and_say_on_what_they_chose():
    commands = "".join(blocks("sh")).splitlines()
    for line in commands:
        done = CliRunner().invoke(main, shlex.split(line)[1:])
        assert done.exit_code == 0, done.output
    rows = Results(Path("results/runs.jsonl")).rows()
    assert [row.selection for row in rows] == ["support", "validation classes", "test episodes (oracle)"]
    assert {row.n_trials for row in rows} == {3}
    for value in {row.selection for row in rows}:
        assert f"`{value}`" in TEXT


def test_the_python_runs(capsys):
    for block in blocks("python"):
        exec(compile(block, "docs/selection.md", "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"LinearProbe\(C=(0.01|0.1|1.0), max_iter=100\) validation classes 3 \d+", printed[0])
    assert printed[1] == "45"
