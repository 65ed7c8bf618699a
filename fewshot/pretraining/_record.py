"""The record of a finished training: what was trained, on what, and how well."""

from __future__ import annotations

from fewshot.backbones import Backbone, BackboneSource, weights_digest
from fewshot.backbones.pretrained import Pretrained, network_state, scaffold
from fewshot.files.atomic import write_atomically
from fewshot.plugins.registry import BACKBONES, RECIPES
from fewshot.pretraining import Objective
from fewshot.pretraining._heads import HeldOutScore, class_means
from fewshot.pretraining._material import Material
from fewshot.pretraining._saving import Progress
from fewshot.results import provenance
from fewshot.results.training_record import TrainingRecord


def keep(source: Pretrained, weights: bytes, record: TrainingRecord) -> TrainingRecord:
    """Writes the record, then the weights: a folder with weights is a finished training."""
    record.write(source.folder / "record.json")
    write_atomically(source.weights, weights)
    (source.folder / "progress.safetensors").unlink(missing_ok=True)
    return record


def record_of(
    source: Pretrained,
    seen: Material,
    backbone: Backbone,
    objective: Objective,
    state: Progress,
    images_per_step: int,
) -> TrainingRecord:
    """The record of a finished training."""
    recipe, train = source.recipe, seen.train
    error, loss, n_held_out = _held_out(objective, seen, backbone)
    stopped = state.step if state.best is None else state.best_step
    here = provenance.current(backbone.device.type)
    return TrainingRecord(
        spec=BACKBONES.canonical(source),
        recipe=RECIPES.canonical(recipe),
        chosen=RECIPES.canonical(recipe),
        rule=recipe.schedule().rule,
        network=without_seed(source.network),
        seed=source.seed,
        data=train.name,
        images_digest=train.images_digest,
        classes=train.class_names,
        before=_classes_before(source.network),
        n_params=backbone.n_params,
        unique_images=len(train),
        images_processed=stopped * images_per_step,
        all_images_processed=state.step * images_per_step,
        n_trials=1,
        steps=state.step,
        stopped_at=stopped,
        first_loss=state.first_loss,
        training_loss=state.recent_loss,
        validation_loss=state.best_loss,
        seen_error=error,
        seen_loss=loss,
        n_held_out=n_held_out,
        seconds=round(state.seconds, 1),
        weights_digest=weights_digest(network_state(objective.state_dict())),
        versions=here.versions,
        device=here.device,
        n_threads=here.n_threads,
        started_on=backbone.pretrained_on,
        labels_digest=seen.labels_digest,
    )


def _held_out(objective: Objective, seen: Material, backbone: Backbone) -> tuple[float | None, float | None, int]:
    """Error, loss and number of the held-out images of the trained classes."""
    if seen.test is None:
        return None, None, 0
    score = HeldOutScore(seen.test, backbone)
    centres = class_means(objective, seen.train, backbone) if objective.classifier() is None else None
    return *score(objective, centres), len(score)


def without_seed(source: BackboneSource) -> str:
    """The spec of a training's start, without its seed: one name for all seeds. Rows store it."""
    start = BACKBONES.spec(scaffold(source))
    spec = (BACKBONES.varied(start, {"seed": 0}) if "seed" in start.fields else start).text
    return spec if not isinstance(source, Pretrained) else f"{spec}, pre-trained on {source.record.trained_on}"


def _classes_before(start: BackboneSource) -> tuple[str, ...] | None:
    if not isinstance(start, Pretrained):
        return () if start.load().pretrained_on == "nothing" else None
    record = start.record
    return None if record.before is None else record.before + record.classes
