"""The package with more files in its folders, in a place of its own: what a user has who adds a member."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import fewshot


def package_with(folder: Path, files: dict[str, str]) -> Path:
    """`folder`, with a package `fewshot` in it: all of it links to this one, but for the folders of the files that are
    added, by their path below fewshot/."""
    own, copy = Path(fewshot.__file__).parent, folder / "fewshot"
    for part in ("", *sorted({part for name in files for part in map(str, Path(name).parents)} - {"."})):
        target = copy / part
        if target.is_symlink():
            target.unlink()
        target.mkdir()
        for path in (own / part).iterdir():
            if path.suffix == ".py":
                shutil.copy(path, target)  # a link would be followed to the place that it links to
            elif path.name != "__pycache__":
                (target / path.name).symlink_to(path)
    for name, text in files.items():
        (copy / name).write_text(text)
    return folder


def fewshot_in(folder: Path, *args: str) -> str:
    """What a command of the package in a folder prints; it must succeed."""
    environment = os.environ | {"PYTHONPATH": str(folder)}
    done = subprocess.run(
        [sys.executable, "-m", "fewshot", *args], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{args}\n{done.stdout}{done.stderr}"
    return done.stdout
