"""fewshot: how well does a backbone learn new classes from a handful of images, and is the difference real?

E episodes, B episodes in a batch, N ways, K shots, Q queries per class, S support rows, M query rows, D features,
n images, C classes.

The way of the data, and the room of each step:

    datasets/      labelled images, one file a source            splits.py     seen, validation and novel classes
    samplers/      episodes, one file a way to compose them      episodes.py   rows of an episode, batches of them
    backbones/     networks, one file a source                   features.py   every needed image embedded once
    transforms/    features to features                          evaluators/   one file a way to learn an episode
    solving.py     episodes to predictions, in bounded memory    scoring.py    predictions to measures
    specs.py       what names a run                              runs.py       a spec to a row; suites that resume
    results.py     rows and predictions on disk                  report/       rows to one page
    plugins.py     a folder is a registry                        cli.py        the commands

Public names are imported when they are first used, so that `import fewshot` is instant.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fewshot.datasets import ArrayImages, LabelledImages
    from fewshot.datasets.icons import Icons
    from fewshot.datasets.image_folder_set import ImageFolderSet
    from fewshot.episodes import Episodes, EpisodeShape
    from fewshot.evaluators.fine_tune import FineTune
    from fewshot.evaluators.linear_probe import LinearProbe
    from fewshot.evaluators.prototype import Prototype
    from fewshot.results import Results, Row
    from fewshot.runs import Listed, RunSpec, Sampled, Workbench, evaluate, run, run_all
    from fewshot.samplers.balanced import Balanced
    from fewshot.splits import ClassSplit

_HOMES = {
    "fewshot.datasets": ("ArrayImages", "LabelledImages"),
    "fewshot.datasets.icons": ("Icons",),
    "fewshot.datasets.image_folder_set": ("ImageFolderSet",),
    "fewshot.episodes": ("EpisodeShape", "Episodes"),
    "fewshot.evaluators.fine_tune": ("FineTune",),
    "fewshot.evaluators.linear_probe": ("LinearProbe",),
    "fewshot.evaluators.prototype": ("Prototype",),
    "fewshot.results": ("Results", "Row"),
    "fewshot.runs": ("Listed", "RunSpec", "Sampled", "Workbench", "evaluate", "run", "run_all"),
    "fewshot.samplers.balanced": ("Balanced",),
    "fewshot.splits": ("ClassSplit",),
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "ArrayImages",
    "Balanced",
    "ClassSplit",
    "EpisodeShape",
    "Episodes",
    "FineTune",
    "Icons",
    "ImageFolderSet",
    "LabelledImages",
    "LinearProbe",
    "Listed",
    "Prototype",
    "Results",
    "Row",
    "RunSpec",
    "Sampled",
    "Workbench",
    "evaluate",
    "run",
    "run_all",
]


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        return getattr(importlib.import_module(_MODULE_OF[name]), name)
    raise AttributeError(f"module 'fewshot' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
