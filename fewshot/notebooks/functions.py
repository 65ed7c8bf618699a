"""Functions on rows: `compare` and `plot_shots`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fewshot.notebooks.compared import Compared
from fewshot.notebooks.plots import Plot, shots_plot
from fewshot.notebooks.rows import Rows
from fewshot.results.files import Results


def compare(rows: Rows | Results | str | Path | Iterable[Any]) -> Compared:
    """The comparison of these rows: what `evaluate` returned, several of these in a list, or a results file.

    Runs of one task are ranked, the best first, with the group that no other run beats; differences are paired on the
    episodes that both runs solved. Fewer than two runs of any task are a ValueError that says what to run.
    """
    return Rows.of(rows).compare()


def plot_shots(rows: Rows | Results | str | Path | Iterable[Any]) -> Plot:
    """A figure of the accuracy in % over the number of shots, one curve per data set, backbone and evaluator, with bars
    for the 95 % intervals. Rows without a number of shots are a ValueError."""
    return shots_plot(Rows.of(rows))
