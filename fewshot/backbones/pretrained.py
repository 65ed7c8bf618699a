"""A network that was trained here, by a recipe, on the seen classes of a data set."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from safetensors.torch import load_file
from torch import Tensor

from fewshot.backbones import Backbone, BackboneSource
from fewshot.backbones._trained_images import check_images
from fewshot.backbones._training_record import TrainingRecord
from fewshot.files.atomic import home
from fewshot.plugins.registry import BACKBONES, RECIPES

if TYPE_CHECKING:
    from fewshot.datasets import Dataset
    from fewshot.pretraining import Recipe
    from fewshot.splits import SplitRule

NETWORK = "network."  # before the names of the network's weights in the file


@dataclass(frozen=True)
class Pretrained(BackboneSource):
    """A network trained by a recipe on images of seen classes; kept under $FEWSHOT_HOME/pretrained by its spec.

    `network` is where it starts: `ConvNet`, `RandomInit` (any network of timm from scratch), or a network that was
    trained before. `data` and `split` (None: the data set's own) say which classes it sees: exactly the seen ones.
    Where the data set has a partition "train", only its images are trained on (see Partitioned); `n_images` takes so
    many of them, as many of each class as there are, the fewer among the more (None: all). `seed` moves the subset, the
    order and the views; the start has a seed of its own. Where the images in the data's folder changed, loading says
    so: give another seed. A folder that was moved with its images is known again.
    """

    short_name: ClassVar[str] = "{network}, {recipe}, [{n_images} images|all images], seed {seed}"

    network: BackboneSource
    data: Dataset
    recipe: Recipe
    split: SplitRule | None = None
    n_images: int | None = None
    seed: int = 0

    @property
    def folder(self) -> Path:
        """Where weights and record are kept, or will be."""
        return home() / "pretrained" / hashlib.sha256(BACKBONES.canonical(self).encode()).hexdigest()[:16]

    @property
    def weights(self) -> Path:
        """The file of weights; it is there when, and only when, the training is finished."""
        return self.folder / "weights.safetensors"

    @property
    def record(self) -> TrainingRecord:
        """What the training was; a ValueError where it is not finished."""
        if not self.weights.is_file():
            raise ValueError(
                f"{BACKBONES.canonical(self)} is not trained yet; run: fewshot pretrain, with this spec, or use it in "
                "`fewshot run`, which trains it"
            )
        return TrainingRecord.read(self.folder / "record.json")

    def load(self) -> Backbone:
        """The trained network; it is not trained here. Other images than it was trained on, in the folder of its data,
        are a ValueError."""
        record = self.record
        check_images(self, record)
        start = scaffold(self.network).load()
        network = start.network
        network.load_state_dict(network_state(load_file(self.weights)))
        return replace(
            start,
            name=f"{start.name}, {RECIPES.read(record.recipe).name} on {record.unique_images} images",
            weights_digest=record.weights_digest,
            pretrained_on=_trained_on(start.pretrained_on, self.network, record),
            training=record,
        )

    def to_train(self) -> str:
        return "" if self.weights.is_file() else BACKBONES.canonical(self)


def scaffold(source: BackboneSource) -> BackboneSource:
    """The source of the architecture: of a network that was trained in several steps, where the first one started."""
    while isinstance(source, Pretrained):
        source = source.network
    return source


def network_state(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights of the network alone, out of a file that holds its head too."""
    return {name.removeprefix(NETWORK): value for name, value in state.items() if name.startswith(NETWORK)}


def _trained_on(start: str, network: BackboneSource, record: TrainingRecord) -> str:
    before = network.record.trained_on if isinstance(network, Pretrained) else start
    return record.trained_on if before == "nothing" else f"{before}; {record.trained_on}"
