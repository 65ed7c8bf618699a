"""timm's networks with their parameters, image sizes and pre-training data, without building any in memory.

timm does not list parameter counts. fewshot counts them on torch's meta device, where weights have shapes but no
values, about 0.1 s each, and keeps them in $FEWSHOT_HOME/timm_parameters.json by timm version.
"""

from __future__ import annotations

import fnmatch
import json
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
import torch

from fewshot.backbones._timm_errors import BUILDING
from fewshot.files.atomic import home, write_atomically
from fewshot.files.progress import with_progress
from fewshot.files.regular import parsed_json, read_bytes
from fewshot.plugins.shorthand import PACKAGED
from fewshot.plugins.suggestions import nearest
from fewshot.results.seen_classes.tags import NOTHING, pretraining_data

_WRITE_EVERY = 50  # counts: the most that an interrupted listing loses


@dataclass(frozen=True)
class TimmEntry:
    """A timm network, with a tag if it has pretrained weights."""

    name: str
    n_params: int | None  # including the classifier; None if timm cannot build it
    image_size: int  # in pixels, for these weights
    pretrained_on: str  # from the tag, such as "ImageNet-21k, ImageNet-1k"; "nothing" without weights
    packaged: bool  # whether a package holds weights of this network


def catalogue(pattern: str = "*") -> list[TimmEntry]:
    """Entries whose name, with or without its tag, matches a glob pattern, sorted by name."""
    tagged: dict[str, list[str]] = {}
    for name in timm.list_pretrained():
        tagged.setdefault(name.partition(".")[0], []).append(name)
    everything = {
        name: architecture for architecture in timm.list_models() for name in tagged.get(architecture, [architecture])
    }
    wanted = pattern.lower()
    names = {n: a for n, a in everything.items() if fnmatch.fnmatch(n.lower(), wanted) or fnmatch.fnmatch(a, wanted)}
    counts = parameter_counts(sorted(set(names.values())))
    return [_entry(name, counts[names[name]]) for name in sorted(names)]


def names_near(name: str) -> list[str]:
    """The networks of timm whose names resemble a name most."""
    return nearest(name, timm.list_models(), 3)


def _entry(name: str, n_params: int | None) -> TimmEntry:
    architecture, _, tag = name.partition(".")
    config = timm.get_pretrained_cfg(name)
    size = 0 if config is None else int(config.input_size[-1])
    trained_on = pretraining_data(tag) if tag else NOTHING
    return TimmEntry(name, n_params, size, trained_on, architecture in PACKAGED)


def parameter_counts(architectures: Iterable[str]) -> Mapping[str, int | None]:
    """The parameters of each, including the classifier; counted once per timm version."""
    path = home() / "timm_parameters.json"
    stored = _stored(path)
    counts = stored.setdefault(timm.__version__, {})
    wanted = list(architectures)
    missing = [name for name in wanted if name not in counts]
    bar = with_progress(missing, len(missing), "counting parameters", "network")
    for number, name in enumerate(bar, 1):
        counts[name] = count_parameters(name)
        if number % _WRITE_EVERY == 0 or number == len(missing):
            write_atomically(path, json.dumps(stored, indent=1, sort_keys=True).encode())
    return {name: counts[name] for name in wanted}


def count_parameters(architecture: str) -> int | None:
    """The parameters of a network, built without values; None if timm cannot build it."""
    try:
        with warnings.catch_warnings(), torch.random.fork_rng(devices=[]), torch.device("meta"):
            warnings.simplefilter("ignore")  # about missing weights
            network = timm.create_model(architecture)
    except BUILDING:
        return None
    return sum(parameter.numel() for parameter in network.parameters())


def _stored(path: Path) -> dict[str, dict[str, int | None]]:
    """The stored counts; none if the file is absent or damaged."""
    try:
        content = parsed_json(read_bytes(path))
    except (OSError, ValueError):
        return {}
    versions = content.items() if isinstance(content, dict) else ()
    return {version: _counts(counts) for version, counts in versions if isinstance(counts, dict)}


def _counts(counts: Mapping[str, Any]) -> dict[str, int | None]:
    """Those that are numbers of parameters, or none where timm cannot build the network."""
    return {name: count for name, count in counts.items() if count is None or (isinstance(count, int) and count >= 0)}
