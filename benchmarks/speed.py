"""Speed of every evaluator and its peer in alternating rounds: `make speed`, or

    python benchmarks/speed.py --json speed.json [--only NAME] [--rounds 7]

A case takes one to three minutes; --only measures a part and adds it to the same file. Unless a line says otherwise,
episodes have 5 ways, 5 shots, 15 queries per class and 640 random float32 features of length 1. Both sides get the same
arrays and give predicted classes; starting, compiling and generating the features do not count. "default" and "1" are
threads of the peer; ours always runs in the default environment. Every round compares the answers of both sides.

For another evaluator, add a line to `cases`. The extra `benchmark` installs the peers.
"""

from __future__ import annotations

import argparse
import functools
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from fewshot.benchmarks.head_speed import (
    discriminant_analysis,
    logistic_regression,
    nearest_neighbours,
    on_arrays,
    path,
    ridge,
    support_vectors,
)
from fewshot.benchmarks.rounds import Case, append, lines, measure_here, read, table
from fewshot.benchmarks.table_speed import (
    all_ways,
    bytes_copied,
    bytes_read,
    easyfsl_from_a_table,
    embedding,
    everything,
    fine_tuning,
    learn2learn_sampling,
    ours_from_a_table,
    ours_sampling,
    same_accuracy,
)

LEARN2LEARN = ".ci/install_learn2learn"
GRID = 10 ** np.linspace(-6, 5, 45)


def cases() -> list[Case]:
    """All lines of the table, the important ones first."""
    few = (1e-3, 1.0, 1e3)
    logistic = "LogisticRegression tol 1e-6"
    return [
        on_arrays("LinearProbe(C=1.0)", logistic, logistic_regression),
        on_arrays("LinearProbe(C=1.0)", logistic, logistic_regression, twins=True),
        on_arrays("LinearProbe(C=1.0)", logistic, logistic_regression, n_way=20, count=64),
        on_arrays("LinearProbe(C=1.0)", logistic, logistic_regression, k_shot=50, count=64),
        Case(
            "Prototype from a table",
            "5-way 5-shot, D = 640, drawn and gathered",
            functools.partial(ours_from_a_table, "Prototype()"),
            "easyfsl evaluate",
            easyfsl_from_a_table,
            same_accuracy,
            module="easyfsl",
        ),
        Case(
            "bytes read by Prototype",
            "the same in bytes of rows, each needed one once",
            bytes_read,
            "copy of 256 MiB, torch",
            bytes_copied,
            module="torch",
            peer_threads=("default",),
        ),
        on_arrays("NearestNeighbour(3, 'euclidean')", "KNeighborsClassifier(3)", nearest_neighbours),
        on_arrays("RidgeProbe(1.0)", "RidgeClassifier(1)", ridge),
        on_arrays("GaussianHead(0.5)", "LinearDiscriminantAnalysis lsqr", discriminant_analysis),
        on_arrays("LinearSVM(C=1.0)", "LinearSVC tol 1e-6", support_vectors),
        path(50, 10, 1024, GRID.tolist(), 1e-12, rounds=3),
        path(200, 5, 1024, few, 1e-8, rounds=3),
        Case("LinearProbe all ways", "1000-way 25-shot, D = 2048", all_ways, rounds=1),
        Case("all heads", "10 000 episodes each, 5-way 5-shot, D = 640", everything, rounds=1),
        Case(
            "drawing episodes",
            "5-way 5-shot 15 queries",
            ours_sampling,
            "learn2learn Taskset",
            learn2learn_sampling,
            module="learn2learn",
            install=LEARN2LEARN,
            peer_threads=("default",),
        ),
        Case(
            "embedding",
            "lite0 at 128 px, images a second",
            functools.partial(embedding, "table"),
            "timm's loop",
            functools.partial(embedding, "loop"),
            module="timm",
            peer_threads=("default",),
        ),
        *(
            Case(
                f"FineTune {what}",
                "5-way 5-shot 15 queries, lite0 at 128 px, 50 steps",
                functools.partial(fine_tuning, what, "ours"),
                "one by one",
                functools.partial(fine_tuning, what, "loop"),
                module="timm",
                peer_threads=("default",),
                rounds=3,
            )
            for what in ("head", "last")
        ),
    ]


def main() -> None:
    """Measures the cases and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="run this many rounds (default: 7)")
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="measure only cases whose name starts like this; repeatable"
    )
    parser.add_argument(
        "--json", type=Path, default=Path("speed.json"), help="add the lines to this JSON list (default: speed.json)"
    )
    parser.add_argument("--case", help=argparse.SUPPRESS)
    parser.add_argument("--side", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    known = {case.name: case for case in cases()}
    if arguments.case:
        print(json.dumps(asdict(measure_here(known[arguments.case], arguments.side))))
        return
    for case in known.values():
        if not arguments.only or case.name.startswith(tuple(arguments.only)):
            if case.missing:
                print(case.missing)
            append(arguments.json, lines(__file__, case, arguments.rounds))
    print(table(read(arguments.json)))


if __name__ == "__main__":
    main()
