"""The blocks of code on the pages of the documentation."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from tests.support.checkout import DOCS, ROOT

PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "data" / "README.md", *sorted(DOCS.rglob("*.md")))
_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[tuple[str, str]]:
    """Language and text of every block of code, in their order."""
    return _FENCE.findall(page.read_text(encoding="utf-8"))


def commands(text: str) -> list[list[str]]:
    """The words of every command of a block, without comments and prompts; a backslash continues a line."""
    lines = text.replace("\\\n", " ").splitlines()
    words = (shlex.split(line.removeprefix("$ "), comments=True) for line in lines)
    return [[Path(first).name if first.startswith(".venv/") else first, *rest] for first, *rest in filter(None, words)]
