"""Time and memory of 1000 to 20 000 runs with predictions: `python benchmarks/many_rows.py` takes 20 minutes.

The script invents a suite on the bundled glyphs: 40 backbones x 10 heads x 4 shots for each seed, so that each ranking
has 400 runs. Rows have their true run ids, and predictions that give their accuracies. Every command runs in its own
process with one thread: `fewshot report`, `compare`, `results list`, `bench` of the finished suite, and `run` of one of
its runs. Then `report` and `compare` have as many runs in a single ranking.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, product
from pathlib import Path
from typing import Any

import numpy as np
from fewshot.benchmarks.finished_suite import invented
from fewshot.benchmarks.rounds import machine

from fewshot.episodes.episodes import Episodes
from fewshot.episodes.shape import EpisodeShape
from fewshot.results.files import Results
from fewshot.results.predictions import Predictions, episode_accuracy
from fewshot.runs.columns import spec_columns
from fewshot.runs.prepared import PreparedRun
from fewshot.runs.specs import RunSpec, Sampled
from fewshot.runs.workbench import Workbench

HEADS = (
    *("Prototype()", "NearestNeighbour()", "RidgeProbe(l2=1.0)", "RidgeProbe(l2=10.0)", "LinearSVM(C=1.0)"),
    *(f"LinearProbe(C={c})" for c in (0.01, 0.1, 1.0, 10.0, 100.0)),
)
SIZES, SHOTS, N_EPISODES, N_QUERY = range(4, 44), (1, 2, 3, 5), 100, 5
COUNTS = (1000, 5000, 20_000)
ONE_TASK = "one task"
SUITE = "from itertools import islice\nfrom fewshot.benchmarks.many_rows import runs\n\ndef suite():\n    yield from "


def runs() -> Iterator[RunSpec]:
    """1600 runs for each seed, without end."""
    for seed in range(10**6):
        for shot, size, head in product(SHOTS, SIZES, HEADS):
            sampled = Sampled(EpisodeShape(5, shot, N_QUERY), seed)
            yield RunSpec("Glyphs()", f"RawPixels({size})", head, sampled, "L2()", n_episodes=N_EPISODES)


def rivals() -> Iterator[RunSpec]:
    """Runs of one ranking, without end."""
    for number in range(10**6):
        sampled = Sampled(EpisodeShape(5, 1, N_QUERY), 0)
        head = f"LinearProbe(C={1 + number // len(SIZES)})"
        size = SIZES[number % len(SIZES)]
        yield RunSpec("Glyphs()", f"RawPixels({size})", head, sampled, "L2()", n_episodes=N_EPISODES)


def write(folder: Path, most: int) -> None:
    """The rows with their predictions, and suites and results files of the first of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, specs in (("runs", runs()), ("rivals", rivals())):
        _write(Results(folder / f"{name}.jsonl"), list(islice(specs, most)))
        lines = (folder / f"{name}.jsonl").read_bytes().splitlines(keepends=True)
        for count in COUNTS:
            (folder / f"{name}{count}.jsonl").write_bytes(b"".join(lines[:count]))
            (folder / f"{name}{count}.predictions").symlink_to(f"{name}.predictions")
            (folder / f"{name}{count}.py").write_text(f"{SUITE}islice({name}(), {count})\n")


def _write(results: Results, specs: list[RunSpec]) -> None:
    bench, random, lines = Workbench(), np.random.default_rng(0), []
    skill = {spec.backbone.text: random.normal(0, 0.05) for spec in specs}
    skill |= {spec.evaluator.text: random.normal(0, 0.05) for spec in specs}
    images = bench.images(specs[0].dataset).images_digest
    os.fsync = lambda _: None  # type: ignore[assignment]  # invented rows may be lost
    for spec in specs:
        prepared = bench.prepare(spec)
        wrong = 0.4 - skill[spec.backbone.text] - skill[spec.evaluator.text]
        predictions = _answered(_episodes(prepared), max(0.05, wrong), random)
        results.parts(prepared.run_id).write(predictions, {"images_digest": images})
        accuracy = float(episode_accuracy(predictions).mean())
        row = replace(
            invented(spec_columns(spec), prepared.run_id, accuracy),
            **{"n_episodes": N_EPISODES, "images_digest": images, "split_digest": prepared.split.digest},
            **{"episodes_digest": predictions.episodes.digest, "weights_digest": "", "preprocess_digest": ""},
        )
        lines.append(row.to_json())
    results.path.write_text("\n".join(lines) + "\n")


_known: dict[object, Episodes] = {}


def _episodes(prepared: PreparedRun) -> Episodes:
    """The episodes of a run, made once for all runs that share them."""
    key = prepared.spec.episodes
    if key not in _known:
        _known[key] = prepared.episodes(0, N_EPISODES)
    return _known[key]


def _answered(episodes: Episodes, wrong: float, random: np.random.Generator) -> Predictions:
    """Answers of which this share is wrong; every seventh class is harder."""
    labels = episodes.query_labels
    missed = random.random(len(labels)) < wrong
    chosen = np.where(missed, (labels + 1 + random.integers(4, size=len(labels))) % 5, labels)
    confidence = np.full(len(labels), 0.5, np.float16)
    return Predictions(
        episodes, chosen.astype(np.uint16), confidence, np.log(confidence), np.ones(len(episodes), np.bool_)
    )


def steps(count: int) -> dict[str, list[str]]:
    """The commands that are measured for so many rows."""
    file = f"runs{count}.jsonl"
    known = ["--evaluator", "Prototype()", "--transform", "L2()", "--backbone", "RawPixels(4)", "--way", "5"]
    known += ["--shot", "1", "--query", str(N_QUERY), "--episodes", str(N_EPISODES), "--results", file]
    return {
        "report": ["report", file, "--out", "runs.html"],
        "compare": ["compare", file],
        "results list": ["results", "list", file],
        "bench": ["bench", f"runs{count}.py", "--results", file, "--dry-run"],
        "run": ["run", "--data", "Glyphs()", *known],
        f"report, {ONE_TASK}": ["report", f"rivals{count}.jsonl", "--out", "rivals.html"],
        f"compare, {ONE_TASK}": ["compare", f"rivals{count}.jsonl"],
    }


def measured(folder: Path, count: int, step: str, arguments: list[str]) -> dict[str, Any]:
    """Processor seconds and peak resident memory of a command, with the start of Python, and what it writes."""
    environment = os.environ | {"FEWSHOT_HOME": f"{folder}/home", "OMP_NUM_THREADS": "1", "COLUMNS": "120"}
    start = time.monotonic()
    with open(folder / "output", "wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "fewshot", *arguments], cwd=folder, env=environment, stdout=output
        )
        _, status, used = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"fewshot {' '.join(arguments)} failed")
    page = [folder / name for name in arguments if name.endswith(".html")]
    written = sum(path.stat().st_size for path in page or [folder / "output"])
    line: dict[str, Any] = {
        "rows": count,
        "step": step,
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 2),
        "seconds": round(time.monotonic() - start, 2),
        "peak_mib": round(used.ru_maxrss / 1024),
        "written_kb": round(written / 1000),
    }
    print("{rows:6,} {step:18} {cpu_seconds:7.2f} s {peak_mib:6,} MiB {written_kb:7,} kB".format(**line), flush=True)
    return line


def main() -> None:
    """Measures every command at every number of rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="write all numbers to this file")
    parser.add_argument("--folder", type=Path, help="keep the rows in this folder, and use those that are there")
    parser.add_argument("--only", default="", help="measure only the steps whose name contains this text")
    parser.add_argument("--counts", type=int, nargs="+", default=list(COUNTS), help="numbers of rows")
    parser.add_argument("--write", action="store_true", help="only write the rows")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        if arguments.write:
            return write(folder, max(COUNTS))
        if not (folder / "runs.jsonl").exists():
            subprocess.run([sys.executable, __file__, "--write", "--folder", str(folder)], check=True)
        lines = [
            measured(folder, count, step, command)
            for count in arguments.counts
            for step, command in steps(count).items()
            if arguments.only in step
        ]
    if arguments.json:
        arguments.json.write_text(json.dumps({"machine": machine(), "steps": lines}, indent=1) + "\n")


if __name__ == "__main__":
    main()
