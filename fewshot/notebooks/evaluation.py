"""`evaluate`: rows of backbones and evaluators on data, by the words of the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Never

import numpy as np
from numpy.typing import NDArray

from fewshot.datasets import Dataset, LabelledImages
from fewshot.datasets._loading import load_images
from fewshot.episodes.episodes import Episodes
from fewshot.episodes.lists import EpisodeList
from fewshot.notebooks.kept import InMemory, temporary_results
from fewshot.notebooks.rows import Rows
from fewshot.notebooks.words import count, counts, episodes_of, refuse_unknown, several
from fewshot.plugins.registry import DATASETS, EVALUATORS, TRANSFORMS
from fewshot.plugins.spec import Spec
from fewshot.results.collections import StoredRun
from fewshot.results.files import Results
from fewshot.results.selection_rule import Selection
from fewshot.runs.defaults import EVALUATOR, usual_transform
from fewshot.runs.opening import opened
from fewshot.runs.sizes import Count, EpisodeSizes, open_data
from fewshot.runs.specs import Listed, RunSpec, Sampled

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

Data = str | Path | Dataset | LabelledImages | Spec


@dataclass(frozen=True, eq=False)
class _Asked:
    """What all runs of a call share."""

    data: Any
    seen: NDArray[np.int64] | None
    sizes: EpisodeSizes
    seed: int
    split: Any
    classes: str
    n_episodes: int
    selection: Selection | None
    dtype: str
    results: Results
    progress: bool
    device: str | None


def evaluate(
    backbone: Any,
    data: Data,
    episodes: Episodes | EpisodeList | str | Path | None = None,
    evaluator: Any = None,
    transform: Any = None,
    seen: NDArray[np.int64] | None = None,
    preprocess: Callable[[Image], Tensor] | None = None,
    progress: bool = True,
    *,
    shots: Count | Iterable[Count] | None = None,
    ways: Count | None = None,
    queries: Count | None = None,
    evaluators: Sequence[Any] = (),
    presets: str | Sequence[str] = (),
    n_episodes: int | None = None,
    seed: int | None = None,
    sampler: Any = None,
    split: Any = None,
    classes: str | None = None,
    selection: Selection | None = None,
    dtype: str = "float32",
    results: Results | str | Path | None = None,
    device: str | None = None,
    **unknown: Never,
) -> Rows:
    """The rows of every backbone, evaluator and number of shots on these data; the same numbers as `fewshot run`.

    `backbone`: a name ("resnet18"), a spec, a `Backbone`, "given" for vectors, a live network (an nn.Module that gives
    features [b, D], in training or not; its mode is restored), a function from inputs [b, 3, H, W] to features [b, D],
    or a list of these. `preprocess` turns an RGB image into the input [3, H, W] of a network or a function (None:
    timm's own, for a network of timm). `data`: a folder, a file, a name, a spec, or images or vectors in memory.
    `evaluator`, or `evaluators` for several: a name ("LinearProbe(C=1.0)"), a member, a function
    (support [S, D], labels [S], query [M, D]) -> logits [M, N], or a classifier of scikit-learn, cloned per episode.
    `presets`: published methods by name, in place of evaluators. `transform`: None is the usual one of the evaluator.

    `shots` (1), `ways` (5), `queries` per class (15): integers or "all"; None leaves them to the data. `n_episodes`
    (600), `seed` (0), `sampler`, `split` and `classes` ("seen", "validation", "novel" or "all") say which episodes.
    Or `episodes` gives them: `Episodes`, or a list's path; `seen` then holds the rows [m] of the images to fit the
    transform on. `results`: a file to append to, where finished runs are skipped; None keeps the rows in memory.

    Accuracies are fractions in [0, 1]. What does not fit raises a ValueError of one sentence.
    """
    known = [name for name in evaluate.__annotations__ if name not in ("unknown", "return")]
    refuse_unknown(unknown, known)
    given = episodes_of(episodes)
    shape = {"shots": shots, "ways": ways, "queries": queries, "sampler": sampler, "seed": seed}
    if given is not None and (words := [name for name, value in shape.items() if value is not None]):
        raise ValueError(f"episodes= already says which episodes; remove {' and '.join(words)}")
    if given is None and seen is not None:
        raise ValueError("seen= is for given episodes; for sampled ones the split says which classes were seen")
    asked = _Asked(
        data,
        seen,
        EpisodeSizes(
            way=count(ways, "ways", 2),
            shot=() if shots is None else counts(shots, "shots", 0),
            query=count(queries, "queries", 1),
            sampler=sampler,
        ),
        0 if seed is None else seed,
        split,
        classes or "novel",
        600 if n_episodes is None else n_episodes,
        selection,
        dtype,
        temporary_results() if results is None else Results.at(results),
        progress,
        device,
    )
    methods = _methods(evaluator, evaluators, presets, transform)
    if isinstance(given, Episodes):
        _refuse_for_given(n_episodes, split, classes, selection, results)
        return Rows(_on_given(several(backbone), given, methods, preprocess, asked))
    return Rows(_on_sampled(several(backbone), given, methods, preprocess, asked))


def _refuse_for_given(*words: Any) -> None:
    names = ("n_episodes", "split", "classes", "selection", "results")
    used = [name for name, value in zip(names, words, strict=True) if value is not None]
    if used:
        raise ValueError(
            f"episodes in memory are evaluated as they are; remove {' and '.join(used)}, or save them and give the path"
        )


def _methods(
    evaluator: Any, evaluators: Sequence[Any], presets: str | Sequence[str], transform: Any
) -> list[tuple[Spec, Spec]]:
    """Evaluators with their transforms."""
    from fewshot.runs.presets import preset, refuse_presets

    refuse_presets([evaluator, *evaluators])
    if presets:
        if evaluator is not None or evaluators or transform is not None:
            raise ValueError("presets= names evaluators with their transforms; remove evaluator= and transform=")
        chosen = [preset(name) for name in several(presets)]
        return [(EVALUATORS.spec(one.evaluator), TRANSFORMS.spec(one.transform)) for one in chosen]
    if evaluator is not None and len(evaluators):
        raise ValueError("give one evaluator= or several evaluators=, not both")
    heads = several(evaluators if len(evaluators) else EVALUATOR if evaluator is None else evaluator)
    specs = [EVALUATORS.named(head) for head in heads]
    return [(spec, TRANSFORMS.spec(usual_transform(spec) if transform is None else transform)) for spec in specs]


def _on_given(
    backbones: list[Any],
    episodes: Episodes,
    methods: list[tuple[Spec, Spec]],
    preprocess: Callable[[Image], Tensor] | None,
    asked: _Asked,
) -> Iterator[StoredRun]:
    """The rows on given episodes, with their predictions in memory."""
    from fewshot.runs.evaluation import on_episodes

    images = load_images(DATASETS.named(asked.data))
    episodes.check(images)
    for one in backbones:
        with opened(one, preprocess) as (backbone, folder):
            for evaluator, transform in methods:
                row, kept = on_episodes(
                    backbone, images, episodes, evaluator, transform, asked.seen, folder, asked.progress, asked.device
                )
                yield StoredRun(row, InMemory(Path("(in memory)"), kept))


def _on_sampled(
    backbones: list[Any],
    listed: Path | None,
    methods: list[tuple[Spec, Spec]],
    preprocess: Callable[[Image], Tensor] | None,
    asked: _Asked,
) -> Iterator[StoredRun]:
    """The rows on sampled or listed episodes, by ordinary runs."""
    from fewshot.runs.pipeline import run
    from fewshot.runs.workbench import Workbench

    load = cache(load_images)
    data = open_data(asked.data, asked.split, asked.classes, load)
    shapes = asked.sizes.on(data.images)
    every: list[Sampled | Listed] = (
        [Sampled(shape, asked.seed, shapes.sampler_spec) for shape in shapes.shapes(data.images, data.labels)]
        if listed is None
        else [Listed(listed)]
    )
    with ExitStack() as networks:
        held = [networks.enter_context(opened(one, preprocess)) for one in backbones]
        for (backbone, folder), (evaluator, transform), episodes in product(held, methods, every):
            spec = RunSpec(
                data.dataset,
                backbone,
                evaluator,
                episodes,
                transform,
                asked.classes,
                data.rule,
                asked.dtype,
                asked.n_episodes,
                selection=asked.selection,
            )
            bench = Workbench(device=asked.device, progress=asked.progress, folder=folder, images=load)
            row = run(spec, asked.results, bench)
            assert row is not None  # one shard
            yield StoredRun(row, asked.results)
