"""How often a fault is tried: a few times in CI, often by `make faults`, which also keeps the counts for the table of
docs/reliability.md.

FEWSHOT_PORTION=2/5 runs the second fifth of the tries, and adds to the counts of the first. The number of a try sets
its random moments, so portions try what one run tries.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fewshot.files.atomic import write_atomically
from fewshot.files.locks import locked
from tests.support.checkout import ROOT

LONG = os.environ.get("FEWSHOT_FAULTS") == "long"
PORTION = os.environ.get("FEWSHOT_PORTION", "1/1")
KEPT = ROOT / "benchmarks" / "results" / "faults.json"
_PORTIONS = "portions"  # of the tries that a count holds; absent where it holds all


def times(few: int, many: int) -> int:
    """How often to try: `few` in CI, `many` by `make faults`."""
    return many if LONG else few


def tries(few: int, many: int) -> range:
    """The numbers of the tries of this portion."""
    (part, parts), n = _portion(), times(few, many)
    return range(n * (part - 1) // parts, n * part // parts)


def keep(part: str, name: str, **counts: Any) -> None:
    """Keeps the counts of a fault, if this is the long form; `part` is what `make faults ONLY=` runs."""
    if not LONG:
        return
    with locked(Path(tempfile.gettempdir()) / "fewshot_faults.lock", f"writes {KEPT}"):
        stored = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
        faults = stored.get(part, {})
        faults[name] = _with_earlier(faults.get(name, {}), counts)
        stored = dict(sorted((stored | {part: dict(sorted(faults.items()))}).items()))
        write_atomically(Path(KEPT), (json.dumps(stored, indent=1) + "\n").encode())


def _portion() -> tuple[int, int]:
    part, parts = map(int, PORTION.split("/"))
    assert 1 <= part <= parts, f"FEWSHOT_PORTION is part/parts, such as 1/5; found {PORTION}"
    return part, parts


def _with_earlier(earlier: Mapping[str, Any], counts: Mapping[str, Any]) -> dict[str, Any]:
    """The counts, added to those of the portions before this one."""
    part, parts = _portion()
    before: Mapping[str, Any] = {}
    if part > 1:
        before, needed = earlier, f"{part - 1}/{parts}"
        assert before.get(_PORTIONS) == needed, f"run the portion {needed} before {PORTION}, which adds to its counts"
    names = [name for name in dict.fromkeys([*counts, *before]) if name != _PORTIONS]
    added = {name: _sum(name, before.get(name), counts.get(name)) for name in names}
    return added | ({_PORTIONS: PORTION} if part < parts else {})


def _sum(name: str, one: Any, other: Any) -> Any:
    """Both counts together; of the slowest, the slower one."""
    if one is None or other is None:
        return other if one is None else one
    if isinstance(one, Mapping):
        return dict((Counter(one) + Counter(other)).most_common())
    return max(one, other) if name.startswith("slowest") else one + other
