"""Rows as studies read them: typed once, and named by what their members declare."""

from __future__ import annotations

import dataclasses
import json

import pytest

from fewshot.plugins.registry import DATASETS, EVALUATORS, TRANSFORMS
from fewshot.plugins.spec import Spec
from fewshot.scaling.studies.protocols import Head
from fewshot.scaling.studies.trained_rows import COLUMNS, TrainedRow, trained
from tests.support.trained_rows import ALL, lines, row, trained_of


def target_name(dataset: str) -> str:
    [result] = trained([ALL[0] | {"dataset": dataset, "classes": "novel"}])
    return result.target.name


def test_a_row_is_typed():
    [result] = trained_of(row(400, 2, n_held_out=500))
    assert dataclasses.is_dataclass(result)
    assert isinstance(result.network, Spec)
    assert (result.dataset, result.evaluator) == (DATASETS.read("Icons(domain='mono')"), EVALUATORS.read("Prototype()"))
    assert (result.unique_images, result.training_seed, result.n_held_out) == (400, 2, 500)
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.accuracy = 1.0  # type: ignore[misc]


def test_texts_of_numbers_are_numbers_as_in_csv():
    [line] = lines(row(400, 2))
    texts = {name: "" if value is None else str(value) for name, value in line.items()}
    [result], [same] = trained([texts]), trained([line])
    for name in (field.name for field in dataclasses.fields(TrainedRow)):
        assert getattr(result, name) == getattr(same, name), name


def test_rows_that_failed_or_have_no_training_are_not_read():
    assert trained([ALL[0] | {"status": "failed"}, ALL[0] | {"unique_images": None}, {"run_id": "a"}]) == []


def test_the_columns_are_all_that_is_read():
    assert trained([{name: ALL[0].get(name) for name in COLUMNS}])[0].protocol == trained([ALL[0]])[0].protocol


def test_a_target_is_named_as_distances_name_it():
    assert target_name("TorchvisionSet(name='FashionMNIST', root=None, download=False)") == "FashionMNIST"
    assert target_name("Icons(domain='mono')") == "icons mono"
    assert target_name("Icons(domain='both')") == "icons both"
    assert target_name("Glyphs()") == "glyphs"
    assert target_name("Partitioned(images=Icons(domain='mono'), test=10, validation=2, seed=0)") == "icons mono"
    assert target_name("TorchvisionSet('EMNIST-letters')") == "EMNIST-letters"
    assert target_name("package.module:Mine()") == "package.module:Mine"
    assert target_name('package.module:Mine(size=3, name="Bob\'s gulls")') == "Bob's gulls"
    for strange in ("", "no spec (", "__import__('os').system('false')"):
        assert target_name(strange) == strange


@pytest.mark.parametrize(
    ("pretrained_on", "first", "last"),
    [
        ("icons mono: 400 images of 257 classes", "icons mono", "icons mono"),
        ("icons mono: 3200 images of 257 classes; glyphs: 107 images of 7 classes", "icons mono", "glyphs"),
        ("birds: 2011: 100 images of 7 classes", "birds: 2011", "birds: 2011"),
        ("unknown", "unknown", "unknown"),
    ],
)
def test_a_source_is_the_set_that_was_trained_on(pretrained_on, first, last):
    [result] = trained_of(row(400, 0, pretrained_on=pretrained_on))
    assert (result.source, result.final_source) == (first, last)


def test_a_head_leaves_out_a_transform_that_changes_nothing():
    def head(transform: str) -> Head:
        return Head(TRANSFORMS.read(transform), EVALUATORS.read("Prototype(metric='euclidean')"))

    assert head("Identity()").text == head("").text == "Prototype(metric='euclidean')"
    assert (head("L2()").text, head("L2()").short_name) == (
        "L2() + Prototype(metric='euclidean')",
        "L2 + Prototype",
    )


def test_a_head_with_chosen_hyperparameters_is_another():
    rule = "Selection(on='validation', grid=(('C', (0.1, 1.0)),), n_episodes=200, seed=0)"
    [fixed], [chosen] = trained_of(row(400, 0)), trained_of(row(400, 0, selection_rule=rule))
    assert fixed.head != chosen.head
    assert chosen.head.short_name == "L2 + Prototype, C chosen on validation classes"


def test_every_stored_row_of_a_training_can_be_read():
    from tests.support.checkout import ROOT

    for path in sorted((ROOT / "benchmarks" / "results").glob("*.jsonl")):
        stored = [json.loads(line) for line in path.read_text().splitlines()]
        assert len(trained(stored)) == sum(bool(line.get("unique_images")) for line in stored)
