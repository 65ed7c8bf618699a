"""What timm has: every network with its parameters, image size and pre-training data, without building any in memory.

timm does not know how many parameters its networks have. They are counted on torch's meta device, where weights have
shapes but no values, about 0.1 s each, and kept in $FEWSHOT_HOME/timm_parameters.json by timm's version.
"""

from __future__ import annotations

import fnmatch
import json
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import timm
import torch
from tqdm import tqdm

from fewshot.backbones._timm_errors import BUILDING
from fewshot.files.atomic import home, write_atomically
from fewshot.plugins.shorthand import PACKAGED
from fewshot.results.seen_classes.tags import NOTHING, pretraining_data

_WRITE_EVERY = 50  # counts: what a stopped listing can lose


@dataclass(frozen=True)
class TimmEntry:
    """A network of timm, with a tag where there are pretrained weights."""

    name: str
    n_params: int | None  # the classifier included; None where it cannot be built
    image_size: int  # pixels, of these weights
    pretrained_on: str  # what the tag says, such as "ImageNet-21k, ImageNet-1k"; "nothing" without weights
    packaged: bool  # whether a package holds weights of this network


def catalogue(pattern: str = "*") -> list[TimmEntry]:
    """Entries whose name, with or without its tag, matches a glob pattern, sorted by name."""
    tagged: dict[str, list[str]] = {}
    for name in timm.list_pretrained():
        tagged.setdefault(name.partition(".")[0], []).append(name)
    everything = {
        name: architecture for architecture in timm.list_models() for name in tagged.get(architecture, [architecture])
    }
    names = {n: a for n, a in everything.items() if fnmatch.fnmatch(n, pattern) or fnmatch.fnmatch(a, pattern)}
    counts = parameter_counts(sorted(set(names.values())))
    return [_entry(name, counts[names[name]]) for name in sorted(names)]


def _entry(name: str, n_params: int | None) -> TimmEntry:
    architecture, _, tag = name.partition(".")
    config = timm.get_pretrained_cfg(name)
    size = 0 if config is None else int(config.input_size[-1])
    trained_on = pretraining_data(tag) if tag else NOTHING
    return TimmEntry(name, n_params, size, trained_on, architecture in PACKAGED)


def parameter_counts(architectures: Iterable[str]) -> Mapping[str, int | None]:
    """Parameters of each, the classifier included; counted once a version of timm."""
    path = home() / "timm_parameters.json"
    stored = _stored(path)
    counts = stored.setdefault(timm.__version__, {})
    wanted = list(architectures)
    missing = [name for name in wanted if name not in counts]
    bar = tqdm(missing, desc="counting parameters", unit="network", disable=None, leave=False)
    for number, name in enumerate(bar, 1):
        counts[name] = count_parameters(name)
        if number % _WRITE_EVERY == 0 or number == len(missing):
            write_atomically(path, json.dumps(stored, indent=1, sort_keys=True).encode())
    return {name: counts[name] for name in wanted}


def count_parameters(architecture: str) -> int | None:
    """Parameters of a network that is built without values; None where timm cannot."""
    try:
        with warnings.catch_warnings(), torch.random.fork_rng(devices=[]), torch.device("meta"):
            warnings.simplefilter("ignore")  # about weights that are not there
            network = timm.create_model(architecture)
    except BUILDING:
        return None
    return sum(parameter.numel() for parameter in network.parameters())


def _stored(path: Path) -> dict[str, dict[str, int | None]]:
    """What was counted before; nothing where the file is absent or damaged."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
