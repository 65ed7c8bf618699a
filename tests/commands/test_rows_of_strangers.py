"""Rows from anybody: reading them reads nothing else, hangs on nothing, and writes nothing unescaped."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fewshot.results.files import Results
from fewshot.results.made_here import remember_run
from fewshot.results.predictions import episode_accuracy
from fewshot.results.row import Row, known_columns
from tests.support.checkout import ROOT
from tests.support.command_line import call, fail, succeed
from tests.support.pictures import write_pictures
from tests.support.report_rows import EVIL, invented_images, invented_predictions, row

NAMED = {
    "ImageFolderSet(root={path!r})",
    "VectorSet(path={path!r})",
    "Manifest(path={path!r})",
    "TorchvisionSet(name='MNIST', root={path!r}, download=True)",
    "Partitioned(images=ImageFolderSet(root={path!r}))",
}
# Fails where a path of the row is opened, or a connection is made.
WATCH = """
import sys
def watch(event, arguments):
    text = repr(arguments)
    if event.startswith("socket.connect") or event == "socket.getaddrinfo":
        raise SystemExit(f"network: {text}")
    if event in ("open", "os.scandir", "os.listdir") and sys.argv[1] in text:
        raise SystemExit(f"opened: {text}")
sys.addaudithook(watch)
from fewshot.cli import main
main(sys.argv[2:])
"""


def answered(folder: Path, **columns: Any) -> tuple[Results, list[Row]]:
    """Two rows with predictions, as somebody may send them."""
    images, results, rows = invented_images((EVIL, "gull", "tern", "skua", "auk")), Results(folder / "rows.jsonl"), []
    for evaluator, wrong in (("Prototype(metric='euclidean')", 0.2), ("LinearProbe(C=1.0, max_iter=100)", 0.4)):
        predictions = invented_predictions(images, n=12, wrong=wrong)
        accuracy = float(episode_accuracy(predictions).mean())
        rows.append(row(accuracy, evaluator=evaluator, n_episodes=12, **columns))
        results.append(rows[-1])
        results.parts(rows[-1].run_id).write(predictions, {})
    return results, rows


@pytest.mark.parametrize("command", [["report"], ["report", "--markdown"], ["compare"]], ids=" ".join)
@pytest.mark.parametrize("what", ["pipe", "device", "folder", "file", "absent"])
def test_what_rows_name_is_never_opened(tmp_path: Path, command: list[str], what: str) -> None:
    secret = tmp_path / "secret"
    if what == "pipe":
        os.mkfifo(secret)
    elif what == "device":
        secret.symlink_to("/dev/zero")
    elif what == "folder":
        write_pictures(secret, [4, 4])
    elif what == "file":
        secret.write_text("private")
    texts = [named.format(path=str(secret)) for named in sorted(NAMED)]
    for number, text in enumerate(texts):
        answered(tmp_path / "sent", dataset=text, split=f"FromFile(path={str(secret)!r})", n_query=number + 1)
    answered(tmp_path / "sent", backbone=f"Checkpoint(path={str(secret)!r}, model='resnet18')", n_query=9)
    answered(tmp_path / "sent", sampler=f"Listed({str(secret)!r})", n_query=10)
    options = ["--out", tmp_path / "out.html"] if command == ["report"] else []
    words = [*command, tmp_path / "sent" / "rows.jsonl", *options]
    environment = os.environ | {"FEWSHOT_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", WATCH, str(secret), *map(str, words)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    if command == ["report"]:
        text = (tmp_path / "out.html").read_text(encoding="utf-8")
        assert "was not made on this machine" in text
        assert "data:image/" not in text


def test_pictures_come_from_the_data_that_the_user_names(tmp_path: Path) -> None:
    write_pictures(tmp_path / "birds", [8] * 6)
    write_pictures(tmp_path / "others", [7] * 6)
    rows, out = tmp_path / "rows.jsonl", tmp_path / "out.html"
    run = ["run", "--data", tmp_path / "birds", "--backbone", "pixels", "--evaluator", "Prototype", "--query", "4"]
    succeed(*run, "--episodes", "12", "--results", rows)
    succeed("report", rows, "--out", out)
    assert "data:image/" in out.read_text()  # made here
    (tmp_path / "fewshot_home" / "runs_made_here").unlink()
    sent = tmp_path / "sent"
    sent.mkdir()
    (sent / "rows.jsonl").write_bytes(rows.read_bytes())
    rows.with_suffix(".predictions").rename(sent / "rows.predictions")
    environment = os.environ | {"FEWSHOT_HOME": str(tmp_path / "fewshot_home")}
    for options, shown, words in (
        ([], False, "was not made on this machine"),
        (["--data", tmp_path / "others"], False, "was made with other images than those of --data (others)"),
        (["--data", tmp_path / "others", "--data", tmp_path / "birds"], True, "It is the first episode"),
    ):
        command = [sys.executable, "-m", "fewshot", "report", sent / "rows.jsonl", "--out", out, *options]
        subprocess.run([str(part) for part in command], env=environment, check=True, cwd=ROOT, capture_output=True)
        assert ("data:image/" in out.read_text(), words in out.read_text()) == (shown, True)


def test_a_row_cannot_claim_to_be_made_here(tmp_path: Path) -> None:
    """It would have to name the run, the data set and the images of a run of this machine, all three."""
    results, (first, _) = answered(tmp_path, dataset="ImageFolderSet(root='/private')")
    remember_run(first.run_id, "ImageFolderSet(root='/mine')", first.images_digest)
    remember_run(first.run_id, first.dataset, "another digest")
    remember_run("another run", first.dataset, first.images_digest)
    succeed("report", results.path, "--out", tmp_path / "out.html")
    assert "was not made on this machine" in (tmp_path / "out.html").read_text()


def test_groups_of_classes_come_from_the_data_that_the_user_names(tmp_path: Path) -> None:
    results, _ = answered(tmp_path, dataset="ImageFolderSet(root='/private')")
    assert "was not made on this machine" in fail("compare", results.path, "--unit", "superclass")


def test_names_are_escaped_for_where_they_go(tmp_path: Path) -> None:
    ansi, surrogate = "\x1b]0;owned\x07\x1b[2J", "\ud800"
    bad = f"{EVIL} | [link](http://x) `code` {ansi}{surrogate}\n# heading"
    results, _ = answered(tmp_path, dataset=f"Set(name={bad!r})", backbone=f"Net(name={bad!r})", protocol=bad)
    second, _ = answered(tmp_path / "two", dataset=f"Two(name={bad!r})", backbone=f"Net(name={bad!r})")
    for one in second.rows():
        results.append(one)
        results.parts(one.run_id).write(next(second.predictions(one)), {})
    succeed("compare", results.path, "--out", tmp_path / "claims.md")
    succeed("report", results.path, "--out", tmp_path / "out.html")
    pasted, page = (tmp_path / "claims.md").read_text(), (tmp_path / "out.html").read_text()
    shown = [succeed("compare", results.path), succeed("report", results.path, "--markdown")]
    for text in (pasted, page, shown[1]):
        assert "<script>alert" not in text
        assert "<img src=x" not in text
    for text in (pasted, shown[1]):
        assert "[link](" not in text.replace("\\[", "").replace("\\]", "")
        assert not any(line.startswith("# heading") for line in text.splitlines())
        assert " | [link" not in text
    for text in shown:
        assert "\x1b" not in text
        assert "\x07" not in text


NASTY = {
    "60 digits": int("9" * 60),
    "a float of 60 digits": 1e59,
    "infinite": "1e999",
    "NaN": "NaN",
    "nested": {"a": [[1]]},
    "a list": [[]],
    "negative": -1,
    "a lone surrogate": "\ud800x",
    "huge": "A" * 300_000,
    "deep": "Prototype(" + "(" * 50_000,
    "markup": EVIL,
    "null": None,
    "true": True,
}


@pytest.mark.parametrize("what", NASTY)
def test_a_nasty_value_in_any_column_is_a_skipped_line_or_a_page(tmp_path: Path, what: str) -> None:
    """All columns in one file: of each line the page shows the row, or counts it as skipped."""
    good, value = json.loads(row(0.7).to_json()), NASTY[what]
    lines = [json.dumps(good)]
    for number, name in enumerate(known_columns()):
        line = json.dumps({**good, "run_id": f"r{number}", "seed": number, name: "@@"})
        lines.append(line.replace('"@@"', value if what in ("infinite", "NaN") else json.dumps(value)))
    (tmp_path / "rows.jsonl").write_text("\n".join(lines))
    result = call("report", tmp_path / "rows.jsonl", "--out", tmp_path / "out.html")
    assert result.exit_code == 0, result.output
    assert len(result.stderr.splitlines()) <= 2
    assert "<script>alert" not in (tmp_path / "out.html").read_text()
    (tmp_path / "alone.jsonl").write_text('{"run_id": "a", "n_episodes": ' + "9" * 60 + "}")
    for command in (["report"], ["compare"]):
        error = fail(*command, tmp_path / "alone.jsonl")
        assert "holds no rows of fewshot: it is JSON objects that are not rows" in error
        assert "(line 1: column n_episodes should be between" in error


@pytest.mark.parametrize("run_id", ["../../up", "/etc", "..", ".", "", "a/b", "a\0b", "x" * 300])
def test_a_run_id_names_no_other_place(tmp_path: Path, run_id: str) -> None:
    (tmp_path / "rows.jsonl").write_text(json.dumps({**json.loads(row().to_json()), "run_id": run_id}))
    assert "(line 1: a run id must be the name of a folder" in fail("report", tmp_path / "rows.jsonl")
    with pytest.raises(ValueError, match="a run id must be the name of a folder"):
        Results(tmp_path / "rows.jsonl").parts(run_id)


FOREIGN = {
    "model,shots,acc\nresnet,1,60\n": "a CSV table with the columns model, shots, acc",
    "a\tb\n1\t2\n": "a TSV table with the columns a, b",
    '[{"run_id": "a"}]': "a JSON list",
    '{\n "rows": []\n}': "one JSON object over several lines",
    '{"acc": 1}\n{"acc": 2}\n': "JSON objects that are not rows of fewshot, with acc",
    "<html></html>": "HTML or XML",
    "hello": "text that begins with 'hello'",
    "": "empty",
    "\x89PNG": "a PNG picture",
    "caf\xe9 or not": "not UTF-8 text",
}


@pytest.mark.parametrize("content", FOREIGN)
@pytest.mark.parametrize("command", ["report", "compare"])
def test_a_foreign_file_is_named_for_what_it_is(tmp_path: Path, content: str, command: str) -> None:
    path = tmp_path / "file.jsonl"
    path.write_bytes(content.encode("latin-1"))
    error = fail(command, path)
    assert FOREIGN[content] in error
    assert "give a .jsonl file of `fewshot run`" in error


def test_a_run_with_two_accuracies_is_reported_and_the_last_line_counts(tmp_path: Path) -> None:
    results, (first, second) = answered(tmp_path)
    assert first.accuracy is not None
    results.append(dataclasses.replace(first, accuracy=first.accuracy - 0.1))
    results.append(first)
    sentence = f"the run {first.run_id} has two accuracies for the same 12 episodes: "
    numbers = f"{first.accuracy - 0.1:.6g} in line 3, {first.accuracy:.6g} in line 4; fewshot uses the last line"
    assert sentence + numbers in call("compare", results.path).stderr
    succeed("report", results.path)
    assert sentence[1:] + numbers in results.path.with_suffix(".html").read_text()
    results.append(dataclasses.replace(second, accuracy=0.1))
    told = call("compare", results.path)
    assert told.exit_code == 1
    assert "(1 more run has two accuracies)" in told.stderr
    assert f"are not those of the row of the run {second.run_id}" in told.stderr
