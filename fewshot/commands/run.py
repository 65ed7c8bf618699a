"""`fewshot run`: some backbones and evaluators on some data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fewshot.commands import _options, _plan
from fewshot.commands._answers import answer, json_option, row_values, tell, wants_json
from fewshot.commands._rates import remember_rows
from fewshot.commands._request import (
    ChoiceRequest,
    Data,
    EpisodeRequest,
    check_file,
    open_data,
    usual_backbone,
)
from fewshot.commands._results import run_table, tell_failures, writable_results

if TYPE_CHECKING:
    from fewshot.runs.specs import Listed, RunSpec, Sampled


@click.command("run", short_help="Evaluate backbones on a folder of images or a data set.")
@_options.data_options
@click.option(
    "--backbone",
    "backbones",
    multiple=True,
    metavar="NAME|SPEC",
    help="May be repeated; every combination runs. Default: tf_efficientnet_lite0, for vectors Given.",
)
@click.option("--evaluator", "evaluators", multiple=True, metavar="SPEC", help="May be repeated. Default: LinearProbe.")
@click.option("--transform", metavar="SPEC", help="Of the features. Default: L2() for evaluators of features.")
@click.option(
    "--preset",
    "presets",
    multiple=True,
    metavar="NAME",
    help="A transform and an evaluator by name, such as SimpleShot (fewshot list presets). May be repeated.",
)
@_options.selection_options
@_options.episode_options
@click.option("--episodes", "n_episodes", type=click.IntRange(min=1), default=600, help="How many.")
@click.option("--list", "listed", type=_options.FILE, help="Episodes from a file of `fewshot episodes make`.")
@click.option("--dtype", type=click.Choice(["float32", "bfloat16"]), default="float32", help="Of the backbone.")
@click.option("--results", type=_options.FILE, default="results/runs.jsonl", help="Rows are appended here.")
@_options.shard_option
@_options.compute_options
@_options.dry_run_option
@json_option
def command(
    results: Path,
    shard: tuple[int, int],
    budget_mb: int,
    device: str | None,
    dry_run: bool,
    data: str,
    split: str | None,
    classes: str,
    **asked: Any,
) -> int:
    """Evaluate backbones on a folder of images or a data set."""
    from fewshot.report.rows.shown import Shown
    from fewshot.results.files import Results
    from fewshot.runs.pipeline import Workbench, run_all

    bench = Workbench(budget_mb << 20, device)
    opened, asked_for = open_data(data, split, classes, bench), Grid.of(classes=classes, **asked)
    grid = replace(asked_for, request=asked_for.request.on(opened)) if asked_for.listed is None else asked_for
    specs = grid.specs(opened)
    written = Results(results) if dry_run else writable_results(results)
    if grid.listed is None:
        grid.request.tell_unusual(opened)
    if dry_run:
        return _plan.dry_run(specs, written, bench)
    known = {row.run_id: row for row in written.rows()}
    done = [row for _, row in run_all(specs, written, bench, shard) if row is not None]
    remember_rows(row for row in done if known.get(row.run_id) != row)
    text = f"{run_table(Shown.of(done))}\nrows: {results}" if any(row.status == "ok" for row in done) else ""
    if text or wants_json():
        answer(text, {"rows": row_values(done), "results": results, "n_waiting": len(specs) - len(done)})
    if len(done) < len(specs):
        tell(f"part {shard[0]} of {shard[1]} is solved; {len(specs) - len(done)} runs wait for the others")
    return tell_failures(done)


@dataclass(frozen=True)
class Grid:
    """Every combination of backbones, methods and shots."""

    backbones: tuple[str, ...]
    methods: list[tuple[str, str]]  # transform and evaluator
    classes: str
    n_episodes: int
    dtype: str
    listed: Path | None
    chosen: ChoiceRequest
    request: EpisodeRequest

    @staticmethod
    def of(
        backbones: tuple[str, ...],
        evaluators: tuple[str, ...],
        transform: str | None,
        presets: tuple[str, ...],
        classes: str,
        n_episodes: int,
        dtype: str,
        listed: Path | None,
        select: str | None,
        settings: tuple[str, ...],
        select_episodes: int | None,
        **request: Any,
    ) -> Grid:
        """The grid of the options of `fewshot run`."""
        methods = methods_of(evaluators, transform, presets)
        chosen, episodes = ChoiceRequest(select, settings, select_episodes), EpisodeRequest(**request)
        return Grid(backbones, methods, classes, n_episodes, dtype, listed, chosen, episodes)

    def specs(self, data: Data) -> list[RunSpec]:
        """The runs, backbone by backbone. Unknown names are a ValueError before anything runs."""
        from fewshot.runs.specs import RunSpec

        self.chosen.check()
        backbones = self.backbones or (usual_backbone(data.images),)
        methods = [(transform, self.chosen.evaluator(evaluator)) for transform, evaluator in self.methods]
        grid = product(backbones, methods, self._episodes(data))
        return [
            RunSpec(
                data.dataset,
                backbone,
                evaluator,
                episodes,
                transform,
                self.classes,
                data.rule,
                self.dtype,
                self.n_episodes,
                selection=self.chosen.selection,
            )
            for backbone, (transform, evaluator), episodes in grid
        ]

    def _episodes(self, data: Data) -> list[Sampled | Listed]:
        from fewshot.runs.specs import Listed, Sampled

        if self.listed is None:
            sampler = self.request.sampler_spec()
            shapes = self.request.shapes(data)
            for shape in shapes:
                self.request.draw(data, shape, 1)  # what does not fit is told before anything is computed
            return [Sampled(shape, self.request.seed, sampler) for shape in shapes]
        if self.request.given:
            raise click.UsageError("--list brings its own episodes; leave out --way, --shot, --query and the sampler")
        check_file(self.listed)
        return [Listed(self.listed)]


def methods_of(evaluators: tuple[str, ...], transform: str | None, presets: tuple[str, ...]) -> list[tuple[str, str]]:
    """Pairs of a transform and an evaluator: those of the presets, or of the evaluators and what they usually have."""
    from fewshot.runs.presets import preset

    if presets and (evaluators or transform):
        raise click.UsageError("--preset brings its evaluator and its transform; leave out --evaluator and --transform")
    if presets:
        return [(p.transform, p.evaluator) for p in map(preset, presets)]
    return [(transform or usual_transform(evaluator), evaluator) for evaluator in evaluators or ("LinearProbe",)]


def usual_transform(evaluator: str) -> str:
    """L2 for evaluators of features; evaluators of images have none."""
    from fewshot.evaluators import ImageEvaluator
    from fewshot.plugins.registry import EVALUATORS

    return "Identity()" if isinstance(EVALUATORS.make(evaluator), ImageEvaluator) else "L2()"
