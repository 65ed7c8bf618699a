"""`fewshot study`: what rows say together."""

from __future__ import annotations

import click

from fewshot.commands._study import StudyFolder


@click.group("study", cls=StudyFolder, short_help="Exponents, gains, label budgets and transfer, from rows.")
def command() -> None:
    """Answer a question from a file of rows; the report shows the same numbers with figures."""
