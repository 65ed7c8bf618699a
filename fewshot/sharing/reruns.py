"""Runs of a submission computed again, drawn at random among those that can run here."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from fewshot.results.files import Results
from fewshot.sharing.data import again, runnable
from fewshot.sharing.images import AtHand
from fewshot.sharing.shared import Checked, Shared, Unknown, one_line
from fewshot.sharing.verify_words import NOT_AGAIN


def rerun_some(
    runs: Sequence[Shared], results: Results, at_hand: AtHand, count: int, seed: int | None
) -> Iterator[tuple[Shared, Checked]]:
    """The checks of `count` runs, or of fewer if fewer can run here, and the reason for each that cannot. A run that
    turns out not to run, such as one without its weights, makes place for another."""
    ready = []
    for one in runs:
        try:
            runnable(one, at_hand)
            ready.append(one)
        except (ValueError, OSError) as error:
            yield one, _unable(error)
    for one in random.Random(seed).sample(ready, len(ready)):
        if count == 0:
            return
        with tempfile.TemporaryDirectory() as folder:
            try:
                yield one, again(one, results, at_hand, Path(folder))
                count -= 1
            except Unknown as error:
                yield one, _unable(error)


def _unable(error: Exception) -> Checked:
    return Checked(unchecked=(f"{NOT_AGAIN}: {one_line(error)}",))
