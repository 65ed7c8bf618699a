"""A small suite as a file, its rows by several processes, and the rows without what differs from process to process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

from tests.support.machine_columns import MACHINE_COLUMNS

SUITE = """
from fewshot.episodes.shape import EpisodeShape
from fewshot.runs.specs import RunSpec, Sampled

def suite():
    for k_shot in {shots}:
        for evaluator in {evaluators}:
            episodes = Sampled(EpisodeShape(n_way=3, k_shot=k_shot, n_query=4))
            yield RunSpec({data!r}, "RawPixels(image_size=4)", evaluator, episodes, split="AllNovel()", n_episodes=12)
"""


def write_suite(
    folder: Path,
    data: Path,
    evaluators: tuple[str, ...] = ("Prototype()", "LinearProbe()"),
    shots: tuple[int, ...] = (1, 2),
) -> None:
    """Writes suite.py."""
    text = SUITE.format(data=f"ImageFolderSet({str(data)!r})", evaluators=evaluators, shots=shots)
    (folder / "suite.py").write_text(text)


def start(folder: Path, *args: str, stderr: int | IO[str] = subprocess.PIPE) -> subprocess.Popen[str]:
    """A command, in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "fewshot", *args],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )


def finish(process: subprocess.Popen[str]) -> str:
    """What a command prints, after it succeeded."""
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, out + err
    return out


def rows_in(path: Path) -> list[dict[str, Any]]:
    """The rows of a file, without their costs, in order."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [{name: value for name, value in row.items() if name not in MACHINE_COLUMNS} for row in rows]
