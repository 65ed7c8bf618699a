"""One scale for all deep pictures of a data set: the same scenes of another depth are the same pictures."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from fewshot.datasets._depth import Scale, scale_of
from fewshot.datasets.image_folder_set import ImageFolderSet
from fewshot.datasets.manifest import Manifest
from tests.support.deep_pictures import DEPTHS, deep_png, tiff, write_scenes

RANDOM = np.random.default_rng(5)


def scenes(seed=0):
    """Six pictures of different brightness: the whole range, dark, bright, and of little contrast."""
    random = np.random.default_rng(seed)
    ranges = [(0, 256), (0, 40), (200, 256), (90, 130), (0, 256), (10, 240)]
    made = [random.integers(low, high, (6, 9)).astype(np.uint8) for low, high in ranges]
    made[0][0, :2] = 0, 255
    return made


@pytest.fixture
def root(tmp_path):
    return tmp_path / "birds"


def load(root, caplog=None):
    if caplog is None:
        return ImageFolderSet(root).load()
    with caplog.at_level(logging.INFO):
        return ImageFolderSet(root).load()


def pixels(images):
    return [np.asarray(images.images[row]).astype(int) for row in range(len(images))]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("depth", DEPTHS)
def test_the_same_scenes_of_another_depth_are_the_same_pictures(depth, seed, root, caplog):
    write_scenes(root / "eight", scenes(seed), None)
    write_scenes(root / "deep", scenes(seed), depth)
    eight, deep = load(root / "eight"), load(root / "deep", caplog)
    assert deep.labels.tolist() == eight.labels.tolist()
    for one, other in zip(pixels(eight), pixels(deep), strict=True):
        assert np.abs(one - other).max() <= 1
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@st.composite
def drawn_scenes(draw):
    """Pictures of any size and values, of which the first uses the whole range, not only its ends."""
    scene = arrays(np.uint8, st.tuples(st.integers(2, 9), st.integers(2, 9)), elements=st.integers(0, 255))
    made = draw(st.lists(scene, min_size=2, max_size=4))
    made[0][:2, :2] = [[0, 255], [60, 200]]
    return made


@given(made=drawn_scenes(), depth=st.sampled_from(sorted(DEPTHS)))
def test_drawn_scenes_of_another_depth_are_the_same_pictures(made, depth):
    with tempfile.TemporaryDirectory() as folder:
        write_scenes(Path(folder, "eight"), made, None)
        write_scenes(Path(folder, "deep"), made, depth)
        eight, deep = pixels(load(Path(folder, "eight"))), pixels(load(Path(folder, "deep")))
    for one, other in zip(eight, deep, strict=True):
        assert np.abs(one - other).max() <= 1


@pytest.mark.parametrize("depth", [name for name in DEPTHS if "colour" not in name and "alpha" not in name])
def test_the_scale_is_reported(depth, root, caplog):
    write_scenes(root / "deep", scenes(), depth)
    load(root / "deep", caplog)
    [message] = caplog.messages
    assert " pictures; their values " in message
    assert message.endswith("become black to white")


@pytest.mark.parametrize("depth", ["12 bits in 16", "signed 32", "float of any range"])
def test_another_picture_of_another_range_is_another_data_set(depth, root):
    write_scenes(root, scenes(), depth)
    before = load(root).images_digest
    assert load(root).images_digest == before
    (root / "gull" / "0.tif").write_bytes(tiff(np.array([[0, 40_000], [7, 30_000]], np.uint16)))
    (root / "gull" / "2.tif").write_bytes(tiff(np.array([[0, -40_000], [7, -30_000]], np.int32)))
    (root / "gull" / "4.tif").write_bytes(tiff(np.array([[0, 44.5], [7, 39]], np.float32)))
    assert load(root).images_digest != before


def test_a_picture_alone_does_not_choose_its_scale(root):
    """Signed pictures around 255 used to be scaled by 255 or by 65535, each by its own values."""
    for name, top in (("gull", 254), ("wren", 258)):
        (root / name).mkdir(parents=True)
        for number in range(3):
            values = np.full((4, 4), top, np.int32)
            values[0, : number + 1] = 0
            (root / name / f"{number}.tif").write_bytes(tiff(values))
    shown = pixels(load(root))
    assert max(np.abs(shown[row] - shown[row + 3]).max() for row in range(3)) <= 1


@pytest.mark.parametrize("depth", ["unsigned 16", "float to 1"])
def test_a_manifest_and_a_folder_have_the_same_scale(depth, root):
    write_scenes(root, scenes(), depth)
    folder = load(root)
    lines = [f"{path},{path.partition('/')[0]}" for path in folder.image_names]
    (root / "list.csv").write_text("\n".join(["path,label", *lines]) + "\n")
    assert Manifest(root / "list.csv").load().images_digest == folder.images_digest


def test_the_digest_of_eight_bits_and_of_exactly_the_same_deep_pictures_is_one(root):
    write_scenes(root / "eight", scenes(), None)
    write_scenes(root / "deep", scenes(), "png of 16 bits")
    assert load(root / "eight").images_digest == load(root / "deep").images_digest


def test_a_picture_that_loses_all_its_content_is_refused(root):
    write_scenes(root, scenes(), "unsigned 16")
    (root / "gull" / "lost.tif").write_bytes(tiff(RANDOM.integers(500, 700, (5, 5)).astype(np.uint16)))
    with pytest.raises(ValueError, match=r"nothing is left of 1 unsigned 16-bit picture in 8 bits, such as gull/lost"):
        load(root)


def test_a_value_for_missing_data_is_found_out(root):
    write_scenes(root, scenes(), "float to 1")
    (root / "gull" / "0.tif").write_bytes(tiff(np.array([[-3.4e38, 0.5]], np.float32)))
    with pytest.raises(ValueError, match=r"1 of 6 .*such as gull/0.tif, holds the value -3.4e\+38, far from"):
        load(root)


def test_colour_of_12_bits_in_16_is_refused(root):
    write_scenes(root, scenes(), None)
    values = np.stack([RANDOM.integers(0, 4096, (5, 5))] * 3, axis=2)
    (root / "gull" / "c.png").write_bytes(deep_png(values))
    with pytest.raises(ValueError, match=r"1 16-bit colour picture, such as gull/c\.png, use less than a quarter"):
        load(root)


def test_mixed_depths_with_a_doubtful_scale_are_warned_of(root, caplog):
    write_scenes(root, scenes(), None)
    write_scenes(root, scenes(1), "12 bits in 16")
    load(root, caplog)
    [message] = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert "pictures of different depth: 6 unsigned 16-bit, 6 8-bit; check" in message


@pytest.mark.parametrize("depth", ["unsigned 16", "float to 1", "float to 255", "signed 32 of 8 bits"])
def test_mixed_depths_with_an_obvious_scale_are_not(depth, root, caplog):
    write_scenes(root, scenes(), None)
    write_scenes(root, scenes(1), depth)
    load(root, caplog)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize(
    ("kind", "low", "high", "scale"),
    [
        ("unsigned 16-bit", 0, 255, (0, 255)),
        ("unsigned 16-bit", 3, 4095, (0, 4095)),
        ("unsigned 16-bit", 0, 16384, (0, 65535)),
        ("unsigned 16-bit", 0, 6, (0, 6)),
        ("unsigned 16-bit", 1000, 1100, (1000, 1100)),
        ("unsigned 16-bit", 1000, 2100, (0, 4095)),
        ("unsigned 16-bit", 30_000, 30_255, (30_000, 30_255)),
        ("unsigned 16-bit", 30_000, 30_000, (0, 65535)),
        ("signed 32-bit", 30_000, 30_255, (30_000, 30_255)),
        ("unsigned 16-bit", 32_768, 34_800, (32_768, 34_800)),
        ("float", 1000, 1255, (1000, 1255)),
        ("float", 0.8, 0.9, (0.8, 0.9)),
        ("signed 16-bit", -1024, 3071, (-1024, 3071)),
        ("unsigned 32-bit", 0, 1 << 31, (0, 1 << 31)),
        ("float", 0, 1, (0, 1)),
        ("float", 0, 0.3, (0, 1)),
        ("float", 0, 0.2, (0, 0.2)),
        ("float", 0, 3, (0, 3)),
        ("float", 0, 254.5, (0, 255)),
        ("float", 7, 7, (7, 7)),
    ],
)
def test_the_scale_is_a_usual_one_or_the_range(kind, low, high, scale):
    assert scale_of(kind, low, high) == Scale(*scale)


def test_a_scale_holds_at_its_ends_and_in_large_pictures():
    values = np.arange(3_000_000, dtype=np.float32).reshape(1500, 2000) / np.float32(2_999_999)
    shown = Scale(0.0, 1.0).eight_bit(values)
    assert (shown[0, 0], shown[-1, -1], shown.shape) == (0, 255, values.shape)
    assert np.abs(shown - 255.0 * values).max() <= 0.501
    assert not Scale(7.0, 7.0).eight_bit(np.full((2, 2), 7)).any()


def write(root, name, image, **options):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    image.save(root / name, **options) if isinstance(image, Image.Image) else (root / name).write_bytes(image)


NOISE = RANDOM.integers(0, 256, (8, 8, 4)).astype(np.uint8)
WHITE_INK = np.dstack([np.full((8, 8, 3), 255, np.uint8), NOISE[..., 0] // 128 * 255])
CLEAR = np.dstack([NOISE[..., :3], np.zeros((8, 8), np.uint8)])
CUT_OUT = np.dstack([NOISE[..., :3], NOISE[..., 0] // 128 * 255])
ALMOST = Image.fromarray(NOISE[..., 0] // 64)
GIF = {"save_all": True, "append_images": [Image.new("L", (8, 8))]}


@pytest.mark.parametrize(
    ("name", "image", "options", "message"),
    [
        ("a.png", Image.new("RGB", (8, 8), "red"), {}, "1 of 7 pictures is blank, such as gull/a.png; each"),
        ("a.tif", tiff(np.full((8, 8), 30_000, np.uint16)), {}, "1 of 7 pictures is blank, such as gull/a.tif"),
        ("a.png", ALMOST, {}, "1 of 7 pictures is nearly constant, such as gull/a.png"),
        (
            "a.png",
            Image.fromarray(WHITE_INK),
            {},
            "is blank because transparency hides the drawing, such as gull/a.png",
        ),
        ("a.png", Image.fromarray(CLEAR), {}, "is blank because transparency hides the drawing"),
        ("a.png", Image.fromarray(NOISE), {}, "is transparent by a fourth band that varies like a picture"),
        ("a.png", Image.fromarray(CUT_OUT), {}, None),
        ("a.tif", tiff(NOISE), {}, "in files of more than three bands, such as gull/a.tif; the first three are read"),
        ("a.tif", tiff(NOISE, extra=(0,)), {}, "in files of more than three bands"),
        ("a.tif", tiff(CUT_OUT, extra=(2,)), {}, None),
        ("a.gif", Image.fromarray(NOISE[..., 0]), GIF, "in files of several frames or pages, such as gull/a.gif"),
        ("a.tif", Image.fromarray(NOISE[..., 0]), GIF, "in files of several frames or pages"),
        ("a.tif", tiff(np.array([[0, np.nan], [0.5, 1]], np.float32)), {}, "in part NaN or infinite"),
    ],
)
def test_what_looks_wrong_is_warned_of_and_read(name, image, options, message, root, caplog):
    write_scenes(root, scenes(), None)
    write(root, f"gull/{name}", image, **options)
    for _ in range(2):  # the second time from the cache
        caplog.clear()
        assert len(load(root, caplog)) == 7
        warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
        assert len(warned) == (message is not None)
        assert message is None or message in warned[0]


HAZE = np.dstack([np.full((8, 8), 255, np.uint8), 60 + NOISE[..., 0] // 2])  # neither opaque nor clear anywhere


@pytest.mark.parametrize("extra", [1, 2], ids=["multiplied", "separate"])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_white_ink_of_any_opacity_is_hidden_by_transparency(suffix, extra, root, caplog):
    for number in range(4):
        picture = tiff(np.roll(HAZE, number, 0), 1, extra=(extra,)) if suffix == ".tif" else Image.fromarray(HAZE)
        write(root, f"{('gull', 'wren')[number % 2]}/{number}{suffix}", picture)
    assert {int(value) for shown in pixels(load(root, caplog)) for value in np.unique(shown)} == {255}
    assert any("4 of 4 pictures are blank because transparency hides the drawing" in text for text in caplog.messages)


def test_an_undeclared_fourth_band_is_no_opacity(root):
    write(root, "gull/a.tif", tiff(NOISE))
    write(root, "wren/b.tif", tiff(CUT_OUT, extra=(2,)))
    a, b = pixels(load(root))
    assert np.array_equal(a, NOISE[..., :3])
    assert (b[CUT_OUT[..., 3] == 0] == 255).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_many_bands_are_named_with_their_number(dtype, root):
    write_scenes(root, scenes(), None)
    write(root, "gull/a.tif", tiff(np.ones((4, 4, 13), dtype)))
    bits = 8 * np.dtype(dtype).itemsize
    with pytest.raises(ValueError, match=rf"a.tif: a TIFF file with 13 bands of {bits} bits, .*choose 1 or 3 bands"):
        load(root)


@pytest.mark.parametrize(("dtype", "what"), [("f2", "16-bit floats"), ("f8", "64-bit floats"), ("u8", "64 bits")])
def test_a_depth_that_pillow_cannot_read_is_named_with_one_that_it_can(dtype, what, root):
    write(root, "gull/a.tif", tiff(np.ones((4, 4), dtype)))
    with pytest.raises(ValueError, match=rf"TIFF file of {what} .*; save it with 8 or 16 bits, or as 32-bit"):
        load(root)


def test_one_transparent_value_of_a_deep_picture_is_white(root):
    values = RANDOM.integers(0, 65536, (5, 7)).astype(np.uint16)
    values[0, :3] = 0, 65535, 777
    write(root, "gull/a.png", Image.fromarray(values), transparency=777)
    write(root, "wren/b.png", Image.fromarray(values))
    a, b = pixels(load(root))
    assert a[0, :3, 0].tolist() == [0, 255, 255]
    assert b[0, :3, 0].tolist() == [0, 255, 3]
