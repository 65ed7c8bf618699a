"""Every command on small folders of images; what a user gets wrong is one sentence."""

import json
import shlex
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fewshot.cli import sentence
from fewshot.plugins import registry as plugins
from fewshot.report.rows.origins import command
from fewshot.results.files import Results
from tests.support.command_line import QUICK, SUITE, call, fail, misuse, modules_after, succeed
from tests.support.pictures import write_pictures

pytestmark = pytest.mark.usefixtures("working_folder")

COMMANDS = sorted(path.stem for path in (Path(plugins.__file__).parents[1] / "commands").glob("[a-z]*.py"))


# help and list
DAMAGED = "Checkpoint(name='resnet10t', path='damaged.safetensors')"


def test_help_names_every_command_and_loads_nothing_heavy() -> None:
    shown = succeed("--help")
    assert all(f"\n  {name} " in shown for name in COMMANDS)
    assert "..." not in shown.partition("Commands:")[2]  # no summary is cut off
    assert not modules_after("--help") & {"numpy", "torch", "timm", "PIL", "tqdm", "tabulate"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    assert "Usage: " in succeed(name, "--help")


@pytest.mark.parametrize("kind", ["datasets", "splits", "samplers", "backbones", "transforms", "evaluators"])
def test_list_shows_every_member_with_its_defaults(kind: str) -> None:
    registry: plugins.Registry = getattr(plugins, kind.upper())
    shown = succeed("list", kind)
    for name in registry.names():
        assert f"  {name}(" in shown
        assert all(parameter.name in shown for parameter in registry.signature(name).parameters)


def test_list_shows_everything_without_torch() -> None:
    assert "LinearProbe(C=1.0" in succeed("list")
    assert "quick" in succeed("list", "suites")
    assert not modules_after("list") & {"numpy", "torch", "timm"}


# run


def test_run_gives_every_combination_a_row() -> None:
    shown = succeed(
        "run",
        "--data",
        "birds",
        *QUICK,
        "--evaluator",
        "Prototype",
        "--evaluator",
        "LinearProbe",
        "--shot",
        "1",
        "--shot",
        "2",
        "--results",
        "rows.jsonl",
    )
    rows = Results(Path("rows.jsonl")).rows()
    assert [(row.evaluator.partition("(")[0], row.k_shot) for row in rows] == [
        ("Prototype", 1),
        ("Prototype", 2),
        ("LinearProbe", 1),
        ("LinearProbe", 2),
    ]
    assert all(row.status == "ok" and row.n_episodes == 4 and row.transform == "L2()" for row in rows)
    assert all(f" {100 * row.accuracy:.1f} " in shown for row in rows)
    brackets = "[ ]: 95 % intervals for other episodes of these same images and classes."
    assert f"Accuracy in %; {brackets}" in " ".join(shown.split())
    assert "rows: rows.jsonl" in shown


@pytest.mark.parametrize("end", ["\n", "\r\n", "\v", "\u2028"])
def test_names_of_strangers_with_line_ends_stay_on_the_line_of_a_warning(end: str) -> None:
    odd = f"{end}Warning: forged"
    folder = Path(f"in{odd}")
    write_pictures(folder, [3, 3])
    for number, name in enumerate((f"gull{odd}", f"Gull{odd}")):  # the log warns of such a pair
        (folder / f"class{number}").rename(folder / name)
    (folder / f"empty{odd}").mkdir()
    lines = call("look", "--data", folder).stderr.splitlines()
    assert sum(line.startswith("Warning: ") for line in lines) >= 2
    assert not [line for line in lines if line.startswith("Warning: forged")]
    lines = call("run", "--data", folder / f"empty{odd}", *QUICK).stderr.splitlines()
    assert lines[-1].startswith("Error: ")
    assert not [line for line in lines if line.startswith("Warning: forged")]


def test_run_again_adds_nothing_and_shows_the_same() -> None:
    shown = succeed("run", "--data", "birds", *QUICK)
    written = Path("results/runs.jsonl").read_bytes()
    table = shown[shown.index("birds, novel classes") :]
    assert succeed("run", "--data", "birds", *QUICK) == f"Reading the data ...\n\n{table}"
    assert Path("results/runs.jsonl").read_bytes() == written


def test_run_fits_ways_and_queries_to_a_small_folder_and_says_so() -> None:
    write_pictures(Path("few"), [4, 9, 9])
    result = call("run", "--data", "few", *QUICK, "--shot", "2")
    [row] = Results(Path("results/runs.jsonl")).rows()
    assert (row.n_way, row.k_shot, row.n_query) == (3, 2, 2)
    assert "3 classes, the smallest with 4 images: using 3-way episodes with 2 queries per class" in result.stderr
    result = call("run", "--data", "few", *QUICK, "--way", "2", "--query", "1")
    assert "the smallest" not in result.stderr


def test_run_takes_support_and_queries_from_different_groups() -> None:
    write_pictures(Path("parts/train"), [3, 3])
    write_pictures(Path("parts/test"), [5, 6])
    succeed("run", "--data", "parts", *QUICK, "--support-from", "partition=train", "--query-from", "partition=test")
    [row] = Results(Path("results/runs.jsonl")).rows()
    assert row.sampler == "Balanced(support_from='partition=train', query_from='partition=test')"
    assert row.n_query == 5


def test_all_is_a_shape() -> None:
    succeed("run", "--data", "birds", *QUICK, "--way", "all", "--shot", "2", "--query", "all")
    [row] = Results(Path("results/runs.jsonl")).rows()
    assert (row.n_way, row.k_shot, row.n_query) == (None, 2, None)


def test_all_ways_on_the_test_partition_are_one_line_to_type() -> None:
    for part, each in (("train", 6), ("test", 3)):
        write_pictures(Path("parted") / part, [each] * 4)
    shape = ("--way", "all", "--shot", "1, 5,5", "--query", "all", "--episodes", "5")
    result = call("run", "--data", "parted", *QUICK, *shape)
    assert "the support comes from partition=train, the queries are all of partition=test" in result.stderr
    rows = Results(Path("results/runs.jsonl")).rows()
    assert [row.k_shot for row in rows] == [1, 5]
    assert {row.sampler for row in rows} == {"Balanced(support_from='partition=train', query_from='partition=test')"}
    assert [len(row.draws.split()) for row in rows] == [5, 5]
    assert "is neither a number nor 'all'" in misuse("run", "--data", "birds", "--shot", "1,,2")


def test_two_shards_give_the_rows_of_one_process() -> None:
    succeed("run", "--data", "birds", *QUICK, "--results", "whole.jsonl")
    assert "1 run is waiting for other shards" in succeed(
        "run", "--data", "birds", *QUICK, "--results", "parts.jsonl", "--shard", "1/2"
    )
    succeed("run", "--data", "birds", *QUICK, "--results", "parts.jsonl", "--shard", "2/2")
    whole, parts = (Results(Path(name)).rows() for name in ("whole.jsonl", "parts.jsonl"))
    assert [(r.run_id, r.accuracy, r.episodes_digest) for r in whole] == [
        (r.run_id, r.accuracy, r.episodes_digest) for r in parts
    ]


def test_a_failed_run_is_told_and_the_others_go_on() -> None:
    Path("damaged.safetensors").write_bytes(b"no weights")
    result = call("run", "--data", "birds", *QUICK, "--backbone", DAMAGED)
    assert result.exit_code == 1
    assert "Error: resnet10t from damaged.safetensors, L2 + LinearProbe, birds, 5-way 1-shot: " in result.stderr
    assert sorted(row.status for row in Results(Path("results/runs.jsonl")).rows()) == ["failed", "ok"]


@pytest.mark.parametrize(
    ("backbone", "sentence"),
    [
        ("RawPixels(image_size=0)", "The 'image_size' parameter of RawPixels must be an integer of at least 1"),
        ("RandomInit('resnet10')", "has no network 'resnet10'; the nearest names are: "),
        ("mobilenet_v2", "the nearest names are: mobilenetv2_100, "),
        ("Checkpoint('resnet10t', 'none.pth')", "there is no file none.pth of weights"),
    ],
)
def test_a_backbone_that_cannot_exist_stops_before_the_first_run(backbone: str, sentence: str) -> None:
    result = call("run", "--data", "birds", *QUICK, "--backbone", backbone)
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert "run 1 of 2" not in result.stdout
    assert not Path("results/runs.jsonl").exists()


def test_every_run_that_takes_a_while_is_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fewshot.commands._running.SOON", 0.0)
    few = ("run", "--data", "birds", *QUICK, "--query", "2", "--shot", "1")
    lines = succeed(*few, "--shot", "2").splitlines()
    assert lines[0] == "Reading the data ..."
    assert lines[1] == "run 1 of 2: raw pixels 4, L2 + LinearProbe, birds, 5-way 1-shot"
    assert lines[2] == "run 2 of 2: raw pixels 4, L2 + LinearProbe, birds, 5-way 2-shot"
    more = succeed(*few, "--shot", "3").splitlines()
    assert more[1:3] == ["1 of 2 runs is finished.", "run 2 of 2: raw pixels 4, L2 + LinearProbe, birds, 5-way 3-shot"]


def test_measures_and_all_notes_are_shown_on_request() -> None:
    plain = succeed("run", "--data", "birds", *QUICK)
    assert "mean per class" not in plain
    assert "mean per class" in succeed("run", "--data", "birds", *QUICK, "--measures")


# what a user gets wrong


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--data", "Icns"], "there is neither a folder 'Icns' nor a data set of that name (known: "),
        (["--data", "Icns"], "did you mean Icons?"),
        (["--data", "birds", "--evaluator", "LinearProb"], "unknown evaluator 'LinearProb'; known: "),
        (["--data", "birds", "--evaluator", "LinearProb"], "Did you mean LinearProbe?"),
        (["--data", "birds", "--evaluator", "LinearProbe(c=1)"], "LinearProbe has no field 'c'; its fields are: C"),
        (["--data", "birds", "--backbone", "RawPixel()"], "Did you mean RawPixels?"),
        (["--data", "birds", "--backbone", "weights.pth"], "write Checkpoint(name="),
        (["--data", "birds", "--transform", "L3"], "unknown transform 'L3'"),
        (["--data", "birds", "--sampler", "Balance"], "Did you mean Balanced?"),
        (["--data", "birds", "--split", "BySead"], "Did you mean BySeed?"),
        (["--data", "birds", "--split", "FromFile('no.json')"], "there is no split file no.json"),
        (
            ["--data", "birds", "--split", "ByGroup('superclass', novel=('bird',))"],
            "birds has no class group 'superclass'",
        ),
        (["--data", "birds", "--classes", "seen"], "this split of birds has no seen classes"),
        (["--data", "birds", "--way", "7"], "7-way episodes need more classes than the 6"),
        (["--data", "birds", "--shot", "8"], "8 + 1 images a class, but class 0 ('class0') of birds has 8"),
        (["--data", "birds", "--support-from", "set=a"], "cannot select 'set=a' from birds"),
        (["--data", "birds", "--list", "no.safetensors"], "there is no file no.safetensors"),
    ],
)
def test_a_mistake_is_one_sentence(options: list[str], sentence: str) -> None:
    assert sentence in fail("run", *options)
    assert not Path("results").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--data", "birds", "--classes", "old"], "'old' is not one of"),
        (["--data", "birds", "--shot", "none"], "'none' is neither a number nor 'all'"),
        (["--data", "birds", "--way", "-2"], "-2 is too small; the least is 2, or give 'all'"),
        (["--data", "my", "birds"], "extra argument (birds); write a value that has spaces, or a list of several, in"),
        (["--data", "birds", "--shard", "3/2"], "'3/2' is not a shard; write one such as 1/2"),
        (["--data", "birds", "--list", "no.safetensors", "--way", "5"], "--list sets the episodes"),
        ([], "Missing option '--data'"),
    ],
)
def test_a_command_line_that_cannot_be_read_is_one_sentence(options: list[str], sentence: str) -> None:
    assert sentence in misuse("run", *options)
    assert not Path("results").exists()


def test_an_unknown_command_or_suite_is_one_sentence() -> None:
    assert misuse("bnch") == "fewshot has no command 'bnch'. Did you mean bench?"
    assert fail("bench", "quik").endswith("Did you mean quick?")
    assert fail("bench", "no.py") == "there is no suite file no.py"


def test_corrupt_images_are_named() -> None:
    (Path("birds") / "class2" / "3.png").write_bytes(b"not a picture")
    assert "1 of 48 images cannot be read: birds/class2/3.png" in fail("run", "--data", "birds", *QUICK)


def test_the_split_of_other_classes_is_refused() -> None:
    write_pictures(Path("others"), [4, 4])
    succeed("split", "make", "--data", "others", "--rule", "BySeed", "--out", "others.json")
    sentence = fail("run", "--data", "birds", *QUICK, "--split", "FromFile('others.json')")
    assert "this split is for 2 other classes than the 6 of birds" in sentence


def test_an_unwritable_folder_is_told_before_anything_is_computed() -> None:
    Path("file").write_text("")
    assert "cannot create the folder file/results" in fail(
        "run", "--data", "birds", *QUICK, "--results", "file/results/r.jsonl"
    )
    assert not Path("home/features").exists()


def test_a_torn_line_is_told_once_and_its_neighbours_survive() -> None:
    succeed("run", "--data", "birds", *QUICK, "--query", "2", "--shot", "1", "--results", "rows.jsonl")
    with open("rows.jsonl", "a") as file:
        file.write('{"run_id": "0123", "accur')
    result = call(
        "run", "--data", "birds", *QUICK, "--query", "2", "--shot", "1", "--shot", "2", "--results", "rows.jsonl"
    )
    assert result.exit_code == 0
    assert result.stderr.count("Warning: rows.jsonl: skipped line 2, which is unreadable") == 1
    assert [row.k_shot for row in Results(Path("rows.jsonl")).rows()] == [1, 2]


def test_debug_shows_where_the_error_of_a_run_came_from() -> None:
    Path("damaged.safetensors").write_bytes(b"no weights")
    result = call("--debug", "run", "--data", "birds", *QUICK, "--backbone", DAMAGED)
    assert "Traceback" in result.stderr
    assert "in load" in result.stderr


def test_debug_shows_where_an_error_came_from() -> None:
    assert isinstance(call("run", "--data", "Icns", "--debug").exception, ValueError)


# bench


def test_bench_runs_a_suite_once_and_then_imports_neither_torch_nor_timm() -> None:
    Path("own.py").write_text(SUITE.format(shots="1, 2"))
    shown = succeed("bench", "own.py")
    assert all(
        part in shown for part in ("[1/2]", "[2/2]", "3-way 1-shot", "3-way", "accuracy", "report: results/own.html")
    )
    written = {path.name: path.stat().st_mtime_ns for path in Path("results").glob("own.*")}
    assert {"own.jsonl", "own.html"} <= set(written)
    assert not modules_after("bench", "own.py") & {"torch", "timm", "torchvision", "matplotlib"}
    again = succeed("bench", "own.py")
    assert "[1/2]" not in again
    assert "Accuracy in %" in again
    assert "report: results/own.html" in again
    assert {path.name: path.stat().st_mtime_ns for path in Path("results").glob("own.*")} == written


def test_bench_with_more_episodes_refines_the_same_runs() -> None:
    Path("own.py").write_text(SUITE.format(shots="1,"))
    succeed("bench", "own.py")
    succeed("bench", "own.py", "--episodes", "6")
    [row] = Results(Path("results/own.jsonl")).rows()
    assert row.n_episodes == 6
    assert len(Path("results/own.jsonl").read_text().splitlines()) == 2


def test_a_dry_run_computes_and_writes_nothing() -> None:
    Path("own.py").write_text(SUITE.format(shots="1, 2"))
    shown = succeed("bench", "own.py", "--dry-run")
    assert shown.count("to do: ") == 2
    assert not Path("results").exists()
    *_, embedded, total = shown.splitlines()
    n_images = int(total.split()[0])
    assert 9 < n_images <= 48
    assert embedded == f"raw pixels 4 on birds: {n_images} images to embed, 0 already cached"
    assert total.endswith("6 episodes to solve, no time estimate: some steps have not been timed on this machine yet")
    succeed("bench", "own.py")
    shown = succeed("bench", "own.py", "--dry-run")
    assert shown.count("done: ") == 2
    assert shown.splitlines()[-1] == "0 images to embed, 0 episodes to solve, about 0 s"


def test_a_dry_run_tells_what_cannot_run() -> None:
    Path("own.py").write_text(SUITE.format(shots="9, 1"))
    result = call("bench", "own.py", "--dry-run")
    assert result.exit_code == 1
    assert "[1/2] cannot run (k_shot + n_query = 9 + 2 images a class" in result.stdout
    assert "[2/2] to do: " in result.stdout


def test_a_failing_run_leaves_its_error_and_the_suite_goes_on() -> None:
    Path("own.py").write_text(SUITE.format(shots="1, 9, 2"))
    result = call("bench", "own.py")
    assert result.exit_code == 1
    assert "3-way 9-shot: k_shot + n_query = 9 + 2 images a class" in result.stderr
    assert [row.status for row in Results(Path("results/own.jsonl")).rows()] == ["ok", "failed", "ok"]
    assert Path("results/own.html").exists()


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("yield 1", "suite() of own.py yields 1, which is no RunSpec; yield, for example, RunSpec(dataset="),
        ("return None", "suite() of own.py returns None; yield one RunSpec for each run"),
        (
            "yield Sampled(dict(n_way=5))",
            "is an EpisodeShape, such as EpisodeShape(n_way=5, k_shot=1, n_query=15); got",
        ),
        ("yield RunSpec('Icons', 'pixels', 'Prototype', 5)", "the episodes of a run are Sampled(EpisodeShape("),
    ],
)
def test_a_mistake_in_a_suite_is_one_sentence(body: str, sentence: str) -> None:
    Path("own.py").write_text(f"from fewshot.runs.specs import RunSpec, Sampled\n\ndef suite():\n    {body}\n")
    result = call("bench", "own.py")
    assert result.exit_code == 1
    assert sentence in result.stderr.splitlines()[-1]


def test_a_file_without_a_suite_is_one_sentence() -> None:
    Path("own.py").write_text("")
    assert "own.py holds no suite" in fail("bench", "own.py")


# the smaller commands


def test_features_are_computed_once() -> None:
    first = succeed("features", "--data", "birds", "--backbone", "RawPixels(image_size=4)")
    assert "48 images, 48 of them embedded now in " in first
    again = succeed("features", "--data", "birds", "--backbone", "RawPixels(image_size=4)")
    assert "48 images, 0 of them embedded now" in again


def test_a_split_is_made_shown_and_used() -> None:
    rule = "BySeed(novel=0.5, validation=0.0, seed=3)"
    made = succeed("split", "make", "--data", "birds", "--rule", rule, "--out", "split.json")
    assert made == "split.json: 3 seen, 0 validation, 3 novel classes\n"
    novel = json.loads(Path("split.json").read_text())["novel"]
    assert f"novel: 3 classes\n  {', '.join(novel)}\n" in succeed("split", "show", "--file", "split.json")
    assert "novel: 3 classes, 24 images" in succeed("split", "show", "--data", "birds", "--split", rule)
    succeed("run", "--data", "birds", *QUICK, "--split", "FromFile('split.json')")
    [row] = Results(Path("results/runs.jsonl")).rows()
    assert (row.n_classes, row.n_way) == (3, 3)
    assert "give --data" in misuse("split", "show")


def test_episodes_are_made_shown_checked_drawn_and_run() -> None:
    made = succeed(
        "episodes", "make", "--data", "birds", "--way", "3", "--query", "2", "--episodes", "5", "--out", "e.st"
    )
    assert made.startswith("e.st: 5 episodes, digest ")
    shown = succeed("episodes", "show", "e.st")
    assert "0: 3 ways, support 3, query 6" in shown
    assert f"protocol  Balanced@{version('fewshot')}" in shown
    assert "5 well-formed episodes of birds" in succeed("episodes", "check", "e.st", "--data", "birds")
    succeed("episodes", "plot", "e.st", "--data", "birds", "--episode", "1", "--out", "drawn.png")
    with Image.open("drawn.png") as drawn:
        assert min(drawn.size) > 50
    succeed("run", "--data", "birds", *QUICK, "--list", "e.st")
    [row] = Results(Path("results/runs.jsonl")).rows()
    assert row.n_episodes == 4
    assert "e.st" in row.sampler


def test_a_testbed_of_hard_tasks_is_made_from_features_and_run() -> None:
    said = succeed("features", "--data", "birds", *QUICK[:2], "--similarity", "alike.csv")
    assert said.splitlines()[-1] == "similarity alike.csv"
    assert Path("alike.csv").read_text().splitlines()[0] == "class,class0,class1,class2,class3,class4,class5"
    for difficulty in ("easy", "hard"):
        sampler = f"SimilarityTestbed('alike.csv', '{difficulty}')"
        succeed("run", "--data", "birds", *QUICK[:2], "--episodes", "60", "--way", "2", "--sampler", sampler)
    rows = Results(Path("results/runs.jsonl")).rows()
    assert [row.status for row in rows] == ["ok", "ok"]
    assert len({row.episodes_digest for row in rows}) == 2


def test_a_list_from_disjoint_pools_keeps_its_interval_for_new_images_also_through_csv() -> None:
    write_pictures(Path("many"), [20] * 3)
    shape = ("--way", "3", "--query", "2", "--sampler", "DisjointPools(pools=5)", "--episodes", "20")
    succeed("run", "--data", "many", *QUICK[:2], *shape)
    said = succeed("episodes", "make", "--data", "many", *shape, "--protocol", "mini@1", "--out", "e.st")
    shown = succeed("episodes", "show", "e.st")
    assert "protocol  mini@1" in shown
    assert "sampler   DisjointPools(pools=5, support_from=None, query_from=None) EpisodeShape(n_way=3" in shown
    assert "of AllNovel(), novel classes" in shown
    assert "20 episodes, images named by path" in succeed(
        "episodes", "export", "e.st", "--data", "many", "--out", "e.csv"
    )
    again = succeed("episodes", "import", "e.csv", "--data", "many", "--out", "e2.st")
    assert again.split("digest")[1] == said.split("digest")[1]
    for file in ("e.st", "e2.st"):
        succeed("run", "--data", "many", *QUICK[:2], "--episodes", "20", "--list", file, "--results", f"{file}.jsonl")
    [drawn] = Results(Path("results/runs.jsonl")).rows()
    for file in ("e.st", "e2.st"):
        [row] = Results(Path(f"{file}.jsonl")).rows()
        assert (row.new_images_low, row.new_images_high) == (drawn.new_images_low, drawn.new_images_high)
        assert row.new_images_low is not None
    assert "image '0.png'" in fail("episodes", "import", _other("e.csv"), "--data", "many", "--out", "e3.st")


def _other(file: str) -> str:
    """The file with another name of its first image."""
    header, first, *rest = Path(file).read_text().splitlines()
    task, label, _, *further = first.split(",")
    Path("other.csv").write_text("\n".join([header, ",".join([task, label, "0.png", *further]), *rest]))
    return "other.csv"


def test_episodes_of_other_images_are_refused() -> None:
    write_pictures(Path("others"), [8] * 5)
    succeed("episodes", "make", "--data", "birds", "--query", "2", "--episodes", "2", "--out", "e.st")
    for words in (["episodes", "check", "e.st"], ["episodes", "plot", "e.st"], ["run", "--list", "e.st"]):
        assert "episodes were made for images" in fail(*words, "--data", "others")
    assert "give one of 0 to 1" in fail("episodes", "plot", "e.st", "--data", "birds", "--episode", "9")


def test_report_writes_a_page_or_a_table() -> None:
    assert "no rows in results/ yet" in fail("report")
    assert fail("report", "no.jsonl").startswith("there is no results file no.jsonl; ")
    succeed("run", "--data", "birds", *QUICK)
    assert succeed("report") == "report: results/runs.html, 1 run of results/runs.jsonl\n"
    assert "<html" in Path("results/runs.html").read_text()
    assert "raw pixels 4" in succeed("report", "results/runs.jsonl", "--markdown")
    assert "--check needs --readme" in misuse("report", "--check")


def test_report_brings_a_readme_up_to_date_and_tells_when_it_is_not() -> None:
    Path("own.py").write_text(SUITE.format(shots="1,"))
    succeed("bench", "own.py")
    Path("README.md").write_text("# Own\n\n<!-- results:own -->\n<!-- /results -->\n")
    options = ("results/own.jsonl", "--readme", "README.md")
    assert "the tables of README.md differ from the rows" in fail("report", *options, "--check")
    assert "were updated" in succeed("report", *options)
    assert "raw pixels 4" in Path("README.md").read_text()
    assert "match the rows" in succeed("report", *options, "--check")
    assert fail("report", "--readme", "no.md") == "there is no file no.md"


def test_the_command_in_a_report_makes_the_same_run() -> None:
    succeed("run", "--data", "birds", *QUICK, "--way", "3", "--shot", "2", "--query", "2", "--at-most", "--seed", "5")
    [row] = Results(Path("results/runs.jsonl")).rows()
    succeed(*shlex.split(command(row))[1:], "--results", "again.jsonl")
    assert [again.run_id for again in Results(Path("again.jsonl")).rows()] == [row.run_id]


def test_check_tells_which_laws_hold() -> None:
    assert succeed("check", "Prototype(metric='cosine')") == "Prototype(metric='cosine'): all rules hold\n"
    assert "Did you mean Prototype?" in fail("check", "Prototyp")
    assert "cannot be imported" in fail("check", "no.such:Thing")


def test_check_finds_a_broken_evaluator_in_the_working_folder() -> None:
    Path("outside_evaluator.py").write_text(OUTSIDE)
    result = call("check", "outside_evaluator:FirstClass")
    assert result.exit_code == 1
    assert "rules are broken" in result.stdout


OUTSIDE = '''
from dataclasses import dataclass
import torch
from fewshot.evaluators import FeatureEvaluator, Head

class Constant(Head):
    def __init__(self, n_way): self.n_way = n_way
    def __call__(self, query):
        return torch.eye(self.n_way, dtype=query.dtype)[0].expand(*query.shape[:2], -1).clone()

@dataclass(frozen=True)
class FirstClass(FeatureEvaluator):
    """Always the first class."""
    @classmethod
    def examples(cls): return [cls()]
    def fit(self, batch): return Constant(batch.n_way)
'''


@pytest.fixture
def vectors() -> None:
    """Vectors of six classes in features.npz."""
    rng, labels = np.random.default_rng(0), np.repeat(np.arange(6), 8)
    values = rng.normal(size=(6, 5))[labels] + rng.normal(size=(48, 5)) / 4
    np.savez("features.npz", features=values.astype(np.float32), labels=labels)


def test_a_file_of_vectors_needs_no_backbone(vectors: None) -> None:
    shown = succeed("run", "--data", "features.npz", "--evaluator", "LinearProbe", "--shot", "1", "--shot", "5")
    table = shown[shown.index("\n\n") :].lstrip()
    assert "given, L2 + LinearProbe" in " ".join(table.split())
    assert [line.split()[:2] for line in table.splitlines() if "shot" in line] == [["1", "shot"], ["5", "shots"]]
    assert "rows: results/runs.jsonl" in shown
    assert succeed("run", "--data", "features.npz", "--shot", "1", "--shot", "5").endswith(table)
    rows = Results(Path("results/runs.jsonl")).rows()
    assert [(row.dim, row.n_embedded, row.accuracy > 0.9) for row in rows] == [(5, 0, True)] * 2
    assert not Path("home/features").exists()
    again = shlex.split(command(rows[0]))[1:]
    assert "features" in succeed(*again)
    assert len(Results(Path("results/runs.jsonl")).rows()) == 2


def test_a_dry_run_of_vectors_embeds_nothing_and_says_what_cannot_run(vectors: None) -> None:
    asked = ("run", "--data", "features.npz", "--episodes", "10", "--dry-run")
    assert "0 images to embed, 10 episodes to solve" in succeed(*asked)
    for option, value in (("--backbone", "pixels"), ("--evaluator", "FineTune")):
        result = call(*asked, option, value)
        assert result.exit_code == 1
        assert "cannot run" in result.output
        assert "features holds vectors" in result.output


def test_other_commands_take_vectors_as_they_are(vectors: None) -> None:
    assert "none: runs read the vectors from their own file" in succeed("features", "--data", "features.npz")
    assert "0 images to embed" in succeed("features", "--data", "features.npz", "--dry-run")
    assert "3 novel" in succeed("split", "make", "--data", "features.npz", "--rule", "BySeed(0.5)", "--out", "s.json")
    succeed("episodes", "make", "--data", "features.npz", "--episodes", "3", "--out", "e.safetensors")
    assert "3 well-formed" in succeed("episodes", "check", "e.safetensors", "--data", "features.npz")
    result = call("episodes", "plot", "e.safetensors", "--data", "features.npz")
    assert result.exit_code == 1
    assert result.output.strip().endswith("features holds vectors, no pictures")
    succeed("run", "--data", "features.npz", "--list", "e.safetensors", "--backbone", "Given('CLIP')")
    succeed("report", "results/runs.jsonl")
    assert "No episode is shown: features holds vectors, no pictures." in Path("results/runs.html").read_text()
    assert "VectorSet(path)" in succeed("list", "datasets")


@pytest.mark.parametrize("text", ["x" * 200_000, "many words " * 20_000, "x " * 3000, "word" * 1200 + " end"])
def test_no_sentence_is_longer_than_people_read(text: str) -> None:
    whole = f"the value {text} is wrong; write another"
    shown = sentence(ValueError(whole))
    assert len(shown) < 6100
    assert shown.startswith("the value ")
    assert shown.endswith(" is wrong; write another")
    if len(whole) <= 6000:
        assert shown == whole
    elif "x" * 5001 not in text:
        left_out = int(shown.partition("[... ")[2].partition(" characters left out ...]")[0].replace(",", ""))
        assert len(whole) - left_out == len(shown) - len(f" [... {left_out:,} characters left out ...] ")


def test_a_path_of_the_longest_length_stays_whole() -> None:
    path = "/" + "a" * 4095
    assert sentence(OSError(2, "No such file", path)) == f"No such file: {path}"
