"""fewshot: how well does a backbone learn new classes from a handful of images, and is the difference real?

E episodes, B episodes in a batch, N ways, K shots, Q queries per class, S support rows, M query rows, D features,
n images, C classes.

The way of the data, and the room of each step:

    datasets/     labelled images or vectors, a file a source   splits.py      seen, validation and novel classes
    samplers/     episodes, one file a way to compose them      episodes.py    rows of an episode, batches of them
    backbones/    networks, one file a source                   features.py    every needed image embedded once
    pretraining/  networks trained here, one file a recipe      distances.py   how far a target is from a source
    transforms/   features to features                          evaluators/    one file a way to learn an episode
    tuning/       what evaluators that tune a network share     presets.py     methods of the field by name
    learners.py   an evaluator and what it learns from          solving.py     episodes to predictions, bounded memory
    scoring.py    predictions, and how many are right           measures/      further measures, a file a measure
    specs.py      what names a run                              runs.py        a spec to a row; suites that resume
    evaluation.py a network on episodes of one's own, at once   columns.py     what a row says of both
    results.py    rows and predictions on disk                  report/        rows to one page
    statistics.py intervals by population                       comparison.py  runs on the same episodes, in pairs
    pairing.py    rows to comparisons                           over_sets.py   the same pair on several data sets
    scaling/      laws of error over a resource, from any CSV   grids.py       hyperparameters to compare
    guards.py     what a run refuses                            selection.py   how a run chooses among hyperparameters
    seen_classes/ what weights have seen in training            duplicates.py  pictures that are there twice
    episode_lists.py   files of episodes that can be shared     episode_tables.py     and as CSV, for other programs
    learn2learn_tasks.py  episodes as its tasks, and back       class_similarity.py   how alike classes are
    images.py     images of episodes, for those that tune       further_views.py      augmented views of the support
    plugins.py    a folder is a registry                        laws/          what every member of a folder obeys
    cli.py        the commands

Public names are imported when they are first used, so that `import fewshot` is instant.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fewshot.backbones.conv_net import ConvNet
    from fewshot.backbones.given import Given
    from fewshot.backbones.pretrained import Pretrained
    from fewshot.datasets import ArrayImages, LabelledImages
    from fewshot.datasets.glyphs import Glyphs
    from fewshot.datasets.icons import Icons
    from fewshot.datasets.image_folder_set import ImageFolderSet
    from fewshot.datasets.labelled_vectors import labelled_vectors
    from fewshot.datasets.manifest import Manifest
    from fewshot.datasets.partitioned import Partitioned
    from fewshot.datasets.pseudo_labels import PseudoLabels
    from fewshot.datasets.torchvision_set import TorchvisionSet
    from fewshot.datasets.vector_set import VectorSet
    from fewshot.datasets.with_class_vectors import WithClassVectors
    from fewshot.episodes.episodes import Episodes, EpisodeShape
    from fewshot.episodes.lists import EpisodeList
    from fewshot.evaluators.augmented_support import AugmentedSupport
    from fewshot.evaluators.big_transfer import BigTransfer
    from fewshot.evaluators.cross_validated import CrossValidated
    from fewshot.evaluators.fine_tune import FineTune
    from fewshot.evaluators.gaussian_head import GaussianHead
    from fewshot.evaluators.linear_probe import LinearProbe
    from fewshot.evaluators.linear_probe_plus_plus import LinearProbePlusPlus
    from fewshot.evaluators.linear_svm import LinearSVM
    from fewshot.evaluators.lora import LoRA
    from fewshot.evaluators.mahalanobis import Mahalanobis
    from fewshot.evaluators.matching import Matching
    from fewshot.evaluators.nearest_neighbour import NearestNeighbour
    from fewshot.evaluators.proto_maml import ProtoMAML
    from fewshot.evaluators.prototype import Prototype
    from fewshot.evaluators.ridge_probe import RidgeProbe
    from fewshot.evaluators.scale_and_shift import ScaleAndShift
    from fewshot.evaluators.standardised import Standardised
    from fewshot.evaluators.task_specific_adapters import TaskSpecificAdapters
    from fewshot.evaluators.tim import TIM
    from fewshot.evaluators.tip_adapter import TipAdapter
    from fewshot.evaluators.zero_shot import ZeroShot
    from fewshot.evaluators.zero_shot_gaussian import ZeroShotGaussian
    from fewshot.evaluators.zero_shot_probe import ZeroShotProbe
    from fewshot.pretraining.anil import ANIL
    from fewshot.pretraining.cross_entropy import CrossEntropy
    from fewshot.pretraining.episodic import Episodic
    from fewshot.pretraining.maml import MAML
    from fewshot.pretraining.supervised_contrastive import SupervisedContrastive
    from fewshot.pretraining.tuned import Tuned
    from fewshot.results.files import Results
    from fewshot.results.row import Row
    from fewshot.runs.evaluation import evaluate
    from fewshot.runs.pipeline import Listed, RunSpec, Sampled, Workbench, run, run_all
    from fewshot.runs.selection import Selection
    from fewshot.samplers.balanced import Balanced
    from fewshot.samplers.dirichlet_query import DirichletQuery
    from fewshot.samplers.disjoint_pools import DisjointPools
    from fewshot.samplers.hierarchical import Hierarchical
    from fewshot.samplers.imbalanced import Imbalanced
    from fewshot.samplers.similarity_testbed import SimilarityTestbed
    from fewshot.samplers.variable_way_shot import VariableWayShot
    from fewshot.splits import ClassSplit
    from fewshot.splits.all_novel import AllNovel
    from fewshot.splits.by_group import ByGroup
    from fewshot.splits.by_seed import BySeed
    from fewshot.splits.committed import Committed
    from fewshot.splits.from_file import FromFile
    from fewshot.splits.narrowed import Narrowed

_HOMES = {
    "fewshot.backbones.conv_net": ("ConvNet",),
    "fewshot.backbones.pretrained": ("Pretrained",),
    "fewshot.datasets.partitioned": ("Partitioned",),
    "fewshot.evaluators.proto_maml": ("ProtoMAML",),
    "fewshot.pretraining.anil": ("ANIL",),
    "fewshot.pretraining.cross_entropy": ("CrossEntropy",),
    "fewshot.pretraining.episodic": ("Episodic",),
    "fewshot.pretraining.maml": ("MAML",),
    "fewshot.pretraining.supervised_contrastive": ("SupervisedContrastive",),
    "fewshot.pretraining.tuned": ("Tuned",),
    "fewshot.backbones.given": ("Given",),
    "fewshot.datasets": ("ArrayImages", "LabelledImages"),
    "fewshot.datasets.glyphs": ("Glyphs",),
    "fewshot.datasets.icons": ("Icons",),
    "fewshot.datasets.image_folder_set": ("ImageFolderSet",),
    "fewshot.datasets.labelled_vectors": ("labelled_vectors",),
    "fewshot.datasets.manifest": ("Manifest",),
    "fewshot.datasets.pseudo_labels": ("PseudoLabels",),
    "fewshot.datasets.torchvision_set": ("TorchvisionSet",),
    "fewshot.datasets.vector_set": ("VectorSet",),
    "fewshot.datasets.with_class_vectors": ("WithClassVectors",),
    "fewshot.episodes.lists": ("EpisodeList",),
    "fewshot.episodes.episodes": ("EpisodeShape", "Episodes"),
    "fewshot.runs.evaluation": ("evaluate",),
    "fewshot.evaluators.big_transfer": ("BigTransfer",),
    "fewshot.evaluators.augmented_support": ("AugmentedSupport",),
    "fewshot.evaluators.cross_validated": ("CrossValidated",),
    "fewshot.evaluators.fine_tune": ("FineTune",),
    "fewshot.evaluators.gaussian_head": ("GaussianHead",),
    "fewshot.evaluators.linear_svm": ("LinearSVM",),
    "fewshot.evaluators.lora": ("LoRA",),
    "fewshot.evaluators.mahalanobis": ("Mahalanobis",),
    "fewshot.evaluators.linear_probe": ("LinearProbe",),
    "fewshot.evaluators.linear_probe_plus_plus": ("LinearProbePlusPlus",),
    "fewshot.evaluators.matching": ("Matching",),
    "fewshot.evaluators.nearest_neighbour": ("NearestNeighbour",),
    "fewshot.evaluators.prototype": ("Prototype",),
    "fewshot.evaluators.ridge_probe": ("RidgeProbe",),
    "fewshot.evaluators.scale_and_shift": ("ScaleAndShift",),
    "fewshot.evaluators.standardised": ("Standardised",),
    "fewshot.evaluators.task_specific_adapters": ("TaskSpecificAdapters",),
    "fewshot.evaluators.tim": ("TIM",),
    "fewshot.evaluators.tip_adapter": ("TipAdapter",),
    "fewshot.evaluators.zero_shot": ("ZeroShot",),
    "fewshot.evaluators.zero_shot_gaussian": ("ZeroShotGaussian",),
    "fewshot.evaluators.zero_shot_probe": ("ZeroShotProbe",),
    "fewshot.results.files": ("Results",),
    "fewshot.results.row": ("Row",),
    "fewshot.runs.pipeline": ("Listed", "RunSpec", "Sampled", "Workbench", "run", "run_all"),
    "fewshot.samplers.balanced": ("Balanced",),
    "fewshot.samplers.dirichlet_query": ("DirichletQuery",),
    "fewshot.samplers.disjoint_pools": ("DisjointPools",),
    "fewshot.samplers.hierarchical": ("Hierarchical",),
    "fewshot.samplers.imbalanced": ("Imbalanced",),
    "fewshot.samplers.similarity_testbed": ("SimilarityTestbed",),
    "fewshot.samplers.variable_way_shot": ("VariableWayShot",),
    "fewshot.runs.selection": ("Selection",),
    "fewshot.splits": ("ClassSplit",),
    "fewshot.splits.all_novel": ("AllNovel",),
    "fewshot.splits.by_seed": ("BySeed",),
    "fewshot.splits.by_group": ("ByGroup",),
    "fewshot.splits.narrowed": ("Narrowed",),
    "fewshot.splits.from_file": ("FromFile",),
    "fewshot.splits.committed": ("Committed",),
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "ANIL",
    "MAML",
    "TIM",
    "AllNovel",
    "ArrayImages",
    "AugmentedSupport",
    "Balanced",
    "BigTransfer",
    "ByGroup",
    "BySeed",
    "ClassSplit",
    "Committed",
    "ConvNet",
    "CrossEntropy",
    "CrossValidated",
    "DirichletQuery",
    "DisjointPools",
    "EpisodeList",
    "EpisodeShape",
    "Episodes",
    "Episodic",
    "FineTune",
    "FromFile",
    "GaussianHead",
    "Given",
    "Glyphs",
    "Hierarchical",
    "Icons",
    "ImageFolderSet",
    "Imbalanced",
    "LabelledImages",
    "LinearProbe",
    "LinearProbePlusPlus",
    "LinearSVM",
    "Listed",
    "LoRA",
    "Mahalanobis",
    "Manifest",
    "Matching",
    "Narrowed",
    "NearestNeighbour",
    "Partitioned",
    "Pretrained",
    "ProtoMAML",
    "Prototype",
    "PseudoLabels",
    "Results",
    "RidgeProbe",
    "Row",
    "RunSpec",
    "Sampled",
    "ScaleAndShift",
    "Selection",
    "SimilarityTestbed",
    "Standardised",
    "SupervisedContrastive",
    "TaskSpecificAdapters",
    "TipAdapter",
    "TorchvisionSet",
    "Tuned",
    "VariableWayShot",
    "VectorSet",
    "WithClassVectors",
    "Workbench",
    "ZeroShot",
    "ZeroShotGaussian",
    "ZeroShotProbe",
    "evaluate",
    "labelled_vectors",
    "run",
    "run_all",
]


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        return getattr(importlib.import_module(_MODULE_OF[name]), name)
    raise AttributeError(f"module 'fewshot' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
