"""Two processes that are asked for the same run: one computes it, the other waits and takes its row."""

from __future__ import annotations

import json
import subprocess
import sys

MODULE = """
import time
from dataclasses import dataclass
from fewshot.evaluators.prototype import Prototype


@dataclass(frozen=True)
class Slow(Prototype):
    def fit(self, batch):
        time.sleep(3)  # longer than two processes start apart
        return super().fit(batch)
"""


def start(folder, tmp_path, *options):
    args = ["run", "--data", str(folder), "--backbone", "pixels", "--evaluator", "slow:Slow()", "--way", "3"]
    args += ["--query", "4", "--episodes", "40", "--budget-mb", "1", "--results", "rows.jsonl", "--json", *options]
    return subprocess.Popen(
        [sys.executable, "-m", "fewshot", *args],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_second_process_waits_and_takes_the_row_and_nothing_is_counted_twice(folder, own_home, tmp_path):
    (tmp_path / "slow.py").write_text(MODULE)
    outputs = [process.communicate(timeout=300) for process in [start(folder, tmp_path) for _ in range(2)]]
    answers = [json.loads(out)["rows"][0] for out, _ in outputs]
    assert answers[0] == answers[1]
    (line,) = (tmp_path / "rows.jsonl").read_text().splitlines()
    row = json.loads(line)
    assert row["n_embedded"] == 72  # six classes of twelve images, once
    assert row["seconds_solving"] > 0
    waited = [err for _, err in outputs if f"computes run {row['run_id']}" in err]
    assert len(waited) == 1
    assert "process " in waited[0]
    assert "; waiting for it to finish" in waited[0]


def test_two_shards_do_not_wait_for_each_other_and_append_one_row(folder, own_home, tmp_path):
    (tmp_path / "slow.py").write_text(MODULE)
    processes = [start(folder, tmp_path, "--shard", f"{i}/2") for i in (1, 2)]
    errors = [process.communicate(timeout=300)[1] for process in processes]
    assert not any("computes run" in error for error in errors)
    (line,) = (tmp_path / "rows.jsonl").read_text().splitlines()
    assert json.loads(line)["n_episodes"] == 40
