"""The runs that `fewshot run` asks for: backbones, methods and shots in every combination."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

import click

from fewshot.commands import _options
from fewshot.commands._benchmark import BenchmarkRequest
from fewshot.commands._choice_request import ChoiceRequest
from fewshot.commands._data_request import usual_backbone
from fewshot.commands._device_options import dtype_option
from fewshot.commands._episode_request import EpisodeRequest
from fewshot.commands._names import NameOf
from fewshot.commands._options import check_file
from fewshot.plugins.wording import agreeing, listed

if TYPE_CHECKING:
    from fewshot.runs.sizes import Data
    from fewshot.runs.specs import Listed, RunSpec, Sampled


@dataclass(frozen=True)
class GridRequest:
    """Every combination of backbones, methods (a transform and an evaluator) and shots."""

    backbones: Annotated[
        tuple[str, ...],
        click.option(
            "--backbone",
            "backbones",
            type=NameOf("backbones"),
            multiple=True,
            metavar="NAME|SPEC",
            help="Score this backbone; repeat for several (default: tf_efficientnet_lite0; for vectors: given).",
        ),
    ]
    evaluators: Annotated[
        tuple[str, ...],
        click.option(
            "--evaluator",
            "evaluators",
            type=NameOf("evaluators"),
            multiple=True,
            metavar="SPEC",
            help="Learn episodes with this evaluator; repeat for several (default: LinearProbe).",
        ),
    ]
    transform: Annotated[
        str | None,
        click.option(
            "--transform",
            type=NameOf("transforms"),
            metavar="SPEC",
            help="Transform the features, such as CentredL2() (default: L2(); none for evaluators of images).",
        ),
    ]
    presets: Annotated[
        tuple[str, ...],
        click.option(
            "--preset",
            "presets",
            type=NameOf("presets"),
            multiple=True,
            metavar="NAME",
            help="Use a published transform and evaluator, such as SimpleShot (fewshot list presets); repeat for "
            "several.",
        ),
    ]
    n_episodes: Annotated[
        int,
        click.option(
            "--episodes",
            "n_episodes",
            type=click.IntRange(min=1),
            default=600,
            help="Set the number of episodes per run.",
        ),
    ]
    listed: Annotated[
        Path | None,
        click.option(
            "--list", "listed", type=_options.FILE, help="Read the episodes from a file of `fewshot episodes make`."
        ),
    ]
    dtype: Annotated[str, dtype_option]

    def specs(self, data: Data, choice: ChoiceRequest, episodes: EpisodeRequest) -> list[RunSpec]:
        """The runs, backbone by backbone. Unknown names raise a ValueError before anything runs."""
        from fewshot.runs.specs import RunSpec

        methods = self.methods()
        if not data.split.seen:
            self._refuse_fitted(
                f"the split {data.split_spec} has none",
                ', or a split with seen classes, such as --split "BySeed()"',
            )
        choice.check()
        backbones = self.backbones or (usual_backbone(data.images),)
        chosen = [(transform, choice.evaluator(evaluator)) for transform, evaluator in methods]
        return [
            RunSpec(
                dataset=data.dataset,
                backbone=backbone,
                evaluator=evaluator,
                episodes=sampled,
                transform=transform,
                classes=data.classes,
                split=data.rule,
                dtype=self.dtype,
                n_episodes=self.n_episodes,
                selection=choice.selection,
            )
            for backbone, (transform, evaluator), sampled in product(backbones, chosen, self._episodes(data, episodes))
        ]

    @property
    def names_methods(self) -> bool:
        """Whether the user chose an evaluator or a preset."""
        return bool(self.evaluators or self.presets)

    def methods(self, own: Mapping[str, str] = MappingProxyType({})) -> list[tuple[str, str]]:
        """Transforms and evaluators: those of the presets, or of the evaluators with their usual transforms, or those
        of a benchmark, `own` by the name of an evaluator."""
        from fewshot.plugins.registry import EVALUATORS
        from fewshot.runs.defaults import EVALUATOR, usual_transform
        from fewshot.runs.presets import preset, refuse_presets

        refuse_presets(self.evaluators)
        if not self.presets:
            specs = [EVALUATORS.spec(evaluator) for evaluator in self.evaluators or (EVALUATOR,)]
            return [(self.transform or own.get(spec.name) or usual_transform(spec), spec.text) for spec in specs]
        if self.evaluators or self.transform:
            raise click.UsageError("--preset sets evaluator and transform; remove --evaluator and --transform")
        return [(p.transform, p.evaluator) for p in map(preset, self.presets)]

    def check_benchmark(self, request: BenchmarkRequest) -> None:
        """Raises a ValueError if a transform is fitted on seen classes that sets of a benchmark lack, before any is
        read. With --partial the sets without seen classes are left out, if others have some."""
        from fewshot import protocols
        from fewshot.protocols._needs import without_seen
        from fewshot.protocols._places import chosen_sets

        sets = chosen_sets(protocols.benchmark(str(request.benchmark)), request.sets)
        lacking = without_seen(sets)
        if lacking and len(lacking) == len(sets):
            self._refuse_fitted(f"no set of {request.benchmark} has any" if len(sets) > 1 else f"{lacking[0]} has none")
        elif lacking and not request.partial:
            which = f"{listed(lacking)} of {request.benchmark} {agreeing(len(lacking), 'has', 'have')} none"
            self._refuse_fitted(which, ", or run the other sets with --partial")

    def _refuse_fitted(self, lack: str, otherwise: str = "") -> None:
        """Raises a ValueError that names the option to type in place of a transform that is fitted on seen classes."""
        from fewshot.plugins.registry import TRANSFORMS
        from fewshot.runs.presets import preset

        named = [(f"--preset {p.name}", p.transform, f"--preset {p.without_seen}") for p in map(preset, self.presets)]
        own = [(f"--transform {self.transform}", self.transform, '--transform "L2()"')] if self.transform else []
        for option, transform, instead in [*named, *own]:
            if TRANSFORMS.spec(transform).declares("needs_seen"):
                raise ValueError(
                    f"{option} needs seen classes, because it fits {TRANSFORMS.spec(transform).name} on their images, "
                    f"but {lack}; use {instead}{otherwise}"
                )

    def _episodes(self, data: Data, request: EpisodeRequest) -> list[Sampled | Listed]:
        from fewshot.episodes.lists import EpisodeList
        from fewshot.runs.specs import Listed, Sampled

        if self.listed is None:
            sampler, shapes = request.sampler_spec(), request.shapes(data)
            for shape in shapes:
                request.sample(data, shape, 1)  # raises now, before any computation, if the shape does not fit
            return [Sampled(shape, request.seed, sampler) for shape in shapes]
        if request.given:
            raise click.UsageError("--list sets the episodes; remove --way, --shot, --query and options of the sampler")
        check_file(self.listed)
        EpisodeList.load(self.listed)  # raises now, before any computation, if it is no list
        return [Listed(self.listed)]
