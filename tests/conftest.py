"""What every test starts from."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A FEWSHOT_HOME of its own: no test meets the caches of another or of the user."""
    home = tmp_path / "fewshot_home"
    monkeypatch.setenv("FEWSHOT_HOME", str(home))
    return home


@pytest.fixture(params=["compiled", "matrices"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test runs twice: through compiled loops, and as if numba were not installed."""
    if request.param == "matrices":
        monkeypatch.setattr("fewshot.compiled.installed", lambda: False)
    else:
        pytest.importorskip("numba")
