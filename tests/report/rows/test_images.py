"""The images of rows that were made here are read without a download, also those of data sets inside others."""

from __future__ import annotations

import pytest

from fewshot.plugins.registry import DATASETS
from fewshot.report.rows.images import without_download


@pytest.mark.parametrize(
    ("spec", "same"),
    [
        ("TorchvisionSet('CIFAR100', download=True)", "TorchvisionSet('CIFAR100')"),
        (
            "Partitioned(TorchvisionSet('CIFAR100', download=True), test=5)",
            "Partitioned(TorchvisionSet('CIFAR100'), 5)",
        ),
        ("ImageFolderSet('download=True')", "ImageFolderSet('download=True')"),
        ("Icons(domain='mono')", "Icons(domain='mono')"),
    ],
)
def test_a_data_set_without_a_download_is_otherwise_the_same(spec, same):
    assert without_download(DATASETS.spec(spec)).text == DATASETS.spec(same).text
