"""The command of a run is the one that a user typed: short, and it makes the same run again."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from fewshot.report.rows.origins import command
from fewshot.report.rows.typed import quoted
from fewshot.results.files import Results
from tests.support.command_line import succeed
from tests.support.report_rows import row

TYPED = [
    "--shot 1 --episodes 3",
    "--shot 2 --way 3 --query 2 --episodes 3 --seed 4 --evaluator 'LinearProbe(C=1.0)'",
    "--shot all --way all --query 1 --episodes 2 --transform Identity",
    "--shot 1 --episodes 2 --evaluator \"NearestNeighbour(metric='euclidean')\" --dtype bfloat16",
    "--shot 9 --at-most --query 2 --episodes 2",
    "--shot 1 --episodes 2 --split 'BySeed(seed=1)' --classes all",
    "--shot 1 --episodes 2 --sampler 'DirichletQuery(alpha=2.0, support_reserve=2)' --query 2",
    "--shot 2 --episodes 2 --select oracle --grid C=0.1,1.0 --select-episodes 2 --query 2",
    "--shot 2 --episodes 2 --select support --grid C=0.1,1.0 --query 2",
]


@pytest.mark.usefixtures("working_folder")
@pytest.mark.parametrize("options", TYPED)
def test_the_command_of_a_row_makes_its_run_again(options: str) -> None:
    head = [] if "--evaluator" in options else ["--evaluator", "LinearProbe"]
    given = ["run", "--data", "birds", "--backbone", "RawPixels(image_size=4)", *shlex.split(options), *head]
    succeed(*given, "--results", "rows.jsonl")
    [made] = Results(Path("rows.jsonl")).rows()
    words = shlex.split(command(made))
    assert words[:2] == ["fewshot", "run"]
    succeed(*words[1:], "--results", "again.jsonl")
    [again] = Results(Path("again.jsonl")).rows()
    assert (again.run_id, again.n_episodes) == (made.run_id, made.n_episodes)
    assert words.count("birds") == 1


def test_the_command_of_a_suite_is_that_suite() -> None:
    assert command(row()) == "fewshot bench quick"


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"dataset": "ImageFolderSet(root='signs')"}, "--data signs "),
        ({"dataset": "ImageFolderSet(root='my signs')"}, "--data 'my signs' "),
        ({"dataset": "ImageFolderSet(root='Icons')"}, "--data \"ImageFolderSet(root='Icons')\" "),
        ({"dataset": "Icons(domain='colour')"}, "--data \"Icons(domain='colour')\" "),
        ({"dataset": "Gone(a=1)"}, "--data 'Gone(a=1)' "),
        ({"backbone": "RawPixels(image_size=32)"}, "--backbone pixels "),
        ({"backbone": "Timm(name='resnet18', image_size=None, pool=None)"}, "--backbone resnet18 "),
        ({"backbone": "Timm(name='a\"$b', image_size=None, pool=None)"}, "--backbone 'Timm("),
        ({"sampler": "Listed('a b.safetensors')"}, "--list 'a b.safetensors'"),
    ],
)
def test_names_are_as_short_as_typed(columns: dict[str, str], text: str) -> None:
    assert text in command(row(protocol="", **columns))


@pytest.mark.parametrize("word", ["a b", "it's", 'say "it\'s"', "$HOME", "`x`", "a'b$c", "", "!x'"])
def test_quoted_words_are_read_back_by_a_shell(word: str) -> None:
    assert shlex.split(quoted(word)) == [word]
