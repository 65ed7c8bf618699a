"""Where, when and with which software a run was computed."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fewshot.results.columns import Provenance

PACKAGES = ("fewshot", "torch", "timm", "numpy", "scikit-learn")


def current(device: str) -> Provenance:
    """The provenance of a run that is computed now, on this device of this machine."""
    import torch

    return Provenance(
        device=device,
        n_threads=torch.get_num_threads(),
        platform=f"{platform.system()} {platform.machine()} {os.cpu_count()} cores, Python {platform.python_version()}",
        commit=commit(),
        versions=versions(),
        finished=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    )


@cache
def versions() -> str:
    """The installed versions of the packages that change numbers, such as "torch 2.8.0, timm 1.0.20"."""
    found = []
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"{package} not installed")
    return ", ".join(found)


@cache
def commit() -> str:
    """The git commit of the source tree, with "+" if files differ from it; empty outside a checkout."""
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return ""
    try:
        head = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"], cwd=root, capture_output=True, text=True, timeout=10
        )
        state = subprocess.run(
            ["git", "status", "--porcelain", "-uno"], cwd=root, capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return head.stdout.strip() + ("+" if state.stdout.strip() else "") if head.returncode == 0 else ""
