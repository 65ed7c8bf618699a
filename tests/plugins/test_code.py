"""The code of members from outside is part of what a run is: an edit, also of a helper, makes another run."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from fewshot.plugins.code import code_digest
from fewshot.plugins.registry import BACKBONES, EVALUATORS, REGISTRIES

MEMBER = """
from dataclasses import dataclass

from fewshot.evaluators.prototype import Prototype
{imports}

@dataclass(frozen=True)
class Mine(Prototype):
    '''Prototypes.'''

    metric: str = "euclidean"
"""

# How a member may come by its helper, and where that lies.
IMPORTS = {
    "import helper": "helper.py",
    "from helper import VALUE": "helper.py",
    "import package.helper": "package/helper.py",
    "from package import helper": "package/helper.py",
    "from package.helper import VALUE": "package/helper.py",
    "import package": "package/__init__.py",
    "from package.deep import far": "package/deep/further.py",
    "def later():\n    import helper": "helper.py",
    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import helper": "helper.py",
}


def digest_of_mine(folder: Path) -> str:
    """The code digest that a fresh process computes."""
    code = "from fewshot.plugins.registry import EVALUATORS; print(EVALUATORS.spec('mine:Mine').identity)"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def written(folder: Path, imports: str) -> None:
    for name in ("helper.py", "package/__init__.py", "package/helper.py", "package/deep/__init__.py", "unused.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("VALUE = 1\n")
    (folder / "package" / "deep" / "far.py").write_text("from . import further\n")
    (folder / "package" / "deep" / "further.py").write_text("VALUE = 1\n")
    (folder / "mine.py").write_text(MEMBER.format(imports=imports))


@pytest.mark.parametrize(("imports", "helper"), IMPORTS.items())
def test_a_changed_helper_is_another_identity_and_an_unused_module_is_not(tmp_path, imports, helper):
    written(tmp_path, imports)
    before = digest_of_mine(tmp_path)
    (tmp_path / "unused.py").write_text("VALUE = 2\n")
    (tmp_path / ".venv/lib/site-packages").mkdir(parents=True)
    assert digest_of_mine(tmp_path) == before
    (tmp_path / helper).write_text("VALUE = 2\n")
    assert digest_of_mine(tmp_path) != before


def test_an_edit_of_the_member_itself_is_another_identity_and_the_same_code_elsewhere_is_not(tmp_path):
    for name in ("a", "b"):
        written(tmp_path / name, "import helper")
    before = digest_of_mine(tmp_path / "a")
    assert digest_of_mine(tmp_path / "b") == before
    with open(tmp_path / "a" / "mine.py", "a") as file:
        file.write("\n    def working_bytes(self, *_):\n        return 0\n")
    assert digest_of_mine(tmp_path / "a") != before


def test_a_function_that_makes_a_network_carries_its_code_and_is_not_imported_for_it(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "nets_of_mine.py").write_text("import nets_helper\n1 / 0\n")
    (tmp_path / "nets_helper.py").write_text("VALUE = 1\n")
    importlib.invalidate_caches()
    spec = BACKBONES.spec("Function(target='nets_of_mine:small')")
    before = spec.identity
    assert "@" in before
    assert "nets_of_mine" not in sys.modules
    (tmp_path / "nets_helper.py").write_text("VALUE = 2\n")
    assert spec.identity != before


def test_members_of_the_package_carry_no_code():
    for registry in REGISTRIES:
        for name in registry.names():
            assert not registry.signature(name).module or registry.signature(name).module.startswith("fewshot.")
    assert EVALUATORS.spec("LinearProbe").code == ""


def test_a_class_without_source_is_another_run_in_every_process(caplog):
    code = "import types, sys; sys.modules['odd'] = types.ModuleType('odd'); "
    code += "from fewshot.plugins.code import code_digest; print(code_digest('odd'), code_digest('odd'))"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(2)]
    (a, b), (c, _) = (run.stdout.split() for run in runs)
    assert a == b != c
    assert "repeats them" in runs[0].stderr


def test_a_module_that_is_run_as_a_script_counts(tmp_path):
    (tmp_path / "script.py").write_text(
        "from fewshot.plugins.code import code_digest\nimport helper\nprint(code_digest('__main__'))\n"
    )
    (tmp_path / "helper.py").write_text("VALUE = 1\n")

    def digest() -> str:
        return subprocess.run(
            [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout

    before = digest()
    (tmp_path / "helper.py").write_text("VALUE = 2\n")
    assert digest() != before


def test_code_that_does_not_parse_still_has_a_digest(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "broken_code.py").write_text("def (:\n")
    assert len(code_digest("broken_code")) == 16


@pytest.mark.parametrize(
    ("text", "said"),
    [("def (:\n", "SyntaxError"), ("1 / 0\n", "ZeroDivisionError"), ("import nothing_here\n", "No module")],
)
def test_a_class_whose_module_fails_on_import_is_one_sentence(tmp_path, monkeypatch, text, said):
    monkeypatch.syspath_prepend(tmp_path)
    name = f"failing_{len(text)}"
    (tmp_path / f"{name}.py").write_text(text)
    with pytest.raises(ValueError, match=f"cannot be imported: .*{said}"):
        EVALUATORS.make(f"{name}:Mine")


def test_an_abstract_class_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "abstract_one.py").write_text(
        "from dataclasses import dataclass\nfrom fewshot.evaluators import FeatureEvaluator\n"
        "@dataclass(frozen=True)\nclass Half(FeatureEvaluator):\n    'Half.'\n"
    )
    with pytest.raises(ValueError, match=r"abstract_one:Half \(.*\) is not complete: it has no .*fit\(\)"):
        EVALUATORS.make("abstract_one:Half")
