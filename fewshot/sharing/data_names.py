"""The name of a row's data. Where that is the name of a folder, nothing hashes it: its submitter chose it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fewshot.plugins.folder_names import telling_name
from fewshot.plugins.registry import DATASETS
from fewshot.plugins.signature import Parameter
from fewshot.plugins.spec import Spec
from fewshot.results.row import Row
from fewshot.results.row_specs import specs_of
from fewshot.sharing.designs import SharedDesign

_ROOT = "root"  # the field of the data sets that are called by their folder


def is_chosen(row: Row) -> bool:
    """Whether the submitter chose the name: it is that of a file or a folder."""
    return bool(specs_of(row).dataset.paths)


def name_problems(row: Row, design: SharedDesign) -> list[str]:
    """A name of the folder of images that is not the one in runs.json."""
    name = _folder_of(specs_of(row).dataset)
    if not design.dataset or name in ("", design.dataset):
        return []
    return [f"dataset calls its images {name!r:.80} in the row, but runs.json calls them {design.dataset!r:.80}"]


def named_as(row: Row, name: str) -> Row:
    """The row whose data are called by this name, where that is the name of a folder."""
    found = _folder_of(specs_of(row).dataset, any_name=True)
    if not name or found in ("", name) or telling_name(name) != name or "/" in name or "\\" in name:
        return row
    return replace(row, dataset=_renamed(DATASETS.read(row.dataset), name).text)


def _folder_of(spec: Spec, any_name: bool = False) -> str:
    """The name of the folder that calls a data set; "" for other data sets, and for a folder such as "images"."""
    for parameter, value in spec.arguments:
        if isinstance(value, Spec) and (inner := _folder_of(value, any_name)):
            return inner
        if parameter.name == _ROOT and parameter.is_path and value is not None:
            name = telling_name(str(value))
            return name if any_name or _tells(name) else ""
    return ""


def _tells(name: str) -> bool:
    """Whether a name is more than "images": below another folder, it stays the name."""
    return telling_name(f"above/{name}") == name


def _renamed(spec: Spec, name: str) -> Spec:
    def value_of(parameter: Parameter, value: Any) -> Any:
        if isinstance(value, Spec):
            return _renamed(value, name)
        return name if parameter.name == _ROOT and parameter.is_path and value is not None else value

    return replace(spec, arguments=tuple((p, value_of(p, value)) for p, value in spec.arguments), as_written=None)
