"""What a user asks of some data: which classes, and episodes of which shape."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from fewshot.commands._options import Count, dataset_spec

if TYPE_CHECKING:
    from fewshot.datasets import LabelledImages
    from fewshot.episodes.episodes import Episodes, EpisodeShape, Ints
    from fewshot.episodes.lists import EpisodeList
    from fewshot.plugins.spec import Spec
    from fewshot.results.selection_rule import Selection
    from fewshot.runs.pipeline import Workbench
    from fewshot.samplers import Sampler
    from fewshot.splits import ClassSplit


@dataclass(frozen=True, eq=False)
class Data:
    """A loaded data set, the split of its classes, and the labels that episodes are drawn from."""

    dataset: Spec
    rule: str | None  # of the split where it is not the data set's own
    images: LabelledImages
    split: ClassSplit
    labels: Ints
    classes: str = "novel"  # of which part of the split the labels are

    @property
    def split_spec(self) -> str:
        """The rule of the split, the data set's own where none was asked for."""
        return self.rule or str(self.dataset.make().default_split())


def open_data(data: str, split: str | None, classes: str, bench: Workbench) -> Data:
    """Loads what --data, --split and --classes name; a data set without a split of its own is novel as a whole."""
    from fewshot.plugins.registry import SPLITS

    dataset = dataset_spec(data)
    own = dataset.make().default_split()
    rule = split or (None if own else "AllNovel()")
    images = bench.images(dataset)
    made = SPLITS.make(rule or own).split(images)
    return Data(dataset, rule, images, made, made.classes(classes, images), classes)


def usual_backbone(images: LabelledImages) -> str:
    """What turns the images into vectors where the user named nothing."""
    return "tf_efficientnet_lite0" if images.vectors is None else "given"


@dataclass(frozen=True)
class EpisodeRequest:
    """The options of `episode_options`; None where the user left the choice to us."""

    way: Count | None
    shot: tuple[Count, ...]
    query: Count | None
    at_most: bool
    support_from: str | None
    query_from: str | None
    sampler: str | None
    seed: int

    @property
    def given(self) -> bool:
        """Whether the user chose anything that shapes episodes."""
        return bool(
            self.way or self.shot or self.query or self.at_most or self.support_from or self.query_from or self.sampler
        )

    def on(self, data: Data) -> EpisodeRequest:
        """The request for these data: where all queries are asked for and nothing is said of where images come from,
        the support comes from the training part and the queries are the test part, if there are such partitions."""
        group = data.images.image_groups.get("partition")
        named = self.sampler or self.support_from or self.query_from
        if self.query != "all" or named or group is None or not {"train", "test"} <= set(group.names):
            return self
        click.echo("support from partition=train, all of partition=test as queries (--query-from chooses)", err=True)
        return replace(self, support_from="partition=train", query_from="partition=test")

    def sampler_spec(self) -> Spec:
        """The sampler that was asked for."""
        from fewshot.plugins.registry import SAMPLERS

        if self.sampler is None:
            return SAMPLERS.spec(f"Balanced(support_from={self.support_from!r}, query_from={self.query_from!r})")
        if self.support_from or self.query_from:
            raise click.UsageError("give support_from and query_from inside --sampler, or leave --sampler out")
        return SAMPLERS.spec(self.sampler)

    def shapes(self, data: Data) -> list[EpisodeShape]:
        """One shape a shot. What the user left open becomes what the data permits."""
        from fewshot.episodes.episodes import EpisodeShape

        way, query = (_number(count) for count in self._sizes(data))
        shots = [_number(k_shot) for k_shot in self.shot] or [self._made.usual().k_shot]
        return [EpisodeShape(way, k_shot, query, self.at_most) for k_shot in shots]

    def tell_unusual(self, data: Data) -> None:
        """Says in one line where `shapes` chose other than the usual ways and queries."""
        way, query = self._sizes(data)
        usual = self._made.usual()
        chosen = [
            f"{way}-way" if not self.way and way != _count(usual.n_way) else "",
            f"{query} queries a class" if not self.query and query != _count(usual.n_query) else "",
        ]
        if any(chosen):
            found = f"{len(data.labels)} classes, the smallest with {self._smallest(data)} images"
            click.echo(f"{found}: {' with '.join(filter(None, chosen))} (--way and --query choose)", err=True)

    def draw(self, data: Data, shape: EpisodeShape, count: int) -> Episodes:
        """The first `count` episodes."""
        return self._made.sample(data.images, data.labels, shape, self.seed, 0, count)

    def listed(self, data: Data, episodes: Episodes, protocol: str) -> EpisodeList:
        """Episodes that `draw` drew as a list, with all that a reader has to know of them. A protocol without a name is
        called after the sampler and the version of fewshot that it is of."""
        from fewshot.episodes.lists import EpisodeList

        protocol = protocol or f"{type(self._made).__name__}@{version('fewshot')}"
        said = f"{self.sampler_spec()} {self.shapes(data)[0]} of {data.split_spec}, {data.classes} classes"
        pools = self._made.pools_of(episodes.index) if self._made.n_pools > 1 else None
        return EpisodeList.of(episodes, data.images, protocol, said, pools)

    def _sizes(self, data: Data) -> tuple[Count, Count]:
        """Ways and queries a class."""
        usual = self._made.usual()
        way = _count(usual.n_way and max(2, min(usual.n_way, len(data.labels))))
        query = _count(usual.n_query and self._queries_that_fit(data, usual.n_query))
        return self.way or way, self.query or query

    def _queries_that_fit(self, data: Data, most: int) -> int:
        """As many queries as the smallest class has images beside its support, 1 to `most`."""
        support, query = self._pools()
        shots = [1 if k == "all" or self.at_most else int(k) for k in self.shot or (1,)]
        spare = self._smallest(data) // self._made.n_pools - (max(shots) if support == query else 0)
        return max(1, min(most, spare))

    def _smallest(self, data: Data) -> int:
        """How many images to query the smallest class has."""
        return int(data.images.pool(self._pools()[1]).sizes(data.labels).min())

    def _pools(self) -> tuple[str | None, str | None]:
        """The image groups that support and queries come from."""
        sampler = self._made
        return getattr(sampler, "support_from", None), getattr(sampler, "query_from", None)

    @property
    def _made(self) -> Sampler:
        return cast("Sampler", self.sampler_spec().make())


@dataclass(frozen=True)
class ChoiceRequest:
    """The options of `selection_options`."""

    select: str | None
    settings: tuple[str, ...]
    n_episodes: int | None

    def check(self) -> None:
        """Raises a UsageError where the options do not belong together."""
        if self.select is None and (self.settings or self.n_episodes):
            raise click.UsageError("--grid and --select-episodes say what to choose from; say where with --select")
        if self.select is not None and not self.settings:
            raise click.UsageError(f"--select {self.select} needs --grid FIELD=VALUES, such as --grid C=0.01,0.1,1")
        if self.select == "support" and self.n_episodes:
            raise click.UsageError("--select support chooses in every episode; leave --select-episodes out")

    def evaluator(self, asked: str) -> Spec:
        """The evaluator to run: around the one asked for where it chooses on the support."""
        from fewshot.plugins.grids import combinations, parse_grid
        from fewshot.plugins.registry import EVALUATORS

        if self.select != "support":
            return EVALUATORS.spec(asked)
        inner = EVALUATORS.spec(asked)
        grid = parse_grid(self.settings)
        for fields in combinations(grid):
            EVALUATORS.varied(inner, fields)  # a field that it does not have is told before anything is computed
        return EVALUATORS.spec(f"CrossValidated(inner={inner}, grid={grid!r})")

    @property
    def selection(self) -> Selection | None:
        """The rule of the runs, where they choose before they start."""
        from fewshot.plugins.grids import parse_grid
        from fewshot.results.selection_rule import Selection

        if self.select in (None, "support"):
            return None
        rule = Selection(self.select, parse_grid(self.settings))
        return rule if self.n_episodes is None else replace(rule, n_episodes=self.n_episodes)


def _count(number: int | None) -> Count:
    return "all" if number is None else number


def _number(count: Count) -> int | None:
    return None if isinstance(count, str) else count


def check_file(path: Path | None) -> None:
    """Raises a ValueError unless the file is there."""
    if path is not None and not path.is_file():
        raise ValueError(f"there is no file {path}")
