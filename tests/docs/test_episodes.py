"""What docs/episodes.md says can be typed and pasted, from its first line to its last."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from fewshot.cli import main
from fewshot.episodes.lists import EpisodeList
from fewshot.plugins.registry import SAMPLERS
from fewshot.results.files import Results
from tests.support.checkout import DOCS

TEXT = (DOCS / "episodes.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture(autouse=True)
def birds(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder with the pictures and the tree that the page speaks of."""
    (tmp_path / "birds").symlink_to(folder)
    (tmp_path / "kinds.csv").write_text(blocks("csv")[0])
    monkeypatch.chdir(tmp_path)


def test_the_commands_run_and_lists_come_back_from_csv() -> None:
    for line in "".join(blocks("sh")).splitlines():
        done = CliRunner().invoke(main, shlex.split(line)[1:])
        assert done.exit_code == 0, done.output
    made, again = (EpisodeList.load(Path(name)) for name in ("mini.safetensors", "again.safetensors"))
    assert made.episodes.digest == again.episodes.digest
    assert made.protocol == again.protocol == "mini_birds@1"
    rows = Results(Path("results/runs.jsonl")).rows()
    assert [row.status for row in rows] == ["ok"] * 4
    listed = next(row for row in rows if row.sampler.startswith("Listed"))
    assert listed.new_images_low is not None


@pytest.mark.parametrize("needs", ["fewshot", "learn2learn"])
def test_the_python_runs(needs: str) -> None:
    if importlib.util.find_spec(needs) is None:
        pytest.skip(f"{needs} is not installed")
    names: dict[str, object] = {}
    for block in blocks("python")[: 1 if needs == "fewshot" else 2]:
        exec(compile(block, "docs/episodes.md", "exec"), names)
    assert EpisodeList.load(Path("mini2.safetensors")).protocol == "mini_birds@2"


def test_every_sampler_is_in_the_table() -> None:
    assert sorted(re.findall(r"^\| `(\w+)\(", TEXT, re.MULTILINE)) == SAMPLERS.names()
