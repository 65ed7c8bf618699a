"""What a run id hashes: the identities of the specs, and the digests of the data that they mean."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from fewshot.datasets import LabelledImages
from fewshot.episodes.shape import EpisodeShape
from fewshot.results.columns import SCHEMA


@dataclass(frozen=True)
class RunIdentity:
    """Everything that names a run. Whoever knows it computes the run id without images or networks."""

    dataset: str  # the identities of specs (plugins/spec.py)
    backbone: str
    transform: str
    evaluator: str
    images_digest: str
    labels_digest: str
    split_digest: str
    classes: str
    episodes: Any  # `sampled_name`, or the digest of a list
    first_digest: str  # of the first two episodes: a sampler that draws otherwise makes other runs
    dtype: str
    class_vectors_digest: str | None = None  # None: the data has no class vectors
    texts_digest: str | None = None  # of the class names in templates; None: no text tower is used
    selection: Any = None  # the rule's identity; None: hyperparameters as given

    @property
    def run_id(self) -> str:
        """16 hex digits that name the run."""
        named = [
            SCHEMA,
            self.dataset,
            self.images_digest,
            self.labels_digest,
            self.split_digest,
            self.classes,
            self.backbone,
            self.transform,
            self.evaluator,
            self.episodes,
            self.first_digest,
            self.dtype,
        ]
        named += [] if self.class_vectors_digest is None else [self.class_vectors_digest]
        named += [] if self.texts_digest is None else [self.texts_digest]
        named += [] if self.selection is None else [self.selection]
        return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()[:16]


def sampled_name(shape: EpisodeShape, seed: int, sampler: str) -> dict[str, Any]:
    """The identity of episodes that a sampler with this identity draws."""
    return {"shape": asdict(shape), "seed": seed, "sampler": sampler}


def labels_digest(images: LabelledImages) -> str:
    """sha256 hex of the label of every image."""
    return hashlib.sha256(images.labels.astype("<i8").tobytes()).hexdigest()


def class_vectors_digest(images: LabelledImages) -> str | None:
    """sha256 hex of the class vectors; None where there are none."""
    vectors = images.class_vectors
    return None if vectors is None else hashlib.sha256(vectors.astype("<f8").tobytes()).hexdigest()
