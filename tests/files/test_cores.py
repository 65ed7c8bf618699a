from pathlib import Path

import pytest

from fewshot.files.cores import Cores, cores, processor


@pytest.mark.parametrize(
    ("text", "limit"), [("200000 100000", 2.0), ("150000 100000", 1.5), ("max 100000", None), ("", None)]
)
def test_the_limit_of_a_container_is_read(tmp_path: Path, text: str, limit: float | None) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(text)
    assert cores(file, (tmp_path / "none", tmp_path / "none")).limit == limit


@pytest.mark.parametrize(("quota", "limit"), [("300000", 3.0), ("-1", None)])
def test_the_limit_of_an_older_container_is_read(tmp_path: Path, quota: str, limit: float | None) -> None:
    (tmp_path / "quota").write_text(quota)
    (tmp_path / "period").write_text("100000")
    assert cores(tmp_path / "none", (tmp_path / "quota", tmp_path / "period")).limit == limit


def test_the_smallest_of_the_limits_decides() -> None:
    assert Cores(16, 8, None).usable == 8
    assert Cores(16, 8, 2.5).usable == 2
    assert Cores(16, 2, 8.0).usable == 2
    assert Cores(16, 8, 0.5).usable == 1


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("processor\t: 0\nmodel name\t: Intel(R) Xeon(R) CPU @ 2.20GHz\n", "Intel Xeon"),
        ("model name\t: AMD EPYC 7B13\nstepping : 0\nmodel name\t: another\n", "AMD EPYC 7B13"),
        ("model name\t:\nflags : fpu\n", ""),
        ("", ""),
    ],
)
def test_the_model_of_the_processor_is_read_from_the_system(tmp_path: Path, text: str, model: str) -> None:
    (tmp_path / "cpuinfo").write_text(text)
    assert processor(tmp_path / "cpuinfo") == model
    assert processor(tmp_path / "absent") == ""


def test_this_process_may_use_a_core() -> None:
    assert 1 <= cores().usable <= cores().machine
