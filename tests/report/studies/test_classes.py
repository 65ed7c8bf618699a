"""Ladders of classes on the page and by command: tables, figures, what is concluded, and when nothing is shown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from fewshot.report import page
from fewshot.report.figures.svg import SERIES
from fewshot.report.rows.shown import Shown
from fewshot.report.studies import Section, StudyRows, _classes_plot
from fewshot.report.studies._classes_plot import class_plots
from fewshot.report.studies.classes import Classes, conclusions
from fewshot.results.row import Row
from fewshot.scaling.studies.class_ladders import class_ladders
from tests.support.class_ladder_rows import COUNTS, ladder_rows
from tests.support.command_line import fail, succeed
from tests.support.report_rows import EVIL
from tests.support.trained_rows import ALL, SEEDS, SIZES, lines, row, trained_of, written

TITLE = "What more pre-training classes change"


def study_of(rows: Sequence[Row]) -> Section:
    findings = Classes().find(StudyRows.of(Shown.of(rows)))
    assert findings is not None
    return Classes().section(findings)


def everything() -> list[Row]:
    """New and seen classes at two shots, of which those at 5 shots differ from seed to seed."""
    return [
        each
        for classes in ("novel", "seen")
        for each in (
            *ladder_rows(classes=classes),
            *ladder_rows(classes=classes, k_shot=5, change=lambda _, seed: 0.1 * (seed - 1)),
        )
    ]


def axes_of(rows: Sequence[Row], monkeypatch: pytest.MonkeyPatch) -> list[Axes]:
    drawn: list[Axes] = []

    def kept(figure: Figure, *_: object) -> str:
        drawn.extend(figure.axes)
        return ""

    monkeypatch.setattr(_classes_plot, "inline_svg", kept)
    class_plots(class_ladders(trained_of(*rows)))
    return drawn


def test_errors_stand_by_what_is_fixed_and_the_number_of_classes():
    errors, _ = study_of(everything()).tables
    shots = [f"{classes} classes, {k}-shot" for classes in ("new", "seen") for k in (1, 5)]
    assert errors.columns == ("images", "classes", *shots)
    assert [line[:2] for line in errors.lines] == [
        (fixed, str(count)) for fixed in ("16 images per class", "512 images in all") for count in COUNTS
    ]
    assert errors.lines[0][2] == "40.0\u00a0[15.2,\u00a064.8]"
    assert errors.lines[-1][2].startswith("50.0\u00a0[")
    assert errors.caption.endswith(": conv net 16 x 4, epochs, on icons mono; icons mono, 5-way, L2 + Prototype.")


def test_a_score_that_a_rung_lacks_is_left_empty():
    rows = [*ladder_rows(), *(each for each in ladder_rows(k_shot=5) if each.training_classes in (32, 64))]
    errors, _ = study_of(rows).tables
    assert [bool(line[3]) for line in errors.lines] == [True, True, False, False] * 2


def test_changes_have_a_verdict():
    _, changes = study_of(everything()).tables
    by = {line[:2]: line[2:] for line in changes.lines}
    rungs = "256 classes instead of 32"
    assert by["512 images in all", "new classes, 1-shot"] == (rungs, "10.0\u00a0[7.5,\u00a012.5]", "3", "hurt")
    assert by["16 images per class", "seen classes, 1-shot"] == (rungs, "-10.0\u00a0[-12.5,\u00a0-7.5]", "3", "help")
    assert by["512 images in all", "seen classes, 5-shot"][1:] == ("0.0\u00a0[-24.8,\u00a024.8]", "3", "unclear")


def test_a_sentence_says_what_may_be_concluded():
    unclear = "unclear on new classes (5 shots) and seen classes (5 shots)."
    sentences = conclusions(class_ladders(trained_of(*everything())))
    assert sentences == [
        "256 classes instead of 32, with 16 images per class (3 seeds): help on new classes (1 shot) and seen classes "
        f"(1 shot); {unclear}",
        "256 classes instead of 32, with 512 images in all (3 seeds): hurt on new classes (1 shot) and seen classes "
        f"(1 shot); {unclear}",
    ]
    assert study_of(everything()).paragraphs[:2] == sentences


def test_one_seed_cannot_tell_and_shows_no_interval():
    section = study_of(ladder_rows(seeds=(0,)))
    errors, changes = section.tables
    assert "(1 seed): unclear on new classes (1 shot)." in section.text
    assert "hurt on" not in section.text
    assert (errors.lines[0][2], changes.lines[1][3:]) == ("30.0", ("9.0", "1", "unclear"))


def test_remarks_name_what_was_omitted():
    rows = [each for each in ladder_rows() if (each.training_seed, each.unique_images) != (2, 1024)]
    [remark] = study_of(rows).remarks
    assert "on icons mono, 16 images per class, novel of icons mono (32 seen), 5-way 1-shot" in remark
    assert remark.endswith("seed 2: some of its rungs are missing.")


def test_settings_have_tables_of_their_own_and_are_named():
    other = ladder_rows(network="ConvNet(width=32)", n_params=2000)
    made = study_of([*ladder_rows(), *other])
    assert (len(made.tables), len(made.plots)) == (4, 2)
    assert made.text.count("(3 seeds; conv net 32 x 4, epochs, on icons mono; icons mono, 5-way, L2 + Prototype)") == 2


def test_a_figure_tells_scores_by_colour_and_what_is_fixed_by_dash_and_marker(monkeypatch):
    rows = everything()
    [axes] = axes_of(rows, monkeypatch)
    assert len(axes.lines) == 8
    for line, ladder in zip(axes.lines, class_ladders(trained_of(*rows)), strict=True):
        assert line.get_xdata().tolist() == list(COUNTS)
        np.testing.assert_allclose(line.get_ydata(), np.log10(100 * ladder.ladder.errors.mean(0)))
    assert [to_hex(line.get_color()) for line in axes.lines] == [*SERIES[:4]] * 2
    looks = [(line.get_linestyle(), line.get_marker()) for line in axes.lines]
    assert looks == [("-", "o")] * 4 + [("--", "s")] * 4
    spans = axes.collections[0].get_segments()
    np.testing.assert_allclose(spans[0][:, 1], np.log10([30, 50]))
    assert axes.get_xscale() == "log"
    assert axes.get_xticks().tolist() == list(COUNTS)
    assert axes.get_xlabel().endswith("with 16 images per class or 512 images in all")


def test_many_ladders_are_drawn_in_figures_of_eight(monkeypatch):
    rows = [each for k_shot in range(1, 6) for each in ladder_rows(k_shot=k_shot)]
    assert [len(axes.lines) for axes in axes_of(rows, monkeypatch)] == [8, 2]


def test_the_page_has_the_section_where_there_are_two_numbers_of_classes_and_escapes_what_rows_name():
    images = [row(size, seed) for size in SIZES for seed in SEEDS]
    assert TITLE not in page(Shown.of(images), None, "x")
    assert TITLE not in page(Shown.of([each for each in ladder_rows() if each.training_classes == 32]), None, "x")
    mixed = page(Shown.of([*images, *everything()]), None, "x")
    assert TITLE in mixed
    assert "What more pre-training images gain" in mixed
    evil = page(Shown.of(ladder_rows(pretrained_on=f"{EVIL}: 512 images", network=EVIL, dataset=EVIL)), None, "x")
    assert TITLE in evil
    assert "<script>alert" not in evil
    assert "<img src=x" not in evil


def test_the_command_answers_with_the_numbers_of_the_page(tmp_path: Path):
    path = written(tmp_path / "rows.jsonl", [*ALL, *lines(*everything())])
    shown, values = succeed("study", "classes", path), json.loads(succeed("study", "classes", path, "--json"))
    assert "256 classes instead of 32, with 512 images in all (3 seeds): hurt on new classes (1 shot)" in shown
    assert len(values) == 8
    of = next(v for v in values if v["images"] == "512 images in all" and "novel classes" in v["protocol"])
    assert of["classes"] == list(COUNTS)
    assert of["error"] == pytest.approx([0.4, 0.4 + 0.1 / 3, 0.4 + 0.2 / 3, 0.5])
    assert (of["change"]["value"], of["more_classes"], of["n_seeds"]) == (pytest.approx(0.1), "hurt", 3)
    assert (of["change"]["low"], of["low"][0]) == (pytest.approx(0.0752, abs=1e-4), pytest.approx(0.1516, abs=1e-4))


def test_the_command_of_one_seed_says_that_there_is_no_interval(tmp_path: Path):
    path = written(tmp_path / "rows.jsonl", lines(*ladder_rows(seeds=(0,))))
    shown, values = succeed("study", "classes", path), succeed("study", "classes", path, "--json")
    assert shown.count("One seed: no interval.") == 1
    assert "nan" not in shown.lower()
    assert json.loads(values)[0]["change"]["low"] is None
    assert "NaN" not in values


def test_the_command_refuses_rows_of_images_alone(tmp_path: Path):
    message = fail("study", "classes", written(tmp_path / "rows.jsonl", ALL))
    assert "has no rows for this study; it needs rows of networks that fewshot trained" in message
