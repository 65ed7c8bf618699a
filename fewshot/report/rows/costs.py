"""The cost of one episode of a run: the seconds to embed its images and to solve it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fewshot.results.row import Row
from fewshot.results.row_specs import specs_of

_FEWEST = 64  # images; fewer give no useful speed
_Network = tuple[str, str, str]


@dataclass(frozen=True)
class Costs:
    """The seconds per image of every network, from the runs that embedded images. Others took them from a cache."""

    embedding: Mapping[_Network, float]

    @staticmethod
    def of(rows: Iterable[Row]) -> Costs:
        """The costs that these rows measured."""
        seconds: Counter[_Network] = Counter()
        images: Counter[_Network] = Counter()
        for row in rows:
            if row.n_embedded >= _FEWEST:
                seconds[_network(row)] += row.seconds_embedding  # type: ignore[assignment]
                images[_network(row)] += row.n_embedded
        return Costs({network: seconds[network] / count for network, count in images.items()})

    def of_episode(self, row: Row) -> float | None:
        """The seconds of one episode; None if the size of the episodes or a speed is unknown."""
        if row.seconds_solving <= 0 or None in (row.n_way, row.k_shot, row.n_query):
            return None
        n_images = (row.n_way or 0) * ((row.k_shot or 0) + (row.n_query or 0))
        speed = self._embedding(row)
        return None if speed is None else speed * n_images + row.seconds_solving / row.n_episodes

    def _embedding(self, row: Row) -> float | None:
        """The seconds per image; 0 for vectors, and for evaluators that run the network themselves."""
        if specs_of(row).evaluator.declares("runs_network") and not row.n_embedded:
            return 0.0
        return self.embedding.get(_network(row), None if row.n_params else 0.0)


def _network(row: Row) -> _Network:
    return row.backbone, row.dtype, row.device
