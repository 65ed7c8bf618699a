"""The images of rows: data that the user names, bundled data, and the data of runs that were made on this machine.

`submit` and `verify` find them in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from fewshot.datasets import LabelledImages
from fewshot.plugins.registry import DATASETS
from fewshot.plugins.spec import Spec
from fewshot.report.rows.images import without_download
from fewshot.results.made_here import data_here
from fewshot.results.row import Row


@dataclass(frozen=True, eq=False)
class AtHand:
    """The data sets at hand; each is loaded once. `own`: this user made the rows, so the code that they name is his."""

    data: tuple[Spec, ...] = ()
    own: bool = False
    _loaded: dict[Spec, LabelledImages | ValueError | OSError] = field(default_factory=dict)

    @property
    def places(self) -> tuple[Path, ...]:
        """The files and folders of the data that the user names."""
        return tuple(path for spec in self.data for path in spec.paths)

    def find(self, row: Row) -> tuple[Spec, LabelledImages]:
        """The data set of a row with its images; a ValueError if they are not at hand."""
        errors: list[ValueError | OSError] = []
        for spec in [*self.data, *self._named(row)]:
            try:
                images = self._load(spec)
            except (ValueError, OSError) as error:
                errors += [error] if spec in self.data else []  # another data set may be the one
                continue
            if images.images_digest == row.images_digest:
                return spec, images
        if errors:
            raise errors[0]
        advice = "--data names other images" if self.data else "name them with --data"
        raise ValueError(f"the images of {row.dataset:.80} are not at hand; {advice}")

    def _named(self, row: Row) -> list[Spec]:
        """The data sets of the row that may be read, without a download: bundled data, and that of a run made here."""
        try:
            bundled = [DATASETS.spec(row.dataset, allow_import=False)]
        except ValueError:
            bundled = []
        known = [*(spec for spec in bundled if spec.declares("is_bundled")), *data_here(row)]
        return list(map(without_download, known))

    def _load(self, spec: Spec) -> LabelledImages:
        """The images; files of unchanged size and times are not decoded again. What cannot be read is tried once."""
        if spec not in self._loaded:
            try:
                self._loaded[spec] = spec.make().load()
            except (ValueError, OSError) as error:
                self._loaded[spec] = error
        held = self._loaded[spec]
        if not isinstance(held, LabelledImages):
            raise held
        return held
