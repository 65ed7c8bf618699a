"""The command line: every file of `commands/` is a command, imported when it is called.

Neither this file nor the top of a command imports anything heavy, so `--help` is instant and a finished benchmark needs
no torch. Errors that a user can fix print one sentence on stderr; `--debug` prints the traceback. Exit codes: 0 after
success, 1 after an error (ValueError, OSError), 2 after a command line that cannot be read (unknown command or option,
missing or malformed value), 130 after Ctrl-C, 143 after SIGTERM.
"""

from __future__ import annotations

import importlib
import logging
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from fewshot.commands._answers import printable
from fewshot.commands._groups import SuggestingGroup
from fewshot.commands._option_words import called, in_options, in_own_options
from fewshot.commands._termination import EXIT_CODE, Termination
from fewshot.files.waiting import share_processor
from fewshot.plugins import foreign
from fewshot.plugins.wording import ItemisedError

_FOLDER = Path(__file__).parent / "commands"
_LINE_END = re.compile(r"\s*[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]\s*")
_LONGEST_WORD = 5000  # characters: a path may have 4096
_LONGEST_LINE = 6000  # a path and the sentence around it; longer ones quote what strangers wrote
_ORDER = ("run", "bench", "list", "report")  # first in the help; the others follow by name


class CommandFolder(SuggestingGroup):
    """The commands of a folder: `<name>.py` holds `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands, the most used first."""
        names = {path.stem for path in _FOLDER.glob("[a-z]*.py")}
        return [name for name in _ORDER if name in names] + sorted(names.difference(_ORDER))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command with this name, which this imports."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(f"fewshot.commands.{cmd_name}").command
        return command

    def main(  # type: ignore[override]
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> None:
        """Runs a command and exits with its code."""
        given = list(sys.argv[1:] if args is None else args)
        debug = "--debug" in given
        share_processor()
        with _Log(debug), Termination() as termination:
            code = self._run([arg for arg in given if arg != "--debug"], prog_name, debug, extra)
        sys.exit(EXIT_CODE if termination.requested and code == 130 else code)

    def _run(self, args: list[str], prog_name: str | None, debug: bool, extra: dict[str, Any]) -> int:
        try:
            code = super().main(args, prog_name, **extra | {"standalone_mode": False})
        except BrokenPipeError:  # the reader, such as `head`, has closed the pipe
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115
            return 1
        except (click.Abort, KeyboardInterrupt):
            click.echo("Stopped. Finished work is kept; the same command continues from there.", err=True)
            return 130
        except click.exceptions.NoArgsIsHelpError as alone:  # a group without a command
            click.echo(alone.ctx.get_help() if alone.ctx else sentence(alone))
            return 0
        except (click.ClickException, ValueError, OSError) as error:
            if debug:
                raise
            click.echo(printable(f"Error: {in_options(sentence(error), called(self, args))}"), err=True)
            return 2 if isinstance(error, click.UsageError) else 1
        except Exception as error:
            if debug or not foreign.concerns(error, args):  # a fault of fewshot keeps its traceback
                raise
            click.echo(printable(f"Error: {_on_one_line(foreign.sentence(error, args))}"), err=True)
            return 1
        return code if isinstance(code, int) else 0


def sentence(error: Exception) -> str:
    """The message of an error, on one line; that of an itemised one on a line for each thing."""
    if isinstance(error, ItemisedError):
        return "\n  ".join(map(_on_one_line, error.lines))
    if isinstance(error, click.ClickException):
        text = error.format_message()
        if text.startswith("Got unexpected extra argument"):
            text += "; write a value that has spaces, or a list of several, in quotes"
    elif isinstance(error, OSError) and error.strerror and error.filename:
        text = f"{error.strerror}: {error.filename}"
    else:
        text = str(error) or type(error).__name__
    return _on_one_line(text)


def _on_one_line(text: str) -> str:
    """The text without line ends, such as those in names of strangers; spaces inside a line stay, for names that differ
    in them. A text of more than 6,000 characters says how many its middle lacks."""
    words = _LINE_END.sub(" ", text).strip().split(" ")
    line = " ".join(word if len(word) <= _LONGEST_WORD else f"{word[:80]}..." for word in words)
    half = _LONGEST_LINE // 2
    left_out = len(line) - 2 * half
    return f"{line[:half]} [... {left_out:,} characters left out ...] {line[-half:]}" if left_out > 0 else line


class _OneLine(logging.Formatter):
    """Each record of the log on one line; a traceback follows below."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        return _on_one_line(super().formatMessage(record))


class _Log(logging.Handler):
    """Prints the log of the package on stderr while a command runs; with `debug` also the tracebacks of failed runs."""

    def __init__(self, debug: bool) -> None:
        super().__init__(logging.DEBUG if debug else logging.INFO)
        self.setFormatter(_OneLine())
        self._logger = logging.getLogger("fewshot")
        self._before = self._logger.level

    def __enter__(self) -> None:
        self._logger.addHandler(self)
        self._logger.setLevel(self.level)

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)
        self._logger.setLevel(self._before)

    def emit(self, record: logging.LogRecord) -> None:
        """Prints a record; warnings start with "Warning: "."""
        prefix = f"{record.levelname.capitalize()}: " if record.levelno >= logging.WARNING else ""
        click.echo(printable(prefix + in_own_options(self.format(record))), err=True)


_SETTINGS = {"help_option_names": ["-h", "--help"], "show_default": True}


@click.group("fewshot", cls=CommandFolder, context_settings=_SETTINGS)
@click.option("--debug", is_flag=True, help="Print the traceback of an error; the option may stand anywhere.")
@click.version_option(package_name="fewshot", message="%(prog)s %(version)s")
def main(debug: bool) -> None:
    """Few-shot image classification: compare backbones and evaluators on the same episodes."""
    if os.getcwd() not in sys.path and "" not in sys.path:
        sys.path.append("")  # so that package.module:Class may lie in the working folder
