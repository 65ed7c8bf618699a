"""The rule of solvers/rounding.py for the logits of one query."""

from __future__ import annotations

from fewshot.solvers.compiled import compiled_part
from fewshot.solvers.compiled.matrices import Floats

_HIDDEN, _TIED = 2.0**-12, 1e-13  # as in solvers/rounding.py


@compiled_part
def shown(logits: Floats) -> None:
    """Subtracts the largest of the logits [N] if float32 would hide their differences."""
    top = bottom = logits[0]
    for k in range(1, len(logits)):
        top, bottom = max(top, logits[k]), min(bottom, logits[k])
    spread, size = top - bottom, max(abs(top), abs(bottom))
    if _TIED * size < spread < _HIDDEN * size:
        for k in range(len(logits)):
            logits[k] -= top
