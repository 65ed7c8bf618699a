"""Published numbers in `fewshot list`: their sources, and the numbers with a word."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from fewshot.commands._answers import answer
from fewshot.plugins.wording import counted

if TYPE_CHECKING:
    from fewshot.results.published import PublishedNumber


def sources() -> list[dict[str, Any]]:
    """Each source of published numbers."""
    from fewshot.results.published import published_table, table_names

    return [
        {
            "name": table.name,
            "summary": f"{table.title}: {counted(len(table.numbers), 'number')}. {table.source}.",
            "benchmark": table.benchmark,
            "notes": list(table.notes),
        }
        for table in map(published_table, table_names())
    ]


def numbers_with(word: str) -> int:
    """The exit code. Answers with the published numbers whose source, model, head or data has a word in it."""
    from tabulate import tabulate

    from fewshot.results.published import published_numbers

    numbers = published_numbers(word)
    if not numbers:
        raise ValueError(f"no published number matches {word!r}; `fewshot list published` shows all sources")
    header = ("source", "model", "data", "shots", "accuracy", "labels")
    lines = [
        (one.source, f"{one.model} {one.head}".strip(), one.data.name, one.shots, _percent(one), "; ".join(one.labels))
        for one in numbers
    ]
    table = tabulate(lines, header, disable_numparse=True, colalign=("left", "left", "left", "right", "right", "left"))
    note = "Accuracy in %, with the published 95 % interval where there is one."
    answer(f"{table}\n{counted(len(numbers), 'number')}. {note}", [asdict(one) for one in numbers])
    return 0


def _percent(number: PublishedNumber) -> str:
    half = f" ± {100 * number.half_width:.2f}" if number.half_width else ""
    return f"{100 * number.accuracy:.2f}{half}"
