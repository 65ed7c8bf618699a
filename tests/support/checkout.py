"""Where things lie in this checkout."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
RELEASE_0_1 = ROOT / "tests" / "rows" / "release_0_1.jsonl"  # rows that an old release wrote
