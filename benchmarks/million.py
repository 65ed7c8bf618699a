"""A million vectors in bounded memory: `python benchmarks/million.py` takes a few minutes and 2.1 GB of disk.

The data are 1000 classes of 1000 vectors of 512 float32 numbers, in an .npz file. Every step runs in its own process
with one thread and a temporary folder. The steps: write the file; load it for the first time (which checks and digests
every number); sample 20 000 episodes (5-way 5-shot 15-query); solve the first 2000 of them with L2 and Prototype or
LinearProbe, with their vectors in memory; solve all 20 000 with Prototype, whose vectors do not fit into memory, so
every batch reads them; write the report.

Measured on two cores that were busy with other work (a load of about 10), in seconds, CPU seconds and peak resident
memory, with the start of Python and torch:

    writing the file              63 s    10.7 s     43 MiB
    loading it for the first time 24 s     3.5 s     77 MiB
    sampling 20 000 episodes       1 s     0.5 s     81 MiB
    Prototype, 2000 episodes      52 s     6.6 s   1075 MiB    of which 350 are vectors, most of the rest libraries
    LinearProbe, 2000 episodes    22 s     7.0 s   1070 MiB
    Prototype, 20 000 episodes   107 s    27.5 s    760 MiB
    report                         3 s     0.9 s    113 MiB
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

N_CLASSES, PER_CLASS, DIM = 1000, 1000, 512
FILE = "million.npz"


def write_file() -> None:
    """Writes vectors around the centre of each class, so close that 5 shots are often right, but not always."""
    random = np.random.default_rng(0)
    header = {"descr": "<f4", "fortran_order": False, "shape": (N_CLASSES * PER_CLASS, DIM)}
    with zipfile.ZipFile(FILE, "w") as archive:
        with archive.open("vectors.npy", "w", force_zip64=True) as member:
            np.lib.format.write_array_header_1_0(member, header)
            for _ in range(N_CLASSES):
                centre = random.standard_normal(DIM, dtype=np.float32)
                member.write((centre + 6 * random.standard_normal((PER_CLASS, DIM), dtype=np.float32)).tobytes())
        with archive.open("labels.npy", "w") as member:
            np.lib.format.write_array(member, np.repeat(np.arange(N_CLASSES, dtype=np.int32), PER_CLASS))


def first_load() -> None:
    """Loads the file for the first time, which checks every number and stores the digest."""
    from fewshot import VectorSet

    VectorSet(Path(FILE)).load()


def sample(count: int = 20_000) -> None:
    """Samples episodes in blocks, as runs do."""
    from fewshot import Balanced, EpisodeShape, VectorSet

    images, classes = VectorSet(Path(FILE)).load(), np.arange(N_CLASSES)
    for start in range(0, count, 4096):
        Balanced().sample(images, classes, EpisodeShape(5, 5, 15), 0, start, min(4096, count - start))


def solve(evaluator: str, count: int) -> None:
    """Runs an evaluator and stores the row."""
    import torch

    from fewshot import EpisodeShape, Results, RunSpec, Sampled, Workbench, run

    torch.set_num_threads(1)
    episodes = Sampled(EpisodeShape(5, 5, 15))
    spec = RunSpec(f"VectorSet({FILE!r})", "given", evaluator, episodes, "L2()", split="AllNovel()", n_episodes=count)
    run(spec, Results(Path("rows.jsonl")), Workbench(progress=False))


def report() -> None:
    """Writes the report of all rows."""
    from fewshot import Results
    from fewshot.report import write_report
    from fewshot.report.rows.shown import Shown

    results = Results(Path("rows.jsonl"))
    write_report(Shown.of(results.rows()), Path("report.html"), results, "a million")


STEPS: dict[str, Callable[[], None]] = {
    "writing the file": write_file,
    "loading it for the first time": first_load,
    "sampling 20 000 episodes": sample,
    "Prototype, 2000 episodes": lambda: solve("Prototype()", 2000),
    "LinearProbe, 2000 episodes": lambda: solve("LinearProbe(C=1.0)", 2000),
    "Prototype, 20 000 episodes": lambda: solve("Prototype()", 20_000),
    "report": report,
}


def measured(step: str, folder: str) -> dict[str, float | str]:
    """Seconds, CPU seconds and peak resident memory of a step in a new process."""
    environment = os.environ | {"FEWSHOT_HOME": f"{folder}/home"}
    command = [sys.executable, str(Path(__file__).resolve()), "--step", step]
    done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    seconds, cpu_seconds, peak_mib = map(float, done.stdout.split()[-3:])
    print(f"{step:27} {seconds:6.1f} s, {cpu_seconds:6.1f} CPU s, {peak_mib:5.0f} MiB", flush=True)
    return {"step": step, "seconds": seconds, "cpu_seconds": cpu_seconds, "peak_mib": peak_mib}


def main() -> None:
    """Measures every step in a new process, or runs one step in this process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="create the temporary folder here")
    parser.add_argument("--json", type=Path, help="write all numbers to this file")
    parser.add_argument("--step", choices=STEPS, help="run one step in this process")
    arguments = parser.parse_args()
    if arguments.step:
        start = time.monotonic()
        STEPS[arguments.step]()
        used = resource.getrusage(resource.RUSAGE_SELF)
        print(f"{time.monotonic() - start:.1f} {used.ru_utime + used.ru_stime:.1f} {used.ru_maxrss / 1024:.0f}")
        return
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        steps = [measured(step, folder) for step in STEPS]
        accuracies = [json.loads(line)["accuracy"] for line in Path(folder, "rows.jsonl").read_text().splitlines()]
    sizes = {"n_classes": N_CLASSES, "images_a_class": PER_CLASS, "dim": DIM}
    if arguments.json:
        arguments.json.write_text(json.dumps(sizes | {"accuracies": accuracies, "steps": steps}, indent=1) + "\n")


if __name__ == "__main__":
    main()
