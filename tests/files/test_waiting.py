"""Threads of OpenMP wait without burning the processor, unless the user has chosen otherwise."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from fewshot.files.waiting import NAMES, POLICY, share_processor


def test_a_process_without_a_choice_gets_the_policy():
    environment = {"HOME": "/home/me"}
    share_processor(environment)
    assert environment == {"HOME": "/home/me", **POLICY}


@pytest.mark.parametrize("name", NAMES)
def test_a_choice_of_the_user_stays_as_it_is(name):
    environment = {name: "ACTIVE"}
    share_processor(environment)
    assert environment == {name: "ACTIVE"}


def test_a_command_sets_the_policy_before_torch_is_imported():
    code = """
import os, sys
from fewshot.cli import main

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            print(*(os.environ.get(name) for name in sys.argv[1:]))
            os._exit(0)

sys.meta_path.insert(0, Watch())
main(["doctor"])
"""
    environment = {name: value for name, value in os.environ.items() if name not in NAMES}
    command = [sys.executable, "-c", code, *POLICY]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == list(POLICY.values())


def test_importing_the_package_changes_no_environment():
    code = "import os; before = dict(os.environ); import fewshot, fewshot.cli; print(before == dict(os.environ))"
    environment = {name: value for name, value in os.environ.items() if name not in NAMES}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
