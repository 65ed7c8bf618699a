"""A copy of the package, so that files can be dropped into its folders without other tests seeing them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import fewshot.benchmarks
import fewshot.data

import fewshot


def copied_package(folder: Path) -> Path:
    """The package `fewshot` below a folder; data and benchmarks are links."""
    package, root = folder / "fewshot", Path(fewshot.__file__).parent
    shutil.copytree(root, package, ignore=shutil.ignore_patterns("__pycache__"))
    for name, source in (("data", fewshot.data.__path__[0]), ("benchmarks", fewshot.benchmarks.__path__[0])):
        (package / name).symlink_to(source)
    return package


def python(folder: Path, *arguments: str) -> str:
    """The output of Python with the copy below this folder."""
    environment = os.environ | {"PYTHONPATH": str(folder)}
    done = subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout
