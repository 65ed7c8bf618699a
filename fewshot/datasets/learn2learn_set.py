"""The data sets of learn2learn (learn2learn.vision.datasets) by name, in the folders where it unpacks them.

fewshot run --data "Learn2learnSet('CIFARFS', root='data')" --backbone resnet18 --evaluator LinearProbe
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from fewshot.datasets import ClassList, Dataset, LabelledImages
from fewshot.plugins.fields import declare, one_of
from fewshot.plugins.registry import DATASETS

# The folder or file below the root by which a copy is known, and the source that reads it.
_READ = {
    "CIFARFS": ("cifarfs/processed", "ImageFolderSet({path!r}, layout='partition/class')"),
    "CUBirds200": ("cubirds200/CUB_200_2011", "Cub200({path!r})"),
    "DescribableTextures": ("describable_textures/dtd/images", "ImageFolderSet({path!r}, layout='class')"),
    "FGVCAircraft": ("fgvc_aircraft/fgvc-aircraft-2013b", "TorchvisionSet('FGVCAircraft', root={folder!r})"),
    "FullOmniglot": ("omniglot-py", "ImageFolderSet({path!r}, layout='partition/superclass/class')"),
}
_PICKLES = (
    "fewshot never loads pickles of others, and learn2learn publishes no checksum of its own; save their images once "
    "as class folders or .npz in a process that you trust with them (docs/images.md has the lines)"
)
_REFUSED = {
    "MiniImagenet": f"is kept as pickles (mini-imagenet-cache-*.pkl), which can run code: {_PICKLES}",
    "TieredImagenet": f"is kept as pickles (*_images_png.pkl), which can run code: {_PICKLES}",
    "FC100": f"is kept as pickles (FC100_*.pickle), which can run code: {_PICKLES}; or use CIFAR-100 with "
    "--split \"Published('fc100')\"",
    "VGGFlower102": "is kept as numbered images with their labels in a file of MATLAB: use "
    "TorchvisionSet('Flowers102') or one folder per class",
    "FGVCFungi": "is kept with its labels in train.json and val.json: its folder images has one folder per class, so "
    "give --data fgvc_fungi/images",
    "Quickdraw": "is kept as one .npy of drawings per class: save some of them as images in one folder per class",
}
NAMES = (*_READ, *_REFUSED)


@dataclass(frozen=True)
class Learn2learnSet(Dataset):
    """The data set that learn2learn downloaded below `root` under this name.

    CIFARFS, CUBirds200, DescribableTextures, FGVCAircraft and FullOmniglot are read, with all of their images: choose
    classes with a published split. MiniImagenet, TieredImagenet, FC100, VGGFlower102, FGVCFungi and Quickdraw are in
    files that fewshot does not read; the error says what to do.
    """

    short_name: ClassVar[str] = "{name}"

    name: str
    root: Path

    rules = declare(name=one_of(NAMES))

    def default_split(self) -> str | None:
        """The split of the source that reads it."""
        return self._source().default_split() if self.name in _READ else None

    def class_list(self) -> ClassList | None:
        """The class names of the source that reads it."""
        listed = self._checked_source().class_list()
        return None if listed is None else ClassList(self.name, listed.class_names)

    def load(self) -> LabelledImages:
        """All images. A ValueError says why a set is not read, or which folder is missing."""
        return replace(self._checked_source().load(), name=self.name)

    def _checked_source(self) -> Dataset:
        if self.name in _REFUSED:
            raise ValueError(f"{self.name} of learn2learn {_REFUSED[self.name]}")
        path = Path(self.root) / _READ[self.name][0]
        if not path.exists():
            raise ValueError(
                f"there is no {path}; let learn2learn.vision.datasets.{self.name}(root={str(self.root)!r}, "
                "download=True) unpack it, or give its root"
            )
        return self._source()

    def _source(self) -> Dataset:
        below, spec = _READ[self.name]
        path = Path(self.root) / below
        source: Dataset = DATASETS.make(spec.format(path=str(path), folder=str(path.parent)))
        return source
