"""Speed of a finished suite: `python benchmarks/finished_suite.py` takes two minutes.

The script invents rows for 1000 runs on the bundled icons and glyphs, with their true run ids. It measures the first
`fewshot bench`, which writes the report, a second one, which skips all runs, and `fewshot report` of 20 000 invented
rows. Every step runs in its own process with one thread and a temporary folder.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from pathlib import Path

import numpy as np

from fewshot.episodes.shape import EpisodeShape
from fewshot.results.columns import Cost, Digests, Honesty, Provenance, RunName, Score, SpecColumns
from fewshot.results.declared import measure_columns
from fewshot.results.row import Row
from fewshot.runs.columns import spec_columns
from fewshot.runs.specs import RunSpec, Sampled
from fewshot.runs.workbench import Workbench

HEADS = ("Prototype()", "LinearProbe(C=1.0)", "RidgeProbe(l2=1.0)", "NearestNeighbour()", "LinearSVM(C=1.0)")
SUITE = "from fewshot.benchmarks.finished_suite import runs as suite\n"


def runs() -> Iterator[RunSpec]:
    """1000 runs: two data sets, five backbones and heads, 1 and 5 shots, ten seeds."""
    for dataset, size, head, shot, seed in product(("Icons()", "Glyphs()"), range(8, 13), HEADS, (1, 5), range(10)):
        sampled = Sampled(EpisodeShape(5, shot, 10), seed)
        yield RunSpec(dataset, f"RawPixels({size})", head, sampled, "L2()", protocol="finished@1")


def many(n_backbones: int = 200) -> Iterator[SpecColumns]:
    """20 000 specs: ten tasks, 200 backbones, five heads, 1 and 5 shots."""
    usual = "Balanced(support_from=None, query_from=None)"
    for way, size, head, shot in product(range(2, 12), range(8, 8 + n_backbones), HEADS, (1, 5)):
        backbone = f"RawPixels(image_size={size})"
        yield SpecColumns("Glyphs()", "", "novel", backbone, "L2()", head, usual, way, shot, 10, dtype="float32")


def rows(specs: Iterable[SpecColumns], run_ids: Sequence[str] = ()) -> Iterator[str]:
    """Invented rows as lines. Run ids are invented too if none are given."""
    random = np.random.default_rng(0)
    for number, spec in enumerate(specs):
        run_id = run_ids[number] if run_ids else hashlib.sha256(repr(spec).encode()).hexdigest()[:16]
        yield invented(spec, run_id, float(random.uniform(0.3, 0.9))).to_json()


def invented(spec: SpecColumns, run_id: str, value: float) -> Row:
    """A row with this accuracy, and with a value in every column."""
    low, high = value - 0.01, value + 0.01
    return Row.of(
        RunName(run_id, protocol="finished@1"),
        spec,
        Score(
            n_episodes=600,
            n_classes=88,
            accuracy=value,
            accuracy_low=low,
            accuracy_high=high,
            population="these images",
            new_images_reason="the episodes share images; draw them with DisjointPools",
            new_classes_low=value - 0.04,
            new_classes_high=value + 0.04,
            new_classes_unit="classes",
            new_classes_monte_carlo=0.1,
            new_draws_reason="the episodes do not answer all of a test set each",
            measures={name: "" if kind == "str" else value for name, kind in measure_columns().items()},
        ),
        Honesty(pretrained_on="nothing", seen_classes="not seen", n_seen_classes=0, n_unknown_classes=0),
        Cost(seconds_solving=0.5, dim=192),
        Digests(*(hashlib.sha256(f"{name}{spec.n_way}".encode()).hexdigest() for name in range(6))),
        Provenance("cpu", 2, "Linux x86_64 2 cores", "0123456789ab", "fewshot 0.1.0", "2026-01-01T00:00:00+00:00"),
    )


def write(folder: Path) -> None:
    """The suite and its rows, and the rows of the large report."""
    (folder / "suite.py").write_text(SUITE)
    bench, specs = Workbench(), list(runs())
    ids = [bench.prepare(spec).run_id for spec in specs]
    (folder / "suite.jsonl").write_text("\n".join(rows(map(spec_columns, specs), ids)) + "\n")
    (folder / "many.jsonl").write_text("\n".join(rows(many())) + "\n")


def measured(step: str, folder: Path, *arguments: str) -> dict[str, float | str]:
    """Seconds, CPU seconds and peak resident memory of a command, with the start of Python."""
    environment = os.environ | {"FEWSHOT_HOME": f"{folder}/home", "OMP_NUM_THREADS": "1"}
    start = time.monotonic()
    child = subprocess.Popen(
        [sys.executable, "-m", "fewshot", *arguments], cwd=folder, env=environment, stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(child.pid, 0)
    seconds = time.monotonic() - start
    if status:
        raise SystemExit(f"fewshot {' '.join(arguments)} failed")
    print(f"{step:40} {seconds:6.2f} s, {used.ru_maxrss / 1024:5.0f} MiB", flush=True)
    return {
        "step": step,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 2),
        "peak_mib": round(used.ru_maxrss / 1024),
    }


def main() -> None:
    """Measures every step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="write all numbers to this file")
    parser.add_argument("--write", type=Path, help="only write suite and rows into this folder")
    arguments = parser.parse_args()
    if arguments.write:
        return write(arguments.write)
    suite = ("bench", "suite.py", "--results", "suite.jsonl")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(
            [sys.executable, __file__, "--write", name], check=True
        )  # in a process of its own, so that its memory is not counted
        steps = [
            measured("bench, 1000 finished runs, first report", folder, *suite),
            measured("bench, 1000 finished runs", folder, *suite),
            measured("bench --dry-run, 1000 finished runs", folder, *suite, "--dry-run"),
            measured("report, 20 000 rows", folder, "report", "many.jsonl"),
        ]
    if arguments.json:
        arguments.json.write_text(json.dumps({"n_runs": 1000, "n_rows": 20_000, "steps": steps}, indent=1) + "\n")


if __name__ == "__main__":
    main()
