"""The documentation site: what Sphinx needs to build it from the pages that gather.py put in one folder.

`make docs` builds it into build/site without a network. Every warning, such as a link to a page or a heading that does
not exist, is an error.
"""

from __future__ import annotations

import re
from typing import Any

project = "fewshot"
author = "the authors of fewshot"
html_title = "fewshot"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_click"]
source_suffix = {".md": "markdown"}
html_theme = "furo"
html_show_sourcelink = False
html_show_copyright = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#2f5d50", "color-brand-content": "#2f5d50"},
    "dark_css_variables": {"color-brand-primary": "#8fc7b5", "color-brand-content": "#8fc7b5"},
}
myst_heading_anchors = 4
pygments_style = "friendly"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "mixed"
python_use_unqualified_type_names = True
suppress_warnings = ["misc.highlighting_failure"]  # csv is no language of Pygments

_CODE = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_ITEM = re.compile(r"^(\s*)- ")


def markdown_to_rst(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Docstrings are plain text with `code` and lists; this writes both as Sphinx reads them, in place."""
    written: list[str] = []
    for line in lines:
        if _ITEM.match(line) and written and written[-1].strip() and not _ITEM.match(written[-1]):
            written.append("")
        written.append(_CODE.sub(r"``\1``", line).replace("*", r"\*").replace("|", r"\|"))
    lines[:] = written


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", markdown_to_rst)
