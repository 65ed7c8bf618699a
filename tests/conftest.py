"""What every test starts from."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from PIL import Image

from fewshot.results.files import Results
from tests.support.pictures import write_pictures

# The same examples on every machine, without a clock and without a folder of earlier failures.
_QUIET = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)
settings.register_profile(
    "suite", derandomize=True, deadline=None, database=None, max_examples=50, suppress_health_check=_QUIET
)
settings.load_profile("suite")


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A FEWSHOT_HOME of its own: no test meets the caches of another or of the user."""
    home = tmp_path / "fewshot_home"
    monkeypatch.setenv("FEWSHOT_HOME", str(home))
    return home


@pytest.fixture
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working folder with six classes of eight pictures in birds/, and a cache of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FEWSHOT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    write_pictures(tmp_path / "birds", [8] * 6)


@pytest.fixture(params=["compiled", "matrices"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test runs twice: through compiled loops, and as if numba were not installed."""
    if request.param == "matrices":
        monkeypatch.setattr("fewshot.solvers.compiled.installed", lambda: False)
    else:
        pytest.importorskip("numba")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six classes of twelve pictures, told apart by their colour, roughly."""
    root: Path = tmp_path_factory.mktemp("colours")
    random = np.random.default_rng(0)
    for name, colour in zip("abcdef", random.integers(40, 215, size=(6, 3)), strict=True):
        (root / name).mkdir()
        for i in range(12):
            pixels = np.clip(colour + random.normal(size=(10, 8, 3)) * 60, 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(root / name / f"{i}.png")
    return root


@pytest.fixture
def results(tmp_path: Path) -> Results:
    """A results file that does not exist yet."""
    return Results(tmp_path / "rows.jsonl")


@pytest.fixture
def threads() -> Iterator[Callable[[int], None]]:
    """Sets torch's number of threads, and puts it back."""
    import torch

    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)
