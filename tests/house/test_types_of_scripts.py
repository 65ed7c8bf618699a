"""A user's script that uses the public names passes mypy --strict, and a misspelt word in it does not."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.checkout import ROOT

SCRIPT = """
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import fewshot


def nearest(support: NDArray[np.float32], labels: NDArray[np.int64], query: NDArray[np.float32]) -> NDArray[np.float32]:
    return query @ support.T


rows: fewshot.Rows = fewshot.evaluate("pixels", Path("birds"), shots=(1, 5), evaluators=[nearest, "Prototype"])
accuracy: float | None = rows[0].accuracy
some: fewshot.Rows = rows[:1] + rows
text: str = fewshot.compare(rows).verdict
best: str = rows.compare().rankings[0].best.name
shots: list[int | None] = [row.k_shot for row in rows]
rows.plot().savefig("rows.png")
fewshot.plot_shots(rows).savefig("shots.png")
frame = rows.to_frame()
episodes: fewshot.Episodes = fewshot.Episodes.sample("birds", n_way=5, k_shot=1)
one: fewshot.Episodes = episodes[0]
spec = fewshot.RunSpec("birds", "pixels", "Prototype")
row: fewshot.Row | None = fewshot.run(spec, "x.jsonl")
"""
WRONG = "fewshot.evaluate('pixels', 'birds', shot=5)\nfewshot.compare(rows).verdikt\n"


@pytest.mark.slow
def test_a_script_of_a_user_is_typed(tmp_path):
    def checked(text: str) -> str:
        (tmp_path / "script.py").write_text(text, encoding="utf-8")
        config = tmp_path / "mypy.ini"
        config.write_text(
            f"[mypy]\nstrict = True\nmypy_path = {ROOT}\nfollow_imports = silent\nignore_missing_imports = True\n"
        )
        command = [sys.executable, "-m", "mypy", "--config-file", str(config), "script.py"]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env=os.environ | {"MYPY_CACHE_DIR": str(tmp_path / "c")},
        )
        return done.stdout + done.stderr

    found = checked(SCRIPT + WRONG)
    assert "Found 2 errors in 1 file" in found, found
    assert '"shot"' in found or "arg-type" in found
    assert 'has no attribute "verdikt"' in found
