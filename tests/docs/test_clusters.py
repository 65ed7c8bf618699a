"""Every command on the pages about clusters and devices can be parsed: in blocks, in sentences, in scripts of job
schedulers and in the file for Kubernetes."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
import subprocess
from collections.abc import Iterator
from typing import Any

import click
import pytest

from tests.support.checkout import DOCS
from tests.support.command_line import parse
from tests.support.pages import blocks

PAGES = [DOCS / "clusters.md", DOCS / "devices.md", DOCS / "reliability.md"]
PLACES = {"SUITE": "quick", "FOLDER": "plan", "ADDRESS": "tcp://10.0.0.5:8786", "FILE": "scheduler.json"}
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"(?:^|\s)((?:fewshot|dask) (?:work|bench|report|doctor|run|scheduler|worker)\b[^#;|`]*)")
SCRIPTS = [text for _, text in blocks(DOCS / "clusters.md") if re.search(r"^#(SBATCH|PBS) ", text, re.MULTILINE)]
(JOB,) = [text for _, text in blocks(DOCS / "clusters.md") if text.startswith("apiVersion:")]
(CLUSTER,) = [text for _, text in blocks(DOCS / "clusters.md") if "dask_jobqueue" in text]


def spans(page: Any) -> list[str]:
    """The code in the sentences of a page, each on one line."""
    text = _FENCED.sub("", page.read_text(encoding="utf-8"))
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", text)]


def commands() -> Iterator[list[str]]:
    """The words of every command of fewshot and of Dask on the pages, outside of blocks of console."""
    for page in PAGES:
        lines = [line for language, text in blocks(page) if language == "text" for line in text.splitlines()]
        for text in (*spans(page), *lines):
            for command in _COMMAND.findall(text):
                words = shlex.split(command)
                if len(words) > 2:  # others are the names of commands
                    yield [PLACES.get(word, word) for word in words]


COMMANDS = list(dict.fromkeys(map(tuple, commands())))


def test_the_pages_show_commands_in_sentences_and_scripts():
    assert len(COMMANDS) >= 8
    assert {command[:2] for command in COMMANDS} >= {("fewshot", "work"), ("dask", "worker"), ("dask", "scheduler")}


def command_of_dask(name: str) -> click.Command:
    """`dask scheduler` or `dask worker`."""
    module = pytest.importorskip(f"distributed.cli.dask_{name}")
    command: click.Command = module.main
    return command


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_can_be_parsed(command: tuple[str, ...]) -> None:
    program, *words = command
    if program == "fewshot":
        parse(words)
    else:
        command_of_dask(words[0]).make_context(words[0], words[1:])


OF_DASK = ("lifetime", "lifetime-stagger", "resources", "nthreads", "tls-ca-file", "tls-cert", "tls-key")


@pytest.mark.parametrize("option", [f"--{name}" for name in OF_DASK])
def test_options_of_dask_are_its_own(option: str) -> None:
    known = {name for parameter in command_of_dask("worker").params for name in parameter.opts}
    assert option in known
    assert any(option in span for span in spans(PAGES[0])) or option in CLUSTER


@pytest.mark.parametrize("script", SCRIPTS, ids=["SLURM", "PBS"])
def test_a_script_of_a_job_scheduler_is_one_of_the_shell(script: str) -> None:
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    *_, last = script.strip().splitlines()
    assert "exec fewshot work " in last  # the signal before the end of its time reaches fewshot


def test_the_job_of_kubernetes_runs_a_worker_on_the_shared_volume():
    job = pytest.importorskip("yaml").safe_load(JOB)
    assert (job["apiVersion"], job["kind"], job["spec"]["completionMode"]) == ("batch/v1", "Job", "Indexed")
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    program, *words = container["command"]
    assert program == "fewshot"
    parse(words)
    mounted = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounted.keys() == {volume["name"] for volume in pod["volumes"]}
    places = [words[-1], *(variable["value"] for variable in container["env"])]
    assert all(place.startswith(tuple(f"{path}/" for path in mounted.values())) for place in places)


def test_the_cluster_of_a_job_scheduler_has_options_that_dask_knows():
    scheduler = pytest.importorskip("distributed").Scheduler
    calls = [node for node in ast.walk(ast.parse(CLUSTER)) if isinstance(node, ast.Call)]
    (call,) = [node for node in calls if ast.unparse(node.func) == "SLURMCluster"]
    given = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
    command_of_dask("worker").make_context("worker", ["tcp://10.0.0.5:8786", *given["worker_extra_args"]])
    assert given["scheduler_options"].keys() <= inspect.signature(scheduler.__init__).parameters.keys()
