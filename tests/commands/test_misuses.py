"""Every command, used wrongly in every usual way: one sentence, and the exit code of its kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command_line import call
from tests.support.misuses import Misuse, misuses, write_files
from tests.support.pictures import write_pictures
from tests.support.stored_runs import two_heads


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures, rows and files of other kinds. Wrong commands write nothing into it."""
    root = tmp_path_factory.mktemp("misuses")
    write_pictures(root / "birds", [8] * 6)
    write_files(root)
    two_heads(root / "rows.jsonl")
    return root


@pytest.mark.parametrize("misuse", misuses(), ids=str)
def test_a_misuse_is_one_sentence_with_its_exit_code(misuse: Misuse, place: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(place)
    before = set(place.iterdir())
    result = call(*misuse.words)
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert result.exit_code in misuse.codes, result.output
    sentences = [line for line in result.stderr.splitlines() if not line.startswith("Warning: ")]
    if result.exit_code:
        assert len(sentences) == 1, result.stderr
        assert sentences[0].startswith("Error: ")
        assert "Traceback" not in result.stderr
        assert "codec can't" not in sentences[0].removeprefix("Error: ")[:30]  # names the file first
    assert set(place.iterdir()) == before
