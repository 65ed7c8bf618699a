"""Shards of webdataset that were cut are refused; those of the usual writers are read."""

from __future__ import annotations

import shutil
import tarfile
from io import BytesIO
from pathlib import Path
from subprocess import run

import pytest

from fewshot.datasets.web_dataset_shards import WebDatasetShards
from tests.support.tar_files import picture, samples, shard

CUT = "ends without tar's end mark; it was cut: fetch it again"


def refusal(file: Path) -> str:
    with pytest.raises(ValueError, match=r".") as caught:
        WebDatasetShards(file).load()
    return str(caught.value)


def member_ends(file: Path) -> list[int]:
    with tarfile.open(file) as tar:
        members = tar.getmembers()
        return [member.offset for member in members[1:]] + [tar.offset]


def cut_at(file: Path, size: int) -> Path:
    """A copy of the first bytes of a shard."""
    copy = file.with_name(f"cut{size}.tar")
    copy.write_bytes(file.read_bytes()[:size])
    return copy


def test_a_shard_cut_anywhere_before_the_end_mark_is_refused(tmp_path):
    whole = shard(tmp_path / "x.tar", samples(range(4), [0, 1, 0, 1]))
    ends = member_ends(whole)
    for size in [end + beyond for end in ends for beyond in (0, 1, 77, 511)]:
        assert CUT in refusal(cut_at(whole, size)), size
    for size in (ends[-1] + 512, ends[-1] + 1023, ends[-1] + 1025):  # inside the end mark, and a ragged end
        assert CUT in refusal(cut_at(whole, size)), size
    for size in range(700, ends[-1] + 1024, 293):
        assert "fetch it again" in refusal(cut_at(whole, size)), size
    assert len(WebDatasetShards(cut_at(whole, ends[-1] + 1024)).load()) == 4  # writers need not fill up a record


def test_a_cut_shard_behind_a_url_is_refused_too(tmp_path):
    fsspec = pytest.importorskip("fsspec", reason="the extra 'hub' is not installed")
    whole = shard(tmp_path / "x.tar", samples(range(4), [0, 1, 0, 1]))
    for name, size in (("cut", member_ends(whole)[3]), ("ragged", member_ends(whole)[3] + 77)):
        with fsspec.open(f"memory://{name}/0.tar", "wb") as out:
            out.write(whole.read_bytes()[:size])
        with pytest.raises(ValueError, match=CUT):
            WebDatasetShards(names=f"memory://{name}/0.tar").load()


def test_a_header_that_is_damaged_does_not_end_a_shard(tmp_path):
    file = shard(tmp_path / "x.tar", samples(range(4), [0, 1, 0, 1]))
    content = bytearray(file.read_bytes())
    content[member_ends(file)[3] + 150] ^= 1  # in the checksum
    file.write_bytes(content)
    assert f"is no tar file from byte {member_ends(file)[3]:,} on; it is damaged: fetch it again" in refusal(file)


def test_several_tar_files_in_one_are_refused_and_not_read_as_the_first(tmp_path):
    first, second = (shard(tmp_path / f"{n}.tar", samples([2 * n, 2 * n + 1], [0, 1])) for n in range(2))
    joined = tmp_path / "joined.tar"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    assert "goes on after tar's end mark, as if it were several .tar files in one; give each" in refusal(joined)


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("mode", ["w", "w|", "a"])
def test_shards_of_python_end_with_the_mark(form, mode, tmp_path):
    file = shard(tmp_path / "x.tar", samples([0, 1], [0, 1])) if mode == "a" else tmp_path / "x.tar"
    with tarfile.open(file, mode, format=form) as tar:
        for name, content in samples([2, 3], [0, 1], folder="ö/" * 60).items():
            info = tarfile.TarInfo(name)
            data = content.encode() if isinstance(content, str) else content
            info.size = len(data)
            tar.addfile(info, BytesIO(data))
    assert len(WebDatasetShards(file).load()) == (4 if mode == "a" else 2)


@pytest.mark.skipif(shutil.which("tar") is None, reason="there is no program tar")
@pytest.mark.parametrize("options", [[], ["--format=posix"], ["--blocking-factor=1"], ["--blocking-factor=2048"]])
def test_shards_of_gnu_tar_end_with_the_mark(options, tmp_path):
    for name, content in samples(range(4), [0, 1, 0, 1]).items():
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    for number in range(2):
        names = [path.name for path in sorted(tmp_path.glob(f"s000[{2 * number}{2 * number + 1}].*"))]
        run(["tar", *options, "-cf", f"{number}.tar", *names], cwd=tmp_path, check=True)
    assert len(WebDatasetShards(tmp_path / "0.tar").load()) == 2
    run(["tar", "--concatenate", "-f", "0.tar", "1.tar"], cwd=tmp_path, check=True)
    assert len(WebDatasetShards(tmp_path / "0.tar").load()) == 4


def test_shards_of_webdataset_end_with_the_mark(tmp_path):
    webdataset = pytest.importorskip("webdataset", reason="webdataset is not installed")
    with webdataset.TarWriter(str(tmp_path / "x.tar")) as writer:
        for row in range(4):
            writer.write({"__key__": f"s{row}", "png": picture(row), "cls": row % 2})
    assert len(WebDatasetShards(tmp_path / "x.tar").load()) == 4
