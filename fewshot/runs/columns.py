"""The columns of a row that its spec, its members and its data give; those of its predictions: scores.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fewshot.datasets import LabelledImages
from fewshot.episodes.flat import Ints
from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.spec import Spec
from fewshot.results.columns import Digests, Honesty, SpecColumns, Training
from fewshot.results.seen_classes import SEEN, UNKNOWN, SeenClasses, seen_classes, seen_in_training
from fewshot.runs.specs import RunSpec, Sampled

if TYPE_CHECKING:
    from fewshot.backbones import Backbone
    from fewshot.backbones._words import Prompts


def spec_columns(spec: RunSpec) -> SpecColumns:
    """The spec as columns."""
    sampled = spec.episodes if isinstance(spec.episodes, Sampled) else None
    shape = EpisodeShape(None, None, None) if sampled is None else sampled.shape
    return SpecColumns(
        dataset=spec.dataset.text,
        split="" if spec.split is None else spec.split.text,
        classes=spec.classes,
        backbone=spec.backbone.text,
        transform=spec.transform.text,
        evaluator=spec.evaluator.text,
        sampler=spec.episodes.text,
        n_way=shape.n_way,
        k_shot=shape.k_shot,
        n_query=shape.n_query,
        k_shot_at_most=shape.k_shot_at_most,
        seed=0 if sampled is None else sampled.seed,
        dtype=spec.dtype,
        selection_rule="" if spec.selection is None else repr(spec.selection),
    )


def honesty(
    evaluator: Spec, images: LabelledImages, classes: Ints, backbone: Backbone, prompts: Prompts | None = None
) -> Honesty:
    """The columns that tell how honest a number on these classes (labels) is. `prompts`: the templates of the vectors
    of the class names, if a text tower made them."""
    from fewshot.evaluators import TransductiveEvaluator

    member, seen = evaluator.make(), _seen(images, classes, backbone)
    return Honesty(
        transductive=isinstance(member, TransductiveEvaluator),
        pretrained_on=backbone.pretrained_on,
        templates="" if prompts is None else prompts.name,
        seen_classes=seen.state,
        n_seen_classes=seen.count(SEEN),
        n_unknown_classes=seen.count(UNKNOWN),
        seen_classes_by=seen.by,
        selection="support" if member.n_trials() > 1 else "none",
        n_trials=member.n_trials(),
    )


def _seen(images: LabelledImages, classes: Ints, backbone: Backbone) -> SeenClasses:
    """The classes among these that were in the training data of the weights."""
    names, record = [images.class_names[label] for label in classes], backbone.training
    if record is not None:
        return seen_in_training(record, images.name, names)
    return seen_classes(backbone.pretrained_on, images.name, names)


def training(backbone: Backbone) -> Training:
    """The training of a network that fewshot trained; empty for other networks."""
    record = backbone.training
    if record is None:
        return Training()
    return Training(
        recipe=record.recipe,
        training_rule=record.rule,
        network=record.network,
        started_on=record.started_on,
        training_seed=record.seed,
        training_classes=len(record.classes),
        unique_images=record.unique_images,
        images_processed=record.images_processed,
        training_trials=record.n_trials,
        first_loss=record.first_loss,
        training_loss=record.training_loss,
        validation_loss=record.validation_loss,
        seen_error=record.seen_error,
        seen_loss=record.seen_loss,
        n_held_out=record.n_held_out,
    )


def digests(images: LabelledImages, backbone: Backbone, episodes_digest: str, split_digest: str = "") -> Digests:
    """The digests of the data and weights behind a row."""
    return Digests(
        images_digest=images.images_digest,
        classes_digest=images.classes_digest,
        split_digest=split_digest,
        episodes_digest=episodes_digest,
        weights_digest=backbone.weights_digest,
        preprocess_digest=backbone.preprocess_digest,
        data_revision=images.revision,
    )
