"""How often a fault is tried: a few times in CI, often by `make faults`, which also keeps the counts for the table of
docs/reliability.md."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from fewshot.files.atomic import write_atomically
from fewshot.files.locks import locked
from tests.support.checkout import ROOT

LONG = os.environ.get("FEWSHOT_FAULTS") == "long"
KEPT = ROOT / "benchmarks" / "results" / "faults.json"


def times(few: int, many: int) -> int:
    """How often to try: `few` in CI, `many` by `make faults`."""
    return many if LONG else few


def keep(part: str, name: str, **counts: Any) -> None:
    """Keeps the counts of a fault, if this is the long form; `part` is what `make faults ONLY=` runs."""
    if not LONG:
        return
    with locked(Path(tempfile.gettempdir()) / "fewshot_faults.lock", f"writes {KEPT}"):
        stored = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
        stored = dict(sorted((stored | {part: dict(sorted((stored.get(part, {}) | {name: counts}).items()))}).items()))
        write_atomically(Path(KEPT), (json.dumps(stored, indent=1) + "\n").encode())
