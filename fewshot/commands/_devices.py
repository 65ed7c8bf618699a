"""What `fewshot doctor` finds about cores, GPUs and torch, and its self-test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fewshot.commands._finding import Finding, size
from fewshot.plugins.wording import counted


def devices() -> Iterator[Finding]:
    """torch's build, the CPU with its cores and threads, and every GPU with its memory and driver."""
    try:
        import torch
    except ImportError as error:
        yield Finding("devices", f"importing torch failed: {error}", "wrong", "install torch again")
        return
    yield Finding("torch build", _build(torch))
    yield Finding("cpu", _cpu(torch))
    yield from _gpus(torch)


def _build(torch: Any) -> str:
    """Such as "CUDA 12.8, cuDNN 9.10.2, for sm_80 sm_90" or "CPU only"."""
    if torch.version.cuda is None:
        other = getattr(torch.version, "hip", None)
        return f"ROCm {other}" if other else "CPU only"
    cudnn = torch.backends.cudnn.version()
    known = f", cuDNN {cudnn // 10_000}.{cudnn // 100 % 100}.{cudnn % 100}" if cudnn else ""
    kinds = " ".join(torch.cuda.get_arch_list())
    return f"CUDA {torch.version.cuda}{known}{kinds and f', for {kinds}'}"


def _cpu(torch: Any) -> str:
    """Cores of the machine, those that this process may use, and torch's threads."""
    from fewshot.files.cores import cores

    found = cores()
    parts = [counted(found.machine, "core")]
    if found.affinity < found.machine:
        parts.append(f"this process may run on {found.affinity}")
    if found.limit is not None:
        parts.append(f"its container may use {found.limit:g}")
    return ", ".join([*parts, f"torch computes with {counted(torch.get_num_threads(), 'thread')}"])


def _gpus(torch: Any) -> Iterator[Finding]:
    """Every GPU; or why there is none."""
    from fewshot.files.energy import driver_version

    driver = driver_version()
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        free = torch.cuda.mem_get_info(index)[0]
        memory = f"{size(free)} of {size(properties.total_memory)} free"
        known = f", driver {driver}" if driver else ""
        yield Finding(f"cuda:{index}", f"{properties.name}, {memory}, sm_{properties.major}{properties.minor}{known}")
    if torch.backends.mps.is_available():
        yield Finding("mps", f"Apple GPU, {size(torch.mps.recommended_max_memory())}")
    if torch.cuda.is_available() or torch.backends.mps.is_available():
        return
    if driver:
        mend = "install a torch for CUDA that this driver knows: https://pytorch.org/get-started/locally"
        yield Finding("gpu", f"driver {driver} of NVIDIA is here, but torch cannot use it", "wrong", mend)
    else:
        yield Finding("gpu", "none; networks run on the CPU")


def self_test() -> Iterator[Finding]:
    """Ten seconds of work: decoding rates, and each device against the CPU and scikit-learn."""
    from fewshot.runs import self_test

    rates = self_test.decoding_rates()
    texts = ", ".join(f"{rate:,.0f} images/s in {what}" for what, rate in rates.items())
    yield Finding("decoding", f"{texts}, to {self_test.SIZE} px")
    for device in self_test.devices():
        test = self_test.device_test(device)
        found = (
            f"{test.device}: {self_test.NETWORK} at {self_test.SIZE} px embeds {test.images_per_second:,.0f} images/s; "
            f"features differ from the CPU's by {test.difference:.1g}, probabilities from scikit-learn's by "
            f"{test.probability_error:.1g}"
        )
        mend = "report it with this line; until then use --device cpu"
        yield Finding("self-test", found) if test.passed else Finding("self-test", found, "wrong", mend)
