"""Lists of episodes as files to share: the episodes, and a description for their readers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fewshot.episodes.episodes import Episodes
from fewshot.episodes.flat import Ints
from fewshot.episodes.labelled import Labelled
from fewshot.files.atomic import read_metadata
from fewshot.files.quoting import quoted


@dataclass(frozen=True, eq=False, repr=False)
class EpisodeList:
    """Episodes with a description. The description is not part of their digest; fewshot checks it against the images,
    or only prints it.

    Files of `Episodes.save` and of earlier versions load as lists without a description, and `Episodes.load`, also of
    earlier versions, reads the files that `save` writes.
    """

    episodes: Episodes
    protocol: str = ""  # name and version, such as "mini_test@1"
    dataset: str = ""  # the name of the data set
    sampler: str = ""  # the sampler of the episodes, and their shape
    class_names: Mapping[int, str] = field(default_factory=dict)  # by the label of each class in the episodes
    pools: Ints | None = None  # [E] the disjoint image pool of each episode; None: not known

    @staticmethod
    def of(
        episodes: Episodes, images: Labelled, protocol: str = "", sampler: str = "", pools: Ints | None = None
    ) -> EpisodeList:
        """The list of these episodes of these images. Raises the errors of `check`."""
        names = {int(label): images.class_names[label] for label in np.unique(episodes.classes)}
        listed = EpisodeList(episodes, protocol, images.name, sampler, names, pools)
        listed.check(images)
        return listed

    def __len__(self) -> int:
        return len(self.episodes)

    def __repr__(self) -> str:
        named = ", ".join(filter(None, (self.protocol, self.dataset)))
        return f"EpisodeList({f'{named}: ' if named else ''}{self.episodes!r})"

    def _repr_html_(self) -> str:
        return self.episodes._repr_html_()

    def check(self, images: Labelled) -> None:
        """Raises a ValueError unless these are well-formed episodes of these images, the classes have the same names,
        and no image is in two pools."""
        self.episodes.check(images)
        for label, name in self.class_names.items():
            known = images.class_names[label] if 0 <= label < len(images.class_names) else None
            if known != name:
                raise ValueError(
                    f"these episodes were made for a class {label} named {quoted(name)}, but in {images.name} it is "
                    f"{quoted(known)}; load the data set that they were made for"
                )
        if self.pools is not None:
            _check_pools(self.episodes, self.pools)

    def pools_of(self, place: Ints) -> Ints:
        """[E] the pool of the episodes at these places; all 0 if the pools are not known."""
        pools: Ints = place * 0 if self.pools is None else self.pools[place]
        return pools

    def require_numbered(self) -> None:
        """Raises a ValueError unless the episodes have the numbers 0, 1, 2, ...: runs store predictions by number."""
        other = np.flatnonzero(self.episodes.index != np.arange(len(self)))
        if len(other):
            raise ValueError(
                f"a run needs the episodes of a list numbered 0, 1, 2, ..., but number {other[0]} of this list is "
                f"{self.episodes.index[other[0]]}; number them in order"
            )

    def save(self, path: Path) -> None:
        """Writes a small .safetensors file. It holds no pickle, so it is safe to share."""
        about = {name: getattr(self, name) for name in _TEXTS} | {"class_names": list(self.class_names.items())}
        self.episodes.save(path, about if self.pools is None else about | {"pools": self.pools.tolist()})

    @staticmethod
    def load(path: Path) -> EpisodeList:
        """The list of a file. Any other file raises a ValueError that says what is wrong."""
        if path.suffix == ".csv":
            raise ValueError(f"{path} is a table, not an episode list; convert it with `fewshot episodes import`")
        episodes, about = Episodes.load(path), read_metadata(path, "an episode list")
        try:
            texts = {name: str(about.get(name, "")) for name in _TEXTS}
            names = {int(label): str(name) for label, name in about.get("class_names", ())}
            pools = _pools(about, len(episodes))
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"{path} is not an episode list: its class names or its pools are not readable") from error
        return EpisodeList(episodes, **texts, class_names=names, pools=pools)

    def __str__(self) -> str:
        """The description of the list, one line per item, then its first episodes."""
        pools = "not known" if self.pools is None else f"{len(np.unique(self.pools))} that share no image"
        names = list(self.class_names.values())
        more = f" and {len(names) - 20} more" if len(names) > 20 else ""
        lines = [
            f"{name:<10}{text}"
            for name, text in (
                ("protocol", self.protocol or "none given"),
                ("data set", f"{self.dataset} {self.episodes.images_digest[:12]}".strip()),
                ("sampler", self.sampler),
                ("pools", pools),
                ("classes", ", ".join(names[:20]) + more),
            )
        ]
        return "\n".join([str(self.episodes).partition("\n")[0], *lines, *str(self.episodes).splitlines()[1:]])


_TEXTS = ("protocol", "dataset", "sampler")


def _pools(about: Mapping[str, Any], count: int) -> Ints | None:
    if "pools" not in about:
        return None
    pools = np.array([int(pool) for pool in about["pools"]], dtype=np.int64)
    if len(pools) != count:
        raise ValueError(f"{len(pools)} pools of {count} episodes")
    return pools


def _check_pools(episodes: Episodes, pools: Ints) -> None:
    """Raises a ValueError if an image is in episodes of two pools: an interval over pools would be too narrow."""
    sizes = (np.diff(episodes.support_start), np.diff(episodes.query_start))
    pool = np.concatenate([np.repeat(pools, size) for size in sizes])
    pairs = np.unique(np.stack([np.concatenate([episodes.support, episodes.query]), pool]), axis=1)
    twice = np.flatnonzero(np.diff(pairs[0]) == 0)
    if len(twice):
        row, both = pairs[0, twice[0]], pairs[1, twice[0] : twice[0] + 2]
        raise ValueError(
            f"image {row} is in episodes of pool {both[0]} and of pool {both[1]}; pools must share no image"
        )
