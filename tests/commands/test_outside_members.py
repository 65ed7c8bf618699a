"""Classes from outside that are wrong in any way are one sentence with the class and its file, of every kind."""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path

import pytest

from tests.support.command_line import QUICK, call
from tests.support.outside_members import FAULTS, METHODS, OPTIONS, source

pytestmark = pytest.mark.usefixtures("working_folder")


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module in the working folder with all wrong classes."""
    Path("own_wrong.py").write_text(source())
    monkeypatch.syspath_prepend(str(Path.cwd()))
    monkeypatch.delitem(sys.modules, "own_wrong", raising=False)
    return "own_wrong"


def sentence(*words: str) -> str:
    """The one sentence of a command that failed."""
    result = call(*words)
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.output
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    return line


@pytest.mark.parametrize(("base", "fault"), list(product(METHODS, FAULTS)))
def test_a_run_names_the_class_and_its_file(base: str, fault: str, module: str) -> None:
    name, option = f"{module}:{base}_{fault}", OPTIONS[base]
    options = {"--data": "birds", QUICK[0]: QUICK[1], "--evaluator": "Prototype", option: name}
    line = sentence("run", *QUICK[2:], *(word for pair in options.items() for word in pair))
    assert f"{base}_{fault}" in line
    assert "own_wrong.py" in line or fault == "fields"


@pytest.mark.parametrize(("base", "fault"), list(product(METHODS, FAULTS)))
def test_check_names_the_class_and_its_file(base: str, fault: str, module: str) -> None:
    result = call("check", f"{module}:{base}_{fault}")
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 1, result.output
    assert f"{base}_{fault}" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import absent_module", "No module named 'absent_module'"),
        ("1 / 0", "ZeroDivisionError: division by zero in "),
        ("def f(:", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit: 3 in "),
        ("Wrong = 3", "the module 'broken' has no class 'Wrong'"),
    ],
)
@pytest.mark.parametrize("option", sorted(set(OPTIONS.values())))
def test_a_module_that_fails_on_import_is_one_sentence(option: str, text: str, why: str, monkeypatch) -> None:
    Path("broken.py").write_text(text + "\n")
    monkeypatch.syspath_prepend(str(Path.cwd()))
    monkeypatch.delitem(sys.modules, "broken", raising=False)
    options = {"--data": "birds", QUICK[0]: QUICK[1], option: "broken:Wrong"}
    line = sentence("run", *QUICK[2:], *(word for pair in options.items() for word in pair))
    assert why in line
    assert "broken" in line
