"""Errors name what the user can type: options on the command line, fields inside a spec."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest

from fewshot.cli import main
from fewshot.commands._option_words import OPTION_OF_FIELD, called, in_options
from tests.support.command_line import QUICK, call

pytestmark = pytest.mark.usefixtures("working_folder")

RUN = ("run", "--data", "birds", *QUICK, "--evaluator", "Prototype")
MAKE = ("episodes", "make", "--data", "birds", "--out", "list.safetensors")
BAD_SHAPES = (
    *(("--way", number) for number in ("1", "-1", "0", "2.5", "nan", "99", "99999999999", "9" * 30)),
    *(("--shot", number) for number in ("-1", "1.5", "99", "99999999999", "9" * 30, "9,99")),
    *(("--query", number) for number in ("-1", "0", "99", "99999999999", "9" * 30)),
    ("--shot", "all", "--query", "all"),
    ("--shot", "40", "--at-most", "--query", "40"),
    *(("--seed", number) for number in ("-1", str(2**64), "1.5")),
    ("--sampler", "DisjointPools()", "--shot", "9"),
    ("--sampler", "Imbalanced()", "--shot", "40"),
    ("--sampler", "Imbalanced()", "--query", "all"),
    ("--sampler", "DirichletQuery()", "--query", "all"),
    ("--sampler", "DirichletQuery(support_reserve=1)", "--shot", "5"),
    ("--sampler", "DirichletQuery()", "--query", "90"),
    ("--sampler", "VariableWayShot()", "--way", "99"),
    ("--sampler", "VariableWayShot()", "--shot", "40"),
    ("--sampler", "Hierarchical(group='x')"),
    ("--sampler", "Balanced(apart='stem')", "--shot", "9"),
    ("--sampler", "Balanced(apart='x')"),
)
OTHERS = (
    *((*RUN, "--episodes", number) for number in ("0", "-1", "1.5", "1000000000000", "1" + "0" * 30)),
    *((*RUN, "--shard", text) for text in ("0/1", "2/1", "1", "a/b")),
    (*RUN, "--budget-mb", "0"),
    (*RUN, "--select", "oracle", "--grid", "C=1", "--select-episodes", "0"),
    (*MAKE, "--episodes", "1000000000000"),
    ("pretrain", "--data", "birds", "--images", "0"),
    ("pretrain", "--data", "birds", "--images", "99999", "--dry-run"),
    ("pretrain", "--data", "birds", "--seed", "-1"),
    ("distance", "--source", "birds", "--target", "birds", "--images", "3"),
    *(("duplicates", "--data", "birds", "--least", number) for number in ("0", "2", "-1", "nan", "x")),
    ("duplicates", "--data", "birds", "--most", "0"),
    ("look", "--data", "birds", "--most-classes", "0"),
    ("look", "--data", "birds", "--per-class", "99"),
    *(("compare", "rows.jsonl", "--delta", number) for number in ("0", "101", "nan", "inf")),
    ("scaling", "budget", "rows.jsonl", "--target", "nan"),
    ("scaling", "fit", "rows.jsonl", "--x", "n", "--y", "error", "--draws", "-1"),
    ("bench", "smoke", "--episodes", "0"),
)


@pytest.mark.parametrize(
    "args", [*((*command, *bad) for command in (RUN, MAKE) for bad in BAD_SHAPES), *OTHERS], ids=" ".join
)
def test_no_error_names_a_field_that_is_an_option(args: tuple[str, ...]) -> None:
    result = call(*args)
    options = {name for each in called(main, args).params for name in each.opts}
    fields = {field for field, option in OPTION_OF_FIELD.items() if option in options}
    assert result.exit_code in (1, 2), result.output
    [line] = [text for text in result.stderr.splitlines() if text.startswith("Error: ")]
    assert not fields & set(re.findall(r"\w+", line)), line


def test_every_command_with_an_option_of_a_field_has_its_words() -> None:
    def commands(command: click.Command) -> Iterator[click.Command]:
        if isinstance(command, click.Group):
            for name in command.list_commands(click.Context(command)):
                inner = command.get_command(click.Context(command), name)
                assert inner is not None
                yield from commands(inner)
        else:
            yield command

    options = {name for command in commands(main) for each in command.params for name in each.opts}
    assert set(OPTION_OF_FIELD.values()) <= options


def test_what_a_user_wrote_stays_as_it_is() -> None:
    run = called(main, ["run", "--data", "birds"])
    for text in (
        "the column 'k_shot' is empty",
        "there is no file data/k_shot/a.png",
        "n_way.csv: line 3 is empty",
        "Sampled(EpisodeShape(n_way=5, k_shot=1))",
        "Imbalanced has no field 'x'; its fields are: alpha, support_from, query_from",
    ):
        assert in_options(text, run) == text
    assert in_options("lower k_shot or n_query.", run) == "lower --shot or --query."
    assert in_options("lower k_shot or n_query.", called(main, ["bench", "smoke"])) == "lower k_shot or n_query."


def test_a_dry_run_and_a_failed_run_say_the_same() -> None:
    dry, wet = (call(*RUN, "--way", "3", "--query", "2", "--shot", "99", *more) for more in (("--dry-run",), ()))
    assert "--shot + --query = 99 + 2 images a class" in dry.stdout + dry.stderr
    assert "--shot + --query = 99 + 2 images a class" in wet.stderr
