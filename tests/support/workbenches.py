"""Workbenches that show no progress."""

from __future__ import annotations

from typing import Any

from fewshot.runs.workbench import Workbench


def bench(**fields: Any) -> Workbench:
    """A workbench of these fields, without progress bars."""
    return Workbench(progress=False, **fields)
