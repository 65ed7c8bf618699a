"""Every block of code in README and docs runs: `sh` and `python` as they stand, on small pictures; of `console`, which
shows commands for data or networks that no test has, the command lines are parsed. `text` holds no commands."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from fewshot.cli import main
from tests.support.checkout import ROOT
from tests.support.command_line import parse
from tests.support.pages import PAGES, blocks, commands

LANGUAGES = {"sh", "python", "console", "text", "csv", "toml", "json", "{toctree}", "{eval-rst}"}
# Their tests, beside this file, run their blocks and look at what comes out.
WITH_OWN_TESTS = {"episodes.md", "extending.md", "guards.md", "python.md", "scaling.md", "selection.md"}
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
IDS = [page.relative_to(ROOT).as_posix() for page in PAGES]


@pytest.fixture
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with birds and photos: six classes of 24 small pictures each."""
    random = np.random.default_rng(0)
    for name, colour in zip(
        ("crow", "gull", "kite", "rook", "swan", "wren"), random.integers(40, 215, (6, 3)), strict=True
    ):
        for root in ("birds", "photos"):
            (tmp_path / root / name).mkdir(parents=True)
        for i in range(24):
            pixels = np.clip(colour + random.normal(size=(12, 10, 3)) * 60, 0, 255).astype(np.uint8)
            for root in ("birds", "photos"):
                Image.fromarray(pixels).save(tmp_path / root / name / f"{i}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_block_has_a_language_and_text_holds_no_command(page: Path) -> None:
    for language, text in blocks(page):
        assert language in LANGUAGES, f"a block of {page.name} has the language {language!r}:\n{text}"
        if language == "text":
            assert not re.search(r"^\$? ?(fewshot|make|pip|python|\.venv\S+) \w", text, re.MULTILINE), text


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name not in WITH_OWN_TESTS], ids=lambda page: page.name
)
def test_the_blocks_of_a_page_run_in_their_order(page: Path, working_folder: Path) -> None:
    names: dict[str, object] = {}
    for language, text in blocks(page):
        if language == "python":
            exec(compile(text, str(page), "exec"), names)
        for program, *args in commands(text) if language == "sh" else ():
            if program == "fewshot":
                done = CliRunner().invoke(main, args)
                assert done.exit_code == 0, f"fewshot {' '.join(args)}\n{done.output}"
            else:
                assert_known(program, args)


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_commands_that_a_page_only_shows_can_be_parsed(page: Path) -> None:
    for language, text in blocks(page):
        shown = "\n".join(line for line in text.splitlines() if line.startswith("$ "))
        for program, *args in commands(shown) if language == "console" else ():
            if program == "fewshot":
                parse(args)
            else:
                assert_known(program, args)


def assert_known(program: str, args: list[str]) -> None:
    """Other programs of the pages: targets of the Makefile, files of the repository, tools of the environment."""
    if program == "make":
        assert args[0] in TARGETS
    else:
        assert program in ("python", "ruff", "pip", "git", "cd", "fewshot")
        for path in (arg.partition("::")[0] for arg in args if arg.startswith(("tests/", "benchmarks/"))):
            assert (ROOT / path).exists(), f"{path} does not exist"
