"""The wheel holds what the folders hold, and the Makefile does what it says."""

import configparser
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.support.checkout import ROOT

MAKEFILE = ROOT / "Makefile"
PACKAGE_FOLDERS = {"fewshot": "fewshot", "fewshot.data": "data", "fewshot.benchmarks": "benchmarks"}
PRINT_FILES = "import sys; print(*[__import__(name, fromlist=['*']).__file__ for name in sys.argv[1:]])"


def files_of(folder: Path) -> Iterator[Path]:
    """The files below a folder as they are shipped, relative to it."""
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        hidden = any(part == "__pycache__" or part.startswith(".") for part in relative.parts)
        if path.is_file() and not hidden:
            yield relative


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """What a command writes to its standard output; pip is kept from every index."""
    finished = subprocess.run(
        command, cwd=cwd, env=os.environ | {"PIP_NO_INDEX": "1"} | environment, capture_output=True, text=True
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def pip(*arguments: str | Path, cwd: Path) -> None:
    run(sys.executable, "-m", "pip", *arguments, cwd=cwd)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, built from a copy so that the working tree stays as it is."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in PACKAGE_FOLDERS.values():
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    for name in ["setup.cfg", "pyproject.toml", "README.md", "LICENSE"]:
        shutil.copy(ROOT / name, source)
    pip("wheel", source, "--no-deps", "--no-build-isolation", "--wheel-dir", folder, cwd=folder)
    [path] = folder.glob("fewshot-*.whl")
    return path


def test_the_listed_packages_are_the_folders_that_hold_python_files() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    listed = setup["options"]["packages"].split()
    found = [
        ".".join([package, *path.parent.parts])
        for package, folder in PACKAGE_FOLDERS.items()
        for path in files_of(ROOT / folder)
        if path.suffix == ".py"
    ]
    assert listed == sorted(set(found)), "options.packages in setup.cfg must list these packages, sorted"


def test_every_package_folder_has_an_init_file() -> None:
    for folder in PACKAGE_FOLDERS.values():
        for parent in {path.parent for path in files_of(ROOT / folder) if path.suffix == ".py"}:
            assert (ROOT / folder / parent / "__init__.py").is_file(), f"{folder}/{parent} lacks __init__.py"


def test_the_wheel_holds_every_file_of_the_package_folders(wheel: Path) -> None:
    on_disk = {
        f"{package.replace('.', '/')}/{path.as_posix()}"
        for package, folder in PACKAGE_FOLDERS.items()
        for path in files_of(ROOT / folder)
    }
    in_wheel = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert in_wheel == on_disk, "options.package_data in setup.cfg says which data files are packed"


def test_the_wheel_holds_embedded_sets_splits_suites_and_rows(wheel: Path) -> None:
    names = "\n".join(ZipFile(wheel).namelist())
    for pattern in [
        r"fewshot/data/[^/]+\.npz",
        r"fewshot/data/splits/[^/]+\.json",
        r"fewshot/benchmarks/quick\.py",
        r"fewshot/benchmarks/results/[^/]+\.jsonl",
        r"fewshot/report/[^/]+\.j2",
        r"fewshot/report/[^/]+\.js",
        r"fewshot/py\.typed",
    ]:
        assert re.search(f"^{pattern}$", names, re.MULTILINE), f"no file of the wheel matches {pattern}"


def test_an_installed_wheel_finds_data_and_benchmarks_from_elsewhere(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    pip("install", wheel, "--no-deps", "--target", site, cwd=tmp_path)
    found = run(sys.executable, "-c", PRINT_FILES, *PACKAGE_FOLDERS, cwd=tmp_path, PYTHONPATH=str(site))
    folders = [package.replace(".", "/") for package in PACKAGE_FOLDERS]
    assert found.split() == [str(site / folder / "__init__.py") for folder in folders]


def test_the_working_tree_finds_data_and_benchmarks_from_elsewhere(tmp_path: Path) -> None:
    found = run(sys.executable, "-c", PRINT_FILES, *PACKAGE_FOLDERS, cwd=tmp_path)
    assert found.split() == [str(ROOT / folder / "__init__.py") for folder in PACKAGE_FOLDERS.values()]


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_without_a_target_lists_every_target() -> None:
    targets = re.findall(r"^(\w+):", MAKEFILE.read_text(), re.MULTILINE)
    assert {"help", "setup", "bench", "test", "lint", "typecheck", "report", "clean"} <= set(targets)
    listed = run("make", "--no-print-directory", cwd=ROOT, MAKEFLAGS="")
    assert [line.split()[0] for line in listed.splitlines()] == targets


def test_every_recipe_of_the_makefile_is_one_line() -> None:
    assert re.findall(r"^\t.*\n\t.*|.*\\$", MAKEFILE.read_text(), re.MULTILINE) == []
