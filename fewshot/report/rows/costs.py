"""The cost of a run beside its accuracy: the size of its network, and the times of an image and of an episode."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from fewshot.plugins.wording import counted
from fewshot.results.costs import includes_start, machine, seconds_per_episode, seconds_per_image
from fewshot.results.row import Row
from fewshot.results.row_specs import specs_of

_Network = tuple[str, str, str]
OF_OTHERS = "‡"  # after a time per image that the run itself did not measure
_SCALES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


@dataclass(frozen=True)
class RunCost:
    """The cost of a run; None for what nothing measured. Seconds are those of `machine`."""

    n_params: int | None
    flops: int | None
    seconds_per_image: float | None  # 0 for vectors, and for evaluators that run the network themselves
    seconds_per_episode: float | None  # to solve it, without embedding
    machine: str
    n_images: int | None = None  # of an episode
    of_others: bool = False  # whether the seconds per image are those of other runs with the same network
    with_start: bool = False  # whether the seconds per episode include the start of the process

    @property
    def seconds(self) -> float | None:
        """The seconds of one episode with the embedding of its images."""
        if None in (self.n_images, self.seconds_per_image, self.seconds_per_episode):
            return None
        return (self.n_images or 0) * (self.seconds_per_image or 0.0) + (self.seconds_per_episode or 0.0)

    @property
    def texts(self) -> tuple[str, str, str, str]:
        """The cost under `TITLES`; "" for what is unknown, and for the time of an image where none is embedded."""
        image, episode = self.seconds_per_image, self.seconds_per_episode
        return (
            scaled(self.n_params) if self.n_params else "",
            scaled(self.flops) if self.flops else "",
            duration(image) + f" {OF_OTHERS}" * self.of_others if image else "",
            duration(episode) if episode is not None else "",
        )


TITLES = ("parameters", "FLOPs", "per image", "per episode")
_MEANINGS = (
    "parameters: of the backbone",
    "FLOPs: of the backbone for one image, two for each multiply-add",
    "per image: time to embed one",
    "per episode: time to solve one whose images are embedded",
)


def meaning(titles: Collection[str]) -> str:
    """What the columns with these titles hold, in one sentence; "" for none."""
    kept = [text for title, text in zip(TITLES, _MEANINGS, strict=True) if title in titles]
    text = "; ".join(kept)
    return f"{text[0].upper()}{text[1:]}." if text else ""


@dataclass(frozen=True)
class Costs:
    """What rows know together: the only place that computes the seconds per image of a run. A run that embedded images
    shows its own, whichever rows are beside it. A run that found its features in a cache shows those of the run that
    embedded the most images with the same network on the same machine, and says so; rows of older releases take the
    FLOPs of others with the same backbone."""

    embedding: Mapping[_Network, float]
    flops: Mapping[str, int]

    @staticmethod
    def of(rows: Iterable[Row]) -> Costs:
        """The costs that these rows measured, in any order."""
        largest: dict[_Network, Row] = {}
        flops = {}
        for row in sorted(rows, key=lambda row: (row.n_embedded, row.run_id)):
            if row.flops:
                flops[row.backbone] = row.flops
            if seconds_per_image(row) is not None:
                largest[_network(row)] = row
        return Costs({network: seconds_per_image(row) or 0.0 for network, row in largest.items()}, flops)

    def cost(self, row: Row) -> RunCost:
        """The cost of a row."""
        sizes = row.n_way, row.k_shot, row.n_query
        n_images = None if None in sizes else (row.n_way or 0) * ((row.k_shot or 0) + (row.n_query or 0))
        flops = row.flops or self.flops.get(row.backbone)
        embedding = self._embedding(row)
        of_others = bool(embedding) and seconds_per_image(row) is None
        return RunCost(
            row.n_params or None,
            flops,
            embedding,
            seconds_per_episode(row),
            machine(row),
            n_images,
            of_others,
            includes_start(row),
        )

    def _embedding(self, row: Row) -> float | None:
        if specs_of(row).evaluator.declares("runs_network") and not row.n_embedded:
            return 0.0
        own = seconds_per_image(row)
        return self.embedding.get(_network(row), None if row.n_params else 0.0) if own is None else own


def _network(row: Row) -> _Network:
    return row.backbone, row.dtype, machine(row)


def of_several_machines(rows: Iterable[Row]) -> str:
    """A sentence if the seconds of these rows come from several machines, with the runs of each; else ""."""
    count = Counter(machine(row) for row in rows if seconds_per_episode(row) is not None)
    if len(count) < 2:
        return ""
    each = "; ".join(f"{name or 'unknown'} ({counted(n, 'run')})" for name, n in count.most_common())
    return f"Times come from {len(count)} machines, so compare them only within one: {each}."


def of_others(costs: Iterable[RunCost]) -> str:
    """A sentence if some of these runs show a time per image that other runs measured; else ""."""
    count = sum(cost.of_others for cost in costs)
    if not count:
        return ""
    cached = counted(count, "run")
    return (
        f"{OF_OTHERS}: {cached} took features from the cache; another run of the network on the machine measured this."
    )


def with_start(costs: Iterable[RunCost]) -> str:
    """A sentence if the times per episode of some of these runs include the start of a process; else ""."""
    count = sum(cost.with_start for cost in costs)
    runs = counted(count, "run")
    return f"The time per episode of {runs} of older releases includes the start of the process." if count else ""


def of_most(costs: Sequence[RunCost]) -> str:
    """The machine of most of these costs."""
    return Counter(cost.machine for cost in costs).most_common(1)[0][0]


def duration(seconds: float) -> str:
    """A duration with two digits: "0.35 ms", "12 s"."""
    unit, name = (1.0, "s") if seconds >= 1 else (1e-3, "ms") if seconds >= 1e-4 else (1e-6, "µs")
    return f"{float(f'{seconds / unit:.2g}'):g} {name}"


def scaled(count: float) -> str:
    """A large number with three digits: "3.37 M", "8.17 G"."""
    unit, name = next(((unit, f" {name}") for unit, name in _SCALES if count >= unit), (1.0, ""))
    return f"{float(f'{count / unit:.3g}'):g}{name}"
