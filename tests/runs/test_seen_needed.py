"""A transform that is fitted on seen classes is refused where a split has none, before anything is embedded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fewshot import protocols
from fewshot.commands._running import starting
from fewshot.datasets._loading import load_images
from fewshot.plugins.registry import SPLITS, TRANSFORMS
from fewshot.runs.pipeline import RunSpec, Workbench
from fewshot.runs.presets import PRESETS
from tests.support.command_line import fail

FITTED = [name for name in TRANSFORMS.names() if TRANSFORMS.signature(name).declared.get("needs_seen")]
WITHOUT = [
    name
    for name in protocols.names()
    if all(SPLITS.spec(one.split).declares("has_seen") is False for one in protocols.benchmark(name).sets)
]


@pytest.fixture
def spec(folder: Path) -> RunSpec:
    return RunSpec(
        dataset=f"ImageFolderSet(root={str(folder)!r})",
        backbone="RawPixels(image_size=4)",
        evaluator="Prototype()",
        split="AllNovel()",
        transform="L2()",
        n_episodes=2,
    )


def never(_: object) -> None:
    raise AssertionError("no network is needed to see this")


@pytest.mark.parametrize("name", FITTED)
def test_a_run_is_refused_before_its_network_is_loaded(name: str, spec: RunSpec) -> None:
    bench = Workbench(progress=False, backbone=never)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"has none; use L2\(\), or a split with seen classes, such as BySeed\(\)$"):
        bench.prepare(replace(spec, transform=f"{name}()"))
    bench.prepare(replace(spec, transform=f"{name}()", split="BySeed()"))


def test_the_split_of_a_benchmark_is_not_to_be_exchanged(spec: RunSpec) -> None:
    of_benchmark = replace(spec, transform="CentredL2()", protocol="cd_fsl@1", benchmark_set="eurosat")
    with pytest.raises(ValueError, match=r", which cd_fsl@1 fixes, has none; use L2\(\)$"):
        Workbench(progress=False).prepare(of_benchmark)


def test_several_runs_are_refused_before_the_first_of_them(spec: RunSpec) -> None:
    with pytest.raises(ValueError, match="is fitted on images of seen classes"):
        starting([spec, replace(spec, transform="CentredL2()")], [], load_images)


def test_data_that_cannot_be_read_leave_their_error_to_their_run(spec: RunSpec) -> None:
    lost = replace(spec, transform="CentredL2()", dataset="ImageFolderSet('nowhere')")
    assert [lost] == list(starting([lost], [], load_images))


@pytest.mark.parametrize("name", WITHOUT)
@pytest.mark.parametrize("named", [one for one in PRESETS if one.without_seen], ids=lambda one: one.name)
def test_a_benchmark_without_seen_classes_refuses_the_preset_before_it_reads_a_set(name, named, tmp_path):
    sentence = fail("run", "--benchmark", name, "--data", tmp_path, "--preset", named.name)
    sets = protocols.benchmark(name).sets
    lack = f"no set of {name} has any" if len(sets) > 1 else f"{sets[0].name} has none"
    assert sentence == (
        f"--preset {named.name} needs seen classes, because it fits {TRANSFORMS.spec(named.transform).name} on their "
        f"images, but {lack}; use --preset {named.without_seen}"
    )


def test_sets_without_seen_classes_are_named_and_the_others_run_with_partial(tmp_path):
    words = ("run", "--benchmark", "meta_dataset", "--data", tmp_path, "--transform", "CentredL2()")
    assert fail(*words).endswith(
        'but traffic_sign and mscoco of meta_dataset have none; use --transform "L2()", or run the other sets with '
        "--partial"
    )
    others = ("--set", "dtd", "--set", "fungi")
    for more in (others, ("--partial",)):  # these go on to the sets, which are not there
        assert "meta_dataset lacks " in fail(*words, *more)


def test_rules_without_seen_classes_say_so(spec: RunSpec) -> None:
    images = load_images(spec.dataset)
    for rule in ("AllNovel()", "BySeed()"):
        split = SPLITS.spec(rule)
        assert bool(split.make().split(images).seen) == split.make().has_seen
