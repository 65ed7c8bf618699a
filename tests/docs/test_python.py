"""docs/python.md: its blocks run one after the other, and its table lists the arguments of `evaluate`."""

from __future__ import annotations

import inspect
import re

import fewshot
from tests.support.bird_folders import write_birds
from tests.support.checkout import DOCS

GUIDE = (DOCS / "python.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


def test_the_blocks_run_one_after_the_other(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_birds(tmp_path / "birds")
    known: dict[str, object] = {}
    for block in BLOCKS:
        exec(compile(block, "docs/python.md", "exec"), known)
    printed = capsys.readouterr().out
    assert "L2 + Prototype" in printed
    assert "nearest_mean" in printed
    assert (tmp_path / "rows.png").stat().st_size > 1000
    assert len(fewshot.Results("runs.jsonl").rows()) == 4


def test_the_table_lists_arguments_that_there_are():
    named = re.findall(r"`(\w+)`", "".join(line.split("|")[1] for line in GUIDE.splitlines() if line.startswith("| `")))
    arguments = set(inspect.signature(fewshot.evaluate).parameters)
    assert set(named) <= arguments
    assert arguments - set(named) == {"seen", "preprocess", "progress", "selection", "dtype", "device", "unknown"}
