import pytest

from fewshot.files.memory import free_bytes, in_units

MEMINFO = "MemTotal:       24683652 kB\nMemFree:        13873252 kB\nMemAvailable:   19359612 kB\n"


def system(folder, text=MEMINFO):
    path = folder / "meminfo"
    path.write_text(text)
    return path


def container(folder, limit, used):
    paths = folder / "memory.max", folder / "memory.current"
    for path, text in zip(paths, (limit, used), strict=True):
        path.write_text(f"{text}\n")
    return paths


def test_the_free_memory_is_what_the_system_can_give(tmp_path):
    assert free_bytes(system(tmp_path), ()) == 19359612 << 10


def test_a_container_with_less_memory_decides(tmp_path):
    assert free_bytes(system(tmp_path), (container(tmp_path, 3 << 30, 1 << 30),)) == 2 << 30


@pytest.mark.parametrize(("limit", "used", "free"), [("max", "5", 19359612 << 10), (1 << 30, 2 << 30, 0)])
def test_a_container_without_a_limit_or_above_it(tmp_path, limit, used, free):
    assert free_bytes(system(tmp_path), (container(tmp_path, limit, used),)) == free


@pytest.mark.parametrize("text", ["", "MemTotal: 5 kB\n", "MemAvailable: many\n"])
def test_a_system_that_does_not_say(tmp_path, text):
    assert free_bytes(system(tmp_path, text), ()) is None
    assert free_bytes(tmp_path / "none", ()) is None


@pytest.mark.parametrize(
    ("size", "text"), [(1_400_000_000, "1.4 GB"), (2_000_000, "2.0 MB"), (12, "0 kB"), (3 * 10**12, "3.0 TB")]
)
def test_sizes_for_people(size, text):
    assert in_units(size) == text
