"""One data set is one task, however the user typed it."""

from __future__ import annotations

import pytest

from fewshot.plugins.registry import DATASETS
from fewshot.report.comparisons.contests import rivals
from fewshot.report.rows.shown import Shown
from tests.support.report_rows import row

SPELLINGS = ("signs", "./signs/", "/data/signs", "../signs")


@pytest.mark.parametrize("form", ["ImageFolderSet(root={!r})", "Manifest(path={!r}, root=None)"])
def test_paths_to_the_same_images_are_one_task_with_one_short_name(form: str) -> None:
    rows = [
        row(0.5 + n / 10, dataset=form.format(path), evaluator=f"LinearProbe(C={n}.0)")
        for n, path in enumerate(SPELLINGS)
    ]
    [task] = Shown.of(rows).tasks
    assert task.title.startswith("signs, ")
    assert [len(group) for group in rivals(rows, "evaluator")] == [len(rows)]


def test_other_images_other_layouts_and_unknown_images_are_other_tasks() -> None:
    folder = "ImageFolderSet(root='signs'{})"
    rows = [
        row(dataset=folder.format("")),
        row(dataset=folder.format(", layout='class/video'")),
        row(dataset=folder.format(""), images_digest="ef" * 32),
        row(dataset="ImageFolderSet(root='a/signs')", images_digest=""),
        row(dataset="ImageFolderSet(root='b/signs')", images_digest=""),
    ]
    assert len(Shown.of(rows).tasks) == len(rows)
    assert rivals(rows, "anything") == []


@pytest.mark.parametrize("member", ["ImageFolderSet(root={!r})", "Manifest(path={!r})", "VectorSet(path={!r})"])
def test_data_on_disk_are_called_by_their_path_and_not_by_their_class(member: str) -> None:
    for path in ("signs", "./signs", "some/signs/"):
        assert DATASETS.spec(member.format(path)).short_name == "signs"
    assert DATASETS.spec(member.format(".")).short_name == "."
