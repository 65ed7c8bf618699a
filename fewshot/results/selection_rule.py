"""How a run chooses hyperparameters: the rule, in a spec and in a row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fewshot.plugins.call import parse
from fewshot.plugins.grids import Grid, combinations
from fewshot.plugins.registry import EVALUATORS
from fewshot.plugins.short_name import distinct_names, one_line
from fewshot.plugins.spec import Spec

ON = {
    "validation": "validation classes",
    "images": "validation images",
    "oracle": "test episodes (oracle)",
}  # the rule, and its text in the column `selection`
SUPPORT = "support"  # in the column `selection`: the evaluator chooses inside every support
NOTHING = "none"  # in the column `selection`: hyperparameters are as given
_LONGEST = 64  # characters in a name
_AND = " and "  # between the choice before a run and the choice inside its supports


def chosen_on(on: str, inside: str) -> str:
    """The column `selection` of a run that chooses before it starts, and then `inside` its supports too."""
    return ON[on] if inside == NOTHING else f"{ON[on]}{_AND}{inside}"


def saw_test_labels(selection: str) -> bool:
    """Whether query labels of the test episodes chose (an oracle), from the column `selection`."""
    return ON["oracle"] in selection.split(_AND)


def names_of_rules(rules: Iterable[str]) -> dict[str, str]:
    """A short name for the text of each rule, all different; "" for no rule. An unreadable rule is named by its
    text."""
    texts = list(dict.fromkeys(rules))
    read = {text: rule for text in texts if (rule := Selection.read(text)) is not None}
    short = {text: read[text].short_name if text in read else one_line(text, _LONGEST) for text in texts}
    return distinct_names(short, lambda text: vars(read[text]) if text in read else {}, lambda text: text)


def without_chosen(evaluator: Spec, rule: Selection | None) -> Spec:
    """The evaluator as names show it: a field that the rule chooses says nothing, so it has its default."""
    return evaluator if rule is None else evaluator.with_defaults([field for field, _ in rule.grid])


@dataclass(frozen=True)
class Selection:
    """How a run chooses hyperparameters of its evaluator: it takes the setting of `grid` with the highest mean accuracy
    over `n_episodes` episodes, the first one if several are equal.

    `on`: "validation", episodes with the run's shape and sampler on the validation classes of its split, sampled with
    `seed`; "images", the run's own supports with the validation images of its sampler as queries; or "oracle", the
    run's own first episodes, whose query labels no honest method may read. `grid`: fields and
    values, such as `(("C", (0.1, 1.0)),)`, or a name of known values, `(("C", "dinov2"),)`.
    """

    on: str
    grid: Grid
    n_episodes: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        if self.on not in ON:
            raise ValueError(f"choose hyperparameters on one of {', '.join(ON)}. Got {self.on!r} instead.")
        if type(self.n_episodes) is not int or self.n_episodes < 1:
            raise ValueError(f"n_episodes of a selection must be an integer of at least 1, got {self.n_episodes!r}")
        if type(self.seed) is not int or not 0 <= self.seed < 1 << 64:
            raise ValueError(f"seed of a selection must be an integer in [0, 2^64), got {self.seed!r}")
        if self.on != "validation" and self.seed:
            chooser = "an oracle chooses on" if self.is_oracle else "validation images are those of"
            raise ValueError(f"{chooser} the episodes of the run; remove the seed of the selection")
        combinations(self.grid)
        object.__setattr__(self, "grid", _tuples(self.grid))

    @staticmethod
    def read(text: str) -> Selection | None:
        """The rule in a row; None if there is none, or if it is unreadable."""
        try:
            return Selection(**parse(text, "selection").kwargs)
        except (ValueError, TypeError):
            return None

    @property
    def is_oracle(self) -> bool:
        """Whether query labels of the test episodes choose."""
        return self.on == "oracle"

    @property
    def short_name(self) -> str:
        """ "C and max_iter chosen on validation classes"."""
        return f"{' and '.join(field for field, _ in self.grid)} chosen on {ON[self.on]}"

    def settings(self, evaluator: Spec) -> list[Spec]:
        """The evaluator with each setting of the grid, in order."""
        return [EVALUATORS.varied(evaluator, fields) for fields in combinations(self.grid)]

    def check(self, evaluator: Spec, classes: str, listed: bool) -> None:
        """Raises a ValueError if a run of this evaluator on these classes cannot choose by this rule."""
        self.settings(evaluator)
        if self.is_oracle or (self.on == "images" and not listed):
            return
        if self.on == "validation" and classes in ("validation", "all"):
            raise ValueError(
                f"the selection uses validation classes, but the episodes use {classes} classes, which include them; "
                "test on novel classes, or choose with on='oracle'"
            )
        if listed:
            raise ValueError(
                f"a list of episodes has no shape, so fewshot cannot sample such episodes on {ON[self.on]}; "
                "choose in a run with a sampler, and give the chosen evaluator to this run"
            )

    def identity(self, evaluator: Spec) -> list[Any]:
        """The rule's part of a run's identity."""
        return [self.on, [setting.identity for setting in self.settings(evaluator)], self.n_episodes, self.seed]


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, tuple | list) else value
