"""Files of trainings that changed on the disk: nothing of them is used, and one sentence says so."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch import nn

from fewshot.backbones.pretrained import Pretrained
from fewshot.pretraining._saving import Progress, saved
from tests.support.trained_networks import DATA, NET, SHORT, equal, trained

IDENTITY = "of this training"
BYTES: dict[str, bytes] = {}


def progress(n_in: int = 3) -> Progress:
    """The start of a training of a small network."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(n_in, 4), nn.BatchNorm1d(4))
    return Progress(network, torch.optim.AdamW(network.parameters()))


def after_two_steps(path: Path) -> Progress:
    """A state after two steps, in the file."""
    state = progress()
    for _ in range(2):
        loss = state.objective(torch.rand(5, 3)).square().sum() + state.objective[0].weight.square().sum()
        loss.backward()
        state.optimizer.step()
        state.losses.append(float(loss.detach()))
        state.keep_best(float(loss.detach()))
    state.save(path, IDENTITY)
    return state


def resumed(path: Path, state: Progress) -> bool:
    """Whether a state is taken up; if not, nothing of it is changed."""
    before = {name: value.clone() for name, value in state.objective.state_dict().items()}
    taken = state.resume(path, IDENTITY)
    if not taken:
        assert equal(dict(state.objective.state_dict()), before)
        assert (state.losses, state.best, len(state.optimizer.state)) == ([], None, 0)
    return taken


def test_a_state_comes_back_as_it_was(tmp_path):
    state, other = after_two_steps(tmp_path / "file"), progress()
    assert resumed(tmp_path / "file", other)
    assert equal(dict(other.objective.state_dict()), dict(state.objective.state_dict()))
    assert (other.losses, other.best_loss, other.best_step) == (state.losses, state.best_loss, state.best_step)


CHANGES = {
    "it has no losses of its steps": lambda tensors: tensors.pop("losses"),
    "it has no losses of its steps ": lambda tensors: tensors.update(losses=torch.zeros(2, 2)),
    "it lacks '0.weight'": lambda tensors: tensors.pop("objective.0.weight"),
    "it has an unknown '9.weight'": lambda tensors: tensors.update({"objective.9.weight": torch.zeros(1)}),
    r"'0.weight' should be \(4, 3\) torch.float32, but is \(4, 9\) torch.float32": lambda tensors: tensors.update(
        {"objective.0.weight": torch.zeros(4, 9)}
    ),
    r"'0.bias' should be \(4,\) torch.float32, but is \(4,\) torch.float64": lambda tensors: tensors.update(
        {"best.0.bias": torch.zeros(4, dtype=torch.float64)}
    ),
    "'exp_avg' of the optimizer": lambda tensors: tensors.update({"optimizer.0.exp_avg": torch.zeros(2)}),
}


@pytest.mark.parametrize("problem", CHANGES)
def test_a_state_that_does_not_fit_is_not_taken_up_and_says_why(tmp_path, problem, caplog):
    path = tmp_path / "file"
    after_two_steps(path)
    tensors, about = load_file(path), {"identity": IDENTITY}
    CHANGES[problem](tensors)
    about["progress"] = json.dumps({"best_loss": 1.0, "best_step": 1, "seconds": 0.5})
    path.write_bytes(saved(tensors, about))
    assert not resumed(path, progress())
    caplog.clear()
    assert not progress().resume(path, IDENTITY)
    [record] = caplog.records
    assert re.search(f"{problem.strip()}.*; the training starts anew", record.getMessage())


@pytest.mark.parametrize("about", [{}, {"progress": "{"}, {"progress": "{}"}, {"progress": '{"best_loss": "x"}'}])
def test_a_state_that_does_not_say_how_far_it_is_is_not_taken_up(tmp_path, about, caplog):
    after_two_steps(tmp_path / "file")
    (tmp_path / "file").write_bytes(saved(load_file(tmp_path / "file"), {"identity": IDENTITY, **about}))
    assert not resumed(tmp_path / "file", progress())
    assert "it does not say how far the training was" in caplog.text


def test_a_state_of_another_shape_of_network_is_not_taken_up(tmp_path, caplog):
    after_two_steps(tmp_path / "file")
    assert not resumed(tmp_path / "file", progress(7))
    assert "should be (4, 7)" in caplog.text


def flipped(content: bytes, bits: list[int]) -> bytes:
    """The content with these bits turned."""
    changed = bytearray(content)
    for at in bits:
        changed[at // 8 % len(content)] ^= 1 << at % 8
    return bytes(changed)


BITS = st.lists(st.integers(0, (1 << 20) - 1), min_size=1, max_size=3, unique=True)


@given(BITS)
def test_whatever_bit_of_a_state_flips_it_is_whole_or_not_taken_up(tmp_path, bits):
    path, other = tmp_path / "file", progress()
    state = after_two_steps(path)
    path.write_bytes(flipped(path.read_bytes(), bits))
    if resumed(path, other):
        assert equal(dict(other.objective.state_dict()), dict(state.objective.state_dict()))
        assert (other.losses, other.best_loss, other.best_step) == (state.losses, state.best_loss, state.best_step)


@settings(max_examples=30)
@given(name=st.sampled_from(["weights.safetensors", "record.json"]), bits=BITS)
def test_whatever_bit_of_weights_or_record_flips_they_are_whole_or_refused(tmp_path, name, bits):
    source = trained(Pretrained(NET, DATA, SHORT))
    path = source.folder / name
    content = BYTES.setdefault(name, path.read_bytes())
    path.write_bytes(content)
    right = source.load()
    path.write_bytes(flipped(content, bits))
    try:
        found = source.load()
    except ValueError:
        return
    finally:
        path.write_bytes(content)
    assert equal(dict(found.network.state_dict()), dict(right.network.state_dict()))
    assert (found.training, found.pretrained_on) == (right.training, right.pretrained_on)
