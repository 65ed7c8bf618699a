"""A network that fewshot trains by a recipe on the seen classes of a data set."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from fewshot.backbones import Backbone, BackboneSource, weights_digest
from fewshot.datasets import LabelledImages
from fewshot.datasets._digests import named_labels_digest
from fewshot.files.atomic import home
from fewshot.plugins.fields import Rule, declare, integer
from fewshot.plugins.registry import BACKBONES, DATASETS, RECIPES, SPLITS
from fewshot.results.training_record import TrainingRecord

if TYPE_CHECKING:
    from fewshot.backbones._recipe import Recipe
    from fewshot.datasets import Dataset
    from fewshot.splits import SplitRule

NETWORK = "network."  # before the names of the network's weights in the file


@dataclass(frozen=True)
class Pretrained(BackboneSource):
    """A network trained by a recipe on images of seen classes; stored under $FEWSHOT_HOME/pretrained by its spec.

    `network` is the start: `ConvNet`, `RandomInit` (any timm network from scratch), or a network that was trained
    before. It trains on exactly the seen classes of `data` and `split` (None: the data set's own), and only on the
    partition "train" if the data set has one (see Partitioned). `n_images` takes a balanced subset of them (None: all);
    smaller subsets are part of larger ones. `seed` sets the subset, the order and the views; the start has its own
    seed. If the images in the data's folder changed, loading is an error: give another seed. fewshot recognises a moved
    folder by its images.
    """

    short_name: ClassVar[str] = "{network}, {recipe}, [{n_images} images|all images], seed {seed}"

    network: BackboneSource
    data: Dataset
    recipe: Recipe
    split: SplitRule | None = None
    n_images: int | None = None
    seed: int = 0

    rules = declare(
        network=Rule("a backbone to start from, such as ConvNet()", lambda value: isinstance(value, BackboneSource)),
        n_images=integer(1),
        seed=integer(0, below=1 << 63),
    )

    @property
    def folder(self) -> Path:
        """The folder of weights and record."""
        spec = BACKBONES.spec(self)  # with the code of external members, so that an edit trains again
        return home() / "pretrained" / hashlib.sha256(f"{spec.text}{spec.code}".encode()).hexdigest()[:16]

    @property
    def weights(self) -> Path:
        """The file of weights; it exists only after the training has finished."""
        return self.folder / "weights.safetensors"

    @property
    def record(self) -> TrainingRecord:
        """The record of the training. A ValueError if it has not finished."""
        if not self.weights.is_file():
            raise ValueError(
                f"{BACKBONES.canonical(self)} is not trained yet; run: fewshot pretrain, with this spec, or use it in "
                "`fewshot run`, which trains it"
            )
        return TrainingRecord.read(self.folder / "record.json")

    def load(self) -> Backbone:
        """The trained network; does not train it. If the folder of its data holds other images than it was trained on,
        a ValueError."""
        record = self.record
        check_images(self, record)
        start = scaffold(self.network).load()
        network = start.network
        network.load_state_dict(self._state(record))
        return replace(
            start,
            name=f"{start.name}, {RECIPES.read(record.recipe).name} on {record.unique_images} images",
            weights_digest=record.weights_digest,
            pretrained_on=_trained_on(start.pretrained_on, self.network, record),
            training=record,
            words=None,  # training moved the features out of the space of the texts
        )

    def _state(self, record: TrainingRecord) -> dict[str, Tensor]:
        """The trained weights. A ValueError if the file has changed."""
        try:
            state = network_state(load_file(self.weights))
        except (SafetensorError, OSError) as error:
            raise ValueError(f"{self.weights} is damaged ({error}); remove {self.folder} to train again") from error
        if weights_digest(state) != record.weights_digest:
            raise ValueError(
                f"the weights in {self.weights} are not those that the training wrote; remove {self.folder} to train "
                "again"
            )
        return state

    def to_train(self) -> str:
        return "" if self.weights.is_file() else BACKBONES.canonical(self)


def scaffold(source: BackboneSource) -> BackboneSource:
    """The source of the architecture: for a network trained in several steps, the start of the first."""
    while isinstance(source, Pretrained):
        source = source.network
    return source


def network_state(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights of the network, from a file that also holds its head."""
    return {name.removeprefix(NETWORK): value for name, value in state.items() if name.startswith(NETWORK)}


def _trained_on(start: str, network: BackboneSource, record: TrainingRecord) -> str:
    before = network.record.trained_on if isinstance(network, Pretrained) else start
    return record.trained_on if before == "nothing" else f"{before}; {record.trained_on}"


def check_images(source: Pretrained, record: TrainingRecord) -> None:
    """Raises a ValueError if the images or classes at the paths of the data are not those of the record. Reads nothing
    if the data has no path of its own, or is gone."""
    paths = DATASETS.spec(source.data).paths
    if not paths or not all(path.exists() for path in paths):
        return
    if not _is_of(record, source.data.load()):
        raise ValueError(
            f"the images in {paths[0]} are not those that this network was trained on; put those back, or give "
            f"Pretrained another seed than {source.seed} to train on the new ones"
        )


def trained_elsewhere(source: Pretrained, images: LabelledImages) -> tuple[Path, TrainingRecord] | None:
    """Weights and record (rewritten for `source`) of a finished training that differs only in the path of the same
    `images`; None if there is none."""
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
        except ValueError:  # a damaged record, or one that names external code
            continue
    return None


def _is_of(record: TrainingRecord, images: LabelledImages) -> bool:
    """Whether a record is for these images in these classes; older records do not store the classes."""
    return record.images_digest == images.images_digest and record.labels_digest in ("", named_labels_digest(images))


def _placeless(source: Pretrained) -> tuple[object, ...]:
    """Everything that identifies a training, except the path of its images."""
    data = DATASETS.canonical(source.data)
    for path in DATASETS.spec(source.data).paths:
        data = data.replace(repr(str(path)), "''")
    split = None if source.split is None else SPLITS.canonical(source.split)
    parts = (BACKBONES.canonical(source.network), RECIPES.canonical(source.recipe))
    return (data, split, *parts, source.n_images, source.seed)
