"""In a benchmark of the field, each set has one name: the benchmark's own, and not that of the user's folder."""

from __future__ import annotations

from fewshot.commands._results import describe
from fewshot.report.rows.task_titles import titles
from fewshot.results.row_specs import data_name
from tests.support.report_rows import row

KITTI = row(0.5, dataset="PathLists('vtab/kitti')", protocol="vtab_1k@1", benchmark_set="kitti_distance")


def test_a_row_of_a_benchmark_is_named_after_the_set_and_another_after_its_data():
    assert data_name(KITTI) == "kitti_distance"
    assert ", kitti_distance," in describe(KITTI)
    assert titles([KITTI])[0].startswith("vtab_1k@1: kitti_distance, ")
    own = row(0.5, dataset="PathLists('vtab/kitti')")
    assert data_name(own) == "kitti"
    assert titles([own])[0].startswith("kitti, ")


def test_two_copies_of_one_set_keep_the_names_of_their_files():
    copies = [
        row(0.5, dataset=f"ImageArrays(path='{name}.npz')", protocol="medmnist@1", benchmark_set="pathmnist")
        for name in ("pathmnist", "pathmnist_64")
    ]
    first, second = titles(copies)
    assert first.startswith("medmnist@1: pathmnist, ")
    assert second.startswith("medmnist@1: pathmnist_64, ")


def test_a_name_from_somebody_elses_row_is_one_short_line():
    assert data_name(row(0.5, protocol="vtab_1k@1", benchmark_set="a\nb\x1b[2J" + "x" * 500)).isprintable()
    assert len(data_name(row(0.5, protocol="vtab_1k@1", benchmark_set="x" * 500))) <= 64
