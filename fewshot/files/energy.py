"""The energy that an NVIDIA GPU has used, from its driver's own library (NVML); no Python package is needed."""

from __future__ import annotations

import ctypes
import functools
from typing import Any

_LIBRARY = "libnvidia-ml.so.1"


def joules(uuid: str, library: Any = None) -> float | None:
    """Joules since the driver was loaded, of the GPU with this UUID ("GPU-..."); None if the driver does not say. GPUs
    count since Volta (2017)."""
    nvml = library or _loaded()
    if nvml is None:
        return None
    handle, millijoules = ctypes.c_void_p(), ctypes.c_ulonglong()
    try:
        found = nvml.nvmlDeviceGetHandleByUUID(uuid.encode(), ctypes.byref(handle))
        if found or nvml.nvmlDeviceGetTotalEnergyConsumption(handle, ctypes.byref(millijoules)):
            return None
    except AttributeError:  # an older library
        return None
    return millijoules.value / 1000


def driver_version(library: Any = None) -> str:
    """The version of the driver, such as "550.54.15"; "" if there is none."""
    nvml, text = library or _loaded(), ctypes.create_string_buffer(96)
    if nvml is None:
        return ""
    try:
        return "" if nvml.nvmlSystemGetDriverVersion(text, len(text)) else text.value.decode(errors="replace")
    except AttributeError:
        return ""


@functools.cache
def _loaded() -> Any:
    """The library, initialised; None without an NVIDIA driver."""
    try:
        nvml = ctypes.CDLL(_LIBRARY)
    except OSError:
        return None
    return nvml if nvml.nvmlInit_v2() == 0 else None
