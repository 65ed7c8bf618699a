"""Sentences about a pair: whether it is significant, what would confirm it, what is unfair, and whose weights."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from fewshot.report.comparisons.claims import line
from fewshot.report.comparisons.naming import Naming
from fewshot.report.comparisons.run_pair import RunPair
from fewshot.report.comparisons.verdicts import (
    about_weights,
    more_episodes,
    needs,
    paragraph,
    single_checkpoints,
    verdict,
    warnings,
)
from fewshot.report.rows.shown import Shown
from fewshot.results.row import Row
from fewshot.results.row_specs import specs_of
from fewshot.statistics.comparison import compare
from fewshot.statistics.units import Units
from tests.support.paired_runs import two_runs

A = Row("a", evaluator="LinearProbe()", backbone="Packaged('one')", preprocess_digest="1")
B = Row("b", evaluator="Prototype()", backbone="Packaged('two')", preprocess_digest="1")

NAMING = Naming(Shown.of([A, B]), "evaluator")


def paired(a: np.ndarray, b: np.ndarray, units: Units) -> RunPair:
    return RunPair(A, B, a, b, units, compare(a, b, units))


def test_a_clear_difference_is_significant_for_both() -> None:
    assert verdict(paired(*two_runs(0.2)), 0.01) == "significant for these images and for new classes"


@pytest.mark.parametrize("shift", [0.0, 0.125])
@pytest.mark.parametrize("n_classes", [2, 3, 20])
@pytest.mark.parametrize("accuracy", ["all right", "varying"])
def test_without_any_spread_of_the_difference_there_are_no_power_figures(shift, n_classes, accuracy) -> None:
    units = Units(np.tile(np.arange(2), 8) if n_classes == 2 else np.arange(16) % n_classes, np.full(8, 2), n_classes)
    a = np.ones(8) if accuracy == "all right" else np.arange(8) / 8
    pair = paired(a, a - shift, units)
    comparison, wanted = pair.comparison, pair.needed(0.01)
    assert np.isnan([comparison.detectable_episodes, comparison.detectable_classes]).all()
    assert (wanted.episodes, wanted.classes) == (None, None)
    texts = [verdict(pair, 1.0), needs(pair, 0.01), *line(pair, NAMING, 1.0), paragraph(pair, NAMING, 1.0, 1)]
    assert not re.search(r"detect 0|or more would be detected|needs \d|\bnan\b|2 episodes", " ".join(texts))
    if not shift:
        assert verdict(pair, 1.0) == "no difference in any of the 8 episodes, so there is nothing to confirm"
        assert "have the same accuracy in every episode" in paragraph(pair, NAMING, 1.0, 1)
        assert needs(pair, 0.01) == "not known, because there is no difference in any of the 8 episodes"


def test_a_difference_that_is_significant_alone_may_not_be_after_correcting_for_all_pairs() -> None:
    text = verdict(paired(*two_runs(0.2)), 0.08)
    assert text.startswith("significant for these images, not for new classes: significant alone, but not after")
    assert "(adjusted p = 0.080)" in text
    assert verdict(paired(*two_runs(0.2)), float("nan")).startswith("significant for these images and for new")


def test_a_difference_that_classes_hide_says_what_would_confirm_it() -> None:
    a, b, units = two_runs(0.0)
    tilted = a + 0.05 * (units.held.reshape(len(a), -1) < 4).sum(1) - 0.04  # better on four classes of 20
    text = verdict(paired(tilted, b, units), 0.5)
    assert text.startswith("significant for these images, not for new classes. More episodes will not help: ")
    assert re.search(r"confirming this for new classes needs about \d+ classes$", text)


def test_what_new_classes_need_is_a_number_of_episodes_that_suffices() -> None:
    a, b, units = two_runs(0.004, n_classes=60, n_episodes=300)
    wanted = paired(a, b, units).needed(0.004)
    assert wanted.class_episodes is not None
    assert f"{wanted.class_episodes} for new classes, on these 60" in wanted.sentence
    more, same, longer = two_runs(0.004, n_classes=60, n_episodes=wanted.class_episodes)
    error = compare(more, same, longer).new_classes.standard_error
    assert error == pytest.approx(0.004 / (2.0010 + 0.8478), rel=0.3)


def of_classes(n_episodes: int) -> RunPair:
    """60 classes, on some of which A is better and on others worse."""
    a, b, units = two_runs(0.004, n_classes=60, n_episodes=n_episodes)
    gains = np.random.default_rng(5).normal(0, 0.03, 60)
    return paired(a + gains[units.held].reshape(n_episodes, -1).mean(1), b, units)


def test_too_few_episodes_for_many_classes_are_reported_with_how_many_suffice() -> None:
    few = of_classes(100)
    text = more_episodes([few])
    assert "of their variance is episode noise" in text
    wanted = int(re.findall(r"About ([\d,]+) episodes bring it below 20 %", text)[0].replace(",", ""))
    assert few.comparison.new_classes.monte_carlo > 0.2
    enough = of_classes(2 * wanted)
    assert enough.comparison.new_classes.monte_carlo < 0.2
    assert more_episodes([enough]) == ""
    assert "Far more episodes" in more_episodes([paired(*two_runs(0.004, n_classes=60, n_episodes=300))])


def test_no_difference_says_what_these_episodes_can_detect() -> None:
    a, _, units = two_runs()
    a = np.round(8 * a) / 8
    b = a + 0.125 * (-1) ** np.arange(len(a))
    text = verdict(paired(a, b, units), 0.6)
    assert re.search(r"the difference is 0; these episodes detect 1\.\d\d points with 80 % power", text)


def test_a_worse_run_falls_below() -> None:
    b, a, units = two_runs(0.2)
    assert "LinearProbe falls below Prototype" in paragraph(
        paired(a, b, units), Naming(Shown.of([A, B]), "evaluator"), 0.01, 1
    )


def test_a_single_checkpoint_is_no_claim_about_its_recipe() -> None:
    assert "not to their training recipes" in about_weights([A, B])
    assert about_weights([A, dataclasses.replace(B, backbone=A.backbone)]) == ""
    seeds = [dataclasses.replace(A, backbone=f"Pretrained('x', seed={seed})") for seed in (0, 1)]
    assert about_weights(seeds) == ""
    assert single_checkpoints([*seeds, B]) == {specs_of(B).backbone}


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"selection": "validation classes", "n_labels_selection": 50, "n_trials": 9}, "with 50 extra labelled images"),
        ({"selection": "validation classes", "n_trials": 9}, "among 9 settings"),
        ({"backbone": "Packaged('two', image_size=64)"}, "image sizes differ: 64 pixels and a network default"),
        ({"preprocess_digest": "2"}, "image sizes may differ; set image_size"),
        ({"seen_classes": "seen"}, "have not seen the same classes"),
        ({"pretrained_on": "imagenet"}, "trained on different data"),
        ({"transductive": True}, "see all queries"),
        ({"n_not_converged": 1}, "did not converge"),
    ],
)
def test_warnings_name_what_is_unfair(columns: dict[str, object], text: str) -> None:
    assert warnings([A, B]) == []
    assert text in "; ".join(warnings([A, dataclasses.replace(B, **columns)]))
