"""What own code reads or imports while it runs is part of what a run is, or fewshot says that it cannot know it."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fewshot.plugins.code import _SESSION, _warn_unknown, code_digest, function_digest
from fewshot.plugins.reading import readings_of

MEMBER = """
import importlib, json
from dataclasses import dataclass
from pathlib import Path

from fewshot.evaluators.prototype import Prototype

HERE = Path(__file__).parent
NAMES = ["conf", "json"]
CONF = HERE / "conf.json"
{top}

@dataclass(frozen=True)
class Mine(Prototype):
    "Prototypes."

    def fit(self, batch):
        {inside}
        return super().fit(batch)
"""
IDENTITY = "from fewshot.plugins.registry import EVALUATORS; print(EVALUATORS.spec('mine:Mine()').identity)"

# Code that reads conf.json or imports lazymod, and says by a text which it is.
NAMED = [
    "json.load(open('conf.json'))",
    "json.loads(Path(__file__).with_name('conf.json').read_text())",
    "json.loads((HERE / 'sub' / 'conf.json').read_text())",
    "CONF.read_bytes()",
    "json.load(CONF.open())",
    "importlib.import_module('lazymod')",
    "__import__('lazymod')",
]
# Code of which nobody can tell that.
UNKNOWN = [
    "json.loads((HERE / '.'.join(NAMES)).read_text())",
    "open(HERE / f'{NAMES[0]}.json')",
    "importlib.import_module('lazy' + 'mod')",
    "__import__(''.join(['lazy', 'mod']))",
    "exec('import lazy' + 'mod')",
    "eval('1')",
]
# Code that looks like it and is not.
HARMLESS = [
    "open('log.txt', 'w')",
    "(HERE / 'log.txt').open(mode='ab')",
    "self.eval() if 0 else None",
    "print('conf.json')",
    "super().load() if 0 else None",
]


def written(folder: Path, top: str = "", inside: str = "pass") -> None:
    (folder / "sub").mkdir(exist_ok=True)
    for name in ("conf.json", "sub/conf.json"):
        (folder / name).write_text('{"K": 1}')
    (folder / "lazymod.py").write_text("K = 1\n")
    (folder / "mine.py").write_text(MEMBER.format(top=top, inside=inside))


def changed(folder: Path) -> None:
    for name in ("conf.json", "sub/conf.json"):
        (folder / name).write_text('{"K": 22}')
    (folder / "lazymod.py").write_text("K = 22\n")


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A folder for the user's code."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    _warn_unknown.cache_clear()
    return tmp_path


def digest() -> str:
    """The digest of the user's code, as in a new session."""
    os.environ.pop(_SESSION, None)
    importlib.invalidate_caches()
    found = code_digest("mine", None, "all")
    os.environ.pop(_SESSION, None)
    return found


@pytest.mark.parametrize("where", ["top", "inside"])
@pytest.mark.parametrize("code", NAMED)
def test_a_file_or_module_that_is_named_counts(code, where, own, caplog):
    written(own, **{where: code})
    before = digest()
    assert digest() == before
    assert not caplog.messages
    changed(own)
    assert digest() != before


@pytest.mark.parametrize("code", UNKNOWN)
def test_code_that_may_read_or_import_anything_is_repeated_in_every_session(code, own, caplog):
    written(own, inside=code)
    assert digest() != digest()
    [message] = caplog.messages
    assert "fewshot cannot know what" in message
    assert "() in mine.py, line 18 reads or imports" in message


@pytest.mark.parametrize("code", HARMLESS)
def test_other_code_is_recognised(code, own, caplog):
    written(own, inside=code)
    before = digest()
    changed(own)
    assert digest() == before
    assert not caplog.messages


def test_an_evaluator_that_reads_is_another_one_in_another_session_and_the_same_in_processes_of_one(own):
    def identity(**session: str) -> str:
        command, env = [sys.executable, "-c", IDENTITY], {**os.environ, **session}
        return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout

    written(own, inside="exec('1')")
    assert identity() != identity()
    assert identity(**{_SESSION: "one"}) == identity(**{_SESSION: "one"}) != ""


def test_what_runs_only_as_a_script_does_not_count(tmp_path):
    written(tmp_path, top="if __name__ == '__main__':\n    exec('1')")
    assert readings_of(tmp_path / "mine.py") == ()


def test_a_network_with_weights_by_a_computed_name_is_recognised(tmp_path, monkeypatch):
    """Its weights have a digest of their own."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "net_reading.py").write_text("import torch\ndef make(name):\n    return torch.load(name + '.pth')\n")
    assert code_digest("net_reading") == code_digest("net_reading")
    assert readings_of(tmp_path / "net_reading.py")


# Functions of a session


@pytest.fixture
def helper(tmp_path, monkeypatch):
    """A module beside the user's code, with a module that it imports."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deep_of_mine.py").write_text("M = 1\n")
    (tmp_path / "helper_of_mine.py").write_text("import deep_of_mine\nK = 1\ndef scale(x):\n    return K * x\n")
    importlib.invalidate_caches()
    yield importlib.import_module("helper_of_mine")
    for name in ("helper_of_mine", "deep_of_mine"):
        sys.modules.pop(name, None)


USES = {
    "helper.K": ("K", "lambda support, labels, query: query * helper.K"),
    "helper.scale, which uses K": ("K", "lambda support, labels, query: helper.scale(query)"),
    "scale from helper": ("K", "lambda support, labels, query: scale(query)"),
    "a module inside": ("deep_of_mine.M", "lambda support, labels, query: query * helper.deep_of_mine.M"),
    "a lambda inside": ("K", "lambda support, labels, query: (lambda: helper.K)() * query"),
}


@pytest.mark.parametrize("case", USES)
def test_values_of_a_module_that_a_function_uses_are_part_of_its_identity(case, helper, monkeypatch):
    name, code = USES[case]
    function = eval(code, {"helper": helper, "scale": helper.scale})
    before = function_digest(function)
    assert function_digest(function) == before
    place = helper.deep_of_mine if "." in name else helper
    monkeypatch.setattr(place, name.rpartition(".")[2], 2.0)
    assert function_digest(function) != before


def test_a_module_that_a_function_imports_is_part_of_its_identity(helper):
    def imports(support, labels, query):
        import helper_of_mine

        return helper_of_mine.scale(query)

    before = function_digest(imports)
    assert function_digest(imports) == before
    Path("deep_of_mine.py").write_text("M = 2\n")
    assert function_digest(imports) != before


@pytest.mark.parametrize(
    "function",
    [
        lambda support, labels, query: query * len(list(open("conf.txt"))),  # noqa: SIM115
        lambda support, labels, query: importlib.import_module("lazy" + "mod").K * query,
        lambda support, labels, query: query * Path("conf.txt").stat().st_size * len(Path("conf.txt").read_text()),
        lambda support, labels, query: [exec(labels) for _ in query],
    ],
    ids=["open", "import_module", "read_text", "exec"],
)
def test_a_function_that_may_read_or_import_anything_is_never_recognised(function):
    assert function_digest(function) != function_digest(function)
