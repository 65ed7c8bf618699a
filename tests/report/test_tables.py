"""Tables and sentences say what the rows say, and how far that can be trusted."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest

from fewshot.report import page
from fewshot.report.rows.headline import compared, findings, scope
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.tasks import tasks
from fewshot.report.rows.wording import notes, percent
from fewshot.report.tables.overview import overview
from fewshot.report.tables.task_table import comparison, markdown
from tests.support.report_rows import EVIL, quick_rows, row

LITE, PIXELS = "Packaged(name='tf_efficientnet_lite0', image_size=128)", "RawPixels(image_size=32)"
NAN = float("nan")


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (row(0.845, 0.006), "84.5 ± 0.6"),
        (row(0.845, 0.0003), "84.50 ± 0.03"),
        (row(0.845, None), "84.5"),
        (row(None, None), "–"),
        (row(NAN, NAN), "–"),
        (row(0.5, NAN), "50.0"),
        (row(0.9, None, accuracy_low=0.8, accuracy_high=0.95), "90.0 [80.0, 95.0]"),
    ],
)
def test_a_cell_is_in_percent_with_its_interval(given, text):
    assert percent(given) == text


def test_a_task_has_a_table_of_contenders_and_shots():
    tables = comparison(Shown.of(list(quick_rows())))
    assert [table.title for table in tables] == [
        "icons mono, novel classes, 5-way, 15 queries per class",
        "icons colour, novel classes, 5-way, 5 queries per class",
        "icons both, support from mono, queries from colour, novel classes, 5-way, 5 queries per class",
    ]
    assert tables[0].shots == ("1 shot", "5 shots")
    assert [len(table.lines) for table in tables] == [9, 8, 8]
    assert tables[0].lines[-1].n_episodes == "20"
    assert tables[0].lines[-1].cells[0].text == ""


def test_the_best_of_a_column_is_marked_and_what_overlaps_is_tied():
    rows = [row(0.80, 0.01, backbone=LITE), row(0.785, 0.01), row(0.70, 0.01, backbone="RawPixels(image_size=8)")]
    cells = [line.cells[0] for line in comparison(Shown.of(rows))[0].lines]
    assert [(cell.best, cell.tied) for cell in cells] == [(True, False), (False, True), (False, False)]


def test_intervals_that_do_not_meet_are_no_tie():
    [table] = comparison(Shown.of([row(0.80, 0.01, backbone=LITE), row(0.77, 0.01)]))
    assert not any(cell.tied for line in table.lines for cell in line.cells)
    assert "≈" not in " ".join(table.notes)


def test_rows_without_a_number_are_shown_and_never_the_best():
    rows = [row(None, None), row(NAN, NAN, backbone=LITE), row(0.3, None, backbone="RawPixels(image_size=8)")]
    [table] = comparison(Shown.of(rows))
    assert [line.cells[0].text for line in table.lines] == ["–", "–", "30.0"]
    assert [line.cells[0].best for line in table.lines] == [False, False, True]


def test_a_caption_names_chance_and_population():
    [table] = comparison(Shown.of([row()]))
    assert table.caption == "Accuracy in % ± 95 % interval for these images. Guessing reaches 20 %."
    assert any("other episodes of the same images and classes, not new images" in note for note in table.notes)


def test_a_new_population_is_named_as_it_is():
    assert "95 % interval for new moons" in comparison(Shown.of([row(population="new moons")]))[0].caption
    assert "95 % interval for new moons" in scope(Shown.of([row(population="new moons")]))


def test_all_ways_have_the_chance_of_their_classes_and_lists_none():
    [everything] = tasks([row(n_way=None, k_shot=None, n_query=None)])
    assert everything.chance == pytest.approx(1 / 88)
    assert everything.title == "icons mono, novel classes, all-way, all other images as queries"
    [listed] = tasks([row(sampler="Listed('mine.safetensors')", n_way=None, k_shot=None, n_query=None)])
    assert listed.chance is None
    assert listed.shots == ["listed"]


def test_shots_stand_in_order_and_all_is_last():
    [task] = tasks([row(k_shot=k) for k in (None, 20, 1, 5)])
    assert task.shots == ["1 shot", "5 shots", "20 shots", "all shots"]


def test_tasks_that_differ_have_titles_that_differ():
    found = tasks([row(), row(seed=1), row(images_digest="ef" * 32), row(split="BySeed(seed=3)")])
    assert len({task.title for task in found}) == 4
    assert any("seed 1" in task.title for task in found)


@pytest.mark.parametrize(
    ("test", "text"),
    [
        ("('partition=test',)", "the test partition as queries"),
        ("('partition=test', 'partition=extra')", "the test and extra partitions as queries"),
        ("('camera=south',)", "the images of camera=south as queries"),
        ("'partition=test'", "all other images as queries"),  # a row that somebody wrote by hand
    ],
)
def test_whole_partitions_are_named_as_queries(test, text):
    sampler = f"WholePartitions(train=('partition=train',), validation=(), test={test})"
    [task] = Shown.of([row(sampler=sampler, n_way=None, k_shot=None, n_query=None)]).tasks
    assert task.title.endswith(text)


def test_dirichlet_queries_are_a_task_of_their_own_and_a_number_on_average():
    titles = [
        task.title
        for task in comparison(Shown.of([row(), row(sampler="DirichletQuery(alpha=2.0)", transductive=True)]))
    ]
    assert len(titles) == 2
    assert "Dirichlet(2) queries" in titles[1]
    assert titles[1].endswith("queries per class on average")


def test_a_transductive_score_stands_beside_that_under_dirichlet_queries():
    rows = [
        row(0.8, transductive=True),
        row(0.7, transductive=True, sampler="DirichletQuery(alpha=2.0)"),
        row(0.6, evaluator="LinearProbe()"),
        row(0.5, evaluator="LinearProbe()", sampler="DirichletQuery(alpha=2.0)"),
    ]
    first, second = comparison(Shown.of(rows))
    assert [line.cells[0].text for line in first.lines] == ["80.0 ± 0.6 (Dirichlet 70.0)", "60.0 ± 0.6"]
    assert "(Dirichlet): the same method with unequal query shares." in first.notes
    assert "(Dirichlet)" not in " ".join(second.notes)
    alone = comparison(Shown.of([rows[0], row(0.7, transductive=True, sampler="DirichletQuery(alpha=2.0)", seed=1)]))[0]
    assert alone.lines[0].cells[0].text == "80.0 ± 0.6"


def test_two_rows_for_one_cell_are_both_shown():
    rows = [row(0.6, backbone=LITE), row(0.7, backbone=LITE, weights_digest="other")]
    assert [line.cells[0].text for line in comparison(Shown.of(rows))[0].lines] == ["60.0 ± 0.6", "70.0 ± 0.6"]


def test_rows_of_another_dtype_have_names_that_differ():
    names = {line.backbone for line in comparison(Shown.of([row(), row(dtype="bfloat16")]))[0].lines}
    assert names == {"raw pixels 32 float32", "raw pixels 32 bfloat16"}


def test_notes_say_what_readers_must_know():
    texts = notes([row(transductive=True, seen_classes="seen", n_not_converged=3, selection="validation classes")])
    assert texts == (
        "transductive: balanced queries give it a prior",
        "classes seen in training",
        "3 of 600 episodes did not converge",
        "chosen on validation classes",
    )
    assert notes([row()]) == ("seen classes unknown",)
    shared_out = row(transductive=True, seen_classes="not seen", sampler="DirichletQuery(alpha=2.0)")
    assert notes([shared_out]) == ("transductive",)
    assert notes([row(seen_classes="not seen")]) == ()


def test_runs_that_did_not_converge_are_marked():
    rows = [row(0.8, backbone=LITE, n_not_converged=2), row(0.7)]
    [table] = comparison(Shown.of(rows))
    assert [line.cells[0].signs for line in table.lines] == ["†", ""]
    assert "†: some episodes did not converge." in table.notes
    assert "| **80.0 ± 0.6** †" in markdown(Shown.of(rows))
    assert "†" not in markdown(Shown.of(rows[1:]))


def test_the_sentence_of_a_task_names_the_best_with_its_interval():
    text = dict(findings(Shown.of(list(quick_rows()))))["icons mono, novel classes, 5-way, 15 queries per class"]
    assert text.replace("\u00a0", " ") == (
        "tf_efficientnet_lite0 @128 with L2 + LinearProbe(C=1.0) is best: 65.4 ± 0.6 % at 1 shot and 84.4 ± 0.6 % at "
        "5 shots. Intervals overlap with 1 other at 1 shot and 1 other at 5 shots. "
        "Guessing reaches 20 %."
    )


def test_different_winners_are_named_by_shot():
    rows = [row(0.9, backbone=LITE), row(0.5), row(0.8, k_shot=5, backbone=LITE), row(0.95, k_shot=5)]
    [(_, text)] = findings(Shown.of(rows))
    assert text.replace("\u00a0", " ") == (
        "Best at 1 shot: tf_efficientnet_lite0 @128 with L2 + Prototype, 90.0 ± 0.6 %. Best at 5 shots: raw pixels 32 "
        "with L2 + Prototype, 95.0 ± 0.6 %. Guessing reaches 20 %."
    )


def test_a_single_episode_has_no_interval_and_says_so():
    alone = row(0.8, None, n_episodes=1, population="these images")
    assert "(no interval)" in findings(Shown.of([alone]))[0][1]
    assert scope(Shown.of([alone])).startswith("There are no intervals")
    assert "±" not in comparison(Shown.of([alone]))[0].caption


@pytest.mark.parametrize("rows", [[], [row(status="failed")], [row(None, None)], [row(math.inf)]])
def test_nothing_measured_is_a_sentence_and_no_error(rows):
    assert compared(Shown.of(rows))
    assert scope(Shown.of(rows))
    assert markdown(Shown.of(rows))
    assert all("No run has an accuracy" in text for _, text in findings(Shown.of(rows)))


def test_what_was_compared_is_counted():
    assert compared(Shown.of(list(quick_rows()))) == (
        "5 backbones and 3 evaluators on 3 tasks at 1 and 5 shots: 49 runs of 20 to 600 episodes each."
    )


def test_markdown_is_a_github_table_with_the_best_in_bold():
    lines = markdown(Shown.of([row(0.8, backbone=LITE), row(0.5)])).splitlines()
    assert lines[0] == "**icons mono, novel classes, 5-way, 15 queries per class**"
    assert [cell.strip() for cell in lines[2].split("|")[1:-1]] == ["backbone", "evaluator", "1 shot", "episodes"]
    assert "**80.0 ± 0.6**" in lines[4]
    assert "| 50.0 ± 0.6" in lines[5]
    assert lines[-1] == "- Seen classes unknown. Applies to all runs."


def test_markdown_escapes_what_strangers_write():
    text = markdown(Shown.of([row(backbone=EVIL), row(evaluator="a|b"), row(evaluator="[x](y)")]))
    assert "<script" not in text
    assert "<img" not in text
    assert "a\\|b" in text
    assert "\\[x\\](y)" in text


def test_what_all_tables_share_stands_once_below_them():
    tables = markdown(Shown.of([row(), row(dataset="Glyphs()"), row(dataset="Other()", population="new moons")]))
    assert tables.count("other episodes of the same images") == 1  # a legend that the last table does not need
    assert tables.count("Bold: best of the column.") == 1
    assert "All tables:" not in markdown(Shown.of([row()]))


def test_a_count_of_classes_matched_by_name_is_a_lower_bound():
    seen = {"seen_classes": "seen", "n_seen_classes": 4, "n_classes": 9}
    assert notes([row(**seen, seen_classes_by="class names")]) == ("at least 4 of 9 classes seen in training",)
    assert notes([row(**seen, seen_classes_by="the record of its training")]) == ("4 of 9 classes seen in training",)


def test_failed_rows_are_in_no_table():
    rows = list(quick_rows())
    assert comparison(Shown.of(rows)) == comparison(Shown.of([r for r in rows if r.status != "failed"]))
    assert comparison(Shown.of([replace(r, status="failed") for r in rows])) == []


def test_a_note_stands_once_below_its_table():
    heads = ("Prototype()", "LinearSVM()")
    rows = [row(k_shot=k, evaluator=head, seen_classes="unknown") for k in (1, 2) for head in heads]
    text = re.sub(r' title="[^"]*"|<title>.*?</title>', "", page(Shown.of(rows), None, "notes"), flags=re.DOTALL)
    text = text[: text.index("Where the numbers come from</h2>")]
    assert text.lower().count("seen classes unknown") == 1
    assert text.index("</table>") < text.index("<li>Seen classes unknown. Applies to all runs.</li>")


def test_titles_of_tasks_with_other_splits_name_the_split():
    splits = ("", "Narrowed(inner=Committed(name='icons_mono'), n_seen=32, seed=0)")
    rows = [row(split=split, split_digest=f"{number}" * 32) for number, split in enumerate(splits)]
    assert [task.title.partition(" (")[2] for task in tasks(rows)] == [
        "split unnamed)",
        "split icons_mono narrowed to 32 seen classes, seed 0)",
    ]
    same = [row(split="", split_digest=f"{number}" * 32) for number in range(2)]
    assert [task.title.partition(" (")[2] for task in tasks(same)] == [f"split digest {str(n) * 12})" for n in range(2)]


def test_a_note_of_some_columns_names_them_and_whom_it_concerns_there():
    seen = {"seen_classes": "seen", "n_seen_classes": 4, "n_classes": 9}
    icons = [row(evaluator=evaluator, dataset="Icons()", **seen) for evaluator in ("Prototype()", "LinearProbe()")]
    own = [{"run_id": each.run_id[::-1], "dataset": "Glyphs()", "seen_classes": "not seen"} for each in icons]
    glyphs = [replace(each, **columns) for each, columns in zip(icons, own, strict=True)]
    assert "- 4 of 9 classes seen in training (icons mono). Applies to all runs." in overview(
        Shown.of([*icons, *glyphs])
    )
    other = row(evaluator="Prototype()", dataset="Icons()", backbone=LITE, seen_classes="not seen")
    assert "- 4 of 9 classes seen in training (icons mono). Applies to raw pixels 32." in overview(
        Shown.of([*icons, other, *glyphs])
    )
    assert "- 4 of 9 classes seen in training. Applies to all runs." in overview(
        Shown.of([*icons, *(replace(g, seen_classes="seen") for g in glyphs)])
    )
