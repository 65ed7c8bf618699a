"""The subcommands of `fewshot study`, one per study, and their texts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fewshot.commands import _options
from fewshot.commands._answers import answer, json_option
from fewshot.commands._groups import SuggestingGroup
from fewshot.plugins.registry import STUDIES
from fewshot.plugins.signature import REQUIRED, Signature

if TYPE_CHECKING:
    from fewshot.report.studies import Section, SectionTable, Study

_TYPES: dict[str, click.ParamType[Any]] = {
    "Path": _options.FILE,
    "int": click.INT,
    "float": click.FLOAT,
    "str": click.STRING,
}


class StudyFolder(SuggestingGroup):
    """A subcommand per study. Its fields are options."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all studies, as typed on the command line."""
        return sorted(_studies())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a study. The study is imported when the command runs."""
        signature = _studies().get(cmd_name)
        return None if signature is None else _command(cmd_name, signature)


def _studies() -> dict[str, Signature]:
    """The signature of each study, by the name of its file."""
    return {each.module.rpartition(".")[2]: each for each in map(STUDIES.signature, STUDIES.names())}


def _command(name: str, signature: Signature) -> click.Command:
    def run(file: Path, **fields: Any) -> int:
        from fewshot.report.studies import StudyRows

        study: Study[Any] = STUDIES.get(signature.name)(**fields)
        findings = study.find(StudyRows.read(file))
        if findings is None:
            raise ValueError(f"{file} has no rows for this study; it needs {study.needs}")
        answer(section_text(study.section(findings, with_plots=False)), study.values(findings))
        return 0

    first, _, rest = signature.summary.partition(". ")
    help_texts = signature.declared.get("options", {})
    options = [
        click.Option(
            [f"--{parameter.name.replace('_', '-')}"],
            type=_TYPES.get(parameter.base, click.STRING),
            required=parameter.default is REQUIRED,
            default=None if parameter.default is REQUIRED else parameter.default,
            help=help_texts.get(parameter.name, ""),
        )
        for parameter in signature.parameters
    ]
    command = click.Command(
        name,
        callback=run,
        params=[click.Argument(["file"], type=_options.FILE), *options],
        short_help=f"{first.rstrip('.')}.",
        help=f"{first.rstrip('.')}.\n\n{rest}\n\nFILE is a .jsonl or .csv file of rows.",
    )
    return json_option(command)


def section_text(section: Section) -> str:
    """A section of the report for the console: tables, what they mean, and remarks."""
    parts = [section.title, *map(_table_text, section.tables), section.text, "\n".join(section.remarks)]
    return "\n\n".join(filter(None, parts))


def _table_text(table: SectionTable) -> str:
    from tabulate import tabulate

    return f"{table.caption}\n{tabulate(table.lines, table.columns, disable_numparse=True)}".replace("\u00a0", " ")
