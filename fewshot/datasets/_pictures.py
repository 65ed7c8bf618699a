"""Facts about pictures: size, type of values, range, and signs that a picture is not what it should be."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fewshot.datasets import image_digest
from fewshot.datasets._decoding import Encoded, Stored, finite_range, has_frames, read_stored
from fewshot.datasets._depth import COLOUR, DEEP, EIGHT, Scales
from fewshot.datasets._fills import Extremes, Inner, check_fills, inner_of
from fewshot.datasets._png import changed_chunk
from fewshot.plugins.wording import agreeing, counted

_log = logging.getLogger("fewshot")
_ONE = 0.9  # of a level: one step of 8 bits, rounded to integers of 10 bits, may be a little less than 1
_FEW = 8  # of 256 levels: a picture that uses fewer is nearly constant
_FLAT = 1.0  # of 255: so is a picture of a smaller deviation
_LEVELS_OF_ALPHA, _SHARE_OF_ALPHA = 32, 0.1  # a picture in place of transparency has more levels, and fewer 0 and 255
_QUARTER = 64  # of 256 levels
FRAMES, BANDS, HIDDEN = "several frames", "more than three bands", "hidden by transparency"
BLANK, FLAT, ALPHA, BROKEN = "blank", "nearly constant", "doubtful transparency", "not finite"
_WORDS = {
    BLANK: ("blank", "each has one colour only; check how they were exported"),
    FLAT: ("nearly constant", "check how they were exported"),
    HIDDEN: (
        "blank because transparency hides the drawing",
        "white ink on a transparent ground becomes white on white; save them on a ground of another colour",
    ),
    ALPHA: (
        "transparent by a fourth band that varies like a picture",
        "if that band is not opacity, save three bands",
    ),
    BANDS: ("in files of more than three bands", "the first three are read as red, green and blue"),
    FRAMES: ("in files of several frames or pages", "the first one is used"),
    BROKEN: ("in part NaN or infinite", "NaN becomes black"),
}  # what they are, and what that means; in the order of the report


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """The facts of a picture. `low` and `high` are its values as stored, or its colours before transparency
    where Pillow decodes them to 8 bits; `digest` is of the decoded pixels, of a deep picture b""."""

    width: int
    height: int
    mode: str  # Pillow's
    kind: str  # the type of the values
    low: float
    high: float
    signs: tuple[str, ...] = ()
    digest: bytes = b""
    inner: Inner | None = None  # of a deep picture: the smallest and the largest value between low and high

    @property
    def deep(self) -> bool:
        """Whether the values need a scale to become 8-bit ones."""
        return self.kind in DEEP

    @property
    def extremes(self) -> Extremes:
        """The values at both ends."""
        return Extremes(self.low, self.high, self.inner)

    def packed(self) -> bytes:
        """The facts as bytes, for a cache."""
        values = (self.width, self.height, self.mode, self.kind, self.low, self.high, self.signs, self.inner)
        return self.digest.ljust(32, b"\0") + json.dumps(values).encode()

    @staticmethod
    def unpacked(content: bytes) -> PictureFacts | None:
        """The facts in bytes of `packed`; None for other bytes."""
        try:
            width, height, mode, kind, low, high, signs, inner = json.loads(content[32:])
            if kind not in (*DEEP, EIGHT, COLOUR) or not set(signs) <= set(_WORDS):
                return None
            digest = b"" if kind in DEEP else content[:32]
            between = None if inner is None else (float(inner[0]), float(inner[1]))
            return PictureFacts(int(width), int(height), str(mode), str(kind), low, high, tuple(signs), digest, between)
        except (ValueError, TypeError):
            return None


def facts_of_file(path: Path | Encoded, draft: int | None = None) -> PictureFacts:
    """The facts of a picture in a file, decoded with this `draft`; a ValueError names an unreadable file and the
    cause."""
    stored = read_stored(path, draft)
    if chunk := changed_chunk(path):
        raise ValueError(f"{path}: the checksum of its part {chunk} is wrong, so the file is damaged")
    try:
        facts = _facts_of_deep(stored) if stored.deep else _facts_of_shallow(stored)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return replace(facts, signs=(*facts.signs, FRAMES)) if has_frames(path) else facts


def facts_of_image(image: Image.Image) -> PictureFacts:
    """The facts of a decoded RGB image."""
    return _facts_of_shallow(Stored(image, EIGHT))


def _facts_of_deep(stored: Stored) -> PictureFacts:
    values = stored.values()
    low, high = finite_range(values)
    signs = [BLANK] if low == high else []
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        signs.append(BROKEN)
    inner = inner_of(values, low, high)
    return PictureFacts(*stored.image.size, stored.image.mode, stored.kind, low, high, tuple(signs), inner=inner)


def _facts_of_shallow(stored: Stored) -> PictureFacts:
    drawn, alpha = stored.rgb(), stored.alpha
    counts = _histogram(drawn)
    sign = _sign(counts)
    if sign and alpha is not None and alpha.getextrema()[0] != 255:
        sign = HIDDEN
    signs = [sign] * bool(sign) + [ALPHA] * (alpha is not None and _doubtful(alpha))
    if stored.bands > 3 and stored.image.mode == "RGB":
        signs.append(BANDS)
    used = np.flatnonzero((counts if alpha is None else _histogram(stored.image.convert("RGB"))).any(0))
    low, high, digest = int(used[0]), int(used[-1]), image_digest(drawn)
    return PictureFacts(*stored.image.size, stored.image.mode, stored.kind, low, high, tuple(signs), digest)


def _histogram(image: Image.Image) -> NDArray[np.int64]:
    """[3, 256] the pixels of every value and colour."""
    return np.array(image.histogram()).reshape(3, 256)


def _sign(counts: NDArray[np.int64]) -> str:
    """The sign of a picture with too little in it, by its histogram, or ''."""
    used, levels = counts > 0, np.arange(256)
    contrast = int((255 - used[:, ::-1].argmax(1) - used.argmax(1)).max())
    mean = counts @ levels / counts.sum(1)
    variance = np.maximum(0, counts @ levels**2 / counts.sum(1) - mean**2)
    if not contrast:
        return BLANK
    return FLAT if contrast < _FEW or variance.max() < _FLAT**2 else ""


def sign_of_contrast(contrast: float, kind: str) -> str:
    """The sign of a picture without transparency by the widest range of its colours, or ''."""
    if not contrast:
        return BLANK
    return FLAT if kind == EIGHT and contrast < _FEW else ""


def _doubtful(alpha: Image.Image) -> bool:
    """Whether opacity varies like a picture: many levels, and hardly a pixel quite opaque or quite transparent."""
    counts = np.array(alpha.histogram())
    return bool((counts > 0).sum() > _LEVELS_OF_ALPHA and counts[0] + counts[255] < _SHARE_OF_ALPHA * counts.sum())


def blank_rows(facts: Sequence[PictureFacts]) -> frozenset[int]:
    """The rows of pictures of one colour, hidden ones included: equal ones say nothing about their labels."""
    return frozenset(row for row, picture in enumerate(facts) if {BLANK, HIDDEN} & set(picture.signs))


def rows_by_sign(facts: Sequence[PictureFacts], scales: Scales) -> Mapping[str, list[int]]:
    """The rows of the pictures with each sign, in the order of their report."""
    rows: dict[str, list[int]] = {sign: [] for sign in _WORDS}
    for row, picture in enumerate(facts):
        for sign in picture.signs:
            rows[sign].append(row)
        if picture.deep and picture.low < picture.high and _levels(picture, scales) < _FEW:
            rows[FLAT].append(row)
    return {sign: found for sign, found in rows.items() if found}


def _levels(picture: PictureFacts, scales: Scales) -> float:
    """How many of 255 levels a deep picture covers."""
    scale = scales[picture.kind]
    return 255 * (picture.high - picture.low) / (scale.white - scale.black)


def _is_lost(picture: PictureFacts, scales: Scales) -> bool:
    """Whether the different values of a deep picture become one or two."""
    return picture.low < picture.high and _levels(picture, scales) < _ONE


def check_content(name: str, facts: Sequence[PictureFacts], scales: Scales, where: Callable[[int], object]) -> None:
    """Raises a ValueError if a fill value takes most of a scale, or if 8 bits keep nothing of pictures with more bits.
    Warns if black takes most of a scale."""
    deep = {kind: {row: p.extremes for row, p in enumerate(facts) if p.kind == kind} for kind in scales}
    for warning in check_fills(name, deep, scales, where):
        _log.warning("%s", warning)
    lost = [row for row, picture in enumerate(facts) if picture.deep and _is_lost(picture, scales)]
    if lost:
        first = facts[lost[0]]
        raise ValueError(
            f"{name}: nothing is left of {_pictures(len(lost), first.kind)} in 8 bits, such as {where(lost[0])} with "
            f"values {first.low:.6g} to {first.high:.6g}, because one scale, {scales[first.kind]}, holds for all of "
            "this type; correct or remove outliers and values for missing data, or save all pictures with 8 bits"
        )
    rows = [row for row, p in enumerate(facts) if p.kind == COLOUR]
    if rows and max(facts[row].high for row in rows) < _QUARTER:
        raise ValueError(
            f"{name}: {_pictures(len(rows), COLOUR)}, such as {where(rows[0])}, use less than a quarter of 16 bits; "
            "Pillow reads only the upper 8, so most of the content would be lost; save them with 8 bits"
        )


def warn_pictures(name: str, facts: Sequence[PictureFacts], scales: Scales, where: Callable[[int], object]) -> None:
    """Logs how deep pictures become 8-bit ones, and warns of pictures with signs that something is wrong."""
    kinds = {kind: sum(picture.kind == kind for picture in facts) for kind in (*DEEP, EIGHT, COLOUR)}
    for kind, scale in scales.items():
        _log.info("%s: %s; their values %s become black to white", name, _pictures(kinds[kind], kind), scale)
    mixed = [f"{count} {kind}" for kind, count in kinds.items() if count]
    if len(mixed) > 1 and any(scale.black != 0 or scale.white not in _WHOLE[kind] for kind, scale in scales.items()):
        message = "%s: pictures of different depth: %s; check that equal brightness means the same in them, "
        _log.warning(message + "or save all with 8 bits", name, ", ".join(mixed))
    for sign, rows in rows_by_sign(facts, scales).items():
        what, meaning = _WORDS[sign]
        count = f"{len(rows):,} of {counted(len(facts), 'picture')} {agreeing(len(rows), 'is', 'are')}"
        _log.warning("%s: %s %s, such as %s; %s", name, count, what, where(rows[0]), meaning)


_WHOLE: Mapping[str, tuple[float, ...]] = {
    "unsigned 16-bit": (65535,), "signed 8-bit": (), "signed 16-bit": (), "signed 32-bit": (255, 65535),
    "unsigned 32-bit": (255, 65535), "float": (1, 255),
}  # fmt: skip  # the values of white that mean what 255 means in 8 bits


def _pictures(count: int, kind: str) -> str:
    return counted(count, f"{kind} picture")
