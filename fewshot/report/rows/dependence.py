"""Whether the episodes of a row are an independent sample: those of a sampler whose draws depend on each other are not.

The spread of such draws is no error of their mean, so their row has no interval for these images or for new draws,
whatever bounds an older release stored in it.
"""

from __future__ import annotations

from fewshot.results.row import Row
from fewshot.results.row_specs import specs_of


def draws_depend(row: Row) -> bool:
    """Whether each draw of a row fixes the next one, so that their spread is not that of independent draws."""
    return bool(specs_of(row).sampler.declares("draws_depend"))


def n_independent(row: Row) -> int:
    """The number of episodes that count as independent: 1 if the draws depend on each other."""
    return min(row.n_episodes, 1) if draws_depend(row) else row.n_episodes
