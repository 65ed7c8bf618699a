"""A pipe, a socket, a device or a folder in place of a file that fewshot reads back: no reader waits for it."""

from __future__ import annotations

import contextlib
import signal

import numpy as np
import pytest

from fewshot.backbones._timm_catalogue import _stored
from fewshot.backbones._weight_config import _content
from fewshot.backbones._weight_files import read_content
from fewshot.commands import _rates
from fewshot.datasets.torchvision_set import TorchvisionSet
from fewshot.features.files import FeatureFiles
from fewshot.files.locks import locked
from fewshot.results import made_here
from fewshot.results.files import Results
from fewshot.results.row import Row
from fewshot.results.training_record import TrainingRecord
from fewshot.scaling.studies.near_and_far import read_distances
from fewshot.splits import ClassSplit
from tests.support.bad_files import special_file

KINDS = ["pipe", "socket", "device", "folder"]


@pytest.fixture(autouse=True)
def _no_wait():
    """Ends a test that waits for a pipe."""

    def stop(*_):
        raise AssertionError("a reader waits")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(params=KINDS)
def special(request):
    def make(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        if request.param == "folder":
            path.mkdir()
            return path
        return special_file(path, request.param)

    return make


@pytest.mark.parametrize("name", ["about.json", "values.f32", "sums.u32", "done"])
def test_a_feature_table_with_a_special_file_is_made_again(name, special, tmp_path, caplog):
    files = FeatureFiles(tmp_path / "features" / "ab", {"n": 3, "dim": 2}, "ab")
    files.folder.parent.mkdir()
    files.open()
    special(files.folder / name)
    assert files.read_done() is None
    assert files.open().tolist() == [0, 0, 0]
    assert "are damaged" in caplog.text
    assert files.read_done() is not None
    assert np.array_equal(files.vectors().gather(np.arange(3)), np.zeros((3, 2)))


def test_lists_of_the_cache_are_as_if_they_were_empty(special, tmp_path, monkeypatch):
    monkeypatch.setenv("FEWSHOT_HOME", str(tmp_path))
    special(tmp_path / "runs_made_here")
    made_here._known.cache_clear()
    made_here.remember_run("ab", "Icons()", "cd")
    assert made_here.was_made_here(Row("ab", dataset="Icons()", images_digest="cd"))  # in this process
    special(tmp_path / "rates.json")
    assert _rates.rates() == {}
    assert _stored(special(tmp_path / "counts.json")) == {}
    made_here._known.cache_clear()


def test_a_lock_holds_without_the_name_of_its_holder(special, tmp_path):
    special(tmp_path / "a.lock.holder")
    with locked(tmp_path / "a.lock", "computes"):
        assert (tmp_path / "a.lock").exists()


@pytest.mark.parametrize(
    "read",
    [
        TrainingRecord.read,
        read_distances,
        ClassSplit.load,
        lambda path: Results(path).rows(),
        lambda path: Results(path).append(Row("ab")),
        lambda path: read_content(path.rename(path.with_suffix(".pt"))),
        _content,
    ],
)
def test_other_readers_refuse_it_in_one_sentence(read, special, tmp_path):
    kinds = "a pipe|a socket|a device|a folder"
    with pytest.raises(ValueError, match=rf"it is ({kinds}).*, not a regular file; give the path"):
        read(special(tmp_path / "a.json"))


def test_torchvision_does_not_wait(special, tmp_path):
    special(tmp_path / "cifar-10-batches-py" / "data_batch_1")
    with pytest.raises(ValueError, match=r"not a regular file|cannot read|is not in|md5"):
        TorchvisionSet("CIFAR10", root=tmp_path).load()
