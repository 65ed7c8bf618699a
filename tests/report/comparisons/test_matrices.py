"""The page's matrix of pairs and its claim cards: what they say, and what they say where they cannot be."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import fewshot.report
from fewshot.report import page
from fewshot.report.comparisons.matrices import MOST, matrices
from fewshot.report.comparisons.pairing import contest
from fewshot.report.comparisons.verdicts import points
from fewshot.report.rows.shown import Shown
from fewshot.results.files import Results
from fewshot.results.predictions import episode_accuracy
from fewshot.results.row import Row
from fewshot.statistics.interval import Interval
from tests.support.report_rows import EVIL, invented_images, invented_predictions, row

HEADS = {"Prototype(metric='euclidean')": 0.4, "LinearProbe(C=1.0, max_iter=100)": 0.1, "RidgeProbe()": 0.4}


def stored(folder: Path, n_classes: int = 24, **columns: object) -> tuple[list[Row], Results]:
    """Three heads on the same 60 episodes, with their predictions; the second is best by far."""
    images, results, rows = (
        invented_images(tuple(f"class {c}" for c in range(n_classes))),
        Results(folder / "r.jsonl"),
        [],
    )
    for evaluator, wrong in HEADS.items():
        predictions = invented_predictions(images, n=60, wrong=wrong)
        values = {"evaluator": evaluator, "n_episodes": 60, "n_classes": n_classes, "images_digest": "cd" * 32}
        rows.append(row(float(episode_accuracy(predictions).mean()), **values | columns))
        results.parts(rows[-1].run_id).write(predictions, {})
        results.append(rows[-1])
    return rows, results


def of(rows: list[Row], results: Results | None):
    return matrices(Shown.of(rows), results)


def test_the_best_stands_first_and_every_pair_has_two_opposite_cells(tmp_path: Path) -> None:
    rows, results = stored(tmp_path)
    [matrix] = of(rows, results)
    assert [line.number for line in matrix.lines] == [1, 2, 3]
    assert "LinearProbe" in matrix.lines[0].name
    for i, j in ((0, 1), (0, 2), (1, 2)):
        above, below = matrix.lines[i].cells[j], matrix.lines[j].cells[i]
        assert float(above.text.split()[0]) == -float(below.text.split()[0])
        signs = {"better-2": ("▲", "▼"), "better-1": ("△", "▽"), "open": ("", "")}[above.style]
        assert tuple(cell.text.partition(" ")[2] for cell in (above, below)) == signs
        assert above.style.replace("better", "worse") == below.style
    assert [line.cells[n].style for n, line in enumerate(matrix.lines)] == ["self"] * 3


def test_a_cell_says_where_it_is_significant(tmp_path: Path) -> None:
    rows, results = stored(tmp_path)
    [matrix] = of(rows, results)
    [pair, *_] = contest(results, rows).pairs()
    cell = next(cell for cell in matrix.lines[0].cells if cell.style != "self")
    assert cell.style == "better-2"
    assert cell.sentence.endswith("; better for new classes")
    assert f"new classes [{100 * pair.comparison.new_classes.low:.2f}, " in cell.sentence
    assert "p < 0.001" in cell.sentence or "p = 0.00" in cell.sentence
    assert matrix.lines[1].cells[2].style == "open"


def test_cards_hold_the_best_against_every_other(tmp_path: Path) -> None:
    rows, results = stored(tmp_path, seed=7)
    cards = of(rows, results)[0].cards
    assert len(cards) == 2
    assert all("LinearProbe" in card.sentence.partition(" exceeds ")[0] for card in cards)
    fields = dict(cards[0].fields)
    assert fields["design"] == "24 classes, 60 episodes, seed 7"
    assert fields["choice of hyperparameters"] == "as given"
    assert fields["protocol"] == "quick@1"
    assert fields["run"].startswith(f"A: {rows[1].run_id}; B: ")
    results = {"verdict", "difference, new classes", "difference, these images", "detectable with 80 % power"}
    runs = {"image size", "pooling", "transform", "not converged", "command", "classes in training", "design"}
    assert results | runs <= set(fields)


def test_cards_are_of_the_run_with_the_most_episodes_and_never_of_an_oracle(tmp_path: Path) -> None:
    rows, results = stored(tmp_path)
    first = [episode_accuracy(part) for part in results.parts(rows[1].run_id).read(30)]
    short = [rows[0], replace(rows[1], n_episodes=30, accuracy=float(np.concatenate(first).mean())), rows[2]]
    oracle = [rows[0], replace(rows[1], selection="test episodes (oracle)"), rows[2]]
    for given in (short, oracle):
        cards = of(given, results)[0].cards
        assert "LinearProbe" in cards[0].sentence.partition(" exceeds ")[0]  # it is better, and the card says so
        assert "LinearProbe" not in cards[1].sentence


def test_without_new_classes_the_interval_is_that_of_these_images(tmp_path: Path) -> None:
    rows, results = stored(tmp_path, n_classes=5)
    [matrix] = of(rows, results)
    assert matrix.lines[0].cells[1].style == "better-2"  # by the test of the ranking, which is for these images
    assert matrix.lines[0].cells[1].sentence.endswith("; better for these images")
    assert "every episode holds all classes" in matrix.lines[0].cells[1].sentence
    assert "every episode holds all classes" in matrix.cards[0].sentence


def test_what_is_missing_is_a_reason(tmp_path: Path) -> None:
    rows, results = stored(tmp_path)
    assert of(rows, None)[0].reason == "No pairs are compared: this report was made without stored predictions."
    elsewhere = of(rows, Results(tmp_path / "other.jsonl"))[0]
    assert elsewhere.reason == "No pairs are compared: these runs have no stored predictions."
    assert elsewhere.lines == ()
    others = [row(0.5, evaluator=head, k_shot=5) for head in HEADS]
    assert [matrix.title == "" for matrix in of([*rows, *others], Results(tmp_path / "other.jsonl"))] == [True]
    assert [bool(matrix.lines) for matrix in of([*rows, *others], results)] == [True, False]
    assert of(rows[:1], results) == []
    for part in results.parts(rows[0].run_id).folder.iterdir():
        part.write_bytes(b"damaged")
    assert of(rows, results)[0].reason.startswith("No pairs are compared: ")


def test_runs_without_predictions_are_omitted_and_counted(tmp_path: Path) -> None:
    rows, results = stored(tmp_path)
    [matrix] = of([*rows, row(0.5, evaluator="LinearSVM()", n_classes=24, images_digest="cd" * 32)], results)
    assert len(matrix.lines) == 3
    assert "1 run omitted (less accurate, one episode, or no stored predictions)." in matrix.caption


def test_only_the_most_accurate_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fewshot.report.comparisons.matrices.MOST", 2)
    rows, results = stored(tmp_path)
    [matrix] = of(rows, results)
    assert len(matrix.lines) == 2 < MOST
    assert "RidgeProbe" not in " ".join(line.name for line in matrix.lines)


def test_no_more_than_some_matrices_are_shown_and_the_others_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fewshot.report.comparisons.matrices.MOST_MATRICES", 1)
    rows, results = stored(tmp_path)
    first, rest = of([*rows, *stored(tmp_path, seed=3)[0], *stored(tmp_path, seed=4)[0]], results)
    assert first.lines
    assert not rest.lines
    assert rest.reason == "2 more groups of runs not compared here; see fewshot compare."


def test_cautions_stand_below(tmp_path: Path) -> None:
    rows, results = stored(tmp_path)
    other = [
        *rows[:2],
        replace(rows[2], backbone="RawPixels(image_size=4)", evaluator=EVIL),
    ]
    [matrix] = of(other, results)
    assert "Applies to these checkpoints" in matrix.remarks[0]
    assert "image sizes differ: 4 and 32 pixels" in matrix.remarks[-1]


def test_the_page_holds_it_escaped(tmp_path: Path) -> None:
    rows, results = stored(tmp_path)
    rows = [*rows[:2], replace(rows[2], evaluator=EVIL)]
    text = page(Shown.of(rows), results, "title")
    assert text == page(Shown.of(rows), results, "title")
    assert EVIL not in text
    section = text[text.index("<h2>Is the difference real?") : text.index("<h2>Inside the best run")]
    assert len(re.findall(r'class="pair ', section)) == 9
    assert len(re.findall(r'title="[^"]* minus [^"]*these images', section)) == 6
    assert np.array([section.count(word) for word in ("<details", "</details>")]).tolist() == [2, 2]
    assert "Is the difference real?" not in page(Shown.of(rows[:1]), results, "title")


def test_no_difference_and_no_bound_is_written_as_minus_nothing(tmp_path: Path) -> None:
    images, results, rows = invented_images(tuple(f"class {c}" for c in range(12))), Results(tmp_path / "r.jsonl"), []
    predictions = invented_predictions(images, n=60, wrong=0.3)
    for evaluator in HEADS:
        values = {"evaluator": evaluator, "n_episodes": 60, "n_classes": 12, "images_digest": "cd" * 32}
        rows.append(row(float(episode_accuracy(predictions).mean()), **values))
        results.parts(rows[-1].run_id).write(predictions, {})
        results.append(rows[-1])
    text = repr(of(rows, results))
    assert "+0.0" in text
    assert not re.search(r"-0\.0+\b", text)
    tiny = Interval(-0.000001, -0.000002, -0.000001, "these images")
    assert points(tiny) == "0.00 [0.00, 0.00]"
    assert points(Interval(-0.01, -0.02, -0.0, "these images")) == "-1.00 [-2.00, 0.00]"


def test_what_only_screen_readers_see_stays_inside_its_table() -> None:
    # absolutely placed text widens the page unless the region that scrolls is what it is placed in
    css = (Path(fewshot.report.__file__).parent / "page.css").read_text()
    assert re.search(r"\n\.unseen {[^}]*position: absolute", css)
    assert re.search(r"\n\.scroll {[^}]*position: relative[^}]*overflow-x: auto", css)
