"""The shell completes commands, options and names of members, and loads nothing heavy for it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


def completed(words: str, code: str = "") -> list[str]:
    """What bash is offered after these words."""
    environment = os.environ | {
        "_FEWSHOT_COMPLETE": "bash_complete",
        "COMP_WORDS": f"fewshot {words}",
        "COMP_CWORD": str(len(words.split())),
    }
    program = f"import sys\nfrom fewshot.cli import main\nsys.argv[0] = 'fewshot'\n{code}\nmain(prog_name='fewshot')"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert not done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("words", "offers"),
    [
        ("res", ["plain,results"]),
        ("results ren", ["plain,rename"]),
        ("results export --wh", ["plain,--where"]),
        ("list eva", ["plain,evaluators"]),
        ("run --evaluator lin", ["plain,LinearProbe", "plain,LinearProbePlusPlus", "plain,LinearSVM"]),
        ("run --backbone Raw", ["plain,RawPixels"]),
        ("run --preset RFS-", ["plain,RFS-single", "plain,RFS-SVM"]),
        ("run --data Ico", ["plain,Icons"]),
        ("run --data ./bir", ["file,./bir"]),
        ("bench smo", ["plain,smoke"]),
        ("run --results a", ["file,a"]),
    ],
)
def test_the_shell_is_offered(words, offers):
    assert completed(words) == offers


def test_completion_imports_nothing_heavy():
    code = (
        "import atexit\n"
        "heavy = {'torch', 'timm', 'numpy'}\n"
        "atexit.register(lambda: print(*heavy & set(sys.modules), file=sys.stderr, end=''))"
    )
    assert completed("run --evaluator Proto", code)[-1] == "plain,Prototype"
