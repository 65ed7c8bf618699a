"""URLs of fsspec: shards of images behind one give the rows of a path, also with several processes; whatever fewshot
writes has a path."""

from __future__ import annotations

import json

import pytest

from tests.support.command_line import call, succeed
from tests.support.tar_files import write_shard
from tests.support.work_suites import finish, start

SUITE = """
from fewshot.episodes.shape import EpisodeShape
from fewshot.runs.specs import RunSpec, Sampled

def suite():
    for evaluator in ("Prototype()", "LinearProbe()"):
        sampled = Sampled(EpisodeShape(n_way=2, k_shot=2, n_query=4))
        yield RunSpec({data!r}, "RawPixels(image_size=4)", evaluator, sampled, split="AllNovel()", n_episodes=8)
"""
RUN = ("--backbone", "RawPixels(image_size=4)", "--way", "2", "--shot", "2", "--query", "4", "--episodes", "8")


@pytest.fixture
def shards(tmp_path, monkeypatch):
    """A folder with two shards of webdataset."""
    pytest.importorskip("fsspec", reason="the extra 'hub' is not installed")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "set").mkdir()
    for number in range(2):
        write_shard(tmp_path / "set" / f"{number}.tar", 16)
    return tmp_path / "set"


def numbers(path):
    """What the rows of a file measured, by evaluator."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    names = ("status", "accuracy", "log_loss", "images_digest", "episodes_digest")
    return {row["evaluator"]: [row[name] for name in names] for row in rows}


@pytest.mark.parametrize("scheme", ["file", "memory"])
def test_a_run_on_a_url_has_the_numbers_of_the_path(shards, tmp_path, scheme):
    import fsspec

    url = f"file://{shards}" if scheme == "file" else "memory://set"
    if scheme == "memory":
        for shard in shards.iterdir():
            with fsspec.open(f"{url}/{shard.name}", "wb") as out:
                out.write(shard.read_bytes())
    for name, place in (("path.jsonl", shards), ("url.jsonl", url)):
        succeed("run", "--data", f"{place}/{{0..1}}.tar", *RUN, "--results", name)
    assert numbers(tmp_path / "url.jsonl") == numbers(tmp_path / "path.jsonl")


@pytest.mark.slow
def test_processes_in_any_folder_work_on_a_url(shards, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    for name, place in (("path", shards), ("url", f"file://{shards}")):
        (tmp_path / f"{name}.py").write_text(SUITE.format(data=f"WebDatasetShards(names='{place}/{{0..1}}.tar')"))
        succeed("bench", f"{name}.py", "--plan", name)
        finish(start(tmp_path / "elsewhere", "work", f"../{name}", "--results", f"../{name}.jsonl"))
    assert numbers(tmp_path / "url.jsonl") == numbers(tmp_path / "path.jsonl")
    finish(start(tmp_path, "bench", "url.py", "--results", "jobs.jsonl", "--jobs", "2"))
    assert numbers(tmp_path / "jobs.jsonl") == numbers(tmp_path / "path.jsonl")


@pytest.mark.parametrize(
    "command",
    [
        ("run", "--data", "Digits()", *RUN, "--results", "memory://rows.jsonl"),
        ("bench", "quick", "--results", "s3://bucket/rows.jsonl"),
        ("bench", "quick", "--plan", "gs://bucket/plan"),
        ("work", "memory://plan"),
        ("work", "plan", "--results", "file:///rows.jsonl"),
        ("report", "https://example.org/rows.jsonl"),
    ],
    ids=" ".join,
)
def test_a_url_in_the_place_of_a_path_is_one_sentence(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ended = call(*command)
    assert ended.exit_code == 2, ended.output
    assert "is a URL, and only shards of images can have one; give a path" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_url_as_the_folder_of_caches_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FEWSHOT_HOME", "s3://bucket/fewshot")
    ended = call("run", "--data", "Digits()", *RUN, "--results", "rows.jsonl")
    assert ended.exit_code == 1, ended.output
    assert "s3://bucket/fewshot is a URL" in ended.stderr
    assert "Traceback" not in ended.stderr
