"""What is said of a pair: for whom it is settled, what would settle it, what makes it unfair, and whose weights."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from fewshot.report.comparisons.naming import Naming
from fewshot.report.comparisons.pairing import RunPair, compare
from fewshot.report.comparisons.verdicts import (
    more_episodes,
    of_weights,
    paragraph,
    single_checkpoints,
    verdict,
    warnings,
)
from fewshot.report.rows.shown import Shown
from fewshot.results.asked import asked
from fewshot.results.row import Row
from fewshot.statistics.intervals import Units
from tests.support.paired_runs import two_runs

A = Row("a", evaluator="LinearProbe()", backbone="Packaged('one')", preprocess_digest="1")
B = Row("b", evaluator="Prototype()", backbone="Packaged('two')", preprocess_digest="1")


def paired(a: np.ndarray, b: np.ndarray, units: Units) -> RunPair:
    return RunPair(A, B, a, b, units, compare(a, b, units))


def test_a_clear_difference_is_settled_for_both() -> None:
    assert verdict(paired(*two_runs(0.2)), 0.01) == "settled, for these images and for new classes"


def test_what_holds_alone_but_not_among_all_pairs_is_not_settled() -> None:
    said = verdict(paired(*two_runs(0.2)), 0.08)
    assert said.startswith("settled for these images, not for new classes: alone it would be")
    assert "(adjusted p = 0.080)" in said
    assert verdict(paired(*two_runs(0.2)), float("nan")).startswith("settled, for these images and for new")


def test_a_difference_that_classes_hide_says_what_would_show_it() -> None:
    a, b, units = two_runs(0.0)
    tilted = a + 0.05 * (units.held.reshape(len(a), -1) < 4).sum(1) - 0.04  # better on four classes of 20
    said = verdict(paired(tilted, b, units), 0.5)
    assert said.startswith("settled for these images, not for new classes; to show the ")
    assert "more episodes on these 20 classes will not help" in said


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


def test_too_few_episodes_for_many_classes_are_told_with_how_many_suffice() -> None:
    few = of_classes(300)
    said = more_episodes([few])
    assert "of their variance comes from the number of episodes" in said
    wanted = int(re.findall(r"about (\d+) episodes bring it below 20 %", said)[0])
    assert few.comparison.new_classes.monte_carlo > 0.2
    enough = of_classes(2 * wanted)
    assert enough.comparison.new_classes.monte_carlo < 0.2
    assert more_episodes([enough]) == ""
    assert "draw far more" in more_episodes([paired(*two_runs(0.004, n_classes=60, n_episodes=300))])


def test_nothing_found_is_said_with_what_would_have_been() -> None:
    a, _, units = two_runs()
    assert "no difference was found" in verdict(paired(a, a, units), 0.01)


def test_a_worse_one_falls_short() -> None:
    b, a, units = two_runs(0.2)
    assert "LinearProbe falls short of Prototype" in paragraph(
        paired(a, b, units), Naming(Shown.of([A, B]), "evaluator"), 0.01, 1
    )


def test_one_checkpoint_says_these_weights_only() -> None:
    assert "these weights only" in of_weights([A, B])
    assert of_weights([A, dataclasses.replace(B, backbone=A.backbone)]) == ""
    seeds = [dataclasses.replace(A, backbone=f"Pretrained('x', seed={seed})") for seed in (0, 1)]
    assert of_weights(seeds) == ""
    assert single_checkpoints([*seeds, B]) == {asked(B).backbone}


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"selection": "validation classes", "n_labels_selection": 50, "n_trials": 9}, "with 50 more labelled images"),
        ({"selection": "validation classes", "n_trials": 9}, "among 9 settings"),
        ({"backbone": "Packaged('two', image_size=64)"}, "image sizes differ: 64 pixels and a network's own size"),
        ({"preprocess_digest": "2"}, "their sizes may differ"),
        ({"seen_classes": "seen"}, "have not seen the same classes"),
        ({"pretrained_on": "imagenet"}, "trained on different data"),
        ({"transductive": True}, "see all queries"),
        ({"n_not_converged": 1}, "did not converge"),
    ],
)
def test_what_is_unfair_is_told(columns: dict[str, object], said: str) -> None:
    assert warnings([A, B]) == []
    assert said in "; ".join(warnings([A, dataclasses.replace(B, **columns)]))
