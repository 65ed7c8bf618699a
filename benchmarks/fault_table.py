"""The tables of results/faults.json, which `make faults` writes and docs/reliability.md shows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

WRITTEN_TO = Path(__file__).parent / "results" / "faults.json"
_FUZZ = "fuzz"
_HEADER = "| fault | tries | the same bits | what happened | command |\n|---|---|---|---|---|"
_FUZZ_HEADER = "| damaged file | examples | read | refused in one sentence |\n|---|---|---|---|"
_NAMES = {
    "one_sentence": "ended with one sentence",
    "slowest_seconds": "slowest end in seconds",
    "unused": "not read again, or without effect",
    "unchanged": "left as it was",
    "portions": "portions of the tries so far",
}
_PLACES = {"finished": "after the end", "starting": "at the start"}
Counts = Mapping[str, Mapping[str, Any]]


def read() -> Mapping[str, Counts]:
    """The counts of every fault, by the part of `make faults` that tries it."""
    stored: Mapping[str, Counts] = json.loads(WRITTEN_TO.read_text(encoding="utf-8"))
    return stored


def fault_table(stored: Mapping[str, Counts]) -> str:
    """One line per fault: how often it was tried, how often the results were equal bit by bit, and the command."""
    return "\n".join([_HEADER, *_lines(stored)]) + "\n"


def fuzz_table(stored: Mapping[str, Counts]) -> str:
    """One line per reader: how many damaged files it read, and how many it refused."""
    fuzzed = stored.get(_FUZZ, {})
    lines = [
        f"| {name} | {of['tried']:,} | {of['read']:,} | {of['refused']:,} |" for name, of in sorted(fuzzed.items())
    ]
    sums = (sum(of[key] for of in fuzzed.values()) for key in ("tried", "read", "refused"))
    return "\n".join([_FUZZ_HEADER, *lines, f"| all | {' | '.join(f'{number:,}' for number in sums)} |"]) + "\n"


def _lines(stored: Mapping[str, Counts]) -> Iterator[str]:
    for part, faults in stored.items():
        for name, counts in faults.items() if part != _FUZZ else ():
            rest = {key: value for key, value in counts.items() if key not in ("tried", "equal")}
            happened = "; ".join(filter(None, (_words(key, value) for key, value in rest.items())))
            yield f"| {name} | {counts['tried']:,} | {counts['equal']:,} | {happened} | `make faults ONLY={part}` |"


def _words(key: str, value: Any) -> str:
    """A count in words: "recomputed: 12", or of several phases "5 in embedding, 3 in scoring"."""
    if isinstance(value, Mapping):
        return ", ".join(f"{count} {_PLACES.get(name, f'in {name}')}" for name, count in value.items())
    return f"{_NAMES.get(key, key)}: {value if isinstance(value, str) else format(value, ',')}"
