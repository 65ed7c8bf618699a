"""The 1000 classes of ImageNet (ILSVRC 2012): their synset ids in the usual order, and the class index."""

from __future__ import annotations

from pathlib import Path

from fewshot.datasets._published_classes import published_split
from fewshot.files.regular import parsed_json, read_text

CLASS_INDEX = "imagenet_class_index.json"


def synsets(folder: Path) -> list[str]:
    """The synset id of each class number: those of the class index in a folder, or else all in alphabetical order."""
    file = folder / CLASS_INDEX
    if not file.is_file():
        return sorted(published_split("meta_dataset_ilsvrc_2012").classes)
    try:
        content = parsed_json(read_text(file, "class index"))
        return [str(content[str(number)][0]) for number in range(len(content))]
    except (ValueError, RecursionError, KeyError, IndexError, TypeError) as error:
        raise ValueError(
            f'{file} is no class index: expected {{"0": ["n01440764", "tench"], "1": ...}}; get it again'
        ) from error
