"""docs/extending.md: what it shows runs, in an empty folder, as a new user would; and members of an installed package
and of a plain module are used by every command."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from fewshot.cli import main
from tests.support.checkout import DOCS
from tests.support.report_rows import row

GUIDE = (DOCS / "extending.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
SHOWN = {block.splitlines()[0].removeprefix("# "): block for kind, block in BLOCKS if kind in ("python", "toml")}
COMMANDS = [line for kind, block in BLOCKS if kind == "sh" for line in block.splitlines()]
GROUPS = {
    "evaluators": "NearestMedian = mine:NearestMedian",
    "samplers": "Neighbours = neighbours:Neighbours",
    "datasets": "FewDigits = digits:FewDigits",
    "backbones": "ColourHistogram = histogram:ColourHistogram",
    "transforms": "SquareRoot = root:SquareRoot",
    "measures": "SureAndWrong = sure_and_wrong:SureAndWrong",
    "report.studies": "ShotGain = shot_gain:ShotGain",
}


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    """A folder with the modules that the guide shows."""
    folder = tmp_path / "modules"
    folder.mkdir()
    for name, text in SHOWN.items():
        (folder / name).write_text(text)
    return folder


def fewshot(cwd: Path, *args: str, **environment: str) -> str:
    """What a command prints in a process of its own; it must succeed."""
    done = subprocess.run(
        [sys.executable, "-m", "fewshot", *args], cwd=cwd, env=os.environ | environment, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{args}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_the_evaluator_takes_thirty_lines():
    lines = [line for line in SHOWN["mine.py"].splitlines()[1:] if line.strip()]
    assert len(lines) <= 30


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_guide_runs_where_its_modules_are(line, modules, monkeypatch):
    monkeypatch.chdir(modules)
    monkeypatch.setattr(sys, "path", list(sys.path))
    program, *args = shlex.split(line)
    assert program == "fewshot"
    result = CliRunner().invoke(main, args)
    for module in SHOWN:
        sys.modules.pop(module.removesuffix(".py"), None)
    assert result.exit_code == 0, result.output
    assert ("all rules hold" if args[0] == "check" else "rows: results/") in result.stdout


@pytest.fixture
def installed(modules: Path, tmp_path: Path) -> dict[str, str]:
    """The environment in which a package with the modules, and an entry point for each class, is installed."""
    info = modules / "fewshot_outside-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fewshot-outside\nVersion: 1.0\n")
    points = "\n".join(f"[fewshot.{group}]\n{line}" for group, line in GROUPS.items())
    (info / "entry_points.txt").write_text(points + "\n")
    return {"PYTHONPATH": str(modules)}


def test_members_of_an_installed_package_are_used_by_their_names(installed, tmp_path):
    listed = fewshot(tmp_path, "list", **installed)
    for name in ("NearestMedian(scale=1.0)", "Neighbours(width=7)", "FewDigits()", "ColourHistogram()", "SquareRoot()"):
        assert f"  {name}\n" in listed
    assert "  SureAndWrong\n" in listed
    shown = fewshot(
        tmp_path, "run", "--data", "FewDigits", "--backbone", "ColourHistogram()", "--evaluator", "NearestMedian(2)",
        "--sampler", "Neighbours", "--transform", "SquareRoot", "--episodes", "5", "--measures", **installed,
    )  # fmt: skip
    assert "rows: results/runs.jsonl" in shown
    row = (tmp_path / "results" / "runs.jsonl").read_text()
    for spec in ("FewDigits()", "ColourHistogram()", "NearestMedian(scale=2.0)", "Neighbours(width=7)", "SquareRoot()"):
        assert f'"{spec}"' in row
    columns = json.loads(row.splitlines()[0])
    names = list(columns)
    place = names.index("sure_and_wrong")
    assert names[place - 1] == "mean_per_class_high"
    assert names[place : place + 4] == [
        "sure_and_wrong",
        "sure_and_wrong_low",
        "sure_and_wrong_high",
        "n_not_converged",
    ]
    assert "sure and wrong" in shown
    fewshot(tmp_path, "report", **installed)
    page = (tmp_path / "results" / "runs.html").read_text()
    assert '<th scope="col">sure and wrong</th>' in page
    assert f"<td>{100 * columns['sure_and_wrong']:.1f}" in page
    assert fewshot(tmp_path, "check", "FewDigits", **installed) == "FewDigits(): all rules hold\n"


def test_a_study_of_an_installed_package_is_a_subcommand_and_a_section(installed, tmp_path):
    rows = [row(0.3 + k / 50, k_shot=k, evaluator=head) for head in ("Prototype()", "LinearProbe()") for k in (1, 5)]
    (tmp_path / "rows.jsonl").write_text("".join(f"{each.to_json()}\n" for each in rows))
    assert "shot_gain" in fewshot(tmp_path, "study", "--help", **installed)
    printed = fewshot(tmp_path, "study", "shot_gain", "rows.jsonl", **installed)
    assert "More shots gain up to 8.0 points." in printed
    assert "1 to 5" in printed
    findings = json.loads(fewshot(tmp_path, "study", "shot_gain", "rows.jsonl", "--json", **installed))
    assert [round(each["points"], 6) for each in findings] == [8.0, 8.0]
    fewshot(tmp_path, "report", "rows.jsonl", "--out", "rows.html", **installed)
    assert "<h2>What more shots gain</h2>" in (tmp_path / "rows.html").read_text()


def test_a_module_on_the_path_is_used_by_dotted_names(modules, tmp_path):
    path = {"PYTHONPATH": str(modules)}
    fewshot(
        tmp_path, "run", "--data", "digits:FewDigits", "--backbone", "histogram:ColourHistogram()", "--evaluator",
        "mine:NearestMedian", "--sampler", "neighbours:Neighbours(5)", "--transform", "root:SquareRoot",
        "--episodes", "5", **path,
    )  # fmt: skip
    row = (tmp_path / "results" / "runs.jsonl").read_text()
    assert '"mine:NearestMedian(scale=1.0)"' in row
