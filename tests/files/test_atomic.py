"""Files are complete or absent, and errors name the cause."""

from __future__ import annotations

import errno
import os
import pickle
import stat

import numpy as np
import pytest
import torch
from safetensors.numpy import save
from safetensors.torch import save as save_torch

from fewshot.files.atomic import home, make_folder, read_safetensors, write_atomically, write_safetensors


def test_home_is_the_environment_variable_or_the_users_cache(monkeypatch, tmp_path):
    assert home() == tmp_path / "fewshot_home"
    monkeypatch.delenv("FEWSHOT_HOME")
    assert home().name == "fewshot"


def test_a_file_is_written_with_its_folders_and_replaced(tmp_path):
    path = tmp_path / "a" / "b" / "file.bin"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert [p.name for p in path.parent.iterdir()] == ["file.bin"]


def test_others_may_read_what_the_umask_allows(tmp_path):
    before = os.umask(0o022)
    try:
        write_atomically(tmp_path / "file", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o644


def fails_with(code):
    def fail(*_, **__):
        raise OSError(code, os.strerror(code))

    return fail


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_no_temporary(tmp_path, monkeypatch, step):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, step, fails_with(errno.ENOSPC))
    with pytest.raises(OSError, match=r"cannot write .*file: No space left on device; any earlier file is unchanged"):
        write_atomically(path, b"new")
    assert {p: p.read_bytes() for p in tmp_path.iterdir()} == {path: b"old"}


def test_a_kill_leaves_the_old_file_and_no_temporary(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b"new")
    assert {p: p.read_bytes() for p in tmp_path.iterdir()} == {path: b"old"}


def test_a_folder_in_place_of_the_file_is_named(tmp_path):
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError, match=r"cannot write .*file: Is a directory"):
        write_atomically(tmp_path / "file", b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("below", ["file", "file/deeper"])
def test_a_file_in_place_of_a_folder_is_named(tmp_path, below):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match=r"cannot create the folder .*file.*; make it writable or choose another folder"):
        make_folder(tmp_path / below)


def test_a_file_of_an_older_release_without_a_checksum_is_read_with_one_warning(tmp_path, caplog):
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(save({"a": np.arange(3)}, metadata={"fewshot": '{"b": "c"}'}))
        arrays, about = read_safetensors(tmp_path / name, "a list")
        assert (arrays["a"].tolist(), about) == ([0, 1, 2], {"b": "c"})
    assert caplog.text.count("were written as a list by an older release, without a checksum") == 1


@pytest.mark.parametrize("metadata", [{}, {"fewshot": "{}", "chdcksum": "00000000"}, {"checksum": "00000000"}])
def test_a_file_whose_checksum_is_lost_is_refused(tmp_path, metadata):
    (tmp_path / "file").write_bytes(save({"a": np.arange(3)}, metadata=metadata))
    with pytest.raises(ValueError, match="cannot be read as a list: its checksum is not that of its content"):
        read_safetensors(tmp_path / "file", "a list")


def test_every_changed_byte_of_a_file_is_noticed(tmp_path):
    path = tmp_path / "file"
    write_safetensors(path, {"a": np.arange(20, dtype=np.int16), "b": np.zeros(3)}, {"note": "text"})
    content = path.read_bytes()
    for at in range(8, len(content)):
        for bit in (1, 64):
            path.write_bytes(content[:at] + bytes([content[at] ^ bit]) + content[at + 1 :])
            try:
                arrays, about = read_safetensors(path, "a list")
            except ValueError:
                continue
            assert about == {"note": "text"}  # white space, or the name of the checksum's own field
            assert arrays["a"].tolist() == list(range(20))


def test_arrays_and_metadata_come_back_unchanged(tmp_path):
    arrays = {
        "strided": np.arange(12, dtype=np.float16)[::2],
        "turned": np.arange(6, dtype=np.int32).reshape(2, 3).T,
        "none": np.zeros(0, np.int32),
        "größe": np.array([True, False, True]),
    }
    about = {"name": 'größe "x"', "n": 3}
    write_safetensors(tmp_path / "file", arrays, about)
    read, metadata = read_safetensors(tmp_path / "file", "arrays")
    assert metadata == about
    for name, array in arrays.items():
        assert read[name].dtype == array.dtype
        assert np.array_equal(read[name], array)


WHOLE = save({"a": np.arange(100)})
FOREIGN = {
    "empty": b"",
    "text": b"hello, world" * 100,
    "pickle": pickle.dumps({"a": np.arange(100)}),
    "truncated": WHOLE[:-8],
    "damaged header": WHOLE[:8] + b"\xff" + WHOLE[9:],
    "metadata is no JSON": save({"a": np.arange(3)}, metadata={"fewshot": "{"}),
    "metadata is no object": save({"a": np.arange(3)}, metadata={"fewshot": "[]"}),
    "metadata without end": save({"a": np.arange(3)}, metadata={"fewshot": "[" * 100_000}),
    "bfloat16": save_torch({"a": torch.zeros(2, dtype=torch.bfloat16)}),
    "float8": save_torch({"a": torch.zeros(2).to(torch.float8_e4m3fn)}),
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_the_error_for_a_foreign_file_is_one_sentence(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ValueError, match=r"file cannot be read as an episode list: "):
        read_safetensors(tmp_path / "file", "an episode list")


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"there is no file .*none; expected an episode list there"):
        read_safetensors(tmp_path / "none", "an episode list")
    with pytest.raises(ValueError, match="it is a folder, not a regular file"):
        read_safetensors(tmp_path, "an episode list")
