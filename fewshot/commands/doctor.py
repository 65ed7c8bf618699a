"""`fewshot doctor`: what is installed, cached and missing on this machine."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path

import click
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from fewshot.commands._answers import answer, json_option
from fewshot.commands._devices import devices, self_test
from fewshot.commands._finding import Finding, size
from fewshot.commands._options import FilePath
from fewshot.plugins.wording import counted

_SHOWN = ("fewshot", "torch", "torchvision", "timm", "numpy", "scikit-learn")
_MARKS = {"ok": "✓", "absent": "○", "wrong": "✗"}
_LEAST_FREE_BYTES = 1 << 30
_LEARN2LEARN = f".ci/install_learn2learn {sys.executable}"


@click.command("doctor", short_help="Show what is installed, cached and missing.")
@click.option(
    "--results", type=FilePath(dir_okay=True), default="results", help="Test whether this folder is writable."
)
@click.option(
    "--self-test", "tested", is_flag=True, help="Test every device: embed images and solve an episode (ten seconds)."
)
@click.option(
    "--compile",
    "compiles",
    is_flag=True,
    help="Compile the solvers now, once per machine and release (up to a minute), so that no run waits for it.",
)
@json_option
def command(results: Path, tested: bool, compiles: bool) -> int:
    """Print versions, devices, caches, free disk space and what is missing, one line each.

    The exit code is 1 if something is wrong (✗). Absent optional packages (○) are fine.
    """
    findings = [*_versions(), *devices(), *_caches(), *_extras(), _writable(results)]
    findings += self_test() if tested else []
    if compiles:
        findings.append(_compiled())
    answer("\n".join(map(_line, findings)), [asdict(finding) for finding in findings])
    return 1 if any(finding.state == "wrong" for finding in findings) else 0


def _line(finding: Finding) -> str:
    mend = f"; {finding.mend}" if finding.mend else ""
    return f"{_MARKS[finding.state]} {finding.topic:<12} {finding.found}{mend}"


def _versions() -> Iterator[Finding]:
    """Python, the packages that results depend on, and every requirement that is not met."""
    python = platform.python_version()
    yield Finding("python", f"{python}, {sys.executable}", "ok" if sys.version_info >= (3, 11) else "wrong")
    needed = {one.name: one.specifier for one in _requirements() if _holds(one)}
    for name in (*_SHOWN, *sorted(set(needed).difference(_SHOWN))):
        finding = _package(name, needed.get(name, SpecifierSet()))
        if name in _SHOWN or finding.state == "wrong":
            yield finding


def _requirements() -> list[Requirement]:
    """The requirements of fewshot and of its extras; empty if fewshot is not installed."""
    try:
        return [Requirement(text) for text in requires("fewshot") or ()]
    except PackageNotFoundError:
        return []


def _holds(requirement: Requirement, extra: str = "") -> bool:
    """Whether this machine needs a package, for an extra."""
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def _package(name: str, wanted: SpecifierSet) -> Finding:
    try:
        installed = version(name)
    except PackageNotFoundError:
        return Finding(name, "not installed", "wrong", f"run: pip install '{name}{wanted}'")
    if not _meets(installed, wanted):
        return Finding(name, f"{installed}, but fewshot needs {wanted}", "wrong", f"run: pip install '{name}{wanted}'")
    return Finding(name, installed)


def _meets(installed: str, wanted: SpecifierSet) -> bool:
    """Whether a version meets a requirement; pre-releases and local builds count as their version."""
    try:
        return wanted.contains(Version(installed).base_version)
    except InvalidVersion:
        return False


def _caches() -> Iterator[Finding]:
    """The caches with their sizes, and the free disk space."""
    from fewshot.files.atomic import home

    folder = home()
    source = "set by FEWSHOT_HOME" if os.environ.get("FEWSHOT_HOME") else "the default of this system"
    yield Finding("cache", f"{folder}, {source}")
    tables = counted(_count(folder / "features"), "table")
    yield Finding("features", f"{size(_bytes_of(folder / 'features'))} in {tables}")
    yield Finding("digests", size(sum(map(_bytes_of, folder.glob("digests.sqlite*")))))
    yield from _hub_caches()
    there = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    free = shutil.disk_usage(there).free
    enough = free >= _LEAST_FREE_BYTES
    mend = "" if enough else "delete files to free at least 1.1 GB"
    yield Finding("free disk", f"{size(free)} at {there}", "ok" if enough else "wrong", mend)


def _hub_caches() -> Iterator[Finding]:
    """The caches of the weights that timm downloads."""
    try:
        import torch
        from huggingface_hub.constants import HF_HUB_CACHE
    except ImportError:
        return
    for folder in (Path(HF_HUB_CACHE), Path(torch.hub.get_dir())):
        yield Finding("hub cache", f"{size(_bytes_of(folder))} in {folder}")


def _extras() -> Iterator[Finding]:
    """Every package of weights, every other extra of fewshot, and learn2learn."""
    weights = _weights()
    for name, package, install in weights:
        yield _optional("weights", f"{name}: {package}", package, install)
    of_weights = {package for _, package, _ in weights}
    for extra, packages in _declared().items():
        if not of_weights.issuperset(packages):
            yield _extra(extra, packages)
    yield _optional("extra", "learn2learn", "learn2learn", _LEARN2LEARN)


def _declared() -> dict[str, list[str]]:
    """The packages of every extra, from fewshot's metadata; empty if fewshot is not installed."""
    try:
        declared = metadata("fewshot").get_all("Provides-Extra") or ()
    except PackageNotFoundError:
        return {}
    listed = [one for one in _requirements() if not _holds(one)]
    return {extra: [one.name for one in listed if _holds(one, extra)] for extra in declared}


def _extra(name: str, packages: Sequence[str]) -> Finding:
    """The finding about an extra, with its missing packages and how to install them."""
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
    """Network, package, and the command that installs the package."""
    try:
        from fewshot.backbones.packaged import WEIGHTS
    except ImportError:
        return []  # torch or timm is missing, which other findings report
    return [(name, weights.package, weights.install) for name, weights in WEIGHTS.items()]


def _optional(topic: str, what: str, package: str, install: str) -> Finding:
    try:
        return Finding(topic, f"{what} {version(package)}")
    except PackageNotFoundError:
        return Finding(topic, f"{what} is not installed", "absent", f"run: {install}")


def _compiled() -> Finding:
    """Compiles the loops of all evaluators."""
    from fewshot.runs.compiling import compile_loops

    if compile_loops():
        return Finding("solvers", "compiled")
    return Finding("solvers", "numba is not installed, so torch solves", "absent", "run: pip install 'fewshot[fast]'")


def _writable(folder: Path) -> Finding:
    """Whether rows can be written; this does not create the folder."""
    there = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    if there.is_dir() and os.access(there, os.W_OK):
        return Finding("results", f"{folder} is writable" if folder.exists() else f"{folder} can be created")
    return Finding("results", f"{there} is not writable", "wrong", "give another file as --results")


def _bytes_of(path: Path) -> int:
    """The bytes on disk of a file or of all files in a folder; 0 if it does not exist."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(_attempt(lambda file=file: file.lstat().st_blocks * 512) for file in files)  # type: ignore[misc]


def _attempt(measure: Callable[[], int]) -> int:
    """The measured number; 0 if the file has disappeared."""
    try:
        return measure()
    except OSError:
        return 0


def _count(folder: Path) -> int:
    return sum(path.is_dir() for path in folder.glob("[0-9a-f]*"))
