"""Any picture becomes an upright 8-bit RGB image; a file that is none is named."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image, ImageOps, features

from fewshot.datasets._decoding import is_picture, read_image, suffixes, to_rgb
from fewshot.datasets._pictures import facts_of_file

RANDOM = np.random.default_rng(0)
COLOURS = RANDOM.integers(0, 256, size=(5, 7, 3), dtype=np.uint8)
GREYS = RANDOM.integers(0, 256, size=(5, 7), dtype=np.uint8)
ALPHA = RANDOM.integers(0, 256, size=(5, 7), dtype=np.uint8)


def read(tmp_path, image, suffix=".png", **options):
    path = tmp_path / f"image{suffix}"
    image.save(path, **options)
    return read_image(path)


def pixels(image):
    assert image.mode == "RGB"
    return np.asarray(image)


def grey(values):
    return np.repeat(np.asarray(values, dtype=np.uint8)[:, :, None], 3, axis=2)


def on_white(values, alpha):
    """Exact composition over white."""
    weight = alpha[:, :, None] / 255
    return values * weight + 255 * (1 - weight)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".ppm", ".PNG"])
def test_rgb_is_read_as_it_is(tmp_path, suffix):
    assert np.array_equal(pixels(read(tmp_path, Image.fromarray(COLOURS), suffix)), COLOURS)


@pytest.mark.parametrize("suffix", [".png", ".gif", ".tif", ".pgm"])
def test_grey_is_three_equal_channels(tmp_path, suffix):
    assert np.array_equal(pixels(read(tmp_path, Image.fromarray(GREYS), suffix)), grey(GREYS))


def test_one_bit_is_black_and_white(tmp_path):
    image = Image.fromarray(GREYS > 128)
    assert image.mode == "1"
    assert np.array_equal(pixels(read(tmp_path, image)), grey((GREYS > 128) * 255))


@pytest.mark.parametrize("suffix", [".png", ".tiff", ".webp"])
def test_transparency_is_laid_on_white(tmp_path, suffix):
    image = Image.fromarray(np.dstack([COLOURS, ALPHA]))
    found = pixels(read(tmp_path, image, suffix, **({"lossless": True, "exact": True} if suffix == ".webp" else {})))
    assert np.abs(found - on_white(COLOURS, ALPHA)).max() <= 1


def test_grey_with_alpha_is_laid_on_white(tmp_path):
    image = Image.fromarray(np.dstack([GREYS, ALPHA]))
    assert image.mode == "LA"
    assert np.abs(pixels(read(tmp_path, image)) - on_white(grey(GREYS), ALPHA)).max() <= 1


def palette_image():
    """Left half of colour 0 (dark red), right half of colour 1 (green)."""
    image = Image.new("P", (8, 4), 0)
    image.putpalette([100, 0, 0, 0, 200, 0])
    image.paste(1, (4, 0, 8, 4))
    return image


@pytest.mark.parametrize("suffix", [".png", ".gif"])
@pytest.mark.parametrize("transparent", [None, 0, 1])
def test_a_palette_is_looked_up_and_its_transparent_colour_is_white(tmp_path, suffix, transparent):
    options = {} if transparent is None else {"transparency": transparent}
    found = pixels(read(tmp_path, palette_image(), suffix, **options))
    expected = [[100, 0, 0], [0, 200, 0]]
    if transparent is not None:
        expected[transparent] = [255, 255, 255]
    assert [found[0, 0].tolist(), found[0, 7].tolist()] == expected


def test_a_palette_with_an_alpha_for_every_colour_is_laid_on_white(tmp_path):
    found = pixels(read(tmp_path, palette_image(), transparency=bytes([0, 128])))
    assert found[0, 0].tolist() == [255, 255, 255]
    assert np.abs(found[0, 7] - [127, 227.4, 127]).max() <= 1


def test_one_transparent_colour_of_rgb_and_of_grey_is_white(tmp_path):
    colours, greys = COLOURS.copy(), GREYS.copy()
    colours[0, 0], greys[0, 0] = (1, 2, 3), 77
    greys[greys == 77] = 78
    greys[0, 0] = 77
    assert pixels(read(tmp_path, Image.fromarray(colours), transparency=(1, 2, 3)))[0, 0].tolist() == [255] * 3
    found = pixels(read(tmp_path, Image.fromarray(greys), transparency=77))
    assert found[0, 0].tolist() == [255] * 3
    assert np.array_equal(found[1:], grey(greys)[1:])


@pytest.mark.parametrize("suffix", [".tiff", ".jpg"])
def test_cmyk_is_converted(tmp_path, suffix):
    found = pixels(read(tmp_path, Image.new("CMYK", (16, 16), (255, 0, 0, 0)), suffix))
    assert np.abs(found - np.array([0, 255, 255])).max() <= 3


@pytest.mark.parametrize("suffix", [".png", ".tiff", ".pgm"])
def test_sixteen_bits_are_scaled_to_eight(tmp_path, suffix):
    values = RANDOM.integers(0, 65536, size=(5, 7), dtype=np.uint16)
    values[0, :2] = 0, 65535
    found = pixels(read(tmp_path, Image.fromarray(values), suffix))
    assert np.array_equal(found, grey(np.rint(values / 257)))


def test_a_big_endian_sixteen_bit_image_is_scaled_too():
    values = np.array([[0, 256, 65535]], dtype=">u2")
    assert pixels(to_rgb(Image.frombytes("I;16B", (3, 1), values.tobytes())))[0, :, 0].tolist() == [0, 1, 255]


def png(width, height, bit_depth, colour_type, rows):
    """The bytes of a PNG file, for formats that Pillow does not write."""
    import zlib

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bit_depth, colour_type, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_sixteen_bit_colour_is_read(tmp_path):
    values = RANDOM.integers(0, 65536, size=(3, 4, 3)).astype(">u2")
    (tmp_path / "image.png").write_bytes(png(4, 3, 16, 2, b"".join(b"\0" + row.tobytes() for row in values)))
    assert np.abs(pixels(read_image(tmp_path / "image.png")) - values / 257.0).max() <= 1


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([[0.0, 0.5, 1.0]], [0, 128, 255]),
        ([[0.0, 0.5, 200.0]], [0, 0, 200]),
        ([[0.0, 511.5, 1023.0]], [0, 128, 255]),
        ([[-3.0, 448.5, 900.0]], [0, 128, 255]),
        ([[0.0, 1e6, 2e6]], [0, 128, 255]),
        ([[0.0, 1e-5, 2e-5]], [0, 128, 255]),
        ([[float("nan"), float("inf"), float("-inf"), 1.0]], [0, 255, 0, 255]),
    ],
)
def test_floats_of_one_picture_use_a_usual_scale_or_their_range(tmp_path, values, expected):
    found = pixels(read(tmp_path, Image.fromarray(np.array(values, dtype=np.float32)), ".tiff"))
    assert found[0, :, 0].tolist() == expected


def test_thirty_two_bit_integers_are_read(tmp_path):
    for values, expected in (
        ([[0, 100, 255]], [0, 100, 255]),
        ([[0, 257, 65_535]], [0, 1, 255]),
        ([[-5, 257, 70_000]], [0, 1, 255]),
        ([[0, 1, 2]], [0, 128, 255]),
    ):
        found = pixels(read(tmp_path, Image.fromarray(np.array(values, dtype=np.int32)), ".tiff"))
        assert found[0, :, 0].tolist() == expected


def with_orientation(value):
    exif = Image.Exif()
    exif[0x0112] = value
    exif[0x010E] = "a description"
    return exif


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tiff", ".webp"])
def test_exif_rotation_is_that_of_pillow(tmp_path, suffix, orientation):
    path = tmp_path / f"image{suffix}"
    Image.fromarray(COLOURS).save(path, exif=with_orientation(orientation))
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    found = pixels(read_image(path))
    assert np.array_equal(found, expected)
    assert found.shape[:2] == ((7, 5) if 5 <= orientation <= 8 else (5, 7))


def test_sixteen_bit_and_palette_images_are_rotated_too(tmp_path):
    for image in (Image.fromarray(RANDOM.integers(0, 65536, (5, 7), dtype=np.uint16)), palette_image()):
        upright = read(tmp_path, image, ".png")
        turned = read(tmp_path, image, ".png", exif=with_orientation(6))
        assert np.array_equal(pixels(turned), np.rot90(pixels(upright), -1))


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # Pillow's own, also while it opens the file
@pytest.mark.parametrize("damage", [b"garbage!", b"MM\0*\xff\xff\xff\xff", b"MM\0*\0\0\0\0"])
def test_damaged_exif_data_leaves_the_picture_as_it_is_stored(tmp_path, damage):
    Image.fromarray(COLOURS).save(tmp_path / "a.jpg", exif=with_orientation(6))
    content = (tmp_path / "a.jpg").read_bytes()
    at = content.index(b"Exif\0\0") + 6
    (tmp_path / "a.jpg").write_bytes(content[:at] + damage + content[at + len(damage) :])
    assert read_image(tmp_path / "a.jpg").size == (7, 5)


def test_of_an_animation_the_first_frame_is_read(tmp_path):
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "lime", "blue")]
    for suffix in (".gif", ".png", ".webp"):
        path = tmp_path / f"image{suffix}"
        options = {"lossless": True} if suffix == ".webp" else {}
        frames[0].save(path, save_all=True, append_images=frames[1:], **options)
        assert (pixels(read_image(path)) == [255, 0, 0]).all()


def encoded(suffix, **options):
    stream = io.BytesIO()
    image = Image.fromarray(np.repeat(np.repeat(COLOURS, 8, 0), 8, 1))
    image.save(stream, Image.registered_extensions()[suffix], **options)
    return stream.getvalue()


def written(suffix):
    """Whether Pillow writes this scene, in a format of this suffix."""
    try:
        return bool(encoded(suffix))
    except (KeyError, OSError, ValueError):
        return False


SUFFIXES = suffixes()
FORMATS = {Image.registered_extensions()[suffix]: suffix for suffix in sorted(SUFFIXES) if written(suffix)}


def test_the_usual_formats_are_read():
    assert {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".tga"} <= SUFFIXES
    assert {".jp2", ".ppm", ".pgm", ".pbm", ".pnm", ".ico", ".mpo"} <= SUFFIXES
    assert (".avif" in SUFFIXES) == bool(features.check("avif"))
    assert not SUFFIXES & {".pdf", ".eps", ".ps", ".wmf", ".emf", ".mpg", ".mpeg", ".h5", ".hdf", ".txt", ".csv"}
    assert len(FORMATS) >= 10
    assert all(is_picture(suffix) and is_picture(suffix.upper()) for suffix in SUFFIXES)
    assert not any(map(is_picture, ("", ".pdf", ".txt", "png")))


def test_usual_pictures_are_known_without_the_decoders_of_all_formats():
    code = (
        "from fewshot.datasets._decoding import is_picture\n"
        "from PIL import Image\n"
        "assert all(map(is_picture, ('.jpg', '.JPEG', '.png', '.gif', '.bmp'))) and not is_picture('')\n"
        "print(len(Image.OPEN))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(found.stdout) < 10


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_a_picture_of_every_suffix_is_read(tmp_path, suffix):
    if not written(suffix):  # Pillow reads this format and does not write it
        return
    path = tmp_path / f"image{suffix}"
    path.write_bytes(encoded(suffix))
    found, scene = read_image(path), np.repeat(np.repeat(COLOURS, 8, 0), 8, 1)
    assert found.mode == "RGB"
    exact = found.size == (56, 40) and suffix not in (".gif", ".avif", ".avifs", ".webp") and "j" not in suffix
    assert not exact or suffix == ".mpo" or np.array_equal(pixels(found), scene)


def test_postscript_is_not_run_under_another_name(tmp_path):
    path = tmp_path / "picture.png"
    Image.fromarray(COLOURS).save(path, "EPS")
    with pytest.raises(ValueError, match=r"picture\.png: not an image in a format that Pillow can read"):
        read_image(path)


@pytest.mark.parametrize("suffix", sorted(FORMATS.values()))
def test_an_empty_a_cut_and_a_foreign_file_are_named(tmp_path, suffix):
    path = tmp_path / f"a file{suffix}"
    whole = encoded(suffix)
    for content in (b"", whole[: len(whole) // 2], b"<html>not found</html>", whole[:10]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=rf"a file\{suffix}: "):
            read_image(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    for path in (tmp_path / "none.png", tmp_path):
        with pytest.raises(ValueError, match=str(path)):
            read_image(path)


@pytest.mark.parametrize("suffix", sorted(FORMATS.values()))
def test_damaged_files_are_an_image_or_a_value_error(tmp_path, suffix):
    """300 files with one to five random bytes changed, near the beginning of every second one."""
    random = np.random.default_rng(1)
    options = {"exif": with_orientation(6)} if suffix in (".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".png") else {}
    whole = np.frombuffer(encoded(suffix, **options), dtype=np.uint8)
    path = tmp_path / f"image{suffix}"
    for i in range(300):
        damaged = whole.copy()
        damaged[random.integers(0, len(whole) if i % 2 else 120, size=random.integers(1, 6))] = random.integers(0, 256)
        path.write_bytes(damaged.tobytes())
        message = ""
        try:
            mode = read_image(path).mode
        except ValueError as error:
            message = str(error)
        assert message.startswith(str(path)) or mode == "RGB"


@pytest.mark.parametrize("megapixels", [100, 1000])
def test_an_image_that_may_be_a_decompression_bomb_is_one_sentence(tmp_path, megapixels):
    """Pillow warns at 89 megapixels (an error where warnings are) and refuses at 179."""
    (tmp_path / "bomb.png").write_bytes(png(1000, megapixels * 1000, 8, 0, b""))
    with pytest.raises(
        ValueError,
        match=r"bomb.png: it has [\d,]+ pixels, more than the [\d,]+ that fewshot reads; save",
    ):
        read_image(tmp_path / "bomb.png")


def test_a_png_file_with_a_changed_bit_is_refused_where_pillow_reads_it(tmp_path):
    Image.fromarray(np.add.outer(np.arange(40) * 3, np.arange(40) * 2).astype(np.uint8)).save(tmp_path / "a.png")
    whole, accepted = (tmp_path / "a.png").read_bytes(), 0
    facts = facts_of_file(tmp_path / "a.png")
    for place in range(8 * len(whole)):
        content = bytearray(whole)
        content[place // 8] ^= 1 << place % 8
        (tmp_path / "a.png").write_bytes(content)
        with suppress(ValueError):
            assert facts_of_file(tmp_path / "a.png") == facts
            accepted += 1
    assert accepted < 0.1 * len(whole) * 8
