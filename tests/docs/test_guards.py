"""What docs/guards.md says can be typed, and is what the commands say."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from fewshot.cli import main
from fewshot.results.row import Row
from tests.support.checkout import DOCS

TEXT = (DOCS / "guards.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()]


@pytest.fixture
def birds(folder: Path, tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the pictures that the page speaks of."""
    (tmp_path / "birds").symlink_to(folder)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_commands_run(birds):
    for line in COMMANDS:
        assert line.startswith("fewshot ")
        done = CliRunner().invoke(main, shlex.split(line)[1:])
        assert done.exit_code == 0, f"{line}\n{done.output}"
        if line == "fewshot seen --backbone tf_efficientnet_lite0 --data Icons":
            assert done.output.splitlines()[-1] in TEXT
    assert "data:image/" in (birds / "alike.html").read_text(encoding="utf-8")
    assert (birds / "list.safetensors").is_file()


@pytest.mark.parametrize(
    "column", ["seen_classes_by", "n_seen_classes", "n_unknown_classes", "transductive", "selection"]
)
def test_the_columns_that_it_names_are_those_of_a_row(column):
    assert f"`{column}`" in TEXT
    assert column in Row.__dataclass_fields__


@pytest.mark.parametrize(
    "sentence",
    [
        "so that its rows are marked",
        "so it would embed later images differently from earlier ones; put it in eval mode, and train a copy",
        "use the split that they were sampled with, or classes='all'",
    ],
)
def test_its_messages_are_those_of_the_guards(sentence):
    root = Path(main.callback.__globals__["__file__"]).parent
    source = "".join(
        (root / name).read_text(encoding="utf-8") for name in ("runs/guards.py", "backbones/_stillness.py")
    )
    said = re.sub(r'"\s*f?"', "", re.sub(r"\n\s+", "", source))
    assert sentence in TEXT
    assert sentence in said
