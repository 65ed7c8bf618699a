"""The request for a choice of hyperparameters: on which data, among which values, with how many episodes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import click

if TYPE_CHECKING:
    from fewshot.plugins.spec import Spec
    from fewshot.results.selection_rule import Selection


@dataclass(frozen=True)
class ChoiceRequest:
    """The choice of hyperparameters: on which data, among which values, with how many episodes."""

    select: Annotated[
        str | None,
        click.option(
            "--select",
            type=click.Choice(["support", "validation", "images", "oracle"]),
            help="Choose hyperparameters by cross-validation on each support, on validation classes, on validation "
            "images of a sampler that has them (images), or on the test episodes themselves (oracle).",
        ),
    ]
    settings: Annotated[
        tuple[str, ...],
        click.option(
            "--grid",
            "settings",
            multiple=True,
            metavar="FIELD=VALUES",
            help="Choose among these values, such as C=0.01,0.1,1 or C=dinov2; repeat for other fields.",
        ),
    ]
    select_episodes: Annotated[
        int | None,
        click.option(
            "--select-episodes",
            type=click.IntRange(min=1),
            help="Try each setting on this many episodes (default: 200); not with --select support.",
        ),
    ]

    def check(self) -> None:
        """Raises a UsageError if the options do not fit together."""
        if self.select is None and (self.settings or self.select_episodes):
            raise click.UsageError("--grid and --select-episodes need --select; add, for example, --select validation")
        if self.select is not None and not self.settings:
            raise click.UsageError(f"--select {self.select} needs --grid FIELD=VALUES, such as --grid C=0.01,0.1,1")
        if self.select == "support" and self.select_episodes:
            raise click.UsageError("--select support chooses in every episode; remove --select-episodes")

    def evaluator(self, evaluator: str) -> Spec:
        """The evaluator to run; --select support wraps it in CrossValidated."""
        from fewshot.plugins.grids import combinations, parse_grid
        from fewshot.plugins.registry import EVALUATORS

        if self.select != "support":
            return EVALUATORS.spec(evaluator)
        inner = EVALUATORS.spec(evaluator)
        grid = parse_grid(self.settings)
        for fields in combinations(grid):
            EVALUATORS.varied(inner, fields)  # raises now, before any computation, if it does not have a field
        return EVALUATORS.spec(f"CrossValidated(inner={inner}, grid={grid!r})")

    @property
    def selection(self) -> Selection | None:
        """The rule by which runs choose hyperparameters before they start; None if they do not."""
        from fewshot.plugins.grids import parse_grid
        from fewshot.results.selection_rule import Selection

        if self.select in (None, "support"):
            return None
        rule = Selection(self.select, parse_grid(self.settings))
        return rule if self.select_episodes is None else replace(rule, n_episodes=self.select_episodes)
