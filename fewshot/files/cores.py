"""The processor, and its cores that this process may use."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from fewshot.files.memory import system_text

_INFO = Path("/proc/cpuinfo")
_LIMIT = Path("/sys/fs/cgroup/cpu.max")  # "QUOTA PERIOD" in microseconds, or "max PERIOD"
_OLD_LIMIT = Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"), Path("/sys/fs/cgroup/cpu/cpu.cfs_period_us")


@dataclass(frozen=True)
class Cores:
    """Cores of the machine, those that this process may run on, and the limit of its container."""

    machine: int
    affinity: int
    limit: float | None  # None: no limit

    @property
    def usable(self) -> int:
        """The number of cores to plan for; at least 1."""
        return max(1, int(min(self.affinity, self.limit or self.affinity)))


def cores(limit: Path = _LIMIT, old_limit: tuple[Path, Path] = _OLD_LIMIT) -> Cores:
    """The cores now."""
    machine = os.cpu_count() or 1
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else machine
    words = system_text(limit).split() or [system_text(path).strip() for path in old_limit]
    return Cores(machine, affinity, _share(*words) if len(words) == 2 else None)


def processor(info: Path = _INFO) -> str:
    """The model of the processor, such as "Intel Xeon Platinum 8481C"; "" where the system does not say (not Linux)."""
    line = re.search(r"^model name[ \t]*:(.*)$", system_text(info), re.MULTILINE)
    return "" if line is None else " ".join(re.sub(r"\((R|TM)\)|\bCPU\b|@.*", " ", line[1]).split())


def _share(quota: str, period: str) -> float | None:
    """The cores of a quota of microseconds per period; None without a limit ("max" or -1)."""
    known = quota.isdecimal() and period.isdecimal() and int(quota) > 0 and int(period) > 0
    return int(quota) / int(period) if known else None
