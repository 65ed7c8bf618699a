"""`fewshot list backbones PATTERN`: networks of timm with parameters, sizes and data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import timm

from fewshot.backbones import _timm_catalogue as timm_catalogue
from fewshot.backbones._timm_catalogue import TimmEntry, catalogue, count_parameters
from fewshot.backbones._timm_network import build
from tests.support.command_line import call, fail, misuse, modules_after, succeed

pytestmark = pytest.mark.usefixtures("working_folder")


def test_a_pattern_lists_the_networks_of_that_name_sorted() -> None:
    shown = succeed("list", "backbones", "tf_efficientnet_lite[01]*").splitlines()
    rows = [line.split() for line in shown[2:-1]]
    assert [row[0] for row in rows] == ["tf_efficientnet_lite0.in1k", "tf_efficientnet_lite1.in1k"]
    assert rows[0][1:] == ["4.7", "224", "ImageNet-1k", "packaged"]
    assert shown[-1].startswith("2 networks of timm")


def test_entries_are_json_too() -> None:
    [entry] = json.loads(succeed("list", "backbones", "test_vit", "--json"))
    assert entry == {
        "name": "test_vit.r160_in1k",
        "n_params": sum(p.numel() for p in build("test_vit").parameters()),
        "image_size": 160,
        "pretrained_on": "ImageNet-1k",
        "packaged": False,
    }


def test_a_pattern_matches_with_and_without_the_tag() -> None:
    names = [entry.name for entry in catalogue("resnet10t*")]
    assert names == [entry.name for entry in catalogue("resnet10t.c3_in1k")] == ["resnet10t.c3_in1k"]
    untrained = next(iter(set(timm.list_models("*vit*")) - {n.partition(".")[0] for n in timm.list_pretrained()}))
    [entry] = catalogue(untrained)
    assert (entry.name, entry.pretrained_on, entry.packaged) == (untrained, "nothing", False)


@pytest.mark.parametrize("name", ["test_vit", "test_nfnet", "mobilenetv3_small_050"])
def test_counting_without_values_counts_the_same(name: str) -> None:
    assert count_parameters(name) == sum(p.numel() for p in build(name).parameters())


def test_counts_are_kept_by_version(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[str] = []

    def count(name: str) -> int:
        counted.append(name)
        return 7

    monkeypatch.setattr(timm_catalogue, "count_parameters", count)
    assert [entry.n_params for entry in catalogue("test_vit[2-4]")] == [7] * 3
    catalogue("test_vit[2-4]")
    assert counted == ["test_vit2", "test_vit3", "test_vit4"]
    monkeypatch.setattr(timm, "__version__", "99")
    catalogue("test_vit")
    assert counted[3:] == ["test_vit"]
    (stored,) = Path().glob("home/timm_parameters.json")
    stored.write_text("{damaged")
    catalogue("test_vit")
    assert counted[4:] == ["test_vit"]


def test_what_matches_nothing_or_no_backbone_is_one_sentence() -> None:
    assert fail("list", "backbones", "vti_small").startswith(
        "nothing is called 'vti_small', also no network of timm; the nearest names are: "
    )
    assert fail("list", "evaluators", "zzz") == "no evaluators match 'zzz'; `fewshot list evaluators` shows all"
    assert fail("list", "evaluatr").endswith("the nearest names are: evaluators")
    assert misuse("list", "evaluatr", "probe").endswith("Did you mean evaluators?")


@pytest.mark.parametrize(
    ("words", "kinds", "names"),
    [
        (["evaluator"], ["evaluators"], ["Prototype", "LinearProbe"]),
        (["evaluators", "probe"], ["evaluators"], ["LinearProbe", "RidgeProbe"]),
        (["evaluators", "Linear*"], ["evaluators"], ["LinearProbe", "LinearSVM"]),
        (["dirichlet"], ["samplers"], ["DirichletQuery"]),
        (["SimpleShot"], ["presets"], ["SimpleShot-UN"]),
    ],
)
def test_a_word_lists_the_members_that_hold_it(words: list[str], kinds: list[str], names: list[str]) -> None:
    values = json.loads(succeed("list", *words, "--json"))
    assert set(kinds) <= set(values)
    assert set(names) <= {member["name"] for kind in kinds for member in values[kind]}
    assert all(values.values())


def test_a_word_that_no_member_has_lists_the_networks_of_timm() -> None:
    shown = succeed("list", "backbones", "resnet10t")
    assert "resnet10t.c3_in1k" in shown
    assert succeed("list", "ResNet10t") == shown


def test_timm_is_imported_only_for_a_pattern() -> None:
    assert not modules_after("list", "backbones") & {"numpy", "torch", "timm"}
    shown = succeed("list", "backbones")
    assert "tf_efficientnet_lite0" in shown
    assert "Timm(name" in shown


def test_an_entry_that_cannot_be_built_is_shown_with_a_question_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timm_catalogue, "catalogue", lambda _: [TimmEntry("strange", None, 224, "nothing", False)])
    assert " ? " in succeed("list", "backbones", "s*")
    assert call("list", "backbones", "s*", "--json").exit_code == 0


@pytest.mark.parametrize(
    ("word", "member"),
    [
        *(("pixels", "RawPixels"), ("Pixels", "RawPixels"), ("given", "Given"), ("random init", "RandomInit")),
        *(
            ("conv net", "ConvNet"),
            ("flattened", "RawPixels"),
            ("Raw*", "RawPixels"),
        ),
    ],
)
def test_backbones_are_found_by_names_short_names_and_descriptions(word: str, member: str) -> None:
    found = json.loads(succeed("list", "backbones", word, "--json"))
    assert member in {one["name"] for one in found}
    assert f"  {member}(" in succeed("list", "backbones", word)


def test_members_of_a_word_come_before_networks_of_timm() -> None:
    shown = succeed("list", "backbones", "tf_efficientnet_lite0")
    assert "tf_efficientnet_lite0.in1k" in shown
    found = [one["name"] for one in json.loads(succeed("list", "backbones", "tf_efficientnet_lite0", "--json"))]
    assert found[-1] == "tf_efficientnet_lite0.in1k"


def test_benchmarks_say_which_have_published_numbers_to_reproduce() -> None:
    from fewshot import protocols
    from fewshot.results.published import numbers_called, numbers_of_benchmarks

    counts = numbers_of_benchmarks()
    listed = {one["name"]: one for one in json.loads(succeed("list", "benchmarks", "--json"))["benchmarks"]}
    assert set(counts) <= set(listed)
    for name, one in listed.items():
        assert one["published_numbers"] == counts.get(name, 0)
        assert ("Reproducible: " in one["summary"]) == (name in counts)
    for name, count in counts.items():
        assert len(numbers_called(name)) == count  # what `fewshot reproduce` compares with
        assert f"fewshot reproduce {name} --data ROOT compares with {count:,} published " in succeed(
            "list", "benchmarks", name
        )
    without = next(name for name in protocols.names() if name not in counts)
    assert "no published number of it is stored for fewshot reproduce" in succeed("list", "benchmarks", without)
