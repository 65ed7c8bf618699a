"""`fewshot scaling` as a user types it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from fewshot.cli import main
from fewshot.results.files import Results
from fewshot.results.row import Row
from fewshot.scaling.laws.m1 import M1
from fewshot.scaling.laws.m2 import M2


def called(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["scaling", *map(str, arguments)])


def answered(*arguments: object) -> list[dict[str, object]]:
    done = called(*arguments, "--json")
    assert done.exit_code == 0, done.output
    found: list[dict[str, object]] = json.loads(done.output)
    return found


def refused(*arguments: object) -> str:
    done = called(*arguments)
    assert done.exit_code == 1, done.output
    assert done.output.startswith("Error: ")
    assert done.output.count("\n") == 1
    return done.output


def written(path: Path, columns: list[str], lines: list[tuple[object, ...]]) -> Path:
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([columns, *lines])
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Two curves of eight sizes, the two largest kept to be predicted."""
    laws = {"small": M1(3.0, -0.25), "large": M2(6.0, -0.5, 0.05)}
    sizes = 100.0 * 2 ** np.arange(8)
    lines = [
        (name, x, float(law.predict(x)), "1" if x < 6000 else "0") for name, law in laws.items() for x in sizes.tolist()
    ]
    return written(tmp_path / "curves.csv", ["network", "images", "loss", "Training"], lines)


def test_fit_tells_parameters_intervals_and_the_error_of_the_rest(table):
    found = answered("fit", table, "--x", "images", "--y", "loss", "--by", "network", "--law", "M1,M2",
                     "--fit-where", "Training=1", "--draws", "20")  # fmt: skip
    assert [(*each["curve"].values(), each["law"]) for each in found] == [
        ("small", "M1"), ("small", "M2"), ("large", "M1"), ("large", "M2"),
    ]  # fmt: skip
    small = found[0]
    assert small["parameters"] == pytest.approx({"beta": 3.0, "c": -0.25})
    assert small["interval"]["c"] == pytest.approx([-0.25, -0.25])
    assert (small["n_fit"], small["n_rest"], small["rest_reaches"]) == (6, 2, 4.0)
    assert small["rmse_rest"] == pytest.approx(0, abs=1e-9)
    assert small["trusted"] is True
    assert small["converged"] is True
    assert small["interval_of"] == "20 resamples of the 6 points"
    assert found[2]["rmse_rest"] > 0.05


def test_only_the_lines_asked_for_are_looked_at(table):
    asked = ("fit", table, "--x", "images", "--y", "loss", "--by", "network", "--law", "M1", "--draws", "0")
    whole = answered(*asked)
    assert answered(*asked, "--where", "network=large,images<6000,images>0")[0]["curve"] == {"network": "large"}
    assert answered(*asked, "--where", "network!=small") == whole[1:]
    assert "no line of" in refused(*asked, "--where", "network=huge")


def test_a_line_is_named_by_its_place_in_the_file(tmp_path):
    path = written(tmp_path / "c.csv", ["n", "x", "error"], [("a", 1, 0.5), ("b", 1, 0.5), ("b", 2, 7.0)])
    assert "data line 3 of" in refused("fit", path, "--x", "x", "--where", "n=b")


def test_fit_prints_a_line_a_curve_and_law(table):
    done = called("fit", table, "--x", "images", "--y", "loss", "--by", "network", "--law", "M1", "--draws", "0")
    assert done.exit_code == 0
    assert "small" in done.output
    assert "beta 3" in done.output
    assert "c -0.25" in done.output
    assert "trust the fit to 2 times its largest x" in done.output


def test_an_average_tells_the_parameters_of_its_members(table):
    asked = ("fit", table, "--x", "images", "--y", "loss", "--law", "Average", "--fit-where", "network=small")
    [found] = answered(*asked, "--draws", "0")
    assert list(found["parameters"]) == ["M3", "M4", "M4Joint", "ShiftedPowerLaw", "BNSL1"]
    assert set(found["parameters"]["M4"]) == {"beta", "c", "alpha", "e_inf", "e_0"}
    assert "M4Joint: beta " in called(*asked, "--draws", "0").output


def test_a_law_that_predicts_no_error_says_so_in_words(tmp_path):
    falling = written(tmp_path / "falling.csv", ["x", "error"], [(x, max(0.01, 0.9 - 0.08 * x)) for x in range(1, 13)])
    asked = ("fit", falling, "--x", "x", "--law", "M1,PowerBudget", "--fit-where", "x<=8", "--draws", "20")
    shown = called(*asked)
    assert shown.exit_code == 0, shown.output
    assert "infinite" in shown.output
    for word in (" nan", " inf ", "[nan", "[inf", "(inf", "Infinity"):
        assert word not in shown.output
    assert "NaN" not in called(*asked, "--json").output


def test_the_same_command_prints_the_same_bytes(table):
    line = ("fit", table, "--x", "images", "--y", "loss", "--by", "network", "--law", "M2,M4", "--draws", "4", "--json")
    assert called(*line).output == called(*line).output


def test_rows_of_this_project_are_a_table_too(tmp_path):
    results = Results(tmp_path / "rows.jsonl")
    for backbone in ("a", "b"):
        for shot in (1, 2, 4, 8, 16):
            accuracy = 1 - 0.5 * shot**-0.3
            results.append(Row(f"{backbone}{shot}", backbone=backbone, k_shot=shot, accuracy=accuracy))
    results.append(Row("broken", backbone="a", k_shot=32, status="failed", error="out of memory"))
    found = answered("fit", results.path, "--x", "k_shot", "--by", "backbone", "--law", "M1", "--draws", "0")
    assert [each["curve"] for each in found] == [{"backbone": "a"}, {"backbone": "b"}]
    assert found[0]["parameters"] == pytest.approx({"beta": 0.5, "c": -0.3})
    assert found[0]["n_fit"] == 5


def test_repeated_equal_lines_count_once_and_are_told(tmp_path):
    lines = [(x, 0.9 * x**-0.2) for x in (1, 2, 4, 8)] * 2
    found = answered("fit", written(tmp_path / "t.csv", ["x", "error"], lines), "--x", "x", "--law", "M1")
    assert (found[0]["n_fit"], found[0]["n_repeated"]) == (4, 4)


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (["--x", "image"], "has no column 'image' (did you mean 'images'?); it has: network, images, loss, Training"),
        (["--by", "net"], "has no column 'net'"),
        (["--law", "M1,M9"], "unknown law 'M9'; known: AlgebraicBudget, "),
        (["--law", ","], "--law names no law; known: "),
        (["--fit-where", "Training=7"], "no line of"),
        (["--fit-where", "Training"], "a condition reads COLUMN == VALUE"),
        (["--fit-where", "network=small"], "the curve large has no point to fit; change --fit-where"),
        (["--fit-where", "images<500"], "M2 has 3 parameters and needs 4 different x, but the curve small has 3"),
        (["--y", "network"], "'network' of data line 1 of"),
        (["--y", "images"], "'images' exceeds 1 (up to 12800), so it may be a loss or a percentage; add --metric loss"),
    ],
)
def test_what_cannot_be_fitted_is_refused_in_one_sentence(table, extra, said):
    assert said in refused("fit", table, "--x", "images", "--y", "loss", "--by", "network", "--draws", "0", *extra)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("nan", "must be a number, got 'nan'"),
        ("", "must be a number, got ''"),
        ("0", "must be above 0, got 0"),
        ("-3", "must be above 0, got -3"),
    ],
)
def test_an_x_that_is_no_positive_number_names_its_line(tmp_path, value, said):
    path = written(tmp_path / "t.csv", ["x", "error"], [(1, 0.5), (value, 0.4)])
    assert f"'x' of data line 2 of {path} {said}" in refused("fit", path, "--x", "x")


def test_a_whole_number_beyond_all_floats_is_refused_in_one_sentence(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"x": 1, "error": 0.5}\n{"x": 1' + "0" * 400 + ', "error": 0.4}\n')
    assert f"'x' of data line 2 of {path} must be a number, got 1000" in refused("fit", path, "--x", "x")


def test_files_that_are_not_there_or_empty_are_told(tmp_path):
    assert "there is no file" in refused("fit", tmp_path / "none.csv", "--x", "x")
    (tmp_path / "empty.csv").write_text("x,error\n")
    assert "has nothing below its first line" in refused("fit", tmp_path / "empty.csv", "--x", "x")
    (tmp_path / "torn.jsonl").write_text('{"a": 1}\n{"a"')
    assert "line 2 of" in refused("fit", tmp_path / "torn.jsonl", "--x", "a")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "rows.json",
            '[{"x": 1}, {"x": 2}]',
            "is JSON, but not an object, a list of 2 (write its items as lines",
        ),
        (
            "rows.jsonl",
            '[\n{"x": 1},\n{"x": 2}\n]',
            "is one JSON value, a list of 2 (write its items as lines",
        ),
        ("rows.json", '{\n"x": 1\n}', "is one JSON value (an object); give a .csv with a header, or a .jsonl"),
        ("rows.csv", '[{"x": 1}]', "holds JSON, a list of 1 (write"),
        ("rows.json", "[]", "is JSON, but not an object, a list of 0"),
        (
            "rows.jsonl",
            "3",
            "is JSON, but not an object (int); give a .csv with a header, or a .jsonl",
        ),
        ("rows.txt", "", "is empty; expected a header"),
    ],
)
@pytest.mark.parametrize("command", [("fit", "--x", "x"), ("budget", "--target", ".9")])
def test_a_file_of_another_form_is_refused_with_its_form_and_those_to_give(tmp_path, command, name, text, said):
    (tmp_path / name).write_text(text)
    assert said in refused(command[0], tmp_path / name, *command[1:])


def test_lines_of_json_are_read_whatever_their_name(tmp_path):
    lines = [json.dumps({"x": x, "error": 0.9 * x**-0.2, "note": "a\u2028b"}, ensure_ascii=False) for x in (1, 2, 4, 8)]
    for name in ("a.jsonl", "a.json", "a.ndjson"):
        (tmp_path / name).write_text("\n".join(lines), encoding="utf-8")
        [found] = answered("fit", tmp_path / name, "--x", "x", "--law", "M1", "--draws", "0")
        assert found["n_fit"] == 4


def test_a_condition_may_hold_commas_inside_brackets(tmp_path):
    names = ("LinearProbe(C=1.0, max_iter=100)", "Prototype(metric='a, b')")
    lines = [(name, x, a * x**-0.2) for name, a in zip(names, (0.9, 0.8), strict=True) for x in (1, 2, 4, 8)]
    path = written(tmp_path / "t.csv", ["evaluator", "x", "error"], lines)
    for name, beta in zip(names, (0.9, 0.8), strict=True):
        [found] = answered("fit", path, "--x", "x", "--law", "M1", "--draws", "0", "--where", f"evaluator={name},x>0")
        assert found["parameters"] == pytest.approx({"beta": beta, "c": -0.2})


def test_the_answer_says_how_a_column_was_read(tmp_path):
    lines = [(x, 100 - 90 * x**-0.2) for x in (1, 2, 4, 8, 16, 32)]
    path = written(tmp_path / "t.csv", ["x", "acc1"], lines)
    asked = ("fit", path, "--x", "x", "--y", "acc1", "--law", "M1", "--draws", "0")
    assert "'acc1' is read as an accuracy in %; the fits are of the error, 1 - accuracy." in called(*asked).output
    [found] = answered(*asked)
    assert (found["metric"], found["percent"], found["trusted"]) == ("accuracy", True, True)
    assert found["parameters"] == pytest.approx({"beta": 0.9, "c": -0.2})
    assert "the error rises with 'x'" in refused(*asked, "--metric", "error")
    [budget] = answered("budget", path, "--x", "x", "--y", "acc1", "--target", "0.6")
    assert budget["bracket"][0] <= (0.9 / 0.4) ** 5 * 1.001 <= budget["bracket"][1] * 1.002


def test_a_loss_is_fitted_by_the_laws_that_can_and_has_no_budget(tmp_path):
    path = written(tmp_path / "t.csv", ["x", "loss"], [(x, 4 * x**-0.2) for x in (1, 2, 4, 8, 16, 32)])
    found = answered("fit", path, "--x", "x", "--y", "loss", "--draws", "0", "--plot", tmp_path / "t.svg")
    assert [(each["law"], each["metric"]) for each in found] == [("M1", "loss"), ("M2", "loss"), ("M3", "loss")]
    assert "M4 is for errors of at most 1" in refused("fit", path, "--x", "x", "--y", "loss", "--law", "M4")
    said = refused("budget", path, "--x", "x", "--y", "loss", "--target", "0.9")
    assert "a label budget needs errors or accuracies" in said


def test_transfer_keeps_runs_from_scratch_whatever_where_says_of_sources(tmp_path):
    lines: list[tuple[object, ...]] = [("a", d, 5 * d**-0.3, "none") for d in np.geomspace(10, 1e4, 7).tolist()]
    lines += [("a", 100, 5 * 400**-0.3, "icons"), ("a", 100, 5 * 200**-0.3, "glyphs"), ("b", 100, 0.5, "glyphs")]
    path = written(tmp_path / "t.csv", ["set", "D_F", "loss", "source"], lines)
    asked = ("transfer", path, "--x", "D_F", "--y", "loss", "--pretrained", "source")
    for condition in ("source=icons", "source=icons,set=a", "source!=glyphs"):
        [found] = answered(*asked, "--where", condition)
        assert found["source"] == "icons"
        assert [point["D_E"] for point in found["points"]] == pytest.approx([400], rel=0.01)
    assert "leaves 1 pre-trained line and 0 lines from scratch" in refused(*asked, "--where", "set=b")
    assert "leaves 0 pre-trained lines and 7 lines from scratch" in refused(*asked, "--where", "source=birds")


def test_transfer_reads_accuracies_and_refuses_curves_that_rise(tmp_path):
    accuracy = [("none", d, 100 - 90 * d**-0.2) for d in (1, 2, 4, 8, 16)] + [("icons", 2, 100 - 90 * 8**-0.2)]
    path = written(tmp_path / "t.csv", ["source", "D_F", "acc"], accuracy)
    asked = ("transfer", path, "--x", "D_F", "--y", "acc", "--pretrained", "source")
    [found] = answered(*asked)
    assert found["points"][0]["D_E"] == pytest.approx(8)
    assert "the loss rises with 'D_F' on the curve from scratch" in refused(*asked, "--metric", "loss")


def test_transfer_tells_what_pre_training_was_worth(tmp_path):
    def loss(images: float) -> float:
        return 5 * images**-0.3

    lines: list[tuple[object, ...]] = [(1, d, loss(d), "none") for d in np.geomspace(10, 1e4, 7).tolist()]
    lines += [(1, 100, loss(400), "icons"), (1, 1000, loss(500), "icons"), (1, 100, 0.001, "icons")]
    path = written(tmp_path / "t.csv", ["size", "D_F", "error", "source"], lines)
    (found,) = answered("transfer", path, "--x", "D_F", "--by", "size", "--pretrained", "source")
    assert found["source"] == "icons"
    helped, hurt, beyond = found["points"]
    assert helped["D_E"] == pytest.approx(400, rel=0.01)
    assert helped["multiplier"] == pytest.approx(4, rel=0.01)
    assert hurt["D_T"] == pytest.approx(-500, rel=0.01)
    assert hurt["ossified"]
    assert (beyond["bound"], beyond["D_E"]) == ("at least", pytest.approx(1e4))
    assert found["n_ossified"] == 1
    assert found["law"] is None
    assert "network sizes with D_T > 0: 1, needed: 3" in found["note"]
    text = called("transfer", path, "--x", "D_F", "--by", "size", "--pretrained", "source").output
    assert "pre-training hurts" in text
    assert ">= 1e+04" in text


def test_transfer_needs_both_kinds_of_runs(tmp_path):
    path = written(tmp_path / "t.csv", ["D_F", "error", "pre"], [(1, 0.5, 0), (2, 0.4, 0)])
    assert "there are no pre-trained ones" in refused("transfer", path, "--x", "D_F", "--pretrained", "pre")


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """Error over nested shots of one learner."""
    lines = [(k, 0.02 + 0.55 * k**-0.5) for k in (1, 2, 3, 5, 8, 12, 18, 27)]
    return written(tmp_path / "shots.csv", ["k_shot", "error"], lines)


def test_budget_brackets_the_labels_that_a_target_needs(shots):
    (found,) = answered("budget", shots, "--target", "0.9")
    low, high = found["bracket"]
    assert low <= 47.27 <= high * 1.001  # (0.55 / 0.08)^2
    assert {line["law"] for line in found["laws"]} >= {"PowerBudget", "ArctanBudget", "LogarithmBudget"}
    text = called("budget", shots, "--target", "0.9").output
    assert text.startswith("all: 0.9 needs ")
    assert "extrapolated" in text


def test_a_budget_for_a_target_in_percent_is_refused(shots):
    assert "a target accuracy must lie between 0 and 1, got 90" in refused("budget", shots, "--target", "90")


def test_whole_seeds_are_drawn_where_their_column_is_named(tmp_path):
    lines = [(x, a * 1.5 * x**-0.3, seed) for seed, a in enumerate((0.98, 1.0, 1.03)) for x in (10, 20, 40, 80, 160)]
    path = written(tmp_path / "t.csv", ["x", "error", "seed"], lines)
    (found,) = answered("fit", path, "--x", "x", "--law", "M1", "--seeds", "seed")
    assert found["interval_of"] == "one fit for each of 3 seeds, Student's t"
    assert found["interval"]["c"] == pytest.approx([-0.3, -0.3])
    assert found["interval"]["beta"][0] < 1.5 < found["interval"]["beta"][1]
    assert found["n_fit"] == 5
    torn = written(tmp_path / "torn.csv", ["x", "error", "seed"], lines[:-1])
    assert "seed 2 of the curve all has 4 lines for 5 different x" in refused(
        "fit", torn, "--x", "x", "--law", "M1", "--seeds", "seed"
    )


def test_a_plot_is_the_same_file_twice_and_of_a_known_kind(table, tmp_path):
    line = ("fit", table, "--x", "images", "--y", "loss", "--by", "network", "--law", "M1", "--fit-where", "Training=1",
            "--draws", "5", "--plot")  # fmt: skip
    for name in ("a.svg", "b.svg", "c.png"):
        assert called(*line, tmp_path / name).exit_code == 0
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")
    assert "--plot needs a .png or .svg file" in refused(*line, tmp_path / "d.pdf")
