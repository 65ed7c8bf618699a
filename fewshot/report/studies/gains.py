"""What larger networks and more images gain, near and far from the source."""

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
from fewshot.scaling.studies.protocols import unique_names


@dataclass(frozen=True)
class Gains(Study[list[SourceGains]]):
    """What larger networks and more source images gain, near and far. The largest network minus the smallest, and the
    most images minus the fewest, paired by seed, for every source, target and number of shots."""

    title: ClassVar[str] = "What larger networks and more data gain"
    place: ClassVar[int] = 50
    needs: ClassVar[str] = (
        "rows of networks that fewshot trained (Pretrained), of two sizes or on two numbers of images, such as those "
        "of `fewshot bench near_and_far`"
    )
    options: ClassVar[Mapping[str, str]] = {
        "distances": "Order targets by the distances in this file, the output of `fewshot distance --json`."
    }

    distances: Path | None = None

    def find(self, rows: StudyRows) -> list[SourceGains] | None:
        return gains_of(rows.trained) or None

    def text(self, findings: list[SourceGains]) -> str:
        return (
            "What do a larger network and more source images gain? The largest network minus the smallest, and the "
            "most images minus the fewest, with everything else equal."
        )

    def tables(self, findings: list[SourceGains]) -> Sequence[SectionTable]:
        heads = unique_names((each.head for each in findings), lambda head: head.short_name)
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
            for each, gain, mmd in self._in_order(findings)
        ]
        distance = ("distance",) * measured
        columns = ("trained on", "target", *distance, "shots", "head", "what grows", "gain, points", "seeds")
        caption = (
            "Accuracy of the larger minus accuracy of the smaller, paired by training seed, with a 95 % t interval."
        )
        return [SectionTable(caption, columns, tuple(lines))]

    def remarks(self, findings: list[SourceGains]) -> Sequence[str]:
        return why_unbounded((gain.low, ONE_SEED) for each in findings for gain in each.gains)

    def values(self, findings: list[SourceGains]) -> Any:
        return [
            {"source": each.source, "mmd": mmd, "head": each.head.text} | asdict(gain)
            for each, gain, mmd in self._in_order(findings)
        ]

    def _in_order(self, findings: Sequence[SourceGains]) -> list[tuple[SourceGains, Gain[str], float | None]]:
        """Every gain with the distance of its target, nearest first and unknown distances last."""
        far = {} if self.distances is None else read_distances(self.distances)
        every = [(each, gain, far.get((each.source, gain.target))) for each in findings for gain in each.gains]
        return sorted(every, key=lambda item: (item[2] is None, item[2] or 0.0))
