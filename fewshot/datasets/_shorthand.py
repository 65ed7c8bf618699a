"""Data sets as users name them: a folder, a file, a name, a spec, or images in memory."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from fewshot.datasets import Dataset, LabelledImages
from fewshot.datasets._claims import claim
from fewshot.datasets._levels import check_folder, check_list
from fewshot.datasets._npz_images import holds_images
from fewshot.datasets._other_files import refusal, refuse_pickles
from fewshot.datasets._partitions import split_rule
from fewshot.plugins.call import is_call
from fewshot.plugins.held import held_spec
from fewshot.plugins.registry import DATASETS
from fewshot.plugins.spec import Spec
from fewshot.plugins.suggestions import nearest

_SOURCES = {".csv": "Manifest", ".npz": "VectorSet", ".safetensors": "VectorSet", ".parquet": "VectorSet"}


def dataset_spec(data: object) -> Spec:
    """The spec of a folder of class folders, a CSV file, a file of vectors or images, a name, a spec, or images."""
    if isinstance(data, LabelledImages):
        return held_spec(DATASETS, data.name, HeldImages(data))
    if isinstance(data, Dataset | Spec):
        return DATASETS.spec(data)
    if not isinstance(data, str | os.PathLike):
        raise ValueError(
            "data are a folder or a file, a name such as 'Icons', a data set such as Icons(), loaded images, or "
            f"labelled_vectors(vectors, labels); got {type(data).__name__}"
        )
    named, known = os.fspath(data), DATASETS.names()
    place = Path(named).expanduser()
    claimed = None if named in known or is_call(named) else claim(os.path.expanduser(named))
    if claimed is not None:
        return claimed
    if named not in known and place.is_dir():
        refuse_pickles(place)
        check_folder(place)
        return DATASETS.spec(f"ImageFolderSet(root={str(place)!r})")
    source = _SOURCES.get(place.suffix.lower())
    if named not in known and not is_call(named):
        check_list(place)
    if source is not None and not is_call(named):
        source = "ImageArrays" if place.suffix.lower() == ".npz" and holds_images(place) else source
        return DATASETS.spec(f"{source}(path={str(place)!r})")
    if is_call(named) or ":" in named or named in known:
        return DATASETS.spec(named)
    if place.exists():
        raise ValueError(refusal(place))
    raise ValueError(
        f"there is neither a folder {named!r} nor a data set of that name (known: {', '.join(known)}){_meant(named)}"
    )


def _meant(named: str) -> str:
    """A hint at a data set, one of torchvision's, or a folder or file beside it; "" if nothing resembles the name."""
    from fewshot.datasets._torchvision_sources import SOURCES

    path = Path(named).expanduser()
    beside = [str(path.with_name(one.name)) for one in path.parent.iterdir()] if path.parent.is_dir() else []
    names = {**{name: f"TorchvisionSet(name={name!r})" for name in SOURCES}, **{n: n for n in DATASETS.names()}}
    near = nearest(named, [*names, *(one for one in beside if not Path(one).name.startswith("."))])
    return f"; did you mean {names.get(near[0], near[0])}?" if near else ""


@dataclass(frozen=True, eq=False)
class HeldImages(Dataset):
    """A data set whose images are in memory already."""

    images: LabelledImages

    def load(self) -> LabelledImages:
        return self.images

    def default_split(self) -> str | None:
        """The split by partitions, if they hold different classes; else None."""
        return split_rule(self.images.class_groups.get("partition"))
