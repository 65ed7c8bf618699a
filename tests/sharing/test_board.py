"""A leaderboard ranks what holds, names what does not, and is a page that asks the network for nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fewshot.results.comparability import comparability_key
from fewshot.sharing.about import About, Manifest
from fewshot.sharing.board import Board, board
from fewshot.sharing.board_page import page, write_board
from fewshot.sharing.designs import SharedDesign
from fewshot.sharing.images import AtHand
from fewshot.sharing.shared import Shared
from fewshot.sharing.submission_names import submission_names
from fewshot.sharing.verify import Verified, record, verify
from tests.support.browser import browser, requests, resize, why_none
from tests.support.report_rows import EVIL, row
from tests.support.submissions import birds, change_rows, own_home, runs, submission

PEOPLE = {
    "a": (About("First", "A. A.", "https://example.org/a"), ("Prototype()",), 40, 4),
    "b": (About("Second", "B. B."), ("NearestNeighbour()", "LinearSVM()"), 40, 4),
    "c": (About("The same", "C. C."), ("Prototype()",), 40, 4),
    "d": (
        About(EVIL[:90], EVIL, "https://example.org/?a=<b>".replace("<b>", "%3Cb%3E"), EVIL),
        ("RidgeProbe()",),
        40,
        4,
    ),
    "e": (About("Fewer", "E. E."), ("LinearSVM()",), 6, 4),
    "f": (About("Too good", "F. F."), ("Prototype()",), 40, 2),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("boards")
    with own_home(folder):
        birds(folder)
        for name, (about, heads, n_episodes, size) in PEOPLE.items():
            (folder / name).mkdir()
            (folder / name / "birds").symlink_to(folder / "birds")
            results = runs(folder / name, heads, n_episodes, size)
            (folder / "all").mkdir(exist_ok=True)
            submission(folder, results, about, f"all/{name}")
    record(verify(folder / "all" / "b", AtHand((birds(folder),)), n_reruns=2), "A. Reader")
    change_rows(folder / "all" / "f", lambda row: row.update(n_not_converged=3))
    (folder / "all" / ".git").mkdir()
    (folder / "all" / "README.md").write_text("hello")
    (folder / "all" / "link").symlink_to(folder / "all" / "a")
    return folder / "all"


@pytest.fixture(scope="module")
def ranked(place: Path) -> Board:
    return board(place)


def test_a_submission_that_fails_is_named_and_not_ranked(ranked):
    assert [one.folder.name for one in ranked.refused] == ["f", "link"]
    assert ranked.refused[1].problems == ("it is a link; a submission is a folder",)
    text = page(ranked, "board")
    assert "Not ranked" in text
    assert "n_not_converged is 3 in the row, but its predictions give 0" in text
    assert "2 submissions are not ranked" in text


def test_one_table_holds_rows_of_one_key_and_each_run_once(ranked):
    (table,) = ranked.tables
    rows = [standing.row for standing in table.ranking.standings]
    assert {comparability_key(row) for row in rows} == {table.key}
    assert len(rows) == len({row.run_id for row in rows}) == 4
    assert all(not standing.reason for standing in table.ranking.standings)  # every comparison is paired


def test_a_run_that_several_share_is_one_line_that_names_them(ranked):
    (table,) = ranked.tables
    entry = next(one for one in table.entries.values() if one.also and "same number" in one.also[0])
    assert {entry.source.folder.name, *entry.also} == {"a", "The same, the same number"}
    longer = next(one for one in table.entries.values() if one.also and "episodes" in one.also[0])
    assert (longer.row.n_episodes, longer.also) == (40, ("Fewer, 6 episodes",))


def test_who_checked_a_run_stands_beside_it(ranked):
    (table,) = ranked.tables
    by = {entry.source.folder.name: entry.verified_by for entry in table.entries.values()}
    assert by == {"a": (), "b": ("A. Reader (rerun)",), "d": ()}


def test_texts_of_strangers_are_escaped(ranked):
    text = page(ranked, EVIL)
    assert EVIL not in text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text
    links = re.findall(r'href="([^"#][^"]*)"', text)
    assert set(links) == {"https://example.org/a", "https://example.org/?a=%3Cb%3E"}


def test_the_same_submissions_give_the_same_bytes(place, tmp_path):
    for name in ("one.html", "two.html"):
        write_board(board(place), tmp_path / name, "board")
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


def test_a_folder_without_submissions_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="holds no folders"):
        board(tmp_path)
    with pytest.raises(ValueError, match="there is no folder"):
        board(tmp_path / "none")


def test_a_board_of_refused_submissions_has_no_table(tmp_path):
    (tmp_path / "a").mkdir()
    found = board(tmp_path)
    assert (found.tables, found.submissions, len(found.refused)) == ((), (), 1)
    assert "Not ranked" in page(found, "board")


def named(
    folder: Path, name: str = "Nets", authors: str = "", made: str = "", seed: int = 0, data: str = "a"
) -> Verified:
    shared = Shared(row(seed=seed, dataset=f"ImageFolderSet(root={data!r})"), SharedDesign(), {})
    return Verified(folder, Manifest(About(name, authors, made=made), {}), (shared,))


APART = {
    "one of a name": ([{}], ["Nets"]),
    "authors": ([{"authors": "A. A."}, {"authors": "B. B."}], ["Nets (A. A.)", "Nets (B. B.)"]),
    "letters alone": ([{"authors": "A. A."}, {"authors": "B. B.", "name": "nets "}], ["Nets (A. A.)", "nets  (B. B.)"]),
    "date": (
        [{"made": "2026-01-02T03:04:05"}, {"made": "2026-01-03T03:04:05"}],
        ["Nets (2026-01-02)", "Nets (2026-01-03)"],
    ),
    "data": ([{"data": "a"}, {"data": "b"}], ["Nets (a)", "Nets (b)"]),
    "seed": ([{"seed": 1}, {"seed": 2}], ["Nets (seed 1)", "Nets (seed 2)"]),
    "nothing": ([{}, {}, {}], ["Nets (1)", "Nets (2)", "Nets (3)"]),
    "no mark for all": ([{"authors": "A. A."}, {"authors": "A. A."}, {}], ["Nets (1)", "Nets (2)", "Nets (3)"]),
    "others stay": ([{}, {"name": "Other"}], ["Nets", "Other"]),
}


@pytest.mark.parametrize("case", APART)
def test_submissions_of_one_name_are_told_apart(case):
    given, names = APART[case]
    submissions = [named(Path(str(number)), **columns) for number, columns in enumerate(given)]
    assert list(submission_names(submissions).values()) == names


def test_costs_stand_beside_a_run_with_what_nobody_checked(ranked):
    (table,) = ranked.tables
    text = page(ranked, "board")
    assert "per episode" in text
    assert "Nobody can check times, FLOPs and machines." in text
    entry = next(iter(table.entries.values()))
    assert entry.not_checked.startswith("not checked: seconds, device")
    costly = replace(entry.row, n_params=5_000_000, flops=8_000_000)
    unchecked = (f"run {costly.run_id}: its number of weights: the network cannot be built",)
    held = replace(entry, shared=replace(entry.shared, row=costly), source=replace(entry.source, unchecked=unchecked))
    assert held.not_checked.startswith("not checked: parameters, FLOPs, seconds, device")


def test_labels_say_what_a_reader_should_know(ranked):
    (table,) = ranked.tables
    entry = next(iter(table.entries.values()))
    assert "4 px" in entry.labels
    row = replace(entry.row, transductive=True, selection="test episodes (oracle)", n_seen_classes=2)
    held = replace(entry, shared=replace(entry.shared, row=row, own_code="evaluator mine:Own"))
    for label in (
        "transductive",
        "chosen on test episodes (oracle)",
        "2 of 4 classes seen in pre-training",
        "own code",
    ):
        assert label in held.labels


# The columns of tables that reach beyond the screen.
HIDDEN = """return [...document.querySelectorAll('table.stacked td')].filter((cell) => {
  const box = cell.getBoundingClientRect();
  return box.width && (box.left < 0 || box.right > document.documentElement.clientWidth + 1);
}).map((cell) => cell.dataset.title)"""


# The tables that are wider than their box, and the pixels of the tallest line of a run.
SCROLLS = """return [...document.querySelectorAll('.scroll')].filter((box) => box.scrollWidth > box.clientWidth + 1)
  .map((box) => box.getAttribute('aria-label'))"""
TALLEST = """return Math.max(...[...document.querySelectorAll('table.board.accuracies tbody tr')]
  .map((row) => row.getBoundingClientRect().height))"""


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "localhost,127.0.0.1")
        patch.setenv("no_proxy", "localhost,127.0.0.1")
        with browser(tmp_path_factory.mktemp("profile")) as driver:
            yield driver


@pytest.mark.skipif(bool(why_none()), reason=why_none() or "there is a browser")
def test_in_a_browser_it_sorts_fits_and_asks_for_nothing(ranked, tmp_path, chromium):
    write_board(ranked, tmp_path / "board.html", "board")
    for width in (390, 1024, 1440):
        resize(chromium, width)
        requests(chromium), chromium.get_log("browser")
        chromium.get((tmp_path / "board.html").as_uri())
        assert [address for address in requests(chromium) if not address.startswith("file:")] == []
        assert chromium.get_log("browser") == []
        overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert chromium.execute_script(overflow) <= 0
        if width >= 1024:  # no column is out of sight on a laptop, and no line is a page
            assert chromium.execute_script(SCROLLS) == []
            assert chromium.execute_script(TALLEST) < 150
        if width == 390:
            assert chromium.execute_script(HIDDEN) == []
    script = "return [...document.querySelector('table.board').tBodies[0].rows].map((r) => r.cells[1].dataset.value)"
    falling = [float(value) for value in chromium.execute_script(script)]
    assert falling == sorted(falling, reverse=True)
    chromium.execute_script("document.querySelectorAll('table.board th button')[1].click()")
    assert [float(value) for value in chromium.execute_script(script)] == falling[::-1]
