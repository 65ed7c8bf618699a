"""A section of the page is one file in report/sections/: it stands in its place, where it has anything to show."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import fewshot.report.sections as folder
from fewshot.report import page
from fewshot.report.rows.shown import Shown
from fewshot.report.sections import sections
from tests.support.report_rows import EVIL, quick_rows, row

MINE = """
from fewshot.report.sections import Piece, Section

def pieces(shown, sources):
    if len(shown.rows) > 1:
        yield Piece("How many?", {"count": len(shown.rows), "names": [name.whole for name in shown.names.values()]})

SECTION = Section(75, pieces, "<p>{{ count }} rows: {{ names | join(', ') }}</p>\\n")
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """One more file beside the sections."""
    (tmp_path / "how_many.py").write_text(MINE)
    (tmp_path / "_helper.py").write_text("raise AssertionError('a file that begins with _ holds no section')")
    monkeypatch.setattr(folder, "__path__", [*folder.__path__, str(tmp_path)])
    sections.cache_clear()
    yield
    sections.cache_clear()
    sys.modules.pop("fewshot.report.sections.how_many", None)


@pytest.mark.usefixtures("mine")
def test_one_more_file_is_one_more_section() -> None:
    text = page(Shown.of([*quick_rows(), row(evaluator=EVIL)]), None, "mine")
    assert text.index("<h2>Failed runs</h2>") < text.index("<h2>How many?</h2>") < text.index("<h2>Where the numbers")
    assert "<p>51 rows: " in text
    assert EVIL not in text


@pytest.mark.usefixtures("mine")
def test_a_section_without_a_piece_is_not_there() -> None:
    assert "How many?" not in page(Shown.of([row()]), None, "mine")


def test_every_section_has_a_place_of_its_own_and_they_are_in_order() -> None:
    places = [section.place for section in sections().values()]
    assert places == sorted(set(places))
    assert len(places) == len(list(Path(folder.__file__).parent.glob("[a-z]*.py")))


def test_tasks_and_names_are_made_once_for_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {"tasks": 0, "contender_names": 0}

    def counted(name: str, of):
        def count(*args):
            made[name] += 1
            return of(*args)

        return count

    import fewshot.report.rows.shown as module

    for name in made:
        monkeypatch.setattr(module, name, counted(name, getattr(module, name)))
    page(Shown.of(quick_rows()), None, "once")
    assert made == {"tasks": 1, "contender_names": 1}
