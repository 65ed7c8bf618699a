"""The dry run of `fewshot run` and `fewshot bench`: what is missing, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from fewshot.commands._answers import answer
from fewshot.commands._option_words import in_own_options
from fewshot.commands._rates import embedding_key, rates, solving_key
from fewshot.commands._running import name_of
from fewshot.commands._trainings import training_line, training_seconds
from fewshot.plugins.wording import counted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fewshot.datasets import LabelledImages
    from fewshot.plugins.spec import Spec
    from fewshot.pretraining.planning import PlannedTraining
    from fewshot.results.files import Results
    from fewshot.results.row import Row
    from fewshot.runs.prepared import PreparedRun
    from fewshot.runs.specs import RunSpec
    from fewshot.runs.workbench import Workbench


@dataclass(frozen=True)
class PlannedRun:
    """A run, and its state in a dry run."""

    state: str  # "to do", "done" or "cannot run"
    name: str
    n_episodes: int
    n_missing: int = 0  # of these episodes
    problem: str = ""
    seconds: float | None = None  # for solving; None: not known


@dataclass(frozen=True)
class PlannedEmbedding:
    """The images of a data set that a backbone has to embed."""

    backbone: str
    dataset: str
    n_needed: int
    n_missing: int  # of these; the feature cache holds the others
    to_download: str = ""
    problem: str = ""
    seconds: float | None = None  # None: not known
    view: str = ""  # of the images, if a method needs further views; "" for the plain images


class Plan:
    """The images of each data set that the backbones have to embed for some runs."""

    def __init__(self) -> None:
        self._used: dict[tuple[Spec, str, str, str], tuple[LabelledImages, NDArray[np.bool_]]] = {}

    def add(self, run: PreparedRun, known: Mapping[str, Row]) -> bool:
        """Whether a run is unfinished; if it is, this adds its images. Runs that tune a network embed no images, and
        neither do runs on given vectors."""
        row = known.get(run.run_id)
        if row is not None and row.status == "ok" and row.n_episodes >= run.n_episodes:
            return False
        needs = run.needs([(0, run.n_episodes)])
        if run.images.vectors is not None:
            return True
        self._used_rows(run.spec, "", run.images)
        for each in needs.embeddings():
            self._used_rows(run.spec, each.view, each.images)[each.rows] = True
        return True

    def _used_rows(self, spec: RunSpec, view: str, images: LabelledImages) -> NDArray[np.bool_]:
        """[n] the mask of the images that the backbone of a run embeds; callers change it."""
        import numpy as np

        nothing = np.zeros(len(images), dtype=np.bool_)
        return self._used.setdefault((spec.backbone, spec.dataset.text, view, spec.dtype), (images, nothing))[1]

    @property
    def n_images(self) -> int:
        """The number of images in total, cached or not; an image counts once per backbone."""
        return sum(int(used.sum()) for _, used in self._used.values())

    def trainings(self, bench: Workbench) -> list[PlannedTraining]:
        """The missing trainings of the backbones. `embeddings` reports backbones that cannot be created."""
        sources = []
        for backbone in dict.fromkeys(backbone for backbone, *_ in self._used):
            with suppress(ValueError):
                sources.append(backbone.make())
        if not any(source.to_train() for source in sources):
            return []
        from fewshot.pretraining.planning import planned_trainings
        from fewshot.pretraining.trainer import Trainer

        return planned_trainings(sources, Trainer(bench.images, bench.device))

    def embeddings(self, bench: Workbench) -> list[PlannedEmbedding]:
        """The images that each backbone has to embed. This loads networks, but downloads none."""
        return [
            replace(embedding(backbone, dataset, dtype, images, used, bench), view=view)
            for (backbone, dataset, view, dtype), (images, used) in self._used.items()
        ]


def embedding(
    backbone: Spec, dataset: str, dtype: str, images: LabelledImages, used: NDArray[np.bool_], bench: Workbench
) -> PlannedEmbedding:
    """What a backbone has to embed of the images where the mask `used` [n] is True."""
    from fewshot.features.files import FeatureFiles
    from fewshot.files.atomic import home

    n_needed = int(used.sum())
    try:
        source = backbone.make()
        download = source.to_download()
        if download:
            return PlannedEmbedding(backbone.text, dataset, n_needed, n_needed, download)
        if source.to_train():
            return PlannedEmbedding(backbone.text, dataset, n_needed, n_needed)
        network = bench.backbone(backbone).to(bench.device).on(images)
    except (ValueError, OSError) as error:
        return PlannedEmbedding(backbone.text, dataset, n_needed, n_needed, problem=str(error))
    if network.given:
        return PlannedEmbedding(backbone.text, dataset, 0, 0, seconds=0)
    done = FeatureFiles.of(images, network, dtype, home() / "features", bench.embedding).read_done()
    n_missing = n_needed if done is None else int((used & (done == 0)).sum())
    pace = 0 if n_missing == 0 else rates().get(embedding_key(backbone.text, dtype, network.device.type))
    return PlannedEmbedding(
        backbone.text, dataset, n_needed, n_missing, seconds=None if pace is None else round(n_missing * pace, 1)
    )


def dry_run(specs: Sequence[RunSpec], results: Results, bench: Workbench, with_tasks: bool = False) -> int:
    """The exit code: 1 if a run cannot run. Answers with the state of every run, the missing parts and their cost, and
    `with_tasks` with the tasks for several processes.

    The dry run ignores shards.
    """
    plan, known = Plan(), {row.run_id: row for row in results.rows()}
    tried = {row.run_id: row for row in results.trials.rows()}
    runs = []
    for spec in specs:
        planned = _planned(plan, spec, known, bench)
        runs += [*(_planned_choice(plan, spec, tried, bench) if planned.state == "to do" else []), planned]
    embeddings, trainings = plan.embeddings(bench), plan.trainings(bench)
    values = {
        "runs": [asdict(run) for run in runs],
        "trainings": [asdict(training) for training in trainings],
        "embeddings": [asdict(e) for e in embeddings],
        "n_images": sum(e.n_missing for e in embeddings),
        "n_episodes": sum(run.n_missing for run in runs),
        "n_passes": sum(training.n_passes for training in trainings),
        "seconds": _total(
            [training_seconds(trainings), *(e.seconds for e in embeddings), *(run.seconds for run in runs)]
        ),
    }
    lines = [*_run_lines(runs), *map(training_line, trainings), *embedding_lines(embeddings), _total_line(values)]
    if with_tasks:
        from fewshot.work.doing import Bench
        from fewshot.work.listing import grouped, in_short, stored_in_words
        from fewshot.work.planning import plan as tasks_of
        from fewshot.work.presence import stored_images, unfinished

        tasks = tasks_of(specs, results, bench)
        stored = stored_images(tasks, Bench(results, bench, allow_import=True))  # the suite of the user names them
        lines.append(in_short(unfinished(tasks, stored)) + stored_in_words(sum(stored.values())))
        values["tasks"] = grouped(tasks, rates(), stored)[1]["tasks"]
    answer("\n".join(lines), values)
    return 1 if any(run.problem for run in runs) or any(e.problem for e in embeddings) else 0


def _planned(plan: Plan, spec: RunSpec, known: Mapping[str, Row], bench: Workbench) -> PlannedRun:
    shape, name = getattr(spec.episodes, "shape", None), name_of(spec)
    try:
        run = bench.prepare(spec)
        if not plan.add(run, known):
            return PlannedRun("done", name, run.n_episodes, seconds=0)
    except (ValueError, OSError) as error:
        return PlannedRun("cannot run", name, spec.n_episodes, problem=in_own_options(str(error)), seconds=0)
    row = known.get(run.run_id)
    n_missing = run.n_episodes - (row.n_episodes if row is not None and row.status == "ok" else 0)
    pace = rates().get(solving_key(spec, shape))
    seconds = None if pace is None else round(n_missing * pace, 1)
    return PlannedRun("to do", name, run.n_episodes, n_missing, seconds=seconds)


def _planned_choice(plan: Plan, spec: RunSpec, tried: Mapping[str, Row], bench: Workbench) -> list[PlannedRun]:
    """The trials of a run's choice of hyperparameters, as one planned run; empty if the run chooses none."""
    from fewshot.results.selection_rule import ON
    from fewshot.runs.selection import trials

    if spec.selection is None:
        return []
    planned = [_planned(plan, trial, tried, bench) for trial in trials(spec)]
    name = f"choose among {len(planned)} settings on {ON[spec.selection.on]} for {name_of(spec)}"
    return [
        PlannedRun(
            next((state for state in ("cannot run", "to do") if state in {run.state for run in planned}), "done"),
            name,
            sum(run.n_episodes for run in planned),
            sum(run.n_missing for run in planned),
            next((run.problem for run in planned if run.problem), ""),
            _total([run.seconds for run in planned]),
        )
    ]


def _run_lines(runs: Sequence[PlannedRun]) -> list[str]:
    return [
        f"[{number}/{len(runs)}] {run.state}{f' ({run.problem})' if run.problem else ''}: "
        f"{run.name}, {counted(run.n_episodes, 'episode')}"
        for number, run in enumerate(runs, 1)
    ]


def embedding_lines(embeddings: Sequence[PlannedEmbedding]) -> list[str]:
    """One line per backbone and data set: the images to embed, or the problem."""
    lines = []
    for e in embeddings:
        images = f"{counted(e.n_missing, 'image')} to embed, {e.n_needed - e.n_missing:,} already cached"
        download = f"; needs a download: {e.to_download}" if e.to_download else ""
        problem = f"; cannot load: {e.problem}" if e.problem else ""
        lines.append(f"{_short(e)}: {images}{download}{problem}")
    return lines


def _short(embedding: PlannedEmbedding) -> str:
    """The short names of the backbone and the data set, with the view of the images."""
    from fewshot.plugins.registry import BACKBONES, DATASETS

    dataset, view = DATASETS.read(embedding.dataset).short_name, f", {embedding.view}" if embedding.view else ""
    return f"{BACKBONES.read(embedding.backbone).short_name} on {dataset}{view}"


def _total(seconds: Sequence[float | None]) -> float | None:
    """The sum; None if a part is not known."""
    known = [s for s in seconds if s is not None]
    return round(sum(known), 1) if len(known) == len(seconds) else None


def _total_line(values: Mapping[str, Any]) -> str:
    images, episodes = counted(values["n_images"], "image"), counted(values["n_episodes"], "episode")
    passes = f"{counted(values['n_passes'], 'image pass')} of training, " if values["trainings"] else ""
    return f"{passes}{images} to embed, {episodes} to solve, {duration(values['seconds'])}"


def duration(seconds: float | None) -> str:
    """An estimate in words."""
    if seconds is None:
        return "no time estimate: some steps have not been timed on this machine yet"
    return f"about {seconds:.0f} s" if seconds < 120 else f"about {seconds / 60:.0f} min"
