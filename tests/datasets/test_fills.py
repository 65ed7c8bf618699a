"""A value for missing data, or a saturated border, must not take the levels of all other values without a word."""

from __future__ import annotations

import logging
import re

import numpy as np
import pytest

from fewshot.datasets._depth import Scale
from fewshot.datasets._fills import Extremes, Fill, fill_of, inner_of, inner_of_each
from fewshot.datasets.image_arrays import ImageArrays
from fewshot.datasets.image_folder_set import ImageFolderSet
from tests.support.deep_pictures import tiff

SIDE = 24


def bordered(dtype, low, high, fill, seed=0, n_images=8, of=None):
    """Pictures [n, SIDE, SIDE] of values from `low` to `high`; each (or each in `of`) has a border of `fill`, of random
    width, at a random side."""
    random = np.random.default_rng(seed)
    values = random.uniform(low, high, (n_images, SIDE, SIDE)).astype(dtype)
    for row in range(n_images) if of is None else of:
        picture = np.rot90(values[row], random.integers(4))  # a view
        picture[: random.integers(1, 9)] = fill
    return values


def folder(tmp_path, pictures):
    for row, picture in enumerate(pictures):
        (tmp_path / "birds" / ("gull", "wren")[row % 2]).mkdir(parents=True, exist_ok=True)
        (tmp_path / "birds" / ("gull", "wren")[row % 2] / f"{row}.tif").write_bytes(tiff(picture))
    return ImageFolderSet(tmp_path / "birds")


def archive(tmp_path, pictures):
    np.savez(tmp_path / "birds.npz", images=pictures, labels=np.arange(len(pictures)) % 2)
    return ImageArrays(tmp_path / "birds.npz")


# type of values, smallest and largest value of the pictures, fill value, and its text
FILLS = {
    "saturated": ("u2", 0, 255, 65535, "65535"),
    "12 bits": ("u2", 0, 4095, 65535, "65535"),
    "missing": ("f4", 0, 1, -9999, "-9999"),
    "huge": ("f4", 0, 1, 1e20, "1e+20"),
    "signed": ("i2", 0, 85, -32768, "-32768"),
    "least float": ("f4", 0, 1, -3.4e38, "-3.4e+38"),
    "far from 0": ("i4", 30_000, 30_255, -9999, "-9999"),
}


@pytest.mark.parametrize("source", [folder, archive])
@pytest.mark.parametrize("case", FILLS)
@pytest.mark.parametrize("of", [None, (3,), (0, 1, 5)])
def test_a_fill_value_is_refused_with_its_value_and_the_number_of_pictures(case, source, of, tmp_path):
    dtype, low, high, fill, text = FILLS[case]
    dataset = source(tmp_path, bordered(dtype, low, high, fill, of=of))
    hold = "1 of 8 .*holds" if of == (3,) else f"{8 if of is None else 3} of 8 .*hold"
    with pytest.raises(ValueError, match=rf"{hold} the value {re.escape(text)}, far .*place, or save") as error:
        dataset.load()
    assert ("or NaN" in str(error.value)) == (dtype == "f4")


def test_fill_values_at_both_ends_are_refused(tmp_path):
    pictures = bordered("i2", 0, 255, -32768)
    pictures[:, 0, :3] = 32767
    with pytest.raises(ValueError, match="hold the value -32768 or 32767, far from"):
        folder(tmp_path, pictures).load()


def photographs():
    """16 bits, dark and bright, with black borders and saturated pixels."""
    values = np.random.default_rng(1).beta(1, 6, (8, SIDE, SIDE))
    values[:, :2], values[:, 5, 5:9] = 0, 1
    return np.rint(values * 65535).astype("u2")


def scans():
    """Tissue of 12 bits on a black background, as of a tomograph."""
    values = np.random.default_rng(2).integers(900, 2200, (8, SIDE, SIDE)).astype("u2")
    values[:, :, :10] = 0
    return values


def masks():
    """Drawings of two values, which differ a little between pictures."""
    random = np.random.default_rng(3)
    return (random.integers(0, 2, (8, SIDE, SIDE)) * random.integers(60_000, 60_500, (8, 1, 1))).astype("u2")


def label_maps():
    return np.random.default_rng(4).choice([0, 30_000, 65535], (8, SIDE, SIDE)).astype("u2")


def dark_with_a_few_lights():
    """8 bits kept in 16: each value has a level of its own."""
    return bordered("u2", 0, 40, 255)


@pytest.mark.parametrize("source", [folder, archive])
@pytest.mark.parametrize("make", [photographs, scans, masks, label_maps, dark_with_a_few_lights])
def test_pictures_without_a_fill_value_load_without_a_word(make, source, tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        assert len(source(tmp_path, make()).load()) == 8
    assert not [message for message in caplog.messages if "far from" in message]


@pytest.mark.parametrize("source", [folder, archive])
def test_black_that_takes_the_levels_is_warned_of(source, tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        assert len(source(tmp_path, bordered("u2", 1000, 1255, 0)).load()) == 8
    [message] = [message for message in caplog.messages if "far from" in message]
    assert "8 of 8 unsigned 16-bit pictures" in message
    assert "16 of 256 levels; if 0 stands for missing data, write a value from 100" in message


def test_values_far_from_zero_are_stretched(tmp_path):
    values = np.random.default_rng(5).integers(0, 256, (8, SIDE, SIDE))
    values[0, 0, :2] = 0, 255
    for number, (dtype, least) in enumerate([("u2", 30_000), ("i4", 30_000), ("f4", 1000)]):
        images = folder(tmp_path / str(number), (values + least).astype(dtype)).load()
        shown = {name: np.asarray(images.images[row])[..., 0] for row, name in enumerate(images.image_names)}
        assert all((shown[f"{('gull', 'wren')[row % 2]}/{row}.tif"] == values[row]).all() for row in range(8))


def test_the_values_between_the_extremes_are_the_same_one_by_one_and_together():
    random = np.random.default_rng(6)
    pictures = random.integers(0, 6, (200, 2, 2)).astype("u2")
    alone = [inner_of(one, float(one.min()), float(one.max())) for one in pictures]
    assert inner_of_each(pictures) == alone
    for one, inner in zip(pictures, alone, strict=True):
        between = sorted(set(one.ravel().tolist()))[1:-1]
        assert inner == ((between[0], between[-1]) if between else None)


def test_the_levels_are_those_that_the_scale_leaves():
    pictures = [Extremes(0, 65535, (1, 255)), Extremes(5, 200, (7, 9))]
    assert fill_of(pictures, Scale(0, 65535)) == Fill((65535,), 0, 255, 255 * 255 / 65535)
