"""Warnings by themselves: planted faults are named where the rows stand beside each other, and nothing else is."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot.report.comparisons.ranking import Ranking, rankings
from fewshot.results.row import Row
from tests.support.ranked_runs import ranked_runs
from tests.support.report_rows import quick_rows, row

TRAINED = "Packaged(name='mobilenetv2_100', image_size=64)"
RANDOM = "RandomInit(name='mobilenetv2_100', seed=0, image_size=64, pool=None)"
PIXELS = "RawPixels(image_size=32)"
MEASURED = {"log_loss": 0.512345, "auroc": 0.87654}


def suspected(*rows: Row) -> list[str]:
    return [text for ranking in rankings(rows) for text in ranking.suspicions]


def measured(accuracy: float, **columns: Any) -> Row:
    return row(accuracy, **{"episodes_digest": "aa" * 32, "measures": MEASURED} | columns)


def test_rows_of_an_honest_suite_are_not_suspected() -> None:
    assert suspected(*quick_rows()) == []


def test_a_row_below_chance_is_named() -> None:
    [text] = suspected(row(0.15, 0.01), row(0.5, 0.01, evaluator="LinearProbe()"))
    assert text.startswith("Below chance (20.0 %): L2 + Prototype;")
    assert suspected(row(0.195, 0.01)) == []


def test_a_network_below_raw_pixels_is_named_with_the_same_head_alone() -> None:
    pixels, network = row(0.6, backbone=PIXELS), row(0.5, backbone=TRAINED)
    [text] = suspected(pixels, network)
    assert text.startswith("Below raw pixels with the same transform and evaluator: mobilenetv2_100")
    assert suspected(pixels, row(0.5, backbone=TRAINED, transform="Identity()")) == []
    assert suspected(pixels, row(0.5, backbone=TRAINED, seed=1)) == []  # another task
    assert suspected(pixels, row(0.5, backbone=RANDOM)) == []  # random weights need not beat pixels


def test_equal_numbers_under_options_that_should_change_them_are_named() -> None:
    [text] = suspected(measured(0.5, transform="L2()"), measured(0.5, transform="Identity()"))
    assert text.startswith("Equal to the last digit in every measure, although the transform differs: ")
    [text] = suspected(
        measured(0.5, backbone=TRAINED, weights_digest="aa"),
        measured(0.5, backbone=TRAINED.replace("64", "96"), weights_digest="bb"),
    )
    assert "although the weights differ:" in text


def test_rows_that_may_be_equal_are_not_named() -> None:
    base = measured(0.5)
    assert suspected(base, measured(0.5, evaluator="Prototype(metric='cosine')")) == []  # one head, another option
    assert suspected(base, measured(0.5, transform="Identity()", episodes_digest="bb" * 32)) == []
    assert suspected(base, measured(0.5, transform="Identity()", measures=MEASURED | {"log_loss": 0.5123451})) == []
    assert suspected(row(0.5), row(0.5, transform="Identity()")) == []  # rows without measures
    assert suspected(measured(1.0), measured(1.0, transform="Identity()")) == []  # every answer is right


def test_equal_numbers_without_a_shot_are_named_for_networks_alone() -> None:
    base = measured(0.5, k_shot=0)
    assert suspected(base, measured(0.5, k_shot=0, evaluator="LinearProbe()", transform="Identity()")) == []
    [text] = suspected(base, measured(0.5, k_shot=0, backbone=TRAINED, weights_digest="bb"))
    assert "although the weights differ:" in text


@pytest.mark.parametrize(
    ("accuracy", "loss", "named"),
    [
        (0.9, 6.09, True),
        (1.0, math.log(5), True),
        (1.0, float(np.float16(math.log(5))), True),  # as probabilities are stored
        (0.37, 1.6086, False),  # hardly better than guessing, and so is its accuracy
        (0.2, 6.09, False),  # not above chance
        (0.9, 0.4, False),
        (0.9, None, False),
    ],
)
def test_probabilities_that_are_no_better_than_guessing_are_named(
    accuracy: float, loss: float | None, named: bool
) -> None:
    other = row(0.5, 0.01, evaluator="LinearProbe()", measures=MEASURED)
    texts = suspected(row(accuracy, 0.01, measures=MEASURED | {"log_loss": loss}), other)
    assert texts == (
        [
            "Log loss of guessing (1.61 nats) or worse, although the accuracy is above chance: L2 + Prototype; the "
            "answers count, but their probabilities are not usable."
        ]
        if named
        else []
    )


@given(gain=st.floats(-0.3, 0.3), half=st.floats(0.001, 0.1))
def test_a_trained_network_is_named_exactly_if_its_lead_over_random_weights_may_be_none(
    gain: float, half: float
) -> None:
    texts = suspected(row(0.5, half, backbone=RANDOM), row(0.5 + gain, half, backbone=TRAINED))
    assert bool(texts) == (gain - half * 2**0.5 <= 0)
    assert all("is not better than random weights of its architecture" in text for text in texts)


def test_a_twin_has_the_same_architecture_size_and_head() -> None:
    random = row(0.5, backbone=RANDOM)
    assert suspected(random, row(0.4, backbone=TRAINED.replace("64", "96"))) == []
    assert suspected(random, row(0.4, backbone=TRAINED.replace("mobilenetv2_100", "resnet18"))) == []
    assert suspected(random, row(0.4, backbone=TRAINED, evaluator="LinearProbe()")) == []
    assert len(suspected(random, row(0.4, backbone=TRAINED))) == 1


def test_predictions_make_the_comparison_with_the_twin_paired(tmp_path: Path) -> None:
    evaluators = {"Prototype()": 0.3}
    random, results = ranked_runs(tmp_path / "a", evaluators, backbone=RANDOM)
    trained, others = ranked_runs(tmp_path / "b", evaluators, backbone=TRAINED)

    def predictions(one: Row) -> Any:
        return (results if one.backbone == RANDOM else others).predictions(one)

    [ranking] = rankings([*random, *trained], predictions)
    assert isinstance(ranking, Ranking)
    assert ranking.caveats[: len(ranking.suspicions)] == ranking.suspicions
    assert [text for text in ranking.suspicions if "+0.0 points, interval [0.0, 0.0]" in text]
