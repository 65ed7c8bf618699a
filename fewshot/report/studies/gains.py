"""What larger networks and more images bring, near and far from the source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from fewshot.report.studies import SectionTable, Study, StudyRows
from fewshot.report.studies._words import bounded, why_unbounded
from fewshot.scaling.fits.intervals import ONE_SEED
from fewshot.scaling.studies.gains import Gain
from fewshot.scaling.studies.near_and_far import SourceGains, gains_of, read_distances
from fewshot.scaling.studies.protocols import told_apart


@dataclass(frozen=True)
class Gains(Study[list[SourceGains]]):
    """What larger networks and more images of the source bring, near and far. The largest network against the smallest,
    and the most images against the fewest, paired by seed, for every source, target and number of shots."""

    title: ClassVar[str] = "What size and data bring"
    place: ClassVar[int] = 50
    needs: ClassVar[str] = (
        "rows of networks that were trained here (Pretrained), of two sizes or on two numbers of images, such as those "
        "of `fewshot bench near_and_far`"
    )
    options: ClassVar[Mapping[str, str]] = {
        "distances": "Order targets by the distances that `fewshot distance --json` printed to this file."
    }

    distances: Path | None = None

    def find(self, rows: StudyRows) -> list[SourceGains] | None:
        return gains_of(rows.trained) or None

    def text(self, found: list[SourceGains]) -> str:
        return (
            "The largest against the smallest network, and the most against the fewest images of the source, all else "
            "equal."
        )

    def tables(self, found: list[SourceGains]) -> Sequence[SectionTable]:
        heads = told_apart((each.head for each in found), lambda head: head.short_name)
        measured = self.distances is not None
        lines = [
            (
                each.source,
                gain.target,
                *([f"{mmd:.4f}" if mmd is not None else ""] * measured),
                gain.shots,
                heads[each.head],
                f"larger network, {gain.fixed} images"
                if gain.axis == "network"
                else f"more images, {gain.fixed} weights",
                bounded(100 * gain.mean, 100 * gain.low, 100 * gain.high, 1),
                str(gain.n_seeds),
            )
            for each, gain, mmd in self._in_order(found)
        ]
        distance = ("distance",) * measured
        columns = ("trained on", "target", *distance, "shots", "head", "what grows", "gain, points", "seeds")
        caption = (
            "Accuracy of the larger minus that of the smaller, paired by seed of training, with a 95 % t interval."
        )
        return [SectionTable(caption, columns, tuple(lines))]

    def remarks(self, found: list[SourceGains]) -> Sequence[str]:
        return why_unbounded((gain.low, ONE_SEED) for each in found for gain in each.gains)

    def values(self, found: list[SourceGains]) -> Any:
        return [
            {"source": each.source, "mmd": mmd, "head": each.head.text} | asdict(gain)
            for each, gain, mmd in self._in_order(found)
        ]

    def _in_order(self, found: Sequence[SourceGains]) -> list[tuple[SourceGains, Gain[str], float | None]]:
        """Every gain with the distance of its target, the nearest first; those of unknown distance last."""
        far = {} if self.distances is None else read_distances(self.distances)
        every = [(each, gain, far.get((each.source, gain.target))) for each in found for gain in each.gains]
        return sorted(every, key=lambda item: (item[2] is None, item[2] or 0.0))
