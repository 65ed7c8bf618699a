"""Files of episodes: one small .safetensors file with the arrays, their digests as text, and a description."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fewshot.episodes.arrays import ARRAY_TYPES, FORMAT, EpisodeArrays
from fewshot.episodes.digest import episodes_digest
from fewshot.files.quoting import quoted


def write_episodes(episodes: EpisodeArrays, path: Path, about: Mapping[str, Any]) -> None:
    """Writes the arrays, their digests and the JSON values in `about`."""
    from fewshot.files.atomic import write_safetensors

    metadata = {
        **about,
        "format": FORMAT,
        "images_digest": episodes.images_digest,
        "seed": str(episodes.seed),
        "digest": episodes_digest([episodes]),
    }
    write_safetensors(path, episodes.arrays(), metadata)


def read_episodes(path: Path) -> EpisodeArrays:
    """The arrays of a file of `write_episodes`. Any other file raises a ValueError that says what is wrong."""
    from fewshot.files.atomic import read_safetensors

    arrays, metadata = read_safetensors(path, "an episode list")
    types = {name: array.dtype.str for name, array in arrays.items()}
    if metadata.get("format") != FORMAT or types != ARRAY_TYPES:
        raise ValueError(f"{path} is not an episode list of format {FORMAT}; found {quoted(metadata.get('format'))}")
    try:
        episodes = EpisodeArrays(**arrays, images_digest=metadata["images_digest"], seed=int(metadata["seed"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not an episode list: its images_digest or its seed is missing") from error
    if episodes_digest([episodes]) != metadata.get("digest"):
        raise ValueError(f"{path} does not have the digest that it was saved with: it was changed or damaged")
    return episodes
