"""What the submitter of a row reports and nobody else can check: columns that neither predictions nor the spec give."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from fewshot.results.columns import Training
from fewshot.results.row import Row
from fewshot.sharing.data_names import is_chosen

_DEFAULTS = {column.name: column.default for column in fields(Row)}


@dataclass(frozen=True)
class Reported:
    """Columns that belong together, under the name that readers see. `on_boards`: whether a leaderboard shows them."""

    name: str
    names: str  # of several runs
    columns: tuple[str, ...]
    on_boards: bool = False

    def has(self, row: Row) -> bool:
        """Whether a row has a value in one of the columns, of data one that its submitter chose."""
        if self is NAME_OF_DATA:
            return is_chosen(row)
        return any(getattr(row, column) != _DEFAULTS[column] for column in self.columns)


_SECONDS = ("seconds_embedding", "seconds_solving", "seconds_per_episode")
_RATES = ("n_embedded", "images_per_second", "image_bytes_per_second", "device_use")
_BATCHES = ("embedding_batch", "embedding_compiled", "embedding_workers")
_TRAINING = tuple(column.name for column in fields(Training))
NAME_OF_DATA = Reported("name of the data", "names of the data", ("dataset",))
REPORTED = (
    Reported("FLOPs", "FLOPs", ("flops",), on_boards=True),
    Reported("seconds", "seconds", _SECONDS, on_boards=True),
    Reported("device", "devices", ("device", "n_threads"), on_boards=True),
    Reported("processor", "processors", ("processor", "platform"), on_boards=True),
    Reported("GPU", "GPUs", ("gpu",), on_boards=True),
    Reported("throughput", "throughput", (*_RATES, *_BATCHES)),
    Reported("memory", "memory", ("peak_memory_bytes", "peak_device_bytes")),
    Reported("energy", "energy", ("device_joules",)),
    Reported("feature size", "feature sizes", ("dim",)),
    Reported("software", "software", ("versions", "commit")),
    Reported("date", "dates", ("finished",)),
    Reported("revision of the data", "revisions of the data", ("data_revision",)),
    NAME_OF_DATA,
    Reported("training of the network", "training of the networks", _TRAINING),
)


def reported(rows: Iterable[Row]) -> list[Reported]:
    """What some of these rows report, in the order of `REPORTED`."""
    held = list(rows)
    return [one for one in REPORTED if any(map(one.has, held))]
