"""The columns of a row, in groups; results/row.py joins the groups.

Flat JSON scalars; accuracies are fractions in [0, 1]. Columns that an older row lacks take their defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

SCHEMA = 1  # raised when the meaning of a run changes; part of every run id
Value = float | str | None  # in a column of a measure


@dataclass(frozen=True)
class Columns:
    """Columns that belong together."""


@dataclass(frozen=True)
class RunName(Columns):
    """Which run it is, and whether it succeeded."""

    run_id: str
    schema: int = SCHEMA
    protocol: str = ""  # name and version of the suite, such as "quick@1"
    benchmark_set: str = ""  # the data set of the benchmark of the field that the run is, such as "dtd" of vtab_1k
    status: str = "ok"  # or "failed"
    error: str = ""


@dataclass(frozen=True)
class SpecColumns(Columns):
    """The spec."""

    dataset: str = ""
    split: str = ""
    classes: str = ""
    backbone: str = ""
    transform: str = ""
    evaluator: str = ""
    sampler: str = ""
    n_way: int | None = None
    k_shot: int | None = None
    n_query: int | None = None
    k_shot_at_most: bool = False
    seed: int = 0
    dtype: str = ""
    selection_rule: str = ""  # how the run chooses hyperparameters, with the grid


@dataclass(frozen=True)
class Score(Columns):
    """The accuracy with its intervals, the reasons for those that are missing, and the further measures."""

    n_episodes: int = 0
    n_classes: int = 0  # that episodes sample from
    accuracy: float | None = None  # mean over episodes
    accuracy_low: float | None = None
    accuracy_high: float | None = None
    accuracy_reason: str = ""  # why there is no interval; the other reasons likewise
    population: str = ""  # that the interval is for
    new_images_low: float | None = None  # interval for new images of these classes; needs disjoint pools
    new_images_high: float | None = None
    new_images_reason: str = ""
    new_classes_low: float | None = None  # interval for new classes, or for new groups of classes
    new_classes_high: float | None = None
    new_classes_unit: str = ""  # "classes", or "groups (superclass)" where episodes draw groups; "" in older rows
    new_classes_monte_carlo: float | None = None  # share of its variance that more episodes would remove
    new_classes_reason: str = ""
    new_draws_low: float | None = None  # interval for new supports and new images; needs whole test sets
    new_draws_high: float | None = None
    new_draws_reason: str = ""
    draws: str = ""  # the accuracy for each sampled support, if each answers a whole test set
    measures: Mapping[str, Value] = field(default_factory=dict, hash=False)  # by column; flat in the file
    n_not_converged: int = 0
    support_choices: str = ""  # JSON: how many episodes chose each setting of the grid, in its order


@dataclass(frozen=True)
class Honesty(Columns):
    """What the number depends on: queries, classes in the weights' training, labels that chose hyperparameters."""

    transductive: bool = False
    pretrained_on: str = "unknown"  # training data of the weights; "nothing" for none
    templates: str = ""  # of the texts of the class names, for a head that uses the backbone's text tower
    seen_classes: str = "unknown"  # whether the weights were trained on these classes: not seen, seen, unknown
    n_seen_classes: int | None = None  # in the weights' training data; None: not looked up
    n_unknown_classes: int | None = None  # with no information on this
    seen_classes_by: str = ""  # how they were matched: "synset ids", "the table of CIFAR-100", "class names"
    selection: str = "none"  # what chose hyperparameters: "support", "validation classes", ...
    n_labels_selection: int = 0  # labelled images that chose them, beyond the supports
    n_trials: int = 1  # settings compared
    chosen: str = ""  # the evaluator chosen before the run, one for all episodes
    trial_accuracies: str = ""  # JSON: accuracy, low, high of each setting that was tried, in the order of the grid


@dataclass(frozen=True)
class Training(Columns):
    """The training of a network that fewshot trained."""

    recipe: str = ""
    training_rule: str = ""  # "epochs", "steps" or "tuned": what grows with more training images
    network: str = ""  # the start of the training, without its seed
    started_on: str = ""  # training data of that start; "nothing" for none
    training_seed: int | None = None
    training_classes: int | None = None
    unique_images: int | None = None
    images_processed: int | None = None
    training_trials: int = 1
    first_loss: float | None = None  # mean over the first tenth of the steps
    training_loss: float | None = None  # mean over the last tenth
    validation_loss: float | None = None
    seen_error: float | None = None  # over all trained classes at once, on held-out images
    seen_loss: float | None = None  # cross-entropy there, in nats
    n_held_out: int | None = None  # held-out images; absent in older rows


@dataclass(frozen=True)
class Cost(Columns):
    """The cost of the run, and the size of its network."""

    seconds_embedding: float = 0.0
    seconds_solving: float = 0.0
    n_embedded: int = 0
    n_params: int = 0
    dim: int = 0
    flops: int | None = None  # of the network for one image, 2 per multiply-add; absent in older rows


@dataclass(frozen=True)
class Digests(Columns):
    """Digests of everything that the run used."""

    images_digest: str = ""
    classes_digest: str = ""
    split_digest: str = ""
    episodes_digest: str = ""
    weights_digest: str = ""
    preprocess_digest: str = ""
    data_revision: str = ""  # commit of the data hub that the images come from; "" for other data


@dataclass(frozen=True)
class Provenance(Columns):
    """Where, when and with which software the run was computed."""

    device: str = ""
    n_threads: int = 0
    platform: str = ""
    commit: str = ""
    versions: str = ""
    finished: str = ""  # UTC, ISO 8601
