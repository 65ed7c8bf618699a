"""`fewshot doctor`: is everything here that runs need, and what is missing?"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path

import click
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from fewshot.commands._answers import answer, json_option

_SHOWN = ("fewshot", "torch", "torchvision", "timm", "numpy", "scikit-learn")
_MARKS = {"ok": "✓", "absent": "○", "wrong": "✗"}
_LEAST_FREE_BYTES = 1 << 30
_LEARN2LEARN = f".ci/install_learn2learn {sys.executable}"


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at and found; `state` is ok, absent (something optional) or wrong."""

    topic: str
    found: str
    state: str = "ok"
    mend: str = ""  # a command, or what to do


@click.command("doctor", short_help="Tell what is installed, cached and missing.")
@click.option("--results", type=click.Path(path_type=Path), default="results", help="The folder that rows go to.")
@json_option
def command(results: Path) -> int:
    """Versions, devices, caches, disk and what is missing, one line each. Exit code 1 where something is wrong (✗);
    what is optional and absent (○) is no fault."""
    findings = [*_versions(), *_devices(), *_caches(), *_extras(), _writable(results)]
    answer("\n".join(map(_line, findings)), [asdict(finding) for finding in findings])
    return 1 if any(finding.state == "wrong" for finding in findings) else 0


def _line(finding: Finding) -> str:
    mend = f"; {finding.mend}" if finding.mend else ""
    return f"{_MARKS[finding.state]} {finding.topic:<12} {finding.found}{mend}"


def _versions() -> Iterator[Finding]:
    """Python, the packages that numbers depend on, and every requirement that is not met."""
    found = platform.python_version()
    yield Finding("python", f"{found}, {sys.executable}", "ok" if sys.version_info >= (3, 11) else "wrong")
    needed = {one.name: one.specifier for one in _requirements() if _holds(one)}
    for name in (*_SHOWN, *sorted(set(needed).difference(_SHOWN))):
        finding = _package(name, needed.get(name, SpecifierSet()))
        if name in _SHOWN or finding.state == "wrong":
            yield finding


def _requirements() -> list[Requirement]:
    """What fewshot needs, extras too; nothing where it is not installed."""
    try:
        return [Requirement(text) for text in requires("fewshot") or ()]
    except PackageNotFoundError:
        return []


def _holds(requirement: Requirement, extra: str = "") -> bool:
    """Whether a package is needed here, for an extra."""
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def _package(name: str, wanted: SpecifierSet) -> Finding:
    try:
        found = version(name)
    except PackageNotFoundError:
        return Finding(name, "not installed", "wrong", f"pip install '{name}{wanted}'")
    if not _meets(found, wanted):
        return Finding(name, f"{found}, needed {wanted}", "wrong", f"pip install '{name}{wanted}'")
    return Finding(name, found)


def _meets(found: str, wanted: SpecifierSet) -> bool:
    """Whether a version is one of those wanted; what was built on the way to a version counts as that version."""
    try:
        return wanted.contains(Version(found).base_version)
    except InvalidVersion:
        return False


def _devices() -> Iterator[Finding]:
    """Processors and their threads, and every accelerator with its memory."""
    try:
        import torch
    except ImportError as error:
        yield Finding("devices", f"torch cannot be imported: {error}", "wrong", "install torch again")
        return
    yield Finding("cpu", f"{os.cpu_count()} cores, torch computes with {torch.get_num_threads()} threads")
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        yield Finding(f"cuda:{index}", f"{properties.name}, {_size(properties.total_memory)}")
    if torch.backends.mps.is_available():
        yield Finding("mps", f"Apple GPU, {_size(torch.mps.recommended_max_memory())}")
    if not torch.cuda.is_available() and not torch.backends.mps.is_available():
        yield Finding("gpu", "none; networks run on the CPU")


def _caches() -> Iterator[Finding]:
    """What is kept where, and how much room is left there."""
    from fewshot.files.atomic import home

    folder = home()
    yield Finding("cache", f"{folder}, from {'FEWSHOT_HOME' if os.environ.get('FEWSHOT_HOME') else 'the system'}")
    yield Finding("features", f"{_size(_bytes_of(folder / 'features'))} in {_count(folder / 'features')} tables")
    yield Finding("digests", _size(sum(map(_bytes_of, folder.glob("digests.sqlite*")))))
    yield from _hub_caches()
    there = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    free = shutil.disk_usage(there).free
    enough = free >= _LEAST_FREE_BYTES
    yield Finding("free disk", f"{_size(free)} at {there}", "ok" if enough else "wrong", "" if enough else "free some")


def _hub_caches() -> Iterator[Finding]:
    """Where timm keeps what it downloads."""
    try:
        import torch
        from huggingface_hub.constants import HF_HUB_CACHE
    except ImportError:
        return
    for folder in (Path(HF_HUB_CACHE), Path(torch.hub.get_dir())):
        yield Finding("hub cache", f"{_size(_bytes_of(folder))} in {folder}")


def _extras() -> Iterator[Finding]:
    """Packages of weights one by one, every other extra that the package declares, and the peer to compare with."""
    weights = _weights()
    for name, package, install in weights:
        yield _optional("weights", f"{name}: {package}", package, install)
    told = {package for _, package, _ in weights}
    for extra, packages in _declared().items():
        if not told.issuperset(packages):
            yield _extra(extra, packages)
    yield _optional("extra", "learn2learn", "learn2learn", _LEARN2LEARN)


def _declared() -> dict[str, list[str]]:
    """The packages of every extra, as fewshot's metadata has them; nothing where it is not installed."""
    try:
        declared = metadata("fewshot").get_all("Provides-Extra") or ()
    except PackageNotFoundError:
        return {}
    listed = [one for one in _requirements() if not _holds(one)]
    return {extra: [one.name for one in listed if _holds(one, extra)] for extra in declared}


def _extra(name: str, packages: Sequence[str]) -> Finding:
    """An extra: complete, or what is missing of it and how to get it."""
    missing = [package for package in packages if not _installed(package)]
    if not missing:
        return Finding("extra", f"{name}: {', '.join(packages)}")
    return Finding(
        "extra", f"{name}: {', '.join(missing)} not installed", "absent", f"run: pip install 'fewshot[{name}]'"
    )


def _installed(package: str) -> bool:
    try:
        return bool(version(package))
    except PackageNotFoundError:
        return False


def _weights() -> list[tuple[str, str, str]]:
    """Network, package and the command that installs it."""
    try:
        from fewshot.backbones.packaged import WEIGHTS
    except ImportError:
        return []  # torch or timm is missing, which is told
    return [(name, weights.package, weights.install) for name, weights in WEIGHTS.items()]


def _optional(topic: str, what: str, package: str, install: str) -> Finding:
    try:
        return Finding(topic, f"{what} {version(package)}")
    except PackageNotFoundError:
        return Finding(topic, f"{what} is not installed", "absent", f"run: {install}")


def _writable(folder: Path) -> Finding:
    """Whether rows can be written; the folder is not made."""
    there = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    if there.is_dir() and os.access(there, os.W_OK):
        return Finding("results", f"{folder} is writable" if folder.exists() else f"{folder} can be made")
    return Finding("results", f"{there} is not writable", "wrong", "give another file as --results")


def _bytes_of(path: Path) -> int:
    """Bytes on the disk of a file or of everything in a folder; 0 where there is none."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(_attempt(lambda file=file: file.lstat().st_blocks * 512) for file in files)  # type: ignore[misc]


def _attempt(measure: Callable[[], int]) -> int:
    """0 for a file that went away meanwhile."""
    try:
        return measure()
    except OSError:
        return 0


def _count(folder: Path) -> int:
    return sum(path.is_dir() for path in folder.glob("[0-9a-f]*"))


def _size(n_bytes: float) -> str:
    """Such as "1.5 GB"."""
    for unit in ("bytes", "kB", "MB"):
        if n_bytes < 1000:
            return f"{n_bytes:.0f} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.1f} GB"
