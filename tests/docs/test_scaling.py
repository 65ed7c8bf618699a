"""What docs/scaling.md says can be typed and pasted."""

from __future__ import annotations

import csv
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from fewshot.cli import main
from fewshot.plugins.registry import LAWS
from tests.support.checkout import DOCS

TEXT = (DOCS / "scaling.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder with the tables that the page speaks of."""
    monkeypatch.chdir(tmp_path)
    sizes = 100.0 * 2 ** np.arange(8)
    write(
        "curves.csv",
        ["network", "images", "loss", "Training"],
        [(n, x, a * x**-0.3 + 0.02, int(x < 6000)) for n, a in (("small", 3.0), ("large", 2.0)) for x in sizes],
    )
    runs = []
    for size in (1e4, 1e5, 1e6):
        runs += [(size, d, 5 * d**-0.3, "none") for d in np.geomspace(10, 1e6, 9)]
        runs += [(size, d, 5 * (d + 50 * d**0.3 * size**0.3) ** -0.3, "icons") for d in np.geomspace(10, 1e3, 5)]
    write("runs.csv", ["size", "D_F", "loss", "source"], runs)
    write("shots.csv", ["k_shot", "error"], [(k, 0.02 + 0.55 * k**-0.5) for k in (1, 2, 3, 5, 8, 12, 18, 27)])


def write(name: str, columns: list[str], lines: list[tuple[object, ...]]) -> None:
    with open(name, "w", newline="") as file:
        csv.writer(file).writerows([columns, *lines])


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def test_the_commands_run():
    said = []
    for line in "".join(blocks("sh")).splitlines():
        done = CliRunner().invoke(main, shlex.split(line)[1:])
        assert done.exit_code == 0, done.output
        said.append(done.output)
    assert Path("fits.svg").read_text().startswith("<?xml")
    assert "k 50 [" in said[3]
    assert "0.9 needs" in said[5]


def test_the_python_runs(capsys):
    for block in blocks("python"):
        exec(compile(block, "docs/scaling.md", "exec"), {})
    first, second, third = capsys.readouterr().out.splitlines()
    assert first.startswith("M1(beta=2.0")
    assert first.endswith("one fit for each of 3 seeds, Student's t")
    assert second.endswith("good to twice the largest size")
    assert float(third) == pytest.approx(2.0 ** (1 / 0.3) * 10 ** (1 / 0.3), rel=0.2)


def test_every_law_is_on_the_page():
    assert {name for name in LAWS.names() if f"`{name}`" not in TEXT} == set()
