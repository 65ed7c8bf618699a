"""Effective data transferred from a table of from-scratch and fine-tuned runs, source by source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewshot.plugins.wording import counted
from fewshot.scaling.fits.curves import check_fall
from fewshot.scaling.fits.metrics import LOSS, scores
from fewshot.scaling.fits.tables import CurveTable
from fewshot.scaling.laws import Floats
from fewshot.scaling.studies.trained_rows import TrainedRow
from fewshot.scaling.studies.transfer import ScratchCurve, Transferred, effective_data, regime
from fewshot.scaling.studies.transfer_law import TransferFit, fit_transfer

SCRATCH = (
    "",
    "0",
    "0.0",
    "false",
    "no",
    "none",
    "nothing",
    "scratch",
)  # values that mean no pre-training, in lower case


@dataclass(frozen=True, eq=False)
class SourceTransfer:
    """What one source of pre-training is worth."""

    key: dict[str, str]  # of the group of lines
    source: str
    points: list[Transferred]
    fit: TransferFit
    n_low_data: int  # points with D_F below a tenth of D(N): the range of the law

    @property
    def name(self) -> str:
        """The source, and the group if there is one."""
        return " → ".join([self.source, *self.key.values()])

    def values(self) -> dict[str, object]:
        """Values for JSON."""
        return {
            "curve": self.key,
            "source": self.source,
            "points": [_point(point) for point in self.points],
            "n_low_data": self.n_low_data,
            **asdict(self.fit),
        }


@dataclass(frozen=True, eq=False)
class _Losses:
    """Trainings [n]: size of the network, images, loss, and source of the start, "" from scratch."""

    sizes: Floats
    images: Floats
    losses: Floats
    sources: NDArray[np.str_]

    def __getitem__(self, kept: NDArray[np.bool_] | NDArray[np.intp]) -> _Losses:
        return _Losses(self.sizes[kept], self.images[kept], self.losses[kept], self.sources[kept])

    @property
    def scratch(self) -> NDArray[np.bool_]:
        return np.asarray(self.sources == "")

    def once(self) -> _Losses:
        """The trainings without exact repeats, such as a checkpoint that was scored twice."""
        places = {point: place for place, point in reversed(list(enumerate(zip(*vars(self).values(), strict=True))))}
        return self[np.array(sorted(places.values()))]


def transfers(
    table: CurveTable,
    images: str,
    loss: str,
    size: str,
    pretrained: str,
    by: Sequence[str] = (),
    metric: str = "",
) -> list[SourceTransfer]:
    """One entry for every combination of values of the columns `by` and every source in the column `pretrained` ("", 0,
    false, no, none, nothing, scratch: from scratch).

    `size`: column of the network's size, "" for one size. `metric`: "accuracy", "error" or "loss", if the name and the
    values of the column `loss` do not identify it. Raises a ValueError if a from-scratch curve rises.
    """
    table.need(images, loss, pretrained, *([size] if size else []), *by)
    data = table.positive(images)
    sizes = table.positive(size) if size else np.ones(len(data))
    sources = np.array([_source(line.get(pretrained, "")) for line in table.lines])
    curves = table.groups([*by, *([size] if size else []), pretrained]).values()
    scratch = [rows for rows in curves if not sources[rows[0]]]
    read = scores(table, loss, [(data[rows], rows) for rows in scratch], metric, usual=LOSS)
    for rows in scratch:
        check_fall(f"from scratch, size {sizes[rows[0]]:g}", images, data[rows], read.falling[rows], read)
    every = _Losses(sizes, data, read.falling, sources)
    return [
        transfer
        for key, rows in table.groups(by).items()
        for transfer in _of_group(dict(zip(by, key, strict=True)), every[np.array(rows)])
    ]


def kept_sources(table: CurveTable, condition: str, pretrained: str) -> CurveTable:
    """The table of the lines that meet a condition. Parts about the column `pretrained` do not apply to trainings from
    scratch, because every source needs them."""
    if not condition:
        return table
    parts = table.conditions(condition)

    def is_kept(line: Mapping[str, Any]) -> bool:
        from_scratch = not _source(line.get(pretrained, ""))
        return all(part.holds(line) or (from_scratch and part.column == pretrained) for part in parts)

    met = [is_kept(line) for line in table.lines]
    tuned = [_source(line.get(pretrained, "")) for line, is_met in zip(table.lines, met, strict=True) if is_met]
    if not any(tuned) or all(tuned):
        n_scratch = tuned.count("")
        raise ValueError(
            f"{condition!r} leaves {counted(len(tuned) - n_scratch, 'pre-trained line')} and "
            f"{counted(n_scratch, 'line')} from scratch of {table.path}; effective data needs both"
        )
    return table.kept(met)


def transfers_of(rows: Iterable[TrainedRow]) -> list[SourceTransfer]:
    """One entry for every data set of a last training and every source that some of its networks started from; none for
    a set without trainings from scratch, or with no others."""
    groups: dict[str, list[tuple[float, float, float, str]]] = {}
    for row in rows:
        if row.seen_loss is not None:
            point = (float(row.n_params), float(row.unique_images), row.seen_loss, _source(row.started_on))
            groups.setdefault(f"{row.final_source}, {row.training_classes} classes", []).append(point)
    result = []
    for target, points in groups.items():
        sizes, images, losses, sources = zip(*points, strict=True)
        own = _Losses(np.array(sizes), np.array(images), np.array(losses), np.array(sources))
        if own.scratch.any() and not own.scratch.all():
            result += _of_group({"trained_on": target}, own)
    return result


def _of_group(key: dict[str, str], group: _Losses) -> list[SourceTransfer]:
    """An entry for each source, compared with the trainings from scratch."""
    result = []
    for name in dict.fromkeys(group.sources[~group.scratch].tolist()) or [""]:
        own = group[group.scratch | (group.sources == name)].once()
        points = effective_data(own.sizes, own.images, own.losses, ~own.scratch)
        result.append(SourceTransfer(key, name, points, fit_transfer(points), _low_data(points, own)))
    return result


def _source(value: object) -> str:
    """The source that a training started from; "" from scratch."""
    name = str(value).strip()
    return "" if name.lower() in SCRATCH else name


def _low_data(points: Sequence[Transferred], group: _Losses) -> int:
    """How many points have D_F below a tenth of D(N)."""
    ends = {}
    for size in {point.size for point in points}:
        own = group.scratch & (group.sizes == size)
        ends[size] = regime(ScratchCurve.of(group.images[own], group.losses[own]))
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
