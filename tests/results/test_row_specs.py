"""The specs of a row as objects: rows of any release are read, and nothing of them is run or imported."""

from __future__ import annotations

import sys
from dataclasses import replace

from fewshot.results.row_specs import size, specs_of
from fewshot.results.selection_rule import chosen_on, names_of_rules, saw_test_labels
from tests.support.report_rows import row

RULE = "Selection(on='validation', grid=(('C', ({}, 1.0)),), n_episodes=200, seed=0)"


def test_rows_of_one_spec_share_what_was_read() -> None:
    assert specs_of(row(0.5)) is specs_of(row(0.6, seed=3))
    assert specs_of(row(dtype="float32")) is specs_of(row(dtype="bfloat16"))


def test_members_and_their_fields_are_objects() -> None:
    of = specs_of(row(backbone="Packaged(name='n', image_size=128)", selection_rule=RULE.format(0.1)))
    assert (of.backbone.name, of.backbone.fields["image_size"]) == ("Packaged", 128)
    assert of.transform.declares("keeps_features") is False
    assert of.selection is not None
    assert of.selection.grid == (("C", (0.1, 1.0)),)


def test_the_usual_sampler_is_balanced_and_of_all_images() -> None:
    assert specs_of(row()).is_plainly_balanced
    assert specs_of(row(sampler="Balanced")).is_plainly_balanced
    assert not specs_of(row(sampler="Balanced(support_from='domain=mono')")).is_plainly_balanced
    assert not specs_of(row(sampler="DisjointPools(pools=5)")).is_plainly_balanced


def test_episodes_of_a_file_say_so() -> None:
    assert specs_of(row(sampler="Listed('mine.safetensors')")).from_file
    assert not specs_of(row(sampler="Listing('mine.safetensors')")).from_file


def test_a_size_is_a_number_or_what_an_open_one_is() -> None:
    balanced, meta, strange = (specs_of(row(sampler=s)).sampler for s in ("Balanced()", "VariableWayShot()", "What(("))
    assert [size(count, balanced) for count in (5, None)] == ["5", "all"]
    assert size(None, meta) == "variable"
    assert size(None, strange) == "all"


def test_a_row_of_strangers_is_read_and_nothing_is_imported() -> None:
    strange = dict.fromkeys(
        ("dataset", "split", "backbone", "transform", "evaluator", "selection_rule"), "antigravity:X(("
    )
    of = specs_of(replace(row(), **strange, sampler="antigravity:Sampler(a=1)"))
    assert of.sampler.declares("is_balanced") is None
    assert of.selection is None
    assert "antigravity" not in sys.modules


def test_who_chose_on_test_episodes_is_known_by_the_column() -> None:
    for inside in ("none", "support"):
        assert saw_test_labels(chosen_on("oracle", inside))
        assert not saw_test_labels(chosen_on("validation", inside))
    assert not saw_test_labels("none")
    assert not saw_test_labels("an oracle of strangers")


def test_rules_that_differ_have_names_that_differ() -> None:
    texts = ["", RULE.format(0.1), RULE.format(0.2), "Selection(on='moon')", "no rule ("]
    names = names_of_rules(texts)
    assert names[""] == ""
    assert len(set(names.values())) == len(texts)
    assert names_of_rules(texts[:2])[texts[1]] == "C chosen on validation classes"
