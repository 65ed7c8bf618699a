"""How often the intervals hold what they promise, by simulation with known truth: `python benchmarks/coverage.py`.

A cell is a number of classes C, of images a class n, of shots K and an accuracy: `C20-n100-K1-acc80`. Data set i of a
cell is a function of the cell's name and i. Its 600 episodes of 5 ways and 15 queries a class (6000 in the cells that
end in `-E6000`, for (c) alone) give every interval of `fewshot.statistics` and `fewshot.comparison`, and each is held
against its own truth:

    (a) these images               the mean over 12 000 other episodes of the same images; the first 200 are compared
    (b) new images, 5 pools        the mean over 10 000 episodes of the same classes, each with images of its own
    (c) new classes                what every class of the population would give, known without simulation
    (d) new draws, all ways        the mean over 120 draws of the same classes, supports and test images drawn anew

and the usual 1.96 s / sqrt(E) stands beside (c). "Difference" is that of two classifiers on the same episodes, of which
one sees 12 of the 16 numbers; the sign-flip test is asked about the true difference, and so is right in 95 %.

    python benchmarks/coverage.py                          the named cells, to 500 data sets each
    python benchmarks/coverage.py --cell C10-n25-K5-acc60  one cell of the grid
    python benchmarks/coverage.py --all --sets 200         the whole grid
    python benchmarks/coverage.py --table                  print the table

Counts are kept in results/coverage.json after every few data sets, and a second start goes on from there. One thread at
low priority (nice 10), on two cores that 15 others shared: half an hour for (c) of all named cells, another for
(a), (b) and (d) of 230 data sets each.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from fewshot.benchmarks.held import GRID, N_EPISODES, PARTS, Answer

if __name__ == "coverage":  # numba looks for a package of this name, and scripts of this folder find its files first
    raise ImportError("this is fewshot.benchmarks.coverage, not the package coverage")

WRITTEN_TO = Path(__file__).parent / "results" / "coverage.json"
NAMED = (
    *("C7-n100-K1-acc80", "C7-n600-K5-acc97", "C10-n25-K1-acc60", "C10-n600-K5-acc92"),
    *("C20-n100-K1-acc60", "C20-n100-K1-acc80", "C20-n100-K5-acc92", "C20-n100-K5-acc97", "C20-n600-K5-acc80"),
    *("C60-n25-K1-acc80", "C60-n100-K5-acc97", "C88-n25-K1-acc60", "C88-n25-K5-acc80", "C88-n600-K1-acc92"),
    *("C60-n100-K5-acc97-E6000", "C88-n25-K1-acc60-E6000"),
)
BATCH = {"new classes": 25, "these classes": 5}  # data sets between two writings: some seconds


@dataclass
class Tally:
    """Of one part of a cell: data sets, and for every interval how often it was told, and held, and its widths' sum."""

    sets: int
    intervals: dict[str, dict[str, float]]

    def count(self, found: Iterable[Answer]) -> None:
        """Adds the answers about the next data set."""
        for one in found:
            sums = self.intervals.setdefault(one.name, {"told": 0, "held": 0, "width": 0.0})
            sums["told"] += one.held is not None
            sums["held"] += bool(one.held)
            sums["width"] += one.width
        self.sets += 1


Kept = dict[str, dict[str, Tally]]  # by cell and part


def measure(names: Sequence[str], n_sets: int, path: Path) -> None:
    """Brings the cells to as many data sets each, a few of every cell in turn, the cheap part of all cells first; what
    the file holds is kept."""
    for part in PARTS:
        asked = [name for name in names if part == "new classes" or GRID[name].n_episodes == N_EPISODES]
        while asked:
            kept = read(path)
            tallies = {name: kept.setdefault(name, {}).setdefault(part, Tally(0, {})) for name in asked}
            name = min(tallies, key=lambda name: tallies[name].sets)
            tally = tallies[name]
            if tally.sets >= n_sets:
                break
            for number in range(tally.sets, min(tally.sets + BATCH[part], n_sets)):
                tally.count(PARTS[part](GRID[name], number))
            write(path, kept)
            print(f"{name}, {part}: {tally.sets} of {n_sets}", flush=True)


def read(path: Path = WRITTEN_TO) -> Kept:
    """What was counted so far; nothing where there is no file."""
    found = json.loads(path.read_text()) if path.exists() else {}
    return {cell: {part: Tally(**sums) for part, sums in parts.items()} for cell, parts in found.items()}


def write(path: Path, kept: Kept) -> None:
    """Cells in the order of the grid; the file is whole or as it was."""
    from fewshot.files.atomic import write_atomically

    values = {
        name: {part: asdict(tally) for part, tally in kept[name].items() if tally.sets} for name in GRID if name in kept
    }
    write_atomically(path, (json.dumps(values, indent=1) + "\n").encode())


def main() -> None:
    """Measures what is missing, or prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cell", choices=GRID, action="append", metavar="NAME", help="only this cell; may be repeated")
    parser.add_argument("--all", action="store_true", help="all cells of the grid")
    parser.add_argument("--sets", type=int, default=500, help="data sets of every cell")
    parser.add_argument("--json", type=Path, default=WRITTEN_TO, help="the file of counts")
    parser.add_argument("--table", action="store_true", help="measure nothing, print the table")
    asked = parser.parse_args()
    if not asked.table:
        measure(asked.cell or list(GRID if asked.all else NAMED), asked.sets, asked.json)
    from fewshot.benchmarks.coverage_table import coverage_table

    print(coverage_table(read(asked.json)))


if __name__ == "__main__":
    here = str(Path(__file__).resolve().parent)
    sys.path[:] = [path for path in sys.path if path != here]  # numba looks for a package of this file's name
    main()
