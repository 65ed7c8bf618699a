"""A million vectors in bounded memory: `python benchmarks/million.py`, some minutes, 2.1 GB of disk.

1000 classes of 1000 vectors of 512 float32 numbers, in an .npz file; every step in a process of its own, one thread,
everything in a temporary folder. The steps: the file is written; it is looked at for the first time (every number
checked, digested); 20 000 episodes are drawn (5-way 5-shot 15-query); Prototype and LinearProbe solve the first 2000 of
them behind L2, whose vectors are held, and Prototype all 20 000, whose vectors are too many to be held and are read for
every batch; the report is written.

Measured on two cores that were busy with other work (a load of about 10), in seconds, seconds of the processor and peak
resident memory, the start of Python and torch included:

    writing the file              63 s    10.7 s     43 MiB
    first look                    24 s     3.5 s     77 MiB
    drawing 20 000 episodes        1 s     0.5 s     81 MiB
    Prototype, 2000 episodes      52 s     6.6 s   1075 MiB    of which 350 are the vectors held, the most libraries
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
    """The vectors of a class lie around its centre, so that 5 shots are right more often than not, not always."""
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


def first_look() -> None:
    """Every number is checked, and the digest of all is kept."""
    from fewshot import VectorSet

    VectorSet(Path(FILE)).load()


def draw(count: int = 20_000) -> None:
    """Episodes in blocks, as runs draw them."""
    from fewshot import Balanced, EpisodeShape, VectorSet

    images, classes = VectorSet(Path(FILE)).load(), np.arange(N_CLASSES)
    for start in range(0, count, 4096):
        Balanced().sample(images, classes, EpisodeShape(5, 5, 15), 0, start, min(4096, count - start))


def solve(evaluator: str, count: int) -> None:
    """A whole run, its rows kept."""
    import torch

    from fewshot import EpisodeShape, Results, RunSpec, Sampled, Workbench, run

    torch.set_num_threads(1)
    episodes = Sampled(EpisodeShape(5, 5, 15))
    spec = RunSpec(f"VectorSet({FILE!r})", "given", evaluator, episodes, "L2()", split="AllNovel()", n_episodes=count)
    run(spec, Results(Path("rows.jsonl")), Workbench(progress=False))


def report() -> None:
    """The page of all rows."""
    from fewshot import Results
    from fewshot.report import write_report
    from fewshot.report.rows.shown import Shown

    results = Results(Path("rows.jsonl"))
    write_report(Shown.of(results.rows()), Path("report.html"), results, "a million")


STEPS: dict[str, Callable[[], None]] = {
    "writing the file": write_file,
    "first look": first_look,
    "drawing 20 000 episodes": draw,
    "Prototype, 2000 episodes": lambda: solve("Prototype()", 2000),
    "LinearProbe, 2000 episodes": lambda: solve("LinearProbe()", 2000),
    "Prototype, 20 000 episodes": lambda: solve("Prototype()", 20_000),
    "report": report,
}


def measured(step: str, folder: str) -> dict[str, float | str]:
    """Seconds, seconds of the processor and peak resident memory of a step in a process of its own."""
    environment = os.environ | {"FEWSHOT_HOME": f"{folder}/home"}
    command = [sys.executable, str(Path(__file__).resolve()), "--step", step]
    done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    seconds, cpu_seconds, peak_mib = map(float, done.stdout.split()[-3:])
    print(f"{step:27} {seconds:6.1f} s, {cpu_seconds:6.1f} of the processor, {peak_mib:5.0f} MiB", flush=True)
    return {"step": step, "seconds": seconds, "cpu_seconds": cpu_seconds, "peak_mib": peak_mib}


def main() -> None:
    """Measures every step, or one of them here."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where the temporary folder is made")
    parser.add_argument("--json", type=Path, help="write all numbers to this file")
    parser.add_argument("--step", choices=STEPS, help="do one step in this process")
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
