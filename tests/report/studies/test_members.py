"""A study is one file: the report and `fewshot study` find it there; and a study that fails says so."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from fewshot.plugins.registry import STUDIES
from fewshot.report import page
from fewshot.report.rows.shown import Shown
from fewshot.report.studies import Study, sections
from fewshot.results.row import Row
from tests.support.command_line import fail, modules_after, succeed
from tests.support.package_copy import fewshot_in, package_with
from tests.support.trained_rows import SEEDS, SIZES, B, lines, row, written

ROWS = [row(size, seed, *key) for size in SIZES for seed in SEEDS for key in B]
COUNT = '''
"""How many seeds there are."""

from dataclasses import dataclass
from typing import ClassVar

from fewshot.report.rows.shown import Shown
from fewshot.report.studies import SectionTable, Study


@dataclass(frozen=True)
class SeedCount(Study[int]):
    """How many seeds of training there are. At each number of images."""

    title: ClassVar[str] = "Seeds counted"
    needs: ClassVar[str] = "rows of trainings"
    options: ClassVar[dict[str, str]] = {"at_least": "Fewest images."}

    at_least: int = 0

    def find(self, rows):
        return len({row.training_seed for row in rows.trained if row.unique_images >= self.at_least}) or None

    def text(self, findings):
        return f"There are {findings}."

    def tables(self, findings):
        return [SectionTable("Seeds.", ("seeds",), ((str(findings),),))]

    def values(self, findings):
        return {"seeds": findings}
'''


@pytest.fixture
def place(tmp_path: Path) -> Path:
    written(tmp_path / "rows.jsonl", lines(*ROWS))
    return package_with(tmp_path, {"report/studies/seed_count.py": COUNT})


def test_a_new_file_is_a_section_and_a_subcommand(place):
    assert "How many seeds of training there are." in fewshot_in(place, "study", "--help")
    options = fewshot_in(place, "study", "seed_count", "--help")
    assert "--at-least INTEGER" in options
    assert "Fewest images." in options
    assert json.loads(fewshot_in(place, "study", "seed_count", "rows.jsonl", "--json")) == {"seeds": 3}
    assert "There are 3." in fewshot_in(place, "study", "seed_count", "rows.jsonl", "--at-least", "200")
    fewshot_in(place, "report", "rows.jsonl", "--out", "page.html")
    text = (place / "page.html").read_text(encoding="utf-8")
    assert "<h2>Seeds counted</h2>" in text
    assert text.index("What more pre-training images gain") < text.index("Seeds counted")


@pytest.mark.parametrize("name", STUDIES.names())
def test_every_study_declares_its_words(name):
    declared = STUDIES.signature(name).declared
    study = STUDIES.get(name)
    assert issubclass(study, Study)
    assert declared["title"]
    assert declared["needs"]
    assert {parameter.name for parameter in STUDIES.signature(name).parameters} == set(declared.get("options", {}))
    assert str(study.__doc__).partition(". ")[0] in " ".join(succeed("study", "--help").split())


def test_sections_have_places_of_their_own():
    places = [STUDIES.signature(name).declared["place"] for name in STUDIES.names()]
    assert len(set(places)) == len(places)


def test_help_imports_no_study():
    assert not modules_after("study", "--help") & {"scipy", "matplotlib", "sklearn", "torch"}


@pytest.mark.parametrize("name", STUDIES.names())
def test_a_file_without_rows_for_a_study_is_refused_with_what_it_needs(name, tmp_path):
    stem = STUDIES.signature(name).module.rpartition(".")[2]
    path = written(tmp_path / "rows.jsonl", lines(Row("a", accuracy=0.5)))
    assert f"{path} has no rows for this study; it needs rows of " in fail("study", stem, path)
    assert name not in str(sections(Shown.of([Row("a", accuracy=0.5)])))


def failing(rows: Sequence[Row]) -> str:
    """What the last section of the page says, which stands for the studies that failed."""
    text = page(Shown.of(rows), None, "x")
    [title] = [each for each in sections(Shown.of(rows)) if each.text.startswith("Not shown")]
    section = text.partition(f"<h2>{title.title}</h2>")[2].partition("</section>")[0]
    assert section
    return section


def test_a_row_that_cannot_be_read_is_named_on_the_page():
    bad = [*ROWS[1:], replace(ROWS[0], training_classes=1)]
    text = failing(bad)
    assert "the column &#39;training_classes&#39; of the row" in text
    assert "must be a whole number of at least 2, got 1" in text
    for title in ("What more pre-training images gain", "Sources and targets", "Effective data transferred"):
        assert title in text


def test_a_study_that_fails_alone_says_so_under_its_title():
    def loss(size: int, start: str, n_params: int) -> list[Row]:
        return [row(size, 0, n_params=n_params, started_on=start, seen_loss=2.0, network=f"Net('{start}')")]

    rows = [*loss(100, "nothing", 1000), *loss(200, "nothing", 1000), *loss(100, "glyphs", 2000)]
    text = (
        page(Shown.of(rows), None, "x").partition("<h2>Effective data transferred</h2>")[2].partition("</section>")[0]
    )
    assert "Not shown: effective data needs a from-scratch curve with 2 or more numbers of images" in text


def test_other_studies_are_shown_beside_one_that_fails():
    twice = replace(ROWS[0], run_id="again", accuracy=0.99, accuracy_low=0.98)
    titles = [each.title for each in sections(Shown.of([*ROWS, twice]))]
    assert "Studies that failed" in titles
    assert "Effective data transferred" not in titles
    assert "have the same training" in failing([*ROWS, twice])
