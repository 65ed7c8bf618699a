"""`fewshot results` and reports of several files, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from fewshot.cli import main
from fewshot.results.files import Results
from tests.support.command_line import call, fail, misuse, succeed
from tests.support.report_rows import row
from tests.support.stored_runs import PROBE, content, stored_run, two_heads


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Results:
    """A file with four runs, in the working folder."""
    monkeypatch.chdir(tmp_path)
    return two_heads(Path("a.jsonl"))


@pytest.fixture
def more(runs: Results) -> Results:
    """A second file, with one run of another backbone."""
    results = Results(Path("b.jsonl"))
    stored_run(results, backbone="RawPixels(image_size=8)")
    return results


def test_list_prints_one_line_per_run_of_all_files(more):
    lines = succeed("results", "list", "a.jsonl", "b.jsonl").splitlines()
    assert len(lines) == 2 + 5
    assert lines[-1].split()[:5] == [more.rows()[0].run_id[:8], "raw", "pixels", "8", "L2"]
    chosen = succeed("results", "list", "a.jsonl", "b.jsonl", "--where", "k_shot == 5, evaluator ~ probe", "--json")
    assert [one["evaluator"] for one in json.loads(chosen)] == [PROBE]


def test_show_prints_the_columns_of_one_run(runs):
    one = runs.rows()[0]
    text = succeed("results", "show", one.run_id[:8], "a.jsonl")
    assert text.splitlines()[0].split() == ["run_id", one.run_id]
    assert json.loads(succeed("results", "show", one.run_id, "a.jsonl", "--json"))["accuracy"] == one.accuracy
    ids = ", ".join(other.run_id for other in runs.rows()[:3])
    assert fail("results", "show", "zz", "a.jsonl") == f"no run id starts with 'zz'; the runs are {ids}, ..."
    assert fail("results", "show", "", "a.jsonl").startswith("4 run ids start with ''")


def test_filter_and_merge_copy_rows_with_predictions(runs, more):
    assert succeed("results", "filter", "a.jsonl", "--where", "k_shot == 5", "--out", "five.jsonl").startswith(
        "copied 2 runs to five.jsonl\n"
    )
    assert succeed("results", "merge", "a.jsonl", "b.jsonl", "--out", "all.jsonl").startswith("copied 5 runs")
    merged = Results(Path("all.jsonl"))
    assert merged.rows() == [*runs.rows(), *more.rows()]
    both, alone = (
        json.loads(succeed("compare", file, "--by", "evaluator", "--json"))["contests"]
        for file in ("all.jsonl", "a.jsonl")
    )
    assert [contest["group"] for contest in both] == [contest["group"] for contest in alone]
    assert "all.jsonl exists; choose another file, or move it away first" in fail(
        "results", "merge", "a.jsonl", "--out", "all.jsonl"
    )
    assert "Missing option '--where'" in misuse("results", "filter", "a.jsonl", "--out", "five.jsonl")


def with_bad_lines(path: Path) -> str:
    """A results file whose first row is no row any more and whose end is torn; the run id of the first row."""
    first, *others = path.read_text(encoding="utf-8").splitlines()
    changed = json.dumps(json.loads(first) | {"accuracy": 1.5})
    torn = others[0][: len(others[0]) // 2]  # a whole line of this run is there too, so nothing is lost
    path.write_text("\n".join([changed, *others, torn, "garbage"]) + "\n", encoding="utf-8")
    return str(json.loads(first)["run_id"])


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]])
def test_a_merge_names_every_row_that_it_cannot_read_and_exits_with_1(runs, more, dry_run):
    lost = with_bad_lines(runs.path)
    done = call("results", "merge", "a.jsonl", "b.jsonl", "--out", "all.jsonl", *dry_run)
    assert done.exit_code == 1
    assert "4 runs to all.jsonl; 2 rows could not be read, see below" in done.stdout
    assert f"  could not be read: line 1 of a.jsonl (run {lost[:8]}): column accuracy should be in " in done.stdout
    assert "  could not be read: line 6 of a.jsonl: not JSON" in done.stdout
    assert "line 5" not in done.stdout
    assert Path("all.jsonl").exists() != bool(dry_run)


def test_a_submission_names_every_row_that_it_cannot_read_and_exits_with_1(working_folder):
    run = ("run", "--data", "birds", "--backbone", "pixels", "--episodes", "3", "--way", "3", "--query", "2")
    succeed(*run, "--shot", "1,2", "--results", "mine.jsonl")
    lost = with_bad_lines(Path("mine.jsonl"))
    dry = call("submit", "mine.jsonl", "--out", "mine", "--dry-run")
    assert dry.exit_code == 1
    assert f"could not be read: line 1 of mine.jsonl (run {lost[:8]}): column accuracy" in dry.stdout
    done = call("submit", "mine.jsonl", "--out", "mine")
    assert done.exit_code == 1
    assert f"  left out {lost[:8]}: line 1 of mine.jsonl cannot be read: column accuracy should be" in done.stdout
    assert "  left out line 4 of mine.jsonl: cannot be read: not JSON" in done.stdout
    readme = Path("mine/README.md").read_text(encoding="utf-8")
    assert f"- {lost}: line 1 of mine.jsonl cannot be read" in readme
    assert succeed("verify", "mine").startswith("mine holds")


def test_a_copy_says_how_many_runs_cannot_be_compared(runs):
    runs.append(row(0.5, n_way=3))
    assert "copied 5 runs to b.jsonl; 1 run without predictions, which cannot be compared" in succeed(
        "results", "merge", "a.jsonl", "--out", "b.jsonl"
    )


def test_a_conflict_is_named_and_refused_everywhere(runs):
    one = runs.rows()[0]
    other = Results(Path("b.jsonl"))
    other.append(row(0.123, run_id=one.run_id, n_episodes=one.n_episodes, episodes_digest=one.episodes_digest))
    before = content(Path())
    for words in (
        ["results", "merge", "a.jsonl", "b.jsonl", "--out", "c.jsonl"],
        ["results", "list", "a.jsonl", "b.jsonl"],
        ["results", "export", "a.jsonl", "b.jsonl", "--out", "c.csv"],
        ["report", "a.jsonl", "b.jsonl"],
    ):
        sentence = fail(*words)
        assert sentence.startswith(f"run {one.run_id} has 84.000 % in a.jsonl and 12.300 % on the same episodes in")
        assert content(Path()) == before
    succeed("results", "merge", "a.jsonl", "b.jsonl", "--prefer", "last", "--out", "c.jsonl")
    assert Results(Path("c.jsonl")).rows()[0].accuracy == 0.123


@pytest.mark.parametrize("command", ["filter", "merge", "delete", "rename", "move", "export"])
def test_a_dry_run_writes_nothing(runs, command):
    before = content(Path())
    options = {
        "filter": ["--where", "k_shot = 5", "--out", "c.jsonl"],
        "merge": ["--out", "c.jsonl"],
        "delete": ["--where", "k_shot = 5"],
        "rename": ["raw pixels 32=pixels"],
        "move": ["c.jsonl"],
        "export": ["--out", "c.tex"],
    }
    assert "the dry run writes nothing" in succeed("results", command, "a.jsonl", *options[command], "--dry-run")
    assert content(Path()) == before


@pytest.mark.parametrize(
    ("answer", "code", "left"),
    [("y\n", 0, 2), ("n\n", 1, 4), ("\n", 1, 4), ("", 2, 4)],
    ids=["yes", "no", "enter", "end"],
)
def test_delete_asks_first(runs, answer, code, left):
    words = ["results", "delete", "a.jsonl", "--where", "k_shot = 5"]
    done = CliRunner().invoke(main, words, input=answer)
    assert "Delete 2 runs of a.jsonl and " in done.stdout
    assert done.exit_code == code, done.output
    assert len(runs.rows()) == len(list(runs.predictions_folder.iterdir())) == left
    assert "nothing was deleted" in done.stderr or code == 0


def test_delete_says_what_it_deleted(runs):
    one = runs.rows()[0]
    size = runs.parts(one.run_id).files()[0].stat().st_size
    text = succeed("results", "delete", "a.jsonl", "--run", one.run_id[:8], "--run", one.run_id, "--yes")
    assert text.splitlines() == [
        f"deleted 1 run of a.jsonl and {size / 1000:.1f} kB of predictions",
        f"  {one.run_id[:8]}  raw pixels 32, L2 + Prototype, icons mono, 5-way 1-shot",
    ]
    value = json.loads(succeed("results", "delete", "a.jsonl", "--where", "k_shot = 5", "--yes", "--json"))
    assert len(value["runs"]) == 2
    assert "either --where CONDITION or --run RUN" in misuse("results", "delete", "a.jsonl", "--yes")
    assert len(runs.rows()) == 1


def test_a_short_name_shows_in_every_table_and_changes_no_row(runs, more):
    before = runs.path.read_bytes(), content(runs.predictions_folder)
    text = succeed("results", "rename", "a.jsonl", "raw pixels 32=pix & co", "L2 + Prototype=ProtoNet")
    assert text.splitlines() == [
        "RawPixels(image_size=32) is now 'pix & co'",
        "L2() + Prototype(metric='euclidean') is now 'ProtoNet'",
    ]
    assert (runs.path.read_bytes(), content(runs.predictions_folder)) == before
    succeed("report", "a.jsonl", "b.jsonl", "--out", "c.html")
    succeed("results", "export", "a.jsonl", "b.jsonl", "--out", "c.tex")
    succeed("results", "merge", "b.jsonl", "a.jsonl", "--out", "c.jsonl")
    for shown in (
        succeed("results", "list", "a.jsonl"),
        succeed("report", "a.jsonl", "--markdown"),
        Path("c.html").read_text(),
        Path("c.tex").read_text(),
        succeed("results", "list", "c.jsonl"),
    ):
        assert "pix" in shown
        assert "ProtoNet" in shown
        assert "raw pixels 32" not in shown.partition("<dl")[0]
    succeed("results", "rename", "a.jsonl", "pix & co=", "ProtoNet=")
    assert "raw pixels 32" in succeed("results", "list", "a.jsonl")
    assert not runs.names_path.exists()


def test_move_renames_the_file_with_all_that_belongs_to_it(runs):
    rows = runs.rows()
    succeed("results", "rename", "a.jsonl", "raw pixels 32=pixels")
    assert succeed("results", "move", "a.jsonl", "new/c.jsonl") == "a.jsonl is now new/c.jsonl\n"
    moved = Results(Path("new/c.jsonl"))
    assert moved.rows() == rows
    assert all(list(moved.predictions(one)) for one in rows)
    assert "pixels" in succeed("results", "list", "new/c.jsonl")


@pytest.mark.parametrize("suffix", ["csv", "parquet", "tex", "md"])
def test_export_writes_the_chosen_runs_of_all_files(runs, more, suffix):
    out = Path(f"table.{suffix}")
    text = succeed(
        *("results", "export", "a.jsonl", "b.jsonl", "--out", out, "--where", "k_shot = 1"),
        *("--rename", "raw pixels 8=tiny"),
    )
    assert text == f"wrote 3 runs to {out}\n"
    assert b"tiny" in out.read_bytes()
    assert not more.names_path.exists()  # a name for one table is not kept


def test_export_refuses_a_suffix_before_it_reads(runs):
    assert "ends in .csv, .parquet, .tex, .md" in fail("results", "export", "missing.jsonl", "--out", "table.xlsx")
    assert "'raw pixels 32' is not OLD=NEW" in misuse(
        "results", "export", "a.jsonl", "--out", "table.md", "--rename", "raw pixels 32"
    )


def test_a_report_shows_the_chosen_runs_of_several_files(runs, more):
    text = succeed("report", "a.jsonl", "b.jsonl", "--where", "k_shot = 1", "--json")
    assert json.loads(text) == {"report": "a.html", "n_runs": 3, "results": "a.jsonl"}
    page = Path("a.html").read_text()
    assert "raw pixels 8" in page
    assert "5 shots" not in page
    assert "report: c.html, 5 runs of a.jsonl, b.jsonl" in succeed("report", "a.jsonl", "b.jsonl", "--out", "c.html")
    assert "remove --where" in misuse("report", "--readme", "README.md", "--where", "k_shot = 1")


def test_the_report_of_two_files_is_that_of_the_merged_file(runs, more):
    succeed("results", "merge", "a.jsonl", "b.jsonl", "--out", "c.jsonl")
    succeed("report", "a.jsonl", "b.jsonl", "--out", "two.html")
    succeed("report", "c.jsonl", "--out", "one.html")
    assert Path("two.html").read_text().replace("(a, b)</", "(c)</") == Path("one.html").read_text()


def test_a_bad_condition_is_a_usage_error(runs):
    assert "a condition reads COLUMN == VALUE" in misuse("results", "list", "a.jsonl", "--where", "k_shot")
    assert "did you mean 'k_shot'" in fail("results", "list", "a.jsonl", "--where", "kshot = 1")


def test_every_command_names_a_file_that_is_missing(runs):
    for name in ("list", "merge", "export", "filter", "delete", "move", "rename", "show"):
        words = {
            "merge": ["x.jsonl", "--out", "c.jsonl"],
            "export": ["x.jsonl", "--out", "c.csv"],
            "filter": ["x.jsonl", "--out", "c.jsonl", "--where", "k_shot = 1"],
            "delete": ["x.jsonl", "--where", "k_shot = 1"],
            "move": ["x.jsonl", "y.jsonl"],
            "rename": ["x.jsonl", "a=b"],
            "show": ["aa", "x.jsonl"],
        }.get(name, ["x.jsonl"])
        assert fail("results", name, *words).startswith("there is no results file x.jsonl")
    assert call("results", "list").exit_code == 2


@pytest.mark.parametrize("columns", [80, 100, 140])
def test_a_list_fits_the_terminal(tmp_path, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    results = Results(tmp_path / "a.jsonl")
    long = "Timm(name='vit_base_patch14_dinov2.lvd142m', image_size={}, pool='avg')"
    for size in (224, 238, 252):
        stored_run(results, backbone=long.format(size), evaluator="LinearProbe(C=0.31622776601683794, max_iter=100)")
    lines = succeed("results", "list", results.path).splitlines()
    assert max(map(len, lines)) <= columns
    assert len({line[8:] for line in lines[2:5]}) == 3
