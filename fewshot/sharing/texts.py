"""The texts of a submission that follow from its rows: the command of each run, and README.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from fewshot.plugins.wording import agreeing, listed
from fewshot.report.rows.errors import n_test_images
from fewshot.results.files import Results
from fewshot.sharing.about import Manifest
from fewshot.sharing.commands import command_of
from fewshot.sharing.layout import ABOUT, README, ROWS, RUNS, VERIFICATION, content, files_of
from fewshot.sharing.members import own_columns
from fewshot.sharing.readme import readme
from fewshot.sharing.shared import Checked, Shared


def page_of(folder: Path, manifest: Manifest, runs: Sequence[Shared]) -> bytes:
    """README.md of these runs, whose other files are there."""
    sizes = files_of(folder)
    n_bytes = sum(size for name, size in sizes.items() if name not in (ABOUT, README, VERIFICATION))
    text = readme(manifest, runs, n_bytes, n_test_images(Results(folder / ROWS).predictions))
    return text.encode("utf-8", "replace")


def check_texts(folder: Path, manifest: Manifest, runs: Sequence[Shared]) -> Checked:
    """Whether the commands and README.md are those that `submit` writes from the rows. Releases word them differently,
    and names of own code are known to its author alone."""
    wrote, here = manifest.about.fewshot, version("fewshot")
    if wrote != here:
        return Checked(unchecked=(f"commands and {README}: fewshot {wrote} wrote them, this is {here}",))
    own = sum(bool(run.own_code) for run in runs)
    why = () if not own else (f"{README}, and the commands of own code: only its authors can write them",)
    problems = [*_command_problems(runs), *_code_problems(runs)]
    if not own and content(folder, README) != page_of(folder, manifest, runs):
        problems.append(f"{README} is not the page that its rows give: it was changed")
    return Checked(tuple(problems), why)


def _command_problems(runs: Sequence[Shared]) -> Iterator[str]:
    for run in runs:
        if not run.own_code and run.command != (wanted := command_of(run.row)):
            yield f"run {run.row.run_id}: its command in {RUNS} is {run.command[:200]!r}, but its row gives {wanted!r}"


def _code_problems(runs: Sequence[Shared]) -> Iterator[str]:
    """Rows with members that this release, which wrote them, does not have, and that are not said to be own code."""
    for run in runs:
        if not run.own_code and (own := own_columns(run.row)):
            are = agreeing(len(own), "is", "are")
            yield f"run {run.row.run_id}: its {listed(own)} {are} not fewshot's, but {RUNS} names no own code"
