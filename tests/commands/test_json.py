"""--json on every command: one JSON value on stdout and nothing else; --dry-run: what would be computed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from fewshot.cli import main
from fewshot.commands import _rates
from tests.support.command_line import QUICK, SUITE, call, modules_after, succeed

pytestmark = pytest.mark.usefixtures("working_folder")

PIXELS = "RawPixels(image_size=4)"
PLAN = {"runs", "trainings", "embeddings", "n_images", "n_passes", "n_episodes", "seconds"}
SPLIT = ("split", "make", "--data", "birds", "--rule", "BySeed", "--out", "split.json")
LISTED = {"n_episodes", "digest", "protocol", "dataset", "images_digest", "sampler", "seed", "n_pools", "class_names"}
EXPORT = ("episodes", "export", "e.st", "--data", "birds", "--out", "e.csv")
EPISODES = ("episodes", "make", "--data", "birds", "--query", "2", "--episodes", "3", "--out", "e.st")


def strict(text: str) -> Any:
    """The value of a JSON text without NaN and the like."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)


def answer(*args: str) -> Any:
    return strict(succeed(*args, "--json"))


def leaves(group: click.Group, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, with the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from leaves(command, *path, name)
        else:
            yield (*path, name), command


def test_every_command_has_json() -> None:
    options = {" ".join(words): {o for p in command.params for o in p.opts} for words, command in leaves(main)}
    without = [name for name, names in options.items() if "--json" not in names]
    assert without == []


@pytest.mark.parametrize(
    ("words", "before", "keys"),
    [
        (("run", "--data", "birds", *QUICK), (), {"rows", "results", "n_waiting"}),
        (("run", "--data", "birds", *QUICK, "--shard", "1/2"), (), {"rows", "results", "n_waiting"}),
        (
            ("run", "--data", "birds", *QUICK, "--dry-run"),
            (),
            PLAN,
        ),
        (("bench", "own.py"), (), {"rows", "results", "report"}),
        (("bench", "own.py", "--dry-run"), (), PLAN),
        (
            ("list",),
            (),
            {"datasets", "splits", "samplers", "backbones", "recipes", "transforms", "evaluators", "measures"}
            | {"laws", "presets", "suites", "benchmarks", "published"},
        ),
        (("report",), ("run", "--data", "birds", *QUICK), {"report", "n_runs", "results"}),
        (("report", "--markdown"), ("run", "--data", "birds", *QUICK), {"markdown", "n_runs"}),
        (("check", "Prototype(metric='cosine')"), (), {"Prototype(metric='cosine')"}),
        (
            ("features", "--data", "birds", "--backbone", PIXELS),
            (),
            {"backbone", "key", "folder", "n_images", "dim", "n_embedded", "seconds", "use"},
        ),
        (SPLIT, (), {"file", "written", "seen", "validation", "novel"}),
        (("split", "show", "--file", "split.json"), SPLIT, {"seen", "validation", "novel"}),
        (EPISODES, (), {"file", "written"} | LISTED),
        (("episodes", "show", "e.st"), EPISODES, {"file", "episodes"} | LISTED),
        (EXPORT, EPISODES, {"file", "written", "n_episodes", "n_lines", "images_by"}),
        (("episodes", "check", "e.st", "--data", "birds"), EPISODES, {"file", "n_episodes", "dataset"}),
        (("episodes", "plot", "e.st", "--data", "birds"), EPISODES, {"picture", "written", "file", "episode"}),
    ],
    ids=lambda words: " ".join(words[:2]) if isinstance(words, tuple) else None,
)
def test_stdout_is_one_json_value(words: tuple[str, ...], before: tuple[str, ...], keys: set[str]) -> None:
    Path("own.py").write_text(SUITE.format(shots="1, 2"))
    if before:
        succeed(*before)
    assert set(answer(*words)) == keys


def test_rows_are_the_rows_of_the_file() -> None:
    shown = answer("run", "--data", "birds", *QUICK, "--shot", "1", "--shot", "2")
    lines = [json.loads(line) for line in Path("results/runs.jsonl").read_text().splitlines()]
    assert shown == {"rows": lines, "results": "results/runs.jsonl", "n_waiting": 0}


def test_a_failed_run_is_a_row_with_its_error_and_exit_code_1() -> None:
    Path("damaged.safetensors").write_bytes(b"no weights")
    damaged = "Checkpoint(name='resnet10t', path='damaged.safetensors')"
    result = call("run", "--data", "birds", "--backbone", damaged, "--json")
    assert result.exit_code == 1
    [row] = strict(result.stdout)["rows"]
    assert row["status"] == "failed"
    assert "damaged.safetensors" in row["error"]
    assert "Error: " in result.stderr


def test_a_mistake_leaves_stdout_empty() -> None:
    result = call("run", "--data", "Icns", "--json")
    assert (result.exit_code, result.stdout) == (1, "")


def test_json_needs_no_torch_where_the_text_needs_none() -> None:
    assert not modules_after("list", "--json") & {"numpy", "torch", "timm"}


# dry runs

ONLY_READ = {
    "list",
    "doctor",
    "distance",
    "compare",
    "split show",
    "episodes show",
    "episodes check",
    "seen",
    "reproduce",
    "verify",
}
ONLY_READ |= {"results list", "results show"}
ONLY_READ |= {"scaling fit", "scaling transfer", "scaling budget"}  # they print
ONLY_READ |= {f"study {name}" for name in ("adaptation", "classes", "effective_data", "gains", "shots", "sources")}


def test_every_command_that_computes_or_writes_has_a_dry_run() -> None:
    options = {" ".join(words): {o for p in command.params for o in p.opts} for words, command in leaves(main)}
    assert {name for name, names in options.items() if "--dry-run" not in names} == ONLY_READ


RUN = ("run", "--data", "birds", *QUICK)


@pytest.mark.parametrize(
    ("words", "before", "said"),
    [
        (SPLIT, (), "split.json: 3 seen, 1 validation, 2 novel classes; the dry run writes nothing"),
        (EPISODES, (), "e.st: 3 episodes, digest "),
        (
            ("episodes", "plot", "e.st", "--data", "birds"),
            EPISODES,
            "episode.png: episode 0 of e.st; the dry run writes nothing",
        ),
        (EXPORT, EPISODES, "e.csv: 3 episodes, images named by path; the dry run writes nothing"),
        (("check", "Prototype"), (), "would check: Prototype("),
        (("report", "results/runs.jsonl"), RUN, "results/runs.html would be written: 1 run of results/runs.jsonl"),
        (("report", "results/runs.jsonl", "--markdown"), RUN, "tables would be printed: 1 run of "),
        (RUN, (), "0 already cached"),
        (("features", "--data", "birds", "--backbone", PIXELS), (), "48 images to embed"),
    ],
    ids=lambda words: " ".join(words[:2]) if isinstance(words, tuple) else None,
)
def test_a_dry_run_says_what_would_be_and_leaves_every_file(
    words: tuple[str, ...], before: tuple[str, ...], said: str
) -> None:
    if before:
        succeed(*before)
    old = written()
    shown = succeed(*words, "--dry-run")
    assert written() == old
    assert said in shown


def written() -> dict[Path, bytes]:
    """Every file of the working folder, caches left out."""
    files = (path for path in Path().rglob("*") if path.is_file() and path.parts[0] not in ("home", "fewshot_home"))
    return {path: path.read_bytes() for path in files}


def test_a_dry_run_of_a_readme_says_whether_its_tables_are_those_of_the_rows() -> None:
    old = "# Title\n<!-- results:own -->\n<!-- /results -->\n"
    Path("README.md").write_text(old)
    Path("own.py").write_text(SUITE.format(shots="1,"))
    succeed("bench", "own.py")
    words = ("report", "results/own.jsonl", "--readme", "README.md")
    assert succeed(*words, "--dry-run") == "README.md: the tables would be updated\n"
    assert Path("README.md").read_text() == old
    assert "were updated" in succeed(*words)
    assert "match the rows" in succeed(*words, "--dry-run")


def test_a_dry_run_of_run_counts_what_is_missing_and_writes_nothing() -> None:
    words = ("run", "--data", "birds", *QUICK, "--shot", "1", "--shot", "2", "--dry-run")
    planned = answer(*words)
    assert [run["state"] for run in planned["runs"]] == ["to do", "to do"]
    assert planned["n_episodes"] == 8
    assert 0 < planned["n_images"] <= 48
    assert planned["seconds"] is None
    assert not Path("results").exists()
    assert not Path("home/features").exists()
    succeed(*words[:-1])
    assert [run["state"] for run in answer(*words)["runs"]] == ["done", "done"]
    assert answer(*words)["seconds"] == 0


def test_a_dry_run_leaves_out_cached_images_and_counts_only_missing_episodes() -> None:
    succeed("features", "--data", "birds", "--backbone", PIXELS)
    planned = answer("run", "--data", "birds", *QUICK, "--dry-run")
    [embedding] = planned["embeddings"]
    assert embedding["n_missing"] == planned["n_images"] == 0
    assert embedding["n_needed"] > 0
    succeed("run", "--data", "birds", *QUICK)
    more = answer("run", "--data", "birds", "--backbone", PIXELS, "--episodes", "10", "--dry-run")
    assert more["n_episodes"] == 6
    assert more["seconds"] >= 0  # the first four were measured


def test_a_dry_run_of_features_says_how_many_images() -> None:
    words = ("features", "--data", "birds", "--backbone", PIXELS, "--dry-run")
    assert "48 images to embed, 0 already cached; no time estimate" in succeed(*words)
    assert answer(*words)["n_missing"] == 48
    succeed(*words[:-1])
    assert "0 images to embed, 48 already cached; about 0 s" in succeed(*words)


def test_a_dry_run_uses_the_rate_that_was_measured() -> None:
    key = _rates.embedding_key(PIXELS, "float32", "cpu")
    _rates.remember({key: 0.25})
    planned = answer("features", "--data", "birds", "--backbone", PIXELS, "--dry-run")
    assert planned["seconds"] == 12.0
    shown = succeed("features", "--data", "birds", "--backbone", PIXELS, "--dry-run")
    assert shown.endswith("about 12 s\n")


def test_a_dry_run_names_missing_weights_and_downloads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("it asked a hub")

    monkeypatch.setattr("timm.models._hub.hf_hub_download", never)
    result = call("run", "--data", "birds", "--backbone", "resnet10t", "--dry-run")
    assert result.exit_code == 0
    assert "; needs a download: the weights of timm's 'resnet10t'" in result.stdout
    result = call("run", "--data", "birds", "--backbone", "Checkpoint('resnet10t', 'no.pth')", "--dry-run")
    assert result.exit_code == 1


def test_a_dry_run_of_an_impossible_backbone_says_so() -> None:
    result = call("run", "--data", "birds", "--backbone", "RawPixels(image_size=0)", "--dry-run")
    assert result.exit_code == 1
    assert "cannot load: The 'image_size' parameter of RawPixels must be an integer of at least 1" in result.stdout


def test_damaged_rates_are_no_rates() -> None:
    Path("home").mkdir()
    Path("home/rates.json").write_text("[1, 2")
    assert _rates.rates() == {}
    _rates.remember({"embed a": 0.12345})
    assert _rates.rates() == {"embed a": 0.123}
