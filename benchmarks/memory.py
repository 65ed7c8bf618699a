"""Memory of runs: it hardly grows with the number of episodes. Run `python benchmarks/memory.py` (half a minute).

The script prints the peak resident memory of whole runs, each in its own process: raw pixels (8 x 8) + Prototype on the
bundled icons, 5-way 1-shot 15-query, one thread, with all files in a temporary folder. Measured: 739 MiB for 2 000
episodes, 746 for 5 000, 749 for 10 000, 747 for 100 000; most of it is libraries and images. A run solves, writes and
reads episodes in blocks of at most 4096, so 2 000 episodes are half a block. For all episodes together it keeps only
measures and classes, about 55 bytes per episode at the peak (tracemalloc): 5 MiB for 100 000.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COUNTS = (2_000, 5_000, 10_000, 100_000)


def run_here(n_episodes: int, folder: Path) -> None:
    """Runs this many episodes in this process and prints the peak memory in MiB and the seconds."""
    import torch

    from fewshot import EpisodeShape, Results, RunSpec, Sampled, Workbench, run

    torch.set_num_threads(1)

    spec = RunSpec("Icons()", "RawPixels(8)", "Prototype()", Sampled(EpisodeShape(5, 1, 15)), n_episodes=n_episodes)
    start = time.monotonic()
    run(spec, Results(folder / "rows.jsonl"), Workbench(progress=False))
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{n_episodes:8,} episodes: {peak_kib / 1024:6.0f} MiB, {time.monotonic() - start:4.0f} s", flush=True)


def main() -> None:
    """Prints a line for every number of episodes, or runs the number on the command line."""
    if len(sys.argv) > 1:
        run_here(int(sys.argv[1]), Path(os.environ["FEWSHOT_HOME"]))
        return
    for count in COUNTS:
        with tempfile.TemporaryDirectory() as folder:
            environment = os.environ | {"FEWSHOT_HOME": folder}
            subprocess.run([sys.executable, __file__, str(count)], env=environment, check=True)


if __name__ == "__main__":
    main()
