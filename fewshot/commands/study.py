"""`fewshot study`: answers to questions that need several rows."""

from __future__ import annotations

import click

from fewshot.commands._study import StudyFolder


@click.group("study", cls=StudyFolder, short_help="Compute exponents, gains, label budgets and transfer from rows.")
def command() -> None:
    """Answer a question from a file of rows. The report shows the same numbers, with figures."""
