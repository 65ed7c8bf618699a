"""The command line as tests call it: what it prints, its one sentence where it fails, and what it imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
from click.testing import CliRunner, Result

from fewshot.cli import main

QUICK = ("--backbone", "RawPixels(image_size=4)", "--episodes", "4")
SUITE = """
from fewshot.episodes.shape import EpisodeShape
from fewshot.runs.specs import RunSpec, Sampled

def suite():
    for k_shot in ({shots}):
        episodes = Sampled(EpisodeShape(n_way=3, k_shot=k_shot, n_query=2))
        yield RunSpec("ImageFolderSet('birds')", "RawPixels(image_size=4)", "Prototype", episodes,
                      split="AllNovel()", n_episodes=3, protocol="own@1")
"""


def call(*args: str | Path) -> Result:
    """What a command does, whether it succeeds or not."""
    return CliRunner().invoke(main, [str(arg) for arg in args])


def succeed(*args: str | Path) -> str:
    """What a command prints, after it succeeded."""
    result = call(*args)
    assert result.exit_code == 0, result.output
    return result.stdout


def misuse(*args: str | Path) -> str:
    """The one sentence of a command line that cannot be read, such as one with an unknown option."""
    return fail(*args, code=2)


def fail(*args: str | Path, code: int = 1) -> str:
    """The one sentence of a command that failed, or its sentence with an indented line for each thing."""
    result = call(*args)
    lines = result.stderr.splitlines()
    assert result.exit_code == code, result.output
    assert isinstance(result.exception, SystemExit), result.exception
    assert all(line.startswith("  ") for line in lines[1:]), result.stderr
    assert lines[0].startswith("Error: "), result.stderr
    return result.stderr.rstrip("\n").removeprefix("Error: ")


def modules_after(*args: str | Path) -> set[str]:
    """The packages that a command leaves imported, in a process of its own."""
    code = (
        "import sys\nfrom fewshot.cli import main\ntry:\n    main(sys.argv[1:])\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        "print('MODULES', *{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code, *map(str, args)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split()[1:])


def parse(args: list[str]) -> None:
    """Parses a command line as the program would, down to the last subcommand, and runs nothing."""
    command: click.Command = main
    context = click.Context(main)
    while isinstance(command, click.Group):
        found = command.get_command(context, args[0])
        assert found is not None, f"there is no command {args[0]}"
        command, context, args = found, click.Context(found, parent=context), args[1:]
    command.make_context(command.name, list(args), parent=context)
