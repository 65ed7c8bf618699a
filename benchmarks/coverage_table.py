"""The tables of results/coverage.json, which docs/statistics.md shows."""

from __future__ import annotations

from collections.abc import Iterator

from fewshot.benchmarks.coverage import Kept, Tally
from fewshot.benchmarks.held import FEWEST, GRID, Cell

# Names in the file, and titles of the columns. The usual intervals are compared with the truth for new classes.
NEW_CLASSES = {
    "(c)": "(c) accuracy",
    "plain": "plain",
    "usual": "usual",
    "(c) difference": "(c) difference",
    "plain difference": "plain",
    "usual difference": "usual",
}
THESE_CLASSES = {
    "(a)": "(a) accuracy",
    "(a) difference": "(a) difference",
    "(b)": "(b) accuracy",
    "(d)": "(d) all ways",
}
PLAIN = {"(c)": "plain", "(c) difference": "plain difference"}
_SIZES = ("C", "n", "K", "accuracy", "E", "data sets", "error")
_LOW, _HIGH = 0.93, 0.97


def coverage_table(kept: Kept) -> str:
    """Coverage in % as GitHub tables, with cells in the order of the grid: for new classes, for these classes, and the
    widths of (c). Values outside 93 to 97 % are bold."""
    parts = [
        _table(kept, "new classes", NEW_CLASSES),
        _ranges(kept, "new classes", NEW_CLASSES),
        _table(kept, "these classes", THESE_CLASSES),
        _ranges(kept, "these classes", THESE_CLASSES),
        _widths(kept),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _table(kept: Kept, part: str, columns: dict[str, str]) -> str:
    lines = [[*_sizes(cell, tally), *(_percent(tally, name) for name in columns)] for cell, tally in _of(kept, part)]
    return _github_table(lines, [*_SIZES, *columns.values()])


def _ranges(kept: Kept, part: str, columns: dict[str, str]) -> str:
    """For every column a line with its lowest and its highest cell, and all cells together."""
    ranges = []
    for name in columns:
        shares = [share for _, tally in _of(kept, part) if (share := _share(tally, name)) is not None]
        if shares:
            sums = [tally.intervals[name] for _, tally in _of(kept, part) if name in tally.intervals]
            together = 100 * sum(one["held"] for one in sums) / sum(one["told"] for one in sums)
            inside = sum(_LOW <= share <= _HIGH for share in shares)
            low, high = 100 * min(shares), 100 * max(shares)
            cells = f"{inside} of {len(shares)} cells inside 93 to 97"
            label = "(c) accuracy" if name == "(c)" else name
            ranges.append(f"- {label}: {low:.1f} to {high:.1f}, all cells together {together:.1f} ({cells})")
    return "\n".join(["Coverage in %:\n", *ranges]) if ranges else ""


def _widths(kept: Kept) -> str:
    """The mean widths of (c) and of the plain jackknife in points, for an accuracy and for a difference."""
    lines = []
    for cell, tally in _of(kept, "new classes"):
        widths = [f"{_width(tally, name):.1f}" for pair in PLAIN.items() for name in pair]
        lines.append([*_sizes(cell, tally), *widths])
    return _github_table(lines, [*_SIZES, "(c) accuracy", "plain", "(c) difference", "plain"])


def _width(tally: Tally, name: str) -> float:
    sums = tally.intervals.get(name, {"told": 0.0, "width": 0.0})
    return 100 * float(sums["width"]) / max(1.0, float(sums["told"]))


def _github_table(lines: list[list[str]], titles: list[str]) -> str:
    from tabulate import tabulate

    return tabulate(lines, titles, "github", disable_numparse=True) if lines else ""


def _of(kept: Kept, part: str) -> Iterator[tuple[Cell, Tally]]:
    """The cells of a part that have counts."""
    for name, cell in GRID.items():
        if kept.get(name, {}).get(part, Tally(0, {})).sets:
            yield cell, kept[name][part]


def _sizes(cell: Cell, tally: Tally) -> list[str]:
    """The sizes of a cell. The error is one standard error of a coverage of 95 %, in %."""
    error = 100 * (0.95 * 0.05 / tally.sets) ** 0.5
    images = f"{FEWEST} to {cell.n_images}" if cell.heavy else cell.n_images
    sizes = (cell.n_classes, images, cell.k_shot, f"{cell.accuracy:g}" + ", heavy tails" * cell.heavy, cell.n_episodes)
    return [*map(str, sizes), str(tally.sets), f"± {error:.1f}"]


def _percent(tally: Tally, name: str) -> str:
    share = _share(tally, name)
    if share is None:
        return "–"
    return f"{100 * share:.1f}" if _LOW <= share <= _HIGH else f"**{100 * share:.1f}**"


def _share(tally: Tally, name: str) -> float | None:
    """The share of intervals that covered the truth; None if there were no intervals."""
    sums = tally.intervals.get(name, {"told": 0})
    return sums["held"] / sums["told"] if sums["told"] else None
