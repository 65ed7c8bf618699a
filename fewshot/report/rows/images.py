"""The images of a row: from the data that the user names, or of a run that was made on this machine.

Rows from elsewhere cause no reading: a data set that a row names may be any folder, a pipe, a device or a download.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from fewshot.datasets import LabelledImages
from fewshot.plugins.registry import DATASETS
from fewshot.plugins.spec import Spec
from fewshot.results.made_here import was_made_here
from fewshot.results.row import Row


@dataclass(frozen=True)
class RowImages:
    """Where the images of rows come from."""

    data: tuple[Spec, ...] = ()  # data sets that the user names
    allow_import: bool = False  # of code that a row made here names

    def load(self, row: Row) -> LabelledImages:
        """The images of a row; a ValueError if they are not at hand, or if fewshot may not read them."""
        for spec in self.data:
            if (images := _load(spec)).images_digest == row.images_digest:
                return images
        if was_made_here(row):
            return self._own(row)
        raise ValueError(self._why_not())

    def _own(self, row: Row) -> LabelledImages:
        """The images of a run that was made here, without a download."""
        images = _load(without_download(DATASETS.spec(row.dataset, self.allow_import)))
        if images.images_digest != row.images_digest:
            raise ValueError(f"the images of {images.name} have changed since the run {row.run_id}")
        return images

    def _why_not(self) -> str:
        if not self.data:
            return (
                "the row was not made on this machine, so fewshot does not read the data that it names; if you have "
                "the images, name them with --data FOLDER"
            )
        names = ", ".join(_load(spec).name for spec in self.data)
        return f"the row was made with other images than those of --data ({names})"


@cache
def _load(spec: Spec) -> LabelledImages:
    images: LabelledImages = spec.make().load()
    return images


def without_download(spec: Spec) -> Spec:
    """The spec of a data set that downloads nothing, nor do the data sets inside it."""
    arguments = (
        (parameter, without_download(value) if isinstance(value, Spec) else parameter.name != "download" and value)
        for parameter, value in spec.arguments
    )
    return replace(spec, arguments=tuple(arguments))
