"""The suites: their runs can be made, are different, and cost what they promise."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from fewshot import benchmarks
from fewshot.commands.bench import Plan
from fewshot.datasets import ArrayImages, Group, LabelledImages
from fewshot.plugins.registry import BACKBONES, EVALUATORS, SAMPLERS, TRANSFORMS
from fewshot.plugins.spec import Spec
from fewshot.runs.specs import RunSpec, Sampled
from fewshot.runs.workbench import Workbench

MOST_IMAGES = {"quick": 25_000, "smoke": 5_000, "domains": 55_000}


@cache
def images_of(dataset: Spec) -> LabelledImages:
    """The images of a data set, held once for all tests; of FashionMNIST, which does not come with fewshot, black ones
    in its numbers."""
    if dataset.name != "TorchvisionSet":
        images: LabelledImages = dataset.make().load()
        return images
    labels = np.arange(70_000) % 10
    partition = Group((np.arange(70_000) >= 60_000).astype(np.int64), ("train", "test"))
    black = ArrayImages(np.zeros((70_000, 1, 1, 3), np.uint8))
    return LabelledImages("FashionMNIST", black, labels, tuple("abcdefghij"), "ab" * 32, {"partition": partition})


@pytest.fixture
def bench() -> Workbench:
    return Workbench(images=images_of)


@cache
def specs(name: str) -> list[RunSpec]:
    """The runs of a suite, made once for all tests."""
    return list(benchmarks.load(name)())


@pytest.mark.parametrize("name", benchmarks.names())
def test_a_suite_says_what_it_is_and_how_to_run_it(name: str) -> None:
    text = (benchmarks.FOLDER / f"{name}.py").read_text()
    assert benchmarks.summary(name).endswith((".", "?"))
    assert f"fewshot bench {name}" in text


@pytest.mark.parametrize("name", benchmarks.names())
def test_the_runs_of_a_suite_differ_and_bear_its_protocol(name: str, bench: Workbench) -> None:
    runs = specs(name)
    assert len({bench.prepare(spec).run_id for spec in runs}) == len(runs)
    assert {spec.protocol.partition("@")[0] for spec in runs} == {name}


@pytest.mark.parametrize("name", benchmarks.names())
def test_every_member_of_a_suite_can_be_made(name: str) -> None:
    runs = specs(name)
    for registry, members in (
        (BACKBONES, {spec.backbone for spec in runs}),
        (EVALUATORS, {spec.evaluator for spec in runs}),
        (TRANSFORMS, {spec.transform for spec in runs}),
    ):
        for member in members:  # the texts of rows, which leave unused later fields out
            assert registry.canonical(member.make()) == member.text
    assert all(isinstance(spec.episodes, Sampled) for spec in runs)
    for sampler in {spec.episodes.sampler for spec in runs if isinstance(spec.episodes, Sampled)}:
        SAMPLERS.make(sampler.text, allow_import=False)


@pytest.mark.parametrize("name", benchmarks.names())
def test_the_first_episode_of_every_run_can_be_drawn(name: str, bench: Workbench) -> None:
    asked = {(run.dataset, run.split, run.classes, run.episodes): run for run in specs(name)}  # all that a draw needs
    for spec in asked.values():
        task = bench.prepare(spec)
        task.episodes(0, 1).check(task.images)


@pytest.mark.parametrize("name", MOST_IMAGES)
def test_a_suite_embeds_no_more_images_than_promised(name: str, bench: Workbench) -> None:
    plan = Plan()
    for spec in specs(name):
        plan.add(bench.prepare(spec), {})
    assert 0 < plan.n_images <= MOST_IMAGES[name]


def test_domains_embeds_few_images_beyond_those_of_quick(bench: Workbench) -> None:
    plan, quick = Plan(), {bench.prepare(spec).run_id for spec in specs("quick")}
    tasks = [bench.prepare(spec) for spec in specs("domains")]
    new = [task for task in tasks if task.run_id not in quick]
    assert len(tasks) - len(new) == 3 * 3 * 2 * 2
    for task in new:
        if task.spec.backbone.name == "Packaged":
            plan.add(task, {})
    assert plan.n_images <= 25_000


def test_quick_compares_four_backbones_on_three_settings() -> None:
    runs = [spec for spec in specs("quick") if spec.n_episodes == 600]
    assert len(runs) == 4 * 3 * 2 * 2
    assert len({spec.backbone for spec in runs}) == 4
    assert len({(spec.dataset, spec.episodes.sampler) for spec in runs if isinstance(spec.episodes, Sampled)}) == 3


def test_effects_asks_the_same_of_supports_of_both_domains(bench: Workbench) -> None:
    colour, mono = (bench.prepare(spec).episodes(0, 20) for spec in specs("effects")[-8::4])
    assert np.array_equal(colour.query, mono.query)
    assert np.array_equal(colour.classes, mono.classes)
    assert not np.intersect1d(colour.support, mono.support).size


def test_a_suite_is_loaded_from_a_file(tmp_path: Path) -> None:
    own = tmp_path / "own.py"
    own.write_text("def suite():\n    return iter(())\n")
    assert list(benchmarks.load(str(own))()) == []
