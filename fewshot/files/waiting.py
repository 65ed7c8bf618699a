"""How the threads of OpenMP wait for each other, so that a run beside another program does not stand still.

A thread that has finished its part of an operation waits for the others. OpenMP lets it spin for milliseconds, which
costs nothing on an idle machine. If another program runs too, the spinning threads take the processor from the thread
that they wait for, and a training step takes ten times as long (`python benchmarks/shared_machine.py`). A short spin
serves both. OpenMP reads its settings when it is loaded, so they must be set before torch is imported.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping

NAMES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
POLICY = {"GOMP_SPINCOUNT": "10000", "KMP_BLOCKTIME": "0"}  # of GNU's OpenMP, which torch's wheels carry, and of LLVM's


def share_processor(environment: MutableMapping[str, str] = os.environ) -> None:
    """Lets waiting threads sleep soon, in this process and its children, unless the user has chosen how they wait."""
    if not any(name in environment for name in NAMES):
        environment.update(POLICY)
