"""The names of devices: known ones pass, others are one sentence, in Python and on the command line."""

from __future__ import annotations

from dataclasses import replace

import pytest
from torch import nn

from fewshot.backbones.raw_pixels import RawPixels
from fewshot.plugins.devices import check_device
from tests.support.command_line import QUICK, call

WRONG = ["gpu", "cuda1", "CUDA", "cuda:", "cpu,", "", "meta", "0"]


@pytest.mark.parametrize("name", ["cpu", "cuda", "cuda:0", "mps", "xpu:12"])
def test_a_known_device_passes(name):
    assert check_device(name) == name


@pytest.mark.parametrize("name", WRONG)
def test_another_is_one_sentence(name):
    with pytest.raises(ValueError, match=f"there is no device '{name}'; known: cpu, cuda, .* such as cuda:1$"):
        check_device(name)


@pytest.mark.parametrize("device", ["xpu", "cuda:99"])
def test_an_absent_device_is_one_sentence(device):
    with pytest.raises(ValueError, match=f"this machine cannot use the device '{device}': .*; use cpu") as error:
        replace(RawPixels().load(), network=nn.Linear(2, 2)).to(device)
    assert "\n" not in str(error.value)


@pytest.mark.usefixtures("working_folder")
def test_an_unknown_device_is_refused_when_all_runs_are_finished():
    words = ("run", "--data", "birds", *QUICK, "--evaluator", "Prototype")
    assert call(*words).exit_code == 0
    result = call(*words, "--device", "gpu")
    assert result.exit_code == 2
    assert "there is no device 'gpu'" in result.stderr
    assert call(*words, "--device", "cpu").exit_code == 0
