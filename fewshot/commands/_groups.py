"""Commands and options that suggest what a misspelt word may have meant, on every level."""

from __future__ import annotations

import click
from click import Context

from fewshot.plugins.suggestions import hint


class SuggestingGroup(click.Group):
    """A group of commands. An unknown command is a usage error with the nearest one and all names."""

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first argument names."""
        names = self.list_commands(ctx)
        if args[0] not in names and not args[0].startswith("-"):
            near = hint(args[0], names) or f" It has: {', '.join(names)}."
            raise click.UsageError(f"{ctx.command_path} has no command {args[0]!r}.{near}", ctx)
        return super().resolve_command(ctx, args)
