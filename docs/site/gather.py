"""Gathers the pages of the site in one folder: docs/, and pages that live elsewhere in the repository.

README.md is the home page, data/README.md the page of the bundled images. Links between them are turned to the pages.

    python docs/site/gather.py build/pages
"""

from __future__ import annotations

import json
import posixpath
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The page of the site for a file outside docs/.
OUTSIDE = {
    "README.md": "index.md",
    "data/README.md": "bundled.md",
    "data/NOTICE.md": "notice.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
_LINK = re.compile(r"(\]\()([^)#\s]+)((?:#[^)\s]*)?\))")
_FENCE = re.compile(r"^(```.*?^```)", re.MULTILINE | re.DOTALL)


def gather(folder: Path) -> None:
    """Writes all pages, and the files that they show, to an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    docs = ROOT / "docs"
    for path in sorted(docs.rglob("*")):
        if path.suffix in (".md", ".ipynb", ".svg", ".png", ".webp", ".py") and (docs / "site") not in path.parents:
            _copy(path.relative_to(ROOT).as_posix(), folder)
    for source in OUTSIDE:
        _copy(source, folder)
    index = folder / "index.md"
    index.write_text(index.read_text(encoding="utf-8") + (docs / "site" / "contents.md").read_text(encoding="utf-8"))


def relinked(markdown: str, source: str) -> str:
    """The text of a file of the repository with its links turned to pages of the site; code stays as it is."""
    parts = _FENCE.split(markdown)
    return "".join(
        part if i % 2 else _LINK.sub(lambda link: _turned(link, source), part) for i, part in enumerate(parts)
    )


def _copy(source: str, folder: Path) -> None:
    target = folder / _page(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.endswith(".md"):
        target.write_text(relinked((ROOT / source).read_text(encoding="utf-8"), source), encoding="utf-8")
    elif source.endswith(".ipynb"):
        target.with_suffix(".md").write_text(_notebook(ROOT / source), encoding="utf-8")
        shutil.copy(ROOT / source, target)
    else:
        shutil.copy(ROOT / source, target)


def _notebook(path: Path) -> str:
    """The cells of a notebook as a page."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    texts = (("".join(cell["source"]), cell["cell_type"]) for cell in cells)
    return "\n\n".join(text if kind == "markdown" else f"```python\n{text}\n```" for text, kind in texts) + "\n"


def _turned(link: re.Match[str], source: str) -> str:
    opening, target, closing = link.groups()
    if "://" in target or target.startswith("mailto:"):
        return link.group()
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    return f"{opening}{posixpath.relpath(_page(path), posixpath.dirname(_page(source)) or '.')}{closing}"


def _page(path: str) -> str:
    """The place on the site of a file of the repository."""
    return OUTSIDE.get(path) or path.removeprefix("docs/").replace(".ipynb.md", ".md")


if __name__ == "__main__":
    gather(Path(sys.argv[1]))
