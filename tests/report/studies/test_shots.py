"""The section on shots and label budgets: which rows make curves, what is answered, what is drawn and what is not."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from fewshot.report import page
from fewshot.report.rows.shown import Shown
from fewshot.report.studies import Section, StudyRows
from fewshot.report.studies._shot_budgets import TARGET, ShotCurve, shot_curves
from fewshot.report.studies.shots import Shots, answer
from fewshot.results.row import Row
from fewshot.scaling.fits.curves import Curve
from fewshot.scaling.laws import Points
from fewshot.scaling.laws.m1 import M1
from fewshot.scaling.laws.m2 import M2
from tests.support.command_line import succeed
from tests.support.label_budgets import budget
from tests.support.report_rows import EVIL, row

SHOTS = (1, 2, 3, 5, 8, 12)
LAW = M2(0.6, -0.6, 0.02)


def rows_at(shots: Sequence[int] = SHOTS, law: M1 | M2 = LAW, **columns: object) -> list[Row]:
    return [row(1 - float(law.predict(k)), k_shot=k, **columns) for k in shots]


def shot_study(shown: Shown) -> Section | None:
    findings = Shots().find(StudyRows.of(shown))
    return None if findings is None else Shots().section(findings)


def study_of(rows: Sequence[Row]) -> Section:
    section = shot_study(Shown.of(rows))
    assert section is not None
    return section


def curve(shots: Sequence[int], errors: Sequence[float]) -> Curve:
    return Curve(
        {}, Points(np.array(shots, float), np.array(errors), np.ones(len(shots))), np.array([]), np.array([]), 0
    )


def only(learners: tuple[list[ShotCurve], list[str]]) -> ShotCurve:
    [one] = learners[0]
    return one


def test_a_learner_needs_three_nested_shots():
    assert shot_study(Shown.of(rows_at((1, 5)))) is None
    assert shot_study(Shown.of([])) is None
    assert len(shot_curves(Shown.of(rows_at((1, 2, 5))))[0]) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"k_shot_at_most": True},
        {"sampler": "VariableWayShot(tree=None, group=None)"},
        {"sampler": "Imbalanced(alpha=2.0)"},
        {"selection": "test episodes (oracle)"},
        {"status": "failed"},
    ],
)
def test_shots_that_are_not_nested_and_rows_that_do_not_count_make_no_curve(changes):
    assert shot_study(Shown.of(rows_at(**changes))) is None


@pytest.mark.parametrize("column", ["n_way", "classes", "dataset", "seed", "weights_digest", "backbone", "evaluator"])
def test_rows_that_differ_in_more_than_shots_are_no_curve(column):
    values = {"n_way": 20, "seed": 1}
    other = rows_at((3, 5, 8), **{column: values.get(column, "another")})
    assert shot_study(Shown.of([*rows_at((1, 2)), *other[:1]])) is None
    curves, *_ = shot_curves(Shown.of([*rows_at((1, 2, 12)), *other]))
    assert [[each.k_shot for each in one.rows] for one in curves] == [[1, 2, 12], [3, 5, 8]]


def test_the_answers_are_those_of_the_command(tmp_path: Path):
    path = tmp_path / "rows.jsonl"
    rows = rows_at() + rows_at(law=M2(0.7, -0.4, 0.05), evaluator="LinearProbe(C=1.0, max_iter=100)")
    path.write_text("\n".join(each.to_json() for each in rows))
    printed = json.loads(succeed("scaling", "budget", str(path), "--target", "0.9", "--by", "evaluator", "--json"))
    curves, *_ = shot_curves(Shown.of(rows))
    assert [each.budgets[0].target for each in curves] == [TARGET, TARGET]
    for one, values in zip(curves, printed, strict=True):
        assert one.budgets[0].values()["bracket"] == pytest.approx(values["bracket"])
        assert one.budgets[0].sentence == values["sentence"]


def test_the_nearest_round_target_is_the_first_that_was_not_reached():
    assert [each.target for each in only(shot_curves(Shown.of(rows_at(law=M1(0.6, -0.2))))).budgets] == [0.9, 0.65]
    assert [each.target for each in only(shot_curves(Shown.of(rows_at(law=M1(0.3, -0.7))))).budgets] == [0.9, 0.95]
    assert [each.target for each in only(shot_curves(Shown.of(rows_at(law=M1(0.3, -0.5))))).budgets] == [0.9, 0.95]
    assert [each.target for each in only(shot_curves(Shown.of(rows_at(law=M1(0.34, -0.5))))).budgets] == [0.9, 0.95]
    assert [each.target for each in only(shot_curves(Shown.of(rows_at(law=M1(0.4, -0.5))))).budgets] == [0.9]
    assert [each.target for each in only(shot_curves(Shown.of(rows_at(law=M1(0.05, -0.9))))).budgets] == [0.9]


def test_answers_say_what_is_reached_planned_and_out_of_reach():
    def answered(law: M1 | M2, target: float, shots: Sequence[int] = SHOTS) -> str:
        return answer(budget(curve(shots, law.predict(np.array(shots, float)).tolist()), target))

    assert answered(LAW, 0.7) == "reached at 5"
    bent = M2(0.6, -0.5, 0.05)  # 80 % at 16 labels, 82 % at 22
    assert answered(bent, 0.8) == "16 to 22, by 5 of 6 laws"
    assert answered(bent, 0.82) == "20 to 50, by 5 of 6 laws; beyond 24 unreliable"
    assert answered(LAW, 0.95).startswith("out of reach: more than 24 (")
    assert answered(M2(0.5, -0.9, 0.1), 0.895).startswith("out of reach: more than 24 (at least ")
    assert answered(M1(0.6, -0.4), 0.9, (1, 2, 3, 5)) == "no answer: 4 shots are too few to test a law"


def test_a_law_that_misses_the_largest_shots_gives_no_answer():
    rough = curve(SHOTS, [0.5, 0.4, 0.45, 0.3, 0.5, 0.2])
    assert answer(budget(rough, 0.95)) == "no answer: no law predicts the largest shots"


def test_millions_of_labels_are_written_in_few_digits():
    slow = curve(SHOTS, M1(0.6, -0.1).predict(np.array(SHOTS, float)).tolist())
    assert re.search(r" to \de\+\d\d, by", answer(budget(slow, 0.9, ["M1", "LogarithmBudget"])))


@pytest.mark.parametrize("seed", range(6))
def test_errors_of_any_shape_make_a_section(seed):
    errors = np.random.default_rng(seed).uniform(0.01, 0.99, (3, 6))
    rows = [
        row(1 - float(error), k_shot=k, backbone=f"Net{number}()")
        for number, of_one in enumerate(errors)
        for k, error in zip(SHOTS, of_one, strict=True)
    ]
    section = study_of([*rows, *rows_at(law=M1(0.2, 0.3), backbone="Rising()")])
    cells = [cell for table in section.tables for line in table.lines for cell in line]
    assert len(cells) == 4 * 5
    assert max(map(len, cells)) < 100
    assert "nan" not in " ".join(cells)


def test_three_shots_are_plotted_with_a_power_law_that_is_not_trusted():
    one = only(shot_curves(Shown.of(rows_at((1, 5, 10), law=M1(0.6, -0.4)))))
    assert one.law == M1(pytest.approx(0.6), pytest.approx(-0.4))
    assert one.trusted == ()
    [table] = study_of(list(one.rows)).tables
    assert table.lines[0][3:] == ("no answer: 3 shots are too few to test a law", "")  # once is enough


def test_the_law_drawn_misses_the_shots_held_back_least():
    one = only(shot_curves(Shown.of(rows_at())))
    best = min(one.budgets[0].needs, key=lambda need: need.trust.miss)
    assert one.law is best.fit.law
    assert best.trust.miss < max(need.trust.miss for need in one.budgets[0].needs)


def test_a_learner_without_errors_is_omitted_and_named():
    perfect = [*rows_at((1, 2, 3)), row(1.0, k_shot=5)]
    section = study_of([*perfect, *rows_at(backbone="Other()")])
    assert [line[0] for table in section.tables for line in table.lines] == ["Other"]
    assert section.remarks == (
        "Omitted, because an error of 0 has no logarithm: raw pixels 32 with L2 + Prototype, icons mono, novel "
        "classes, 5-way, 15 queries per class.",
    )


def test_figures_are_bounded_and_say_what_they_omit_and_the_tables_have_all():
    rows = [
        each
        for n_way in range(5, 11)
        for number in range(8)
        for each in rows_at((1, 5, 10), law=M1(0.6 + number / 100, -0.4), backbone=f"Net{number}()", n_way=n_way)
    ]
    section = study_of(rows)
    assert len(section.plots) == 4
    assert len(section.tables) == 6
    assert all(len(table.lines) == 8 for table in section.tables)
    first, second, *_ = section.plots
    assert "Only the best 6 of 8 learners are shown; the table has all." in first.caption
    assert "Net5" in first.svg
    assert "Net6" not in first.svg
    assert "as in the first figure" in second.caption
    [remark] = section.remarks
    assert remark.startswith("In the table only, without a figure: icons mono, novel classes, 9-way")


def test_a_remark_says_that_labels_for_choices_do_not_count():
    assert (
        "Labels used to choose hyperparameters are not counted."
        in study_of(rows_at(selection="validation classes", n_labels_selection=300)).remarks
    )


def test_a_figure_goes_to_twice_the_largest_shot_and_no_further():
    [plot] = study_of(rows_at()).plots
    ticks = [int(text) for text in re.findall(r">(\d+)</text>", str(plot.svg))]
    assert 24 in ticks
    assert max(tick for tick in ticks if tick not in (30, 40, 50, 60)) == 24


def test_the_page_shows_the_section_and_escapes_what_rows_name():
    text = page(Shown.of(rows_at(backbone=EVIL)), None, "shots")
    assert "Shots and label budget" in text
    assert "labels per class for 90 %" in text
    assert "<script>alert" not in text
    assert "Shots and label budget" not in page(Shown.of(rows_at((1, 5))), None, "shots")
    assert page(Shown.of(rows_at(backbone=EVIL)), None, "shots") == text
