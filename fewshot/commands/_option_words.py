"""Messages in the words of the command line: options that the user can type, in place of the fields that they set.

The rooms below the commands name Python's fields, such as `k_shot`, because they know no command line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import click

OPTION_OF_FIELD = {
    "n_way": "--way",
    "k_shot": "--shot",
    "n_query": "--query",
    "k_shot_at_most": "--at-most",
    "support_from": "--support-from",
    "query_from": "--query-from",
    "n_episodes": "--episodes",
    "n_images": "--images",
    "budget_bytes": "--budget-mb",
}
_LIST = "; its fields are: "  # of a member; what follows can be typed as it stands, inside a spec
_FIELD = re.compile(  # a word alone: no part of a path, a quotation or a spec such as Balanced(query_from=None)
    rf"(?<![\w'\"/.-])({'|'.join(OPTION_OF_FIELD)})(?![\w'\"/(-]|\.\w|=\S)"
)


def called(command: click.Command, args: Sequence[str]) -> click.Command:
    """The command that these arguments call: that of the last group in their beginning."""
    for arg in args:
        if not isinstance(command, click.Group):
            break
        command = command.get_command(click.Context(command), arg) or command
    return command


def in_options(text: str, command: click.Command) -> str:
    """The message, with the options of the command in place of the fields that they set."""
    options = {name for parameter in command.params for name in parameter.opts}

    def option(match: re.Match[str]) -> str:
        name = OPTION_OF_FIELD[match[1]]
        return name if name in options else match[1]

    sentence, mark, fields = text.partition(_LIST)
    return _FIELD.sub(option, sentence) + mark + fields


def in_own_options(text: str) -> str:
    """The message with the options of the running command."""
    context = click.get_current_context(silent=True)
    return text if context is None else in_options(text, context.command)
