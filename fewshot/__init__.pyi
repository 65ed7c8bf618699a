# The public names, listed once: lazy_loader and type checkers read them here. Members of the folders (LinearProbe,
# Balanced, Icons, ...) are public by being there: fewshot/__init__.py finds them through their registries.
import typing

from .datasets import ArrayImages as ArrayImages
from .datasets import LabelledImages as LabelledImages
from .datasets.labelled_vectors import labelled_vectors as labelled_vectors
from .episodes.episodes import Episodes as Episodes
from .episodes.lists import EpisodeList as EpisodeList
from .episodes.shape import EpisodeShape as EpisodeShape
from .notebooks.evaluation import evaluate as evaluate
from .notebooks.functions import compare as compare
from .notebooks.functions import plot_shots as plot_shots
from .notebooks.rows import Rows as Rows
from .results.files import Results as Results
from .results.row import Row as Row
from .results.selection_rule import Selection as Selection
from .runs.pipeline import run as run
from .runs.pipeline import run_all as run_all
from .runs.specs import Listed as Listed
from .runs.specs import RunSpec as RunSpec
from .runs.specs import Sampled as Sampled
from .runs.workbench import Workbench as Workbench
from .splits import ClassSplit as ClassSplit

__all__: list[str]

def __getattr__(name: str) -> typing.Any: ...
