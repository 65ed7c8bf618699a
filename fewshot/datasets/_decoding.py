"""Any picture a user may have, as an upright 8-bit RGB image."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, TiffImagePlugin, UnidentifiedImageError, features

from fewshot.datasets._depth import DEEP, Scale, Scales, kind_of, scale_of, values_of, white_is_zero
from fewshot.files.quoting import message

# EPS starts Ghostscript. The others are drawings, films, tables, or obsolete formats without a clear signature.
_NOT_READ = frozenset(
    {"EPS", "PDF", "WMF", "MPEG", "BUFR", "GRIB", "HDF5", "IPTC", "MCIDAS", "FLI", "IM", "IMT", "SPIDER", "XVTHUMB"}
)
_LIBRARIES = {"AVIF": "avif", "JPEG2000": "jpg_2000", "WEBP": "webp"}  # which a Pillow may lack
_USUAL = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif"})  # read by every Pillow
_ALPHA = ("LA", "PA", "RGBA", "La", "RGBa")
_BANDS, _SAMPLE_BITS, _EXTRA_BANDS, _COMPRESSION, _SAMPLE_FORMAT = 277, 258, 338, 259, 339  # tags of TIFF
_IS_ALPHA = (1, 2, 999)  # declared meanings of an extra band
_NO_SCALES: Scales = {}
# Large pictures are read up to Pillow's limit, without its warning from half of it on; filters of a user come first.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning, append=True)


@cache
def formats() -> tuple[str, ...]:
    """The formats of Pillow that fewshot reads. Loads the decoders of all formats."""
    Image.init()
    return tuple(
        name for name in sorted(Image.OPEN) if name not in _NOT_READ and features.check(_LIBRARIES.get(name, "pil"))
    )


@cache
def suffixes() -> frozenset[str]:
    """The suffixes of the files of these formats, in lower case."""
    read = {*formats(), "MPO"}  # MPO opens as JPEG
    return frozenset(suffix for suffix, name in Image.registered_extensions().items() if name in read)


def is_picture(suffix: str) -> bool:
    """Whether files with this suffix, in any case, are pictures that fewshot reads. Usual ones need no decoder."""
    suffix = suffix.lower()
    return suffix in _USUAL or (bool(suffix) and suffix in suffixes())


@dataclass(frozen=True, eq=False)
class Stored:
    """An upright picture as its file stores it: `kind` is the type of its values, `bands` their number per pixel."""

    image: Image.Image
    kind: str
    inverted: bool = False
    bands: int = 0

    @staticmethod
    def of(image: Image.Image) -> Stored:
        """The picture of an opened image, which this loads."""
        kind, inverted, tags = kind_of(image), white_is_zero(image), getattr(image, "tag_v2", {})
        bands = int(tags.get(_BANDS, len(image.getbands())))
        declared = any(extra in _IS_ALPHA for extra in _tuple(tags.get(_EXTRA_BANDS, ())))
        image.load()
        image = _upright(image)
        if image.mode == "La":  # grey times opacity, which Pillow converts to nothing else
            image = image.convert("LA")
        if tags and image.mode == "RGBA" and not declared:
            image = image.convert("RGB")  # the fourth band may be anything, such as infrared
        return Stored(image, kind, inverted, bands)

    @property
    def deep(self) -> bool:
        """Whether the values need a scale to become 8-bit ones."""
        return self.kind in DEEP

    @property
    def alpha(self) -> Image.Image | None:
        """The opacity of every pixel; None if there is no transparency."""
        if self.deep or not (self.image.mode in _ALPHA or "transparency" in self.image.info):
            return None
        return self.image.convert("RGBA").getchannel("A")

    def values(self) -> NDArray[Any]:
        """The values [H, W] of a deep picture."""
        return values_of(self.image, self.kind)

    def rgb(self, scales: Scales = _NO_SCALES) -> Image.Image:
        """RGB, 8 bits, transparency on white. A deep picture uses the scale of its kind, or one of its own."""
        if self.deep:
            return self._scaled(scales.get(self.kind))
        if self.image.mode in _ALPHA or "transparency" in self.image.info:
            drawn = self.image.convert("RGBA")
            white = Image.new("RGBA", drawn.size, "white")
            return Image.alpha_composite(white, drawn).convert("RGB")
        return self.image if self.image.mode == "RGB" else self.image.convert("RGB")  # which would copy it

    def _scaled(self, scale: Scale | None) -> Image.Image:
        values = self.values()
        grey = (scale or scale_of(self.kind, *finite_range(values))).eight_bit(values)
        if self.inverted:
            grey = 255 - grey
        transparent = self.image.info.get("transparency")
        if isinstance(transparent, int):
            grey[values == transparent] = 255
        return Image.fromarray(grey).convert("RGB")


@dataclass(frozen=True)
class Encoded:
    """The content of an image file in memory; `name` stands for its path in errors."""

    content: bytes
    name: str

    def __str__(self) -> str:
        return self.name


def binary(source: Path | Encoded) -> BinaryIO:
    """The content of an image file, opened."""
    return open(source, "rb") if isinstance(source, Path) else BytesIO(source.content)


def finite_range(values: NDArray[Any]) -> tuple[float, float]:
    """The smallest and the largest finite value; a ValueError if there is none."""
    if values.dtype.kind == "f":
        values = values[np.isfinite(values)]
    if not values.size:
        raise ValueError("it holds no finite number")
    return float(values.min()), float(values.max())


def read_stored(path: Path | Encoded, draft: int | None = None) -> Stored:
    """The picture of a file as it is stored; a ValueError names an unreadable file and the cause. With `draft`, a JPEG
    picture has a half, a quarter or an eighth of its size: the smallest whose sides are both `draft` pixels or more."""
    try:
        with Image.open(_named(path), formats=formats()) as image:
            if draft is not None:
                image.draft(None, (draft, draft))  # only the decoder of JPEG has such sizes
            return Stored.of(image)
    except UnidentifiedImageError as error:
        raise ValueError(f"{path}: {_unidentified(path)}") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError(f"{path}: {_too_large(error)}") from error
    except Exception as error:  # Pillow's decoders raise nearly anything on a damaged file, struct.error included
        raise ValueError(f"{path}: {message(error)}") from error


def read_image(path: Path | Encoded, scales: Scales = _NO_SCALES, draft: int | None = None) -> Image.Image:
    """The image of a file, upright and in RGB; a ValueError names an unreadable file and the cause. `draft` as in
    `read_stored`."""
    stored = read_stored(path, draft)
    try:
        return stored.rgb(scales)
    except Exception as error:
        raise ValueError(f"{path}: {message(error)}") from error


def to_rgb(image: Image.Image) -> Image.Image:
    """An image in memory as upright 8-bit RGB, transparency on white, more than 8 bits scaled to 8."""
    return Stored.of(image).rgb()


def has_frames(path: Path | Encoded) -> bool:
    """Whether a readable file holds several frames or pages, of which the first is used."""
    with suppress(Exception), Image.open(_named(path), formats=formats()) as image:
        return image.format != "PSD" and bool(getattr(image, "is_animated", False))  # the frames of PSD are layers
    return False


def _named(source: Path | Encoded) -> Path | BytesIO:
    return source if isinstance(source, Path) else BytesIO(source.content)


def _upright(image: Image.Image) -> Image.Image:
    """The image itself, rotated by its EXIF orientation; unchanged if the EXIF data is damaged."""
    with suppress(Exception):  # of many kinds; the picture itself was decoded
        ImageOps.exif_transpose(image, in_place=True)
    return image


def _tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _too_large(error: Exception) -> str:
    """The size of a picture that Pillow takes for an attack on the memory, and what to do."""
    found = re.search(r"\((\d+) pixels\).* (\d+) pixels", str(error))
    size = f"{int(found[1]):,} pixels, more than the {int(found[2]):,}" if found else "more pixels than"
    return f"it has {size} that fewshot reads; save it in a smaller size"


def _unidentified(path: Path | Encoded) -> str:
    """The reason why Pillow cannot read a file, from its tags if it is a TIFF file."""
    tags = _tiff_tags(path)
    if not tags:
        return "not an image in a format that Pillow can read"
    bands, bits = tags.get(_BANDS, 1), "/".join(map(str, dict.fromkeys(_tuple(tags.get(_SAMPLE_BITS, 1)))))
    if bands == 1:
        numbers = "-bit floats" if tags.get(_SAMPLE_FORMAT, 1) in (3, (3,)) else " bits"
        compression = tags.get(_COMPRESSION, 1)
        return (
            f"a TIFF file of {bits}{numbers} (compression {compression}), which Pillow cannot read; save it with 8 or "
            f"16 bits, or as 32-bit floats{', without compression' if compression != 1 else ''}"
        )
    return (
        f"a TIFF file with {bands} bands of {bits} bits, which Pillow cannot read; choose 1 or 3 bands "
        "and save them with 8 bits"
    )


def _tiff_tags(path: Path | Encoded) -> Mapping[int, Any]:
    with suppress(Exception), binary(path) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, about damaged tags
        header = file.read(8)
        if header[:4] not in (b"II*\0", b"MM\0*"):
            return {}
        tags = TiffImagePlugin.ImageFileDirectory_v2(header)
        file.seek(tags.next)
        tags.load(file)
        return dict(tags)
    return {}
