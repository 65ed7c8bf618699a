"""What docs/results.md says about results files can be typed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from fewshot.results.files import Results
from tests.support.checkout import DOCS
from tests.support.command_line import succeed

TEXT = (DOCS / "results.md").read_text(encoding="utf-8")


def test_the_commands_run(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "birds").symlink_to(folder)
    monkeypatch.chdir(tmp_path)
    lines = "".join(re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)).splitlines()
    printed = {line: succeed(*shlex.split(line)[1:]) for line in lines}
    (listed,) = (text for line, text in printed.items() if " list " in line)
    assert len(listed.splitlines()) == 3
    assert {row.k_shot for row in Results(Path("all.jsonl")).rows()} == {1}
    table = Path("table.tex").read_text()
    assert all(text in table for text in ("\\toprule", "ProtoNet", "pixels"))
    assert "raw pixels 8" in Path("both.html").read_text()
