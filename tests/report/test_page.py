"""The page is whole, safe, the same for the same rows, and never fails for what is missing."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from fewshot.report import page, write_report
from fewshot.report.figures.line_ends import apart
from fewshot.report.pictures.example import chosen
from fewshot.report.rows.images import RowImages
from fewshot.report.rows.shown import Shown
from fewshot.report.tables.overview import overview
from fewshot.report.tables.task_table import comparison
from fewshot.results.files import Results
from fewshot.results.made_here import remember_run
from tests.support.checkout import RELEASE_0_1, ROOT
from tests.support.report_rows import EVIL, invented_images, invented_predictions, quick_rows, row, stored

VOID = {"meta", "img", "br"}


class Elements(HTMLParser):
    """The elements of a page: tags with their attributes; `open` holds what was not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def run_python(code: str, **environment: str) -> str:
    """What a new process prints."""
    env = os.environ | {"PYTHONIOENCODING": "utf-8"} | environment
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, encoding="utf-8", check=True
    ).stdout


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """Rows with the predictions that the page draws; strangers named the classes."""
    rows = list(quick_rows())
    best = chosen(Shown.of(rows))
    assert best is not None
    images = replace(invented_images((EVIL, "gull", "$tern$", "漢字", "\ud800 auk")), images_digest=best.images_digest)
    monkeypatch.setattr(RowImages, "load", lambda *_: images)
    return rows, stored(tmp_path, rows, invented_predictions(images), best.run_id)


def test_the_page_has_all_its_parts(drawn, tmp_path):
    rows, results = drawn
    write_report(Shown.of(rows), tmp_path / "page.html", results, "quick")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert Elements(text).open == []
    assert text.count('<svg class="range axis"') == 6  # a ranking for each of three tasks at two shots
    assert text.count('<figure class="curves">') == 3
    assert "data:image/" in text
    for words in (
        "<h1>quick</h1>",
        "quick@1",
        "Failed runs",
        "out of memory",
        "84.4 ± 0.6",
        "seen classes unknown",
        "not new images or new classes",
        "fewshot bench quick",
        "It is the first episode",
    ):
        assert words in text


def test_the_same_rows_give_the_same_bytes(drawn, tmp_path):
    rows, results = drawn
    pages = [tmp_path / name for name in ("a.html", "b.html")]
    for path in pages:
        write_report(Shown.of(rows), path, results, "quick")
    assert pages[0].read_bytes() == pages[1].read_bytes()


def test_another_process_gives_the_same_bytes():
    code = (
        "from tests.support.report_rows import quick_rows; from fewshot.report import page; "
        "from fewshot.report.rows.shown import Shown; "
        "print(hash('x'), page(Shown.of(quick_rows()), None, 't'))"
    )
    outputs = [run_python(code, PYTHONHASHSEED=seed).partition(" ") for seed in ("1", "2")]
    assert outputs[0][0] != outputs[1][0]
    assert outputs[0][2] == outputs[1][2]


def test_the_page_needs_no_network_and_allows_no_script_but_its_own(drawn):
    text = page(Shown.of(drawn[0]), drawn[1], "quick")
    elements = Elements(text).found
    assert not {tag for tag, _ in elements} & {"link", "iframe", "object", "embed", "base", "form"}
    for tag, attributes in elements:
        assert not any(name.startswith("on") for name in attributes), tag
        for name in ("src", "href", "xlink:href", "srcset", "data", "action"):
            value = attributes.get(name) or "#"
            assert value.startswith(("#", "data:image/png;base64,", "data:image/webp;base64,")), (tag, value[:80])
    assert not re.search(r"@import|url\((?!#)", text)
    [script] = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = next(a["content"] or "" for tag, a in elements if tag == "meta" and "http-equiv" in a)
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|eval|Function\(|document.write|setTimeout", script)


def test_the_page_is_whole_without_its_script(drawn):
    text = page(Shown.of(drawn[0]), drawn[1], "quick")
    assert "<button" not in text
    before = text.partition("<script>")[0].partition("</style>")[2]
    assert before.count("aria-sort") == before.count('<table class="accuracies')  # each table comes sorted
    assert "<input" not in before
    assert "hidden" not in {name for _, attributes in Elements(text).found for name in attributes}


def test_a_table_comes_sorted_by_numbers_and_cells_without_one_stand_last():
    rows = [row(0.0987), row(None, None, backbone="b"), row(0.123, backbone="a")]
    text = page(Shown.of(rows), None, "t")
    table = text[text.index('<table class="accuracies') : text.index("</table>")]
    cells = [a for tag, a in Elements(table).found if tag == "td" and "data-run" in a]
    assert [cell.get("data-value") for cell in cells] == ["0.123", "0.0987", None]
    headings = [a for tag, a in Elements(table).found if tag == "th" and a.get("scope") == "col"]
    assert ["number" in (a.get("class") or "") for a in headings] == [False, True, True]
    assert [a.get("aria-sort") for a in headings] == [None, "descending", None]


def test_a_cell_and_its_marks_have_the_same_details_of_the_same_run():
    rows = [row(0.8, k_shot=k, n_not_converged=3) for k in (1, 5)]
    text = page(Shown.of(rows), None, "t")
    for one in rows:
        pieces = [a for _, a in Elements(text).found if a.get("data-run") == one.run_id]
        assert len(pieces) == 1 + 1 + 1  # line of the ranking, cell of the table, mark on the curve
        assert {a["data-of"] for a in pieces} == {"0"}
        details, again = [a["title"] or "" for a in pieces if "title" in a]
        assert details == again
        assert details.startswith("mean 80.00 %\n95 % interval for these images [79.40, 80.60] %\n600 episodes\n")
        assert "3 of 600 episodes did not converge" in details
        assert details.endswith(f"run {one.run_id}")
        assert text.count(f"shot{'s' if one.k_shot == 5 else ''}\n{details}</title>") == 1


def test_what_hovering_tells_is_written_out_too():
    rows = [row(0.8, evaluator="LinearProbe(C=3.0, max_iter=100)")]
    text = re.sub(r' title="[^"]*"|<title>.*?</title>', "", page(Shown.of(rows), None, "t"), flags=re.DOTALL)
    assert "RawPixels(image_size=32)" in text
    assert "L2() + LinearProbe(C=3.0, max_iter=100)" in text
    assert rows[0].run_id in re.sub(r"<[^>]*>", "", text)


NEW_CLASSES = {"new_classes_low": 0.7, "new_classes_high": 0.86}


@pytest.mark.parametrize(
    "columns", [{}, {"half": None}, NEW_CLASSES, {**NEW_CLASSES, "n_classes": 8}, {"population": "new moons"}]
)
@pytest.mark.parametrize("backbones", [1, 3])
def test_the_first_screen_explains_no_mark_that_it_does_not_show(columns, backbones):
    rows = [row(0.8 + size / 100, backbone=f"RawPixels(image_size={size + 4})", **columns) for size in range(backbones)]
    answer = page(Shown.of(rows), None, "marks").partition("<h2>Which is best?</h2>")[2].partition("<h2>")[0]
    explained = re.search(r'<p class="scope">(.*?)</p>', answer, re.DOTALL)
    assert explained
    shown = re.sub(r"<[^>]*>", " ", answer.replace(explained[0], ""))
    assert ("±" in explained[1]) <= ("±" in shown)
    assert ("[ ]" in explained[1]) <= bool(re.search(r"\[-?\d", shown))
    assert re.search("intervals? for|no intervals", explained[1])


def test_what_strangers_write_is_escaped_everywhere(drawn):
    names = (
        "backbone",
        "evaluator",
        "transform",
        "dataset",
        "sampler",
        "classes",
        "protocol",
        "population",
        "selection",
        "seen_classes",
        "versions",
    )
    columns = dict.fromkeys(names, EVIL)
    evil = [row(0.5 + k / 20, **columns | {"backbone": EVIL + str(k), "k_shot": k}) for k in (1, 2)]
    evil += [row(0.6, **columns), row(status="failed", **columns | {"error": EVIL})]
    evil += [replace(one, k_shot=5, run_id=EVIL) for one in evil[:2]]
    text = page(Shown.of([*drawn[0], *evil]), drawn[1], EVIL)
    assert [tag for tag, _ in Elements(text).found].count("script") == text.count("<script") == 1
    assert not [a for tag, a in Elements(text).found if tag == "img" and not str(a["src"]).startswith("data:")]
    svgs = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert any("&lt;script&gt;" in svg for svg in svgs)


@pytest.mark.parametrize("text", ["$\\frac{$", "\x00\x08", "\ud800", "漢字 ✓", "]]>", "a\nb", "--><b>", "{{ 7 * 7 }}"])
def test_any_text_can_be_a_name(tmp_path, text):
    rows = [row(0.5 + k / 20, backbone=text, evaluator=text, dataset=text, k_shot=k) for k in (1, 5)]
    write_report(Shown.of([*rows, row(status="failed", error=text)]), tmp_path / "page.html", None, text)
    written = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert Elements(written).open == []
    assert "49" not in re.sub(r"<style>.*?</style>|<svg.*?</svg>|<[^>]*>", "", written, flags=re.DOTALL)


NAN = float("nan")
ODD = {
    "no rows": [],
    "only failures": [row(status="failed", error="no")],
    "no number": [row(None, None)],
    "not a number": [row(NAN, NAN), row(NAN, None, k_shot=5)],
    "one episode": [row(0.8, None, n_episodes=1)],
    "zero and one": [row(0.0, 0.0), row(1.0, 0.0, k_shot=5)],
    "bounds beyond": [row(0.99, 0.05), row(0.01, 0.05, k_shot=5)],
    "all of everything": [row(n_way=None, k_shot=None, n_query=None)],
    "a list": [row(sampler="Listed('x')", k_shot=None)],
    "bare": [replace(row(), dataset="", backbone="", evaluator="", transform="", sampler="", versions="")],
}


@pytest.mark.parametrize("rows", ODD.values(), ids=ODD.keys())
def test_odd_rows_make_a_page(rows):
    text = page(Shown.of(rows), None, "odd")
    assert Elements(text).open == []
    assert "No episode is shown" in text


def test_hundreds_of_rows_make_a_page_that_shows_the_best():
    rng = np.random.default_rng(0)
    rows = [
        row(
            float(rng.uniform(0.2, 0.9)),
            backbone=f"Timm(name='net{b}', image_size=None, pool=None)",
            k_shot=k,
            evaluator=f"LinearProbe(C={c}, max_iter=100)",
        )
        for b in range(25)
        for c in (0.1, 1.0, 10.0, 100.0)
        for k in (1, 2, 5, 10, 20)
    ]
    text = page(Shown.of(rows), None, "many")
    assert "Only the best 68 of 100 contenders are shown; the table has all. Coloured: the best 8; grey: 60" in text
    assert text.count("net24") > 20


def test_without_predictions_the_page_says_so(tmp_path):
    rows = list(quick_rows())
    assert "the predictions of these rows were not given" in page(Shown.of(rows), None, "t")
    text = page(Shown.of(rows), Results(tmp_path / "rows.jsonl"), "t")
    assert re.search("No episode is shown: there are no predictions of the run .*; copy the folder .*", text)


@pytest.mark.parametrize("dataset", ["ImageFolderSet(root='/nowhere/at/all')", "Gone()", "antigravity:Set()", "(("])
def test_a_data_set_that_is_not_there_is_told(tmp_path, dataset):
    images = invented_images(("a", "b", "c"))
    rows = [row(dataset=dataset)]
    remember_run(rows[0].run_id, dataset, rows[0].images_digest)
    results = stored(tmp_path, rows, invented_predictions(images, n_way=3), rows[0].run_id)
    assert "No episode is shown: " in page(Shown.of(rows), results, "t")
    assert "antigravity" not in sys.modules


def test_other_images_than_the_predictions_were_made_for_are_told(tmp_path):
    images = invented_images(("a", "b", "c"))
    rows = [row()]  # the icons that come with fewshot
    remember_run(rows[0].run_id, rows[0].dataset, rows[0].images_digest)
    results = stored(tmp_path, rows, invented_predictions(images, n_way=3), rows[0].run_id)
    assert "No episode is shown: the images of icons mono have changed since the run" in page(
        Shown.of(rows), results, "t"
    )


def test_the_episode_is_of_the_best_run_with_the_most_episodes():
    rows = list(quick_rows())
    best = chosen(Shown.of(rows))
    assert best is not None
    assert (best.accuracy, best.n_episodes, best.k_shot) == (pytest.approx(0.844), 600, 5)
    assert chosen(Shown.of([row(0.9, n_episodes=20), row(0.8)])) == row(0.8)
    assert chosen(Shown.of([])) is None


def test_rows_of_the_first_release_make_a_page_and_tables(tmp_path):
    results = Results(RELEASE_0_1)
    rows = results.rows()
    text = page(Shown.of(rows), results, "old")
    assert Elements(text).open == []
    assert all(row.run_id in text for row in rows)
    assert comparison(Shown.of(rows))
    assert overview(Shown.of(rows)).startswith("| backbone")


def test_lines_that_cannot_be_read_are_counted(tmp_path):
    results = Results(tmp_path / "rows.jsonl")
    results.append(row())
    with open(results.path, "ab") as file:
        file.write(b'{"run_id": "x", "acc\n\xff\n')
    assert "Warning: skipped 2 unreadable lines of the results file." in page(Shown.of([row()]), results, "t")


def test_columns_that_all_rows_share_are_said_once():
    rows = [row(commit="abc123"), row(commit="abc123", k_shot=5)]
    text = page(Shown.of(rows), None, "t")
    assert text.count("abc123") == 1
    assert [text.count(f"· {one.run_id}") for one in rows] == [1, 1]


def test_a_report_loads_no_torch():
    code = (
        "import sys; from tests.support.report_rows import quick_rows; from fewshot.report import page; "
        "from fewshot.report.rows.shown import Shown; "
        "page(Shown.of(quick_rows()), None, 't'); "
        "assert not {'torch', 'timm', 'sklearn'} & set(sys.modules)"
    )
    run_python(code)


def test_names_at_line_ends_are_moved_apart():
    moved = apart([1.0, 1.1, 1.2, 9.9, 10.0], 1.0, 0.0, 10.0)
    assert min(np.diff(moved)) >= 1 - 1e-9
    assert max(moved) <= 10.0
    assert moved[0] == 1.0


def test_code_that_rows_name_is_imported_only_when_allowed(tmp_path, monkeypatch):
    (tmp_path / "strange_set.py").write_text(
        "from dataclasses import dataclass\n"
        "from fewshot.datasets import Dataset\n"
        "from tests.support.report_rows import invented_images\n"
        "@dataclass(frozen=True)\n"
        "class Three(Dataset):\n"
        "    def load(self):\n"
        "        return invented_images(('a', 'b', 'c'))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    rows = [row(dataset="strange_set:Three()")]
    remember_run(rows[0].run_id, rows[0].dataset, rows[0].images_digest)
    results = stored(tmp_path, rows, invented_predictions(invented_images(("a", "b", "c")), n_way=3), rows[0].run_id)
    assert "would import code; pass --allow-import" in page(Shown.of(rows), results, "t")
    assert "strange_set" not in sys.modules
    assert "data:image/" in page(Shown.of(rows), results, "t", RowImages(allow_import=True))
