"""Results of Python calls without a results file: in a temporary folder, or in memory."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fewshot.results.files import Results
from fewshot.results.predictions import Predictions
from fewshot.results.row import Row


def temporary_results() -> Results:
    """Results in a temporary folder, which goes with them."""
    folder = tempfile.mkdtemp(prefix="fewshot-")
    results = Results(Path(folder) / "rows.jsonl")
    weakref.finalize(results, shutil.rmtree, folder, ignore_errors=True)
    return results


@dataclass(frozen=True, eq=False)
class InMemory(Results):
    """The predictions of one row."""

    kept: Predictions | None = None

    def predictions(self, row: Row) -> Iterator[Predictions]:
        """The predictions, in one part."""
        assert self.kept is not None
        yield self.kept
