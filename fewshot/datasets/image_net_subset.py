"""SimCLR's 1 % and 10 % of ImageNet's training images (Chen et al. 2020, arXiv 2002.05709), by their lists.

fewshot run --data imagenet/1percent.txt --backbone resnet18 --way all --shot all --support-from partition=train
    --query all --query-from partition=val
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from fewshot.datasets import ClassList, Dataset, Group, LabelledImages
from fewshot.datasets._decoding import is_picture
from fewshot.datasets._listed import Entries, Listing, named_classes
from fewshot.files.regular import written_text

_TRAIN = ("train", "ILSVRC2012_img_train", "ILSVRC/Data/CLS-LOC/train")
_LONGEST = 255  # bytes of the name of a file
_VAL = ("val", "ILSVRC2012_img_val")


@dataclass(frozen=True)
class ImageNetSubset(Dataset):
    """The training images of a list of file names, one a line, such as n01440764_10026.JPEG: the partition train.

    `root` is ImageNet's folder (default: that of the list) with train/<synset>/<file>; the images of val/<synset>/, if
    there are any, are the partition val. The classes are the synset ids.
    """

    short_name: ClassVar[str] = "[ImageNet {path:stem}|ImageNet subset]"
    file_names: ClassVar[tuple[str, ...]] = ("1percent.txt", "10percent.txt")

    path: Path
    root: Path | None = None

    def class_list(self) -> ClassList:
        """The class names of the list."""
        return self._listing().class_list

    def load(self) -> LabelledImages:
        """The listed images in their order, then those of val. A ValueError names lines that are no file names."""
        return self._listing().images()

    def _listing(self) -> Listing:
        file = Path(self.path)
        lines = enumerate(written_text(file, "list", "get it again").split("\n"), 1)
        listed = [(number, line.strip()) for number, line in lines if line.strip()]
        places = [f"line {number}" for number, _ in listed]
        names = [name for _, name in listed]
        Entries(file, names, places).refuse(
            (row for row, name in enumerate(names) if not _is_file_name(name)),
            "lines are no file names of ImageNet's training images",
            "expected lines such as n01440764_10026.JPEG",
        )
        root = Path(self.root) if self.root else file.parent
        train = Entries(file, [f"{name.partition('_')[0]}/{name}" for name in names], places)
        folder = train.root([root / name for name in _TRAIN], "name ImageNet's folder as root")
        train = Entries(file, [f"{folder.relative_to(root)}/{path}" for path in train.paths], places)
        held = _validation(root, {name.partition("_")[0] for name in names})
        entries = Entries(file, [*train.paths, *held], [*places, *held])
        classes, labels = named_classes([Path(path).parent.name for path in entries.paths], file)
        partition = Group.of(["train"] * len(names) + ["val"] * len(held))
        return Listing(f"imagenet-{file.stem}", entries, root, labels, classes, {"partition": partition})


def _is_file_name(name: str) -> bool:
    """Whether a name begins with a class, as n01440764_10026.JPEG, and is short enough for a file."""
    return name.find("_") > 0 and "/" not in name and len(name.encode()) <= _LONGEST


def _validation(root: Path, known: set[str]) -> list[str]:
    """The validation images of these classes below the root, sorted."""
    folder = next((root / name for name in _VAL if (root / name).is_dir()), None)
    if folder is None:
        return []
    images = (path for name in sorted(known) for path in sorted((folder / name).glob("*")))
    return [path.relative_to(root).as_posix() for path in images if is_picture(path.suffix)]
