"""A row that claims a benchmark of the field is held to every choice that the benchmark fixes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fewshot import protocols
from fewshot.plugins.registry import EVALUATORS, SAMPLERS, SPLITS, TRANSFORMS
from fewshot.protocols import Benchmark, BenchmarkSet
from fewshot.results.row import Row
from fewshot.sharing.claims import claim_labels, claim_problems, other_version
from fewshot.sharing.designs import SharedDesign
from tests.support.report_rows import row

NO_NAMES = SharedDesign(classes=(0, 1, 2))


def followed(known: Benchmark, one: BenchmarkSet, place: int = 0) -> Row:
    """A row that follows a benchmark on one of the copies of a set, as a submission holds it: without folders."""
    head, shape = known.heads[0], (one.shapes or known.shapes)[0]
    sides = {side: repr(f"partition={getattr(one.places[place], side)}") for side in ("train", "test")}
    companions = {companion.name: repr(f"{companion.name}.txt") for companion in one.companions}
    return row(
        0.7,
        dataset=f"ImageFolderSet(root={one.name!r})",
        split=SPLITS.spec(one.split).text,
        classes=one.classes,
        backbone="RawPixels(image_size=4)",
        transform=TRANSFORMS.spec(head.transform).text,
        evaluator=EVALUATORS.spec(head.evaluator).text,
        selection_rule="" if head.selection is None else repr(head.selection),
        sampler=SAMPLERS.spec(one.sampler.format(**sides, **companions)).text,
        n_way=shape.n_way,
        k_shot=shape.k_shot,
        n_query=shape.n_query,
        k_shot_at_most=shape.k_shot_at_most,
        seed=known.seed,
        n_episodes=known.n_episodes,
        protocol=known.protocol,
        benchmark_set=one.name,
    )


@pytest.mark.parametrize("name", protocols.names())
def test_a_row_that_follows_its_benchmark_has_no_problem_and_each_other_choice_is_named(name: str) -> None:
    known = protocols.benchmark(name)
    for one in known.sets:
        for place in range(len(one.places)):
            honest = followed(known, one, place)
            assert list(claim_problems(honest, NO_NAMES)) == []
            assert "not the benchmark's own head" not in claim_labels(honest)
    others = {
        "seed": {"seed": 7},
        "split": {"split": "BySeed(seed=3)"},
        "classes": {"classes": "validation"},
        "shots": {"k_shot": 3, "n_way": 4},
        "sampler": {"sampler": "Balanced(support_from='partition=a', query_from='partition=b')"},
        "episodes": {"n_episodes": known.n_episodes - 1},
        "choice": {"selection_rule": "Selection(on='test', grid=(('C', (1.0, 2.0)),), n_episodes=200)"},
        "set": {"benchmark_set": "another"},
    }
    for choice, columns in others.items():
        assert list(claim_problems(replace(honest, **columns), NO_NAMES)), choice


def test_a_copy_with_other_classes_is_named_where_the_submission_holds_their_names() -> None:
    known = protocols.benchmark("vtab_1k")
    named = SharedDesign("dtd", tuple(f"class {c}" for c in range(46)), tuple(range(46)))
    one = next(each for each in known.sets if each.name == "dtd")
    [problem] = claim_problems(followed(known, one), named)
    assert problem == "it says vtab_1k@1, but its images have 46 classes, not 47"


def test_another_head_and_another_image_size_are_labels_and_no_problems() -> None:
    known = protocols.benchmark("vtab_1k")
    honest = followed(known, known.sets[0])
    other = replace(honest, evaluator="Prototype(metric='euclidean')", selection_rule="")
    assert list(claim_problems(other, NO_NAMES)) == []
    assert "not the benchmark's own head" in claim_labels(other)
    assert claim_labels(honest) == ["the benchmark shows 224 px"]  # these raw pixels are 4 px
    assert claim_labels(row()) == []


NO_NAME = ["cifar_fs", "cifar_fs@", "cifar_fs@01", "cifar_fs@1.0", "cifar_fs@one", "my suite@1", "<b>@1", "@1", "x@1 "]
OF_FIELD = ["CIFAR_FS@1", "cifar-fs@1", "cifarfs@2", "VTAB-1k@1", "vtab_1k.@1"]
OWN = ["", "own@1", "quick@12", "my_suite.v2@0"]


@pytest.mark.parametrize("protocol", NO_NAME)
def test_what_is_no_name_of_a_benchmark_with_its_version_is_refused(protocol: str) -> None:
    (problem,) = claim_problems(row(protocol=protocol), NO_NAMES)
    assert problem.startswith("column protocol should be the name of a benchmark or suite with its version")
    assert problem.endswith(f"found {protocol!r}")


@pytest.mark.parametrize("protocol", OF_FIELD)
def test_another_spelling_of_a_benchmark_of_the_field_is_refused(protocol: str) -> None:
    (problem,) = claim_problems(row(protocol=protocol), NO_NAMES)
    assert problem.startswith("column protocol should spell the benchmark ")
    assert problem.endswith(f"found {protocol!r}")


@pytest.mark.parametrize("protocol", OWN)
def test_suites_of_ones_own_have_names_and_no_sets(protocol: str) -> None:
    assert list(claim_problems(row(protocol=protocol), NO_NAMES)) == []
    (problem,) = claim_problems(row(protocol=protocol, benchmark_set="cifar_fs"), NO_NAMES)
    assert problem.startswith("column benchmark_set is 'cifar_fs', but ")


@pytest.mark.parametrize("name", protocols.names())
def test_every_benchmark_spells_its_protocol_as_rows_may(name: str) -> None:
    known = protocols.benchmark(name)
    assert not [text for text in claim_problems(followed(known, known.sets[0]), NO_NAMES) if "protocol" in text]
    assert other_version(row(protocol=known.protocol)) == ""
    newer = row(protocol=f"{name}@{known.version + 1}")
    assert other_version(newer) == f"this release has {known.protocol}, not {newer.protocol}"
    assert f"{newer.protocol} not checked" in claim_labels(newer)
