"""What a leaderboard calls its data, where submissions call the same images differently."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fewshot.plugins.wording import agreeing, listed
from fewshot.results.row import Row
from fewshot.results.row_specs import data_of, specs_of
from fewshot.sharing.data_names import is_chosen
from fewshot.sharing.held_runs import Held


@dataclass(frozen=True)
class DataNames:
    """What submissions call data of the same images."""

    chosen: Mapping[object, str]  # the text of the data set that tables show, by data
    others: Mapping[object, tuple[str, ...]]  # a sentence for each other name

    def dataset(self, row: Row) -> str:
        """The data set of a row as tables show it."""
        return self.chosen.get(data_of(row), row.dataset)

    @staticmethod
    def of(runs: Iterable[tuple[Held, ...]], names: Mapping[Path, str]) -> DataNames:
        """The names of all data. The name in rows whose run ids were checked counts, of these the one that the most
        submissions use, then the first."""
        by_data: dict[object, dict[str, list[Held]]] = {}
        for held in (one for same in runs for one in same):
            if held.row.images_digest and is_chosen(held.row):
                by_data.setdefault(data_of(held.row), {}).setdefault(_short(held.row), []).append(held)
        chosen, others = {}, {}
        for data, by_name in by_data.items():
            best = max(by_name, key=lambda name: _weight(by_name[name]))
            chosen[data] = by_name[best][0].row.dataset
            others[data] = tuple(_told(name, held, names) for name, held in by_name.items() if name != best)
        return DataNames(chosen, others)


def _weight(held: Iterable[Held]) -> tuple[bool, int]:
    known = list(held)
    checked = [one for one in known if one.is_checked]
    return bool(checked), len({one.source.folder for one in checked or known})


def _short(row: Row) -> str:
    return specs_of(row).dataset.short_name


def _told(name: str, held: Iterable[Held], names: Mapping[Path, str]) -> str:
    by = list(dict.fromkeys(names[one.source.folder] for one in held))
    call = agreeing(len(by), "calls", "call")
    return f"{listed(by)} {call} the same images {name!r}; whoever submits chooses the name of a folder."
