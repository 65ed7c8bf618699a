"""The script for a machine with a GPU, in tiny form on the CPU."""

from __future__ import annotations

import json

import numpy as np
import torch
from fewshot.benchmarks import on_device
from fewshot.benchmarks.device_embedding import photos

CPU = torch.device("cpu")


def test_every_part_runs_and_the_cpu_equals_itself(monkeypatch):
    monkeypatch.setattr("fewshot.runs.self_test.NETWORK", "test_resnet")
    found = on_device.measure(CPU, on_device.TINY, 600)
    assert not on_device.failures(found), found
    json.dumps(found)
    assert found["self-test"]["difference"] == 0
    [equality] = found["equality"]
    assert all(value for name, value in equality.items() if name.startswith("same_bits"))
    assert equality["from_the_cpu"] == 0
    assert 0 < equality["bfloat16"] < 0.1
    assert found["out of memory"] == {"left out": "the memory of torch can be limited on a GPU only"}
    assert all(part["same_predictions"] > 0.99 for part in found["heads"])
    assert all(part["same_predictions"] == 1 for part in found["fine-tuning"])
    assert found["machine"]["device"] == "cpu"
    assert on_device.table(found).count("test_resnet at 32 px") == 2


def test_a_part_that_fails_leaves_its_error_and_a_late_one_its_name(monkeypatch):
    def broken():
        raise RuntimeError("no kernel image is available")

    monkeypatch.setattr(on_device, "parts", lambda device, size: {"heads": broken, "embedding": list})
    found = on_device.measure(CPU, on_device.TINY, 600)
    assert found["heads"] == {"error": "RuntimeError: no kernel image is available"}
    assert found["embedding"] == []
    assert on_device.failures(found) == ["heads"]
    late = on_device.measure(CPU, on_device.TINY, -1)
    assert late["embedding"] == {"left out": "the time limit of -1 s was reached"}


def test_photos_are_as_large_as_those_of_imagenet():
    pictures = photos(100)
    assert pictures.images[99].size == (500, 375)
    assert np.array_equal(np.asarray(pictures.images[64]), np.asarray(pictures.images[0]))
    assert not np.array_equal(np.asarray(pictures.images[1]), np.asarray(pictures.images[0]))
