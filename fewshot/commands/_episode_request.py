"""The request for episodes that several commands share: their shape, sampler and seed; every field is an option."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, cast

import click

from fewshot.commands._names import NameOf
from fewshot.commands._options import Count, count, counts, ways
from fewshot.plugins.wording import counted

if TYPE_CHECKING:
    from fewshot.episodes.episodes import Episodes
    from fewshot.episodes.lists import EpisodeList
    from fewshot.episodes.shape import EpisodeShape
    from fewshot.plugins.spec import Spec
    from fewshot.runs.sizes import Data, EpisodeSizes
    from fewshot.samplers import Sampler


_AT_ONCE = 1 << 22  # images of the episodes that are sampled at once


@dataclass(frozen=True)
class EpisodeRequest:
    """The shape, sampler and seed of episodes; None if the user leaves the choice to fewshot."""

    way: Annotated[
        Count | None,
        click.option(
            "--way",
            type=ways,
            metavar="N|all",
            help="Set the number of classes per episode (default: 5, or all if there are fewer).",
        ),
    ]
    shot: Annotated[
        tuple[Count, ...],
        click.option(
            "--shot",
            callback=counts,
            metavar="N|all",
            multiple=True,
            help="Set the number of support images per class, several as 1,5,10 (default: 1). 0 is for evaluators that "
            "need no support, such as ZeroShot.",
        ),
    ]
    query: Annotated[
        Count | None,
        click.option(
            "--query",
            type=count,
            metavar="N|all",
            help="Set the number of query images per class (default: 15, or fewer if the smallest class has fewer). "
            "all: all remaining images, or the whole test partition.",
        ),
    ]
    at_most: Annotated[
        bool, click.option("--at-most", is_flag=True, help="Allow small classes fewer support images than --shot.")
    ]
    support_from: Annotated[
        str | None,
        click.option(
            "--support-from", metavar="GROUP=NAME", help="Take the support from an image group, such as domain=mono."
        ),
    ]
    query_from: Annotated[
        str | None,
        click.option(
            "--query-from", metavar="GROUP=NAME", help="Take the queries from an image group, such as domain=colour."
        ),
    ]
    sampler: Annotated[
        str | None,
        click.option(
            "--sampler",
            type=NameOf("samplers"),
            metavar="SPEC",
            help='Compose episodes with this sampler, such as "DisjointPools()" (default: Balanced).',
        ),
    ]
    seed: Annotated[int, click.option("--seed", type=int, default=0, help="Set the seed of the episodes.")]

    @property
    def given(self) -> bool:
        """Whether the user chose anything about the shape or the sampler."""
        return bool(
            self.way or self.shot or self.query or self.at_most or self.support_from or self.query_from or self.sampler
        )

    def on(self, data: Data) -> EpisodeRequest:
        """The request for these data.

        With --query all, without a sampler or image groups, and with train and test partitions, the support comes from
        the train partition and the queries are the whole test partition.
        """
        on = self._sizes.on(data.images)
        if on is self._sizes:
            return self
        chosen = "the support comes from partition=train, the queries are all of partition=test"
        click.echo(f"{chosen} (change this with --support-from and --query-from)", err=True)
        return replace(self, support_from=on.support_from, query_from=on.query_from)

    def sampler_spec(self) -> Spec:
        """The spec of the sampler."""
        if self.sampler is not None and (self.support_from or self.query_from):
            raise click.UsageError(
                "--sampler cannot go with --support-from or --query-from; write support_from=... and query_from=... "
                "inside the sampler"
            )
        return self._sizes.sampler_spec

    def shapes(self, data: Data) -> list[EpisodeShape]:
        """One shape per shot, with the data deciding what the user left open."""
        return self._sizes.shapes(data.images, data.labels)

    def unusual(self, data: Data) -> str:
        """A line if `shapes` chose other numbers of ways and queries than usual; else ""."""
        chosen = self._sizes.unusual(data.images, data.labels)
        if not chosen:
            return ""
        smallest = self._sizes.smallest(data.images, data.labels)
        sizes = f"{counted(len(data.labels), 'class')}, the smallest with {counted(smallest, 'image')}"
        return f"{sizes}: using {' with '.join(chosen)} (change this with --way and --query)"

    def sample(self, data: Data, shape: EpisodeShape, count: int) -> Episodes:
        """The first `count` episodes of this shape; more than fit in memory raise a ValueError."""
        from fewshot.episodes.episodes import Episodes
        from fewshot.runs import guards
        from fewshot.samplers._checked import sample

        sampler = self._sampler
        first = sample(sampler, data.images, data.labels, shape, self.seed, 0, 1)
        guards.check_size(count, first, guards.MOST_IMAGES_OF_A_LIST, "a list")
        block = max(1, _AT_ONCE // max(1, len(first.support) + len(first.query)))
        sizes = ((start, min(block, count - start)) for start in range(0, count, block))
        parts = [sample(sampler, data.images, data.labels, shape, self.seed, *size) for size in sizes]
        return Episodes.concatenate(parts)

    def listed(self, data: Data, episodes: Episodes, protocol: str) -> EpisodeList:
        """The list of these episodes, with everything that its reader has to know.

        Without a name, the protocol is named after the sampler and the version of fewshot.
        """
        from fewshot.episodes.lists import EpisodeList
        from fewshot.runs.guards import warn_unseparated_groups

        warn_unseparated_groups(data.images, self._sampler)
        protocol = protocol or f"{type(self._sampler).__name__}@{version('fewshot')}"
        description = f"{self.sampler_spec()} {self.shapes(data)[0]} of {data.split_spec}, {data.classes} classes"
        pools = self._sampler.pools_of(episodes.index) if self._sampler.n_pools > 1 else None
        return EpisodeList.of(episodes, data.images, protocol, description, pools)

    @property
    def _sampler(self) -> Sampler:
        return cast("Sampler", self.sampler_spec().make())

    @cached_property
    def _sizes(self) -> EpisodeSizes:
        """The same request without its seed, as Python makes it too."""
        from fewshot.runs.sizes import EpisodeSizes

        return EpisodeSizes(**{name: value for name, value in vars(self).items() if name != "seed"})
