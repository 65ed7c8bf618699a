"""A table of from-scratch and fine-tuned runs to effective data transferred, source by source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from fewshot.scaling.fits.tables import Table
from fewshot.scaling.studies.transfer import ScratchCurve, Transferred, effective_data, regime
from fewshot.scaling.studies.transfer_law import TransferFit, fit_transfer

SCRATCH = ("", "0", "0.0", "false", "no", "none", "nothing", "scratch")  # no pre-training, in lower case


@dataclass(frozen=True, eq=False)
class SourceTransfer:
    """What one source of pre-training was worth."""

    key: dict[str, str]  # of the group of lines
    source: str
    points: list[Transferred]
    fit: TransferFit
    n_low_data: int  # points with D_F below a tenth of D(N), of which the law speaks

    def values(self) -> dict[str, object]:
        """For JSON."""
        return {
            "curve": self.key,
            "source": self.source,
            "points": [_point(point) for point in self.points],
            "n_low_data": self.n_low_data,
            **asdict(self.fit),
        }


def transfers(
    table: Table, images: str, loss: str, size: str, pretrained: str, by: Sequence[str] = ()
) -> list[SourceTransfer]:
    """One entry for every combination of values of the columns `by` and every source named in the column `pretrained`
    ("", 0, false, no, none, nothing, scratch: from scratch). `size`: column of the network's size, "" for one size."""
    table.need(images, loss, pretrained, *([size] if size else []), *by)
    data, losses = table.positive(images), table.positive(loss)
    sizes = table.positive(size) if size else np.ones(len(data))
    source = np.array([str(line.get(pretrained, "")).strip() for line in table.lines])
    scratch = np.array([name.lower() in SCRATCH for name in source])
    found = []
    for key, rows in table.groups(by).items():
        for name in dict.fromkeys(source[rows][~scratch[rows]].tolist()) or [""]:
            own = np.array([row for row in rows if scratch[row] or source[row] == name])
            points = effective_data(sizes[own], data[own], losses[own], ~scratch[own])
            low = _low_data(points, sizes[own], data[own], losses[own], scratch[own])
            found.append(SourceTransfer(dict(zip(by, key, strict=True)), name, points, fit_transfer(points), low))
    return found


def _low_data(
    points: list[Transferred], sizes: np.ndarray, data: np.ndarray, losses: np.ndarray, own: np.ndarray
) -> int:
    ends = {
        point.size: regime(ScratchCurve.of(data[own & (sizes == point.size)], losses[own & (sizes == point.size)]))
        for point in points
    }
    return sum(point.images < ends[point.size] / 10 for point in points)


def _point(point: Transferred) -> dict[str, object]:
    return {
        "size": point.size,
        "D_F": point.images,
        "loss": point.loss,
        "D_E": point.effective,
        "D_T": point.transferred,
        "multiplier": point.multiplier,
        "fraction": point.fraction,
        "bound": point.bound,
        "ossified": bool(point.ossified),
        "role": point.role,
    }
