"""Names of data sets by the places of their files."""

from __future__ import annotations

import pytest

from fewshot.plugins.folder_names import telling_file_name


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("/x/birds/train.parquet", "birds"),
        ("/x/birds/data/test-00000-of-00001.parquet", "birds"),
        ("/x/birds/train_0001.parquet", "birds"),
        ("/x/birds/0.tar", "birds"),
        ("/x/birds/test/{0..3}.tar", "birds"),
        ("/x/birds/train-{000..012}.tar", "birds"),
        ("s3://bucket/birds/test/{0..3}.tar", "birds"),
        ("/x/birds/gulls-{000..012}.tar", "gulls"),
        ("/x/birds/cifar10.parquet", "cifar10"),
        ("/x/birds/gulls.parquet", "gulls"),
        ("/x/birds/test", "birds"),
        ("/x/birds", "birds"),
        ("/x/birds.v2", "birds.v2"),
        ("/0.tar", "0"),
        ("memory://0.tar", "0"),
    ],
)
def test_a_file_that_only_counts_or_names_a_partition_is_named_after_the_folder_above(place, name):
    assert telling_file_name(place) == name
