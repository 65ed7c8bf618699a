"""A test of this machine in about ten seconds: decoding, embedding on every device, an episode with a known answer."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fewshot.backbones import Backbone
from fewshot.backbones.random_init import RandomInit
from fewshot.datasets import LabelledImages
from fewshot.datasets.icons import Icons
from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import Head
from fewshot.evaluators.linear_probe import LinearProbe
from fewshot.features.decoding import Decoder
from fewshot.features.embedding import canonical_batches
from fewshot.features.ring import Ring
from fewshot.features.settings import BATCH, USUAL, EmbeddingSettings
from fewshot.features.table import FeatureTable, feature_table
from fewshot.files.cores import cores

NETWORK, SIZE = "resnet18", 128
MOST_DIFFERENCE = 1e-3  # of a feature vector's length: more than rounding in float32
MOST_ERROR = 1e-5  # of a probability, from scikit-learn's


@dataclass(frozen=True)
class DeviceTest:
    """What a device did."""

    device: str
    images_per_second: float  # embedded by a ResNet-18 with random weights at 128 px
    difference: float  # from the CPU: the largest of a feature vector, as a share of its length
    probability_error: float  # largest difference from scikit-learn's probabilities in an episode of LinearProbe

    @property
    def passed(self) -> bool:
        """Whether the differences are those of rounding."""
        return self.difference <= MOST_DIFFERENCE and self.probability_error <= MOST_ERROR


def devices() -> list[torch.device]:
    """The CPU and every GPU."""
    gpus = [torch.device("cuda", index) for index in range(torch.cuda.device_count())]
    return [torch.device("cpu"), *gpus, *([torch.device("mps")] if torch.backends.mps.is_available() else [])]


def device_test(device: torch.device, n_images: int = 2 * BATCH) -> DeviceTest:
    """The test of a device."""
    images, backbone = Icons("colour").load(), RandomInit(NETWORK, image_size=SIZE).load()
    wanted = embedded(images, backbone, n_images)
    backbone.network.to(device)
    embedded(images, backbone, BATCH)  # a device is slow at first
    on_device = embedded(images, backbone, n_images)
    rows = np.arange(n_images)
    off = largest_difference(on_device.gather(rows), wanted.gather(rows))
    heads = torch.device("cpu") if device.type == "mps" else device  # which has no float64
    return DeviceTest(str(device), n_images / on_device.use.seconds, off, probability_error(heads))


def embedded(
    images: LabelledImages, backbone: Backbone, n_images: int, dtype: str = "float32", how: EmbeddingSettings = USUAL
) -> FeatureTable:
    """The table of the first images, in a folder that is removed; the table stays readable."""
    with tempfile.TemporaryDirectory() as folder:
        rows = np.arange(n_images)
        return feature_table(images, backbone, rows, dtype, progress=False, folder=Path(folder), settings=how)


def largest_difference(found: Tensor, wanted: Tensor) -> float:
    """The largest ||f - g|| / ||g|| of a row."""
    return float(((found - wanted).norm(dim=1) / wanted.norm(dim=1).clamp_min(1e-30)).max())


def decoding_rate(processes: int, n_images: int = 4 * BATCH) -> float:
    """Images per second that are decoded and prepared for a network at 128 px, without a network."""
    images, backbone = Icons("colour").load(), RandomInit(NETWORK, image_size=SIZE).load()
    decoder = Decoder(images, backbone.preprocess, backbone.name, torch.Size([3, SIZE, SIZE]))
    start = time.perf_counter()
    for batch in Ring(decoder, BATCH, torch.channels_last, processes).batches(canonical_batches(np.arange(n_images))):
        batch.free()
    return n_images / (time.perf_counter() - start)


def decoding_rates() -> dict[str, float]:
    """Images per second by threads, and by as many processes as there are cores."""
    return {"threads": decoding_rate(0), "processes": decoding_rate(cores().usable)}


def probability_error(device: torch.device) -> float:
    """The largest difference between the probabilities of LinearProbe on this device and those of scikit-learn."""
    from sklearn.linear_model import LogisticRegression

    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(5), 5)
    centres = random.normal(size=(5, 64))
    support, query = (centres[part] + random.normal(size=(len(part), 64)) for part in (labels, np.repeat(labels, 3)))
    peer = LogisticRegression(C=1.0, tol=1e-12, max_iter=10_000).fit(support, labels)
    probabilities = torch.softmax(_head(support, labels, device)(_tensor(query[None], device)), 2)[0].cpu()
    return float((probabilities - torch.from_numpy(peer.predict_proba(query))).abs().max())


def _head(support: NDArray[np.float64], labels: NDArray[np.int64], device: torch.device) -> Head[Tensor]:
    batch = EpisodeBatch(
        support=_tensor(support[None], device),
        support_labels=_tensor(labels[None], device),
        support_mask=torch.ones(1, len(labels), dtype=torch.bool, device=device),
        n_way=5,
        seeds=torch.zeros(1, dtype=torch.int64),
    )
    return LinearProbe(C=1.0).fit(batch)


def _tensor(values: NDArray[Any], device: torch.device) -> Tensor:
    return torch.from_numpy(values).to(device)
