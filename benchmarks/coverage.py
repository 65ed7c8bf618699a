"""How often do the intervals hold the truth? A simulation with known truth: `python benchmarks/coverage.py`.

A cell is a number of classes C, of images per class n, of shots K and an accuracy: `C20-n100-K1-acc80`. Data set i of a
cell is a function of the cell's name and i. Its 600 episodes of 5 ways and 15 queries per class (6000 in the cells that
end in `-E6000`, for (c) only) give every interval of `fewshot.statistics`, and the script compares each interval with
its own truth:

    (a) these images               the mean over 12 000 other episodes of the same images; (a) uses 200 episodes
    (b) new images, 5 pools        the mean over 10 000 episodes of the same classes, each with its own new images
    (c) new classes                the mean over the whole population of classes, known without simulation
    (d) new draws, all ways        the mean over 120 draws of the same classes, with new supports and test images

Beside (c) stand the plain jackknife with the quantile of t(C-1), and the usual interval, 1.96 s / sqrt(E). "Difference"
compares two classifiers on the same episodes; one of them sees 12 of the 16 features. The p-value of a comparison
belongs to (c) of the difference, so it rejects a true hypothesis as often as (c) misses the truth. Cells with "heavy"
or "heavier" in their name have classes of very different spread, and 30 to 400 images each.

    python benchmarks/coverage.py                          measure the named cells, 500 data sets each
    python benchmarks/coverage.py --cell C10-n25-K5-acc60  measure one cell of the grid
    python benchmarks/coverage.py --all --sets 200         measure the whole grid
    python benchmarks/coverage.py --table                  print the table

The script writes its counts to results/coverage.json after every few data sets and resumes from there. With one thread
at low priority (nice 10), on two cores shared with 15 other programs, (c) of all named cells takes half an hour, and
(a), (b) and (d) of 230 data sets each take another half hour.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from fewshot.benchmarks.held import GRID, PARTS, Answer

if __name__ == "coverage":  # numba imports a package of this name, and scripts find files of their own folder first
    raise ImportError("this is fewshot.benchmarks.coverage, not the package coverage")

WRITTEN_TO = Path(__file__).parent / "results" / "coverage.json"
NAMED = (
    *("C7-n100-K1-acc80", "C7-n600-K5-acc97", "C10-n25-K1-acc60", "C10-n600-K5-acc92"),
    *("C20-n100-K1-acc60", "C20-n100-K1-acc80", "C20-n100-K5-acc92", "C20-n100-K5-acc97", "C20-n600-K5-acc80"),
    *("C60-n25-K1-acc80", "C60-n100-K5-acc97", "C88-n25-K1-acc60", "C88-n25-K5-acc80", "C88-n600-K1-acc92"),
    *("C60-n100-K5-acc97-E6000", "C88-n25-K1-acc60-E6000"),
    *("C7-heavy-K5", "C8-heavy-K5", "C12-heavy-K5", "C24-heavy-K5", "C40-heavy-K5", "C88-heavy-K5"),
    *("C7-heavier-K1", "C8-heavier-K1", "C12-heavier-K1", "C24-heavier-K1", "C40-heavier-K1"),
)
BATCH = {"new classes": 25, "these classes": 5}  # data sets between two writes: a few seconds


@dataclass
class Tally:
    """The counts of one part of a cell: data sets, and per interval how often it existed ("told"), how often it held
    the truth ("held"), and the sum of its widths ("width"). The file has the same names."""

    sets: int
    intervals: dict[str, dict[str, float]]

    def count(self, answers: Iterable[Answer]) -> None:
        """Adds the answers for the next data set."""
        for one in answers:
            sums = self.intervals.setdefault(one.name, {"told": 0, "held": 0, "width": 0.0})
            sums["told"] += one.held is not None
            sums["held"] += bool(one.held)
            sums["width"] += one.width
        self.sets += 1


Kept = dict[str, dict[str, Tally]]  # by cell and part


def measure(names: Sequence[str], n_sets: int, path: Path) -> None:
    """Measures the cells up to `n_sets` data sets each, a few of every cell in turn, the cheap part of all cells first.
    Counts in the file are continued."""
    for part in PARTS:
        cells = [name for name in names if part == "new classes" or GRID[name].has_every_part]
        while cells:
            kept = read(path)
            tallies = {name: kept.setdefault(name, {}).setdefault(part, Tally(0, {})) for name in cells}
            name = min(tallies, key=lambda name: tallies[name].sets)
            tally = tallies[name]
            if tally.sets >= n_sets:
                break
            for number in range(tally.sets, min(tally.sets + BATCH[part], n_sets)):
                tally.count(PARTS[part](GRID[name], number))
            write(path, kept)
            print(f"{name}, {part}: {tally.sets} of {n_sets}", flush=True)


def read(path: Path = WRITTEN_TO) -> Kept:
    """The counts in the file; empty if there is no file."""
    content = json.loads(path.read_text()) if path.exists() else {}
    return {cell: {part: Tally(**sums) for part, sums in parts.items()} for cell, parts in content.items()}


def write(path: Path, kept: Kept) -> None:
    """Writes the counts atomically, with the cells in the order of the grid."""
    from fewshot.files.atomic import write_atomically

    values = {
        name: {part: asdict(tally) for part, tally in kept[name].items() if tally.sets} for name in GRID if name in kept
    }
    write_atomically(path, (json.dumps(values, indent=1) + "\n").encode())


def main() -> None:
    """Measures the missing data sets and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--cell", choices=GRID, action="append", metavar="NAME", help="measure only this cell; repeat for several"
    )
    parser.add_argument("--all", action="store_true", help="measure all cells of the grid")
    parser.add_argument("--sets", type=int, default=500, help="simulate this many data sets per cell (default: 500)")
    parser.add_argument("--json", type=Path, default=WRITTEN_TO, help="read and write the counts in this file")
    parser.add_argument("--table", action="store_true", help="print the table without measuring anything")
    arguments = parser.parse_args()
    if not arguments.table:
        measure(arguments.cell or list(GRID if arguments.all else NAMED), arguments.sets, arguments.json)
    from fewshot.benchmarks.coverage_table import coverage_table

    print(coverage_table(read(arguments.json)))


if __name__ == "__main__":
    here = str(Path(__file__).resolve().parent)
    sys.path[:] = [path for path in sys.path if path != here]  # numba imports a package with the name of this file
    main()
