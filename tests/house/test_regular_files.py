"""Files are read by the functions of fewshot.files, which refuse pipes, sockets, devices and folders."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import fewshot
from fewshot.files.regular import parsed_json

ROOT = Path(fewshot.__file__).parent
READS = re.compile(
    r"\.read_(text|bytes)\(|json\.load\(|np\.(load|fromfile|memmap)\(|(?<![\w.])open\(|\.open\(\"r|safe_open\(|load_file\("
)
CHECKED = re.compile(r"check_regular\(.*\)\.read_text\(|safe_open\(check_regular\(")
# What opens a file by itself, and why that cannot wait without end.
OWN = {
    "backbones/_weight_files.py": "read_content checks the file first",
    "backbones/packaged.py": "a file of an installed package, if is_file",
    "backbones/pretrained.py": "weights that fewshot wrote, if is_file",
    "cli.py": "os.devnull",
    "commands/_results.py": "writable_results checks the file first",
    "datasets/_decoding.py": "data sets list regular files only",
    "datasets/_tar_shards.py": "opened checks the file first",
    "datasets/_vector_files.py": "vector_set.opened checks the file first",
    "datasets/_known_sets.py": "a file of the package",
    "datasets/_published_classes.py": "files of the package",
    "features/files.py": "read_done checks the files of a table first",
    "plugins/code.py": "source files of imported modules, if is_file",
    "plugins/reading.py": "sources of imported modules; content_of checks the file first",
    "plugins/signature.py": "source files of installed packages",
    "plugins/spec.py": "_digest_now checks the file first",
    "pretraining/trainer.py": "trained_elsewhere checks is_file",
    "protocols/__init__.py": "files of the package",
    "report/__init__.py": "files of the package",
    "results/files.py": "append checks the file first",
    "results/published.py": "files of the package",
    "results/reading.py": "_stamp checks the file first",
    "results/recognition.py": "what_is is for regular files",
    "results/seen_classes/synsets.py": "files of the package",
    "sharing/layout.py": "files_of and content check the file first",
    "solvers/loop_cache.py": "files of the package, and /proc/cpuinfo",
    "report/tables/readme.py": "the committed comparisons of the package",
}


def reads(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [
        line.strip() for line in lines if READS.search(line) and not CHECKED.search(line) and "def open" not in line
    ]


def members() -> list[str]:
    names = (path.relative_to(ROOT).as_posix() for path in sorted(ROOT.rglob("*.py")))
    return [name for name in names if not name.startswith(("files/", "benchmarks/", "data/"))]


@pytest.mark.parametrize("name", members())
def test_a_module_reads_files_by_the_functions_that_check_them(name: str) -> None:
    assert bool(reads(ROOT / name)) == (name in OWN), reads(ROOT / name)


# Texts that fewshot wrote in the same process, or that come with it.
OWN_JSON = {
    "backbones/_templates.py",
    "commands/_answers.py",
    "datasets/_known_sets.py",
    "datasets/_pictures.py",
    "datasets/_published_classes.py",
    "report/tables/readme.py",
    "results/collections.py",
    "results/published.py",
}


@pytest.mark.parametrize("name", members())
def test_json_from_outside_is_read_by_the_function_that_refuses_endless_nesting(name: str) -> None:
    found = "json.loads(" in (ROOT / name).read_text(encoding="utf-8")
    assert found == (name in OWN_JSON), f"{name}: use fewshot.files.regular.parsed_json"


def test_endless_nesting_is_a_value_error() -> None:
    for text in ("[" * 100_000, '{"a":' * 100_000):
        with pytest.raises(ValueError, match="nested too deeply"):
            parsed_json(text)
