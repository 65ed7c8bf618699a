"""Files of a repository of the hub: from its cache, or downloaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from huggingface_hub import hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import EntryNotFoundError

from fewshot.backbones._hub import ABSENT, quiet, unreachable


def cached(repository: str, files: Sequence[str]) -> Path | None:
    """The first of these files that is in the hub's cache."""
    name, _, revision = repository.partition("@")
    paths = (try_to_load_from_cache(name, file, revision=revision or None) for file in files)
    return next((Path(path) for path in paths if isinstance(path, str)), None)


def fetched(repository: str, files: Sequence[str], name: str) -> Path:
    """The first of these files that the repository has, from the cache or the hub; a ValueError says why there is
    none."""
    path = cached(repository, files)
    if path is not None:
        return path
    reason = unreachable()
    if reason:
        offline = f"they are not in the local cache and the hub could not be reached ({reason})"
        raise ValueError(_unavailable(name, offline))
    try:
        path = _downloaded(repository, files)
    except ABSENT as error:
        raise ValueError(_unavailable(name, f"the hub has no {repository!r}, or you have no access")) from error
    except OSError as error:
        raise ValueError(_unavailable(name, f"the download failed ({type(error).__name__})")) from error
    if path is None:
        raise ValueError(_unavailable(name, f"{repository!r} has none of {', '.join(files)}"))
    return path


def _downloaded(repository: str, files: Sequence[str]) -> Path | None:
    owner, _, revision = repository.partition("@")
    for file in files:
        try:
            with quiet():
                return Path(hf_hub_download(owner, file, revision=revision or None))
        except EntryNotFoundError:
            continue
    return None


def _unavailable(name: str, reason: str) -> str:
    return (
        f"the weights of open_clip's {name} are not available: {reason}; connect once, or give the path of a file, "
        "such as OpenCLIP('ViT-B-16', './weights.safetensors')"
    )
