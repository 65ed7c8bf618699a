"""Whether the images that a network was trained on are still those at the paths of its data."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fewshot.backbones._training_record import TrainingRecord
from fewshot.datasets import LabelledImages
from fewshot.files.atomic import home
from fewshot.plugins.registry import BACKBONES, DATASETS, RECIPES, SPLITS

if TYPE_CHECKING:
    from fewshot.backbones.pretrained import Pretrained


def labels_digest(images: LabelledImages) -> str:
    """sha256 hex of the class of every image, in order."""
    names = json.dumps(images.class_names).encode()
    return hashlib.sha256(names + images.labels.astype("<i8").tobytes()).hexdigest()


def check_images(source: Pretrained, record: TrainingRecord) -> None:
    """A ValueError where the images or classes at the paths of the data are not those of the record. Nothing is read
    where the data lies at no path of its own, or is gone: then nothing else can be meant."""
    paths = DATASETS.spec(source.data).paths
    if not paths or not all(path.exists() for path in paths):
        return
    if not _is_of(record, source.data.load()):
        raise ValueError(
            f"the images in {paths[0]} are not those that this network was trained on; put those back, or give "
            f"Pretrained another seed than {source.seed} to train on the new ones"
        )


def trained_elsewhere(source: Pretrained, images: LabelledImages) -> tuple[Path, TrainingRecord] | None:
    """Weights, and the record as it reads for `source`, of a finished training that differs from it in nothing but the
    place where the same `images` lay; None where there is none."""
    if not DATASETS.spec(source.data).paths:
        return None
    for path in sorted((home() / "pretrained").glob("*/record.json")):
        weights = path.with_name("weights.safetensors")
        try:
            record = TrainingRecord.read(path)
            if not (weights.is_file() and record.labels_digest and _is_of(record, images)):
                continue
            if _placeless(BACKBONES.make(record.spec, allow_import=False)) == _placeless(source):
                return weights, replace(record, spec=BACKBONES.canonical(source), data=images.name)
        except ValueError:  # a damaged record, or one that names code of others
            continue
    return None


def _is_of(record: TrainingRecord, images: LabelledImages) -> bool:
    """Whether a record is of these images in these classes; of classes older records say nothing."""
    return record.images_digest == images.images_digest and record.labels_digest in ("", labels_digest(images))


def _placeless(source: Pretrained) -> tuple[object, ...]:
    """All that names a training, but for where its images are."""
    data = DATASETS.canonical(source.data)
    for path in DATASETS.spec(source.data).paths:
        data = data.replace(repr(str(path)), "''")
    split = None if source.split is None else SPLITS.canonical(source.split)
    parts = (BACKBONES.canonical(source.network), RECIPES.canonical(source.recipe))
    return (data, split, *parts, source.n_images, source.seed)
