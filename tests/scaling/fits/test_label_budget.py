"""Label budgets, and gains of network and source."""

from __future__ import annotations

import numpy as np
import pytest

from fewshot.scaling.fits.curves import Curve
from fewshot.scaling.fits.label_budget import budgets
from fewshot.scaling.laws import Points
from fewshot.scaling.laws.m2 import M2
from fewshot.scaling.studies.gains import PairedScore, network_gains, source_gains
from tests.support.label_budgets import budget
from tests.support.scaling_reference import rows

SHOTS = np.array([1, 2, 3, 5, 8, 12, 18, 27.0])
LAW = M2(0.55, -0.5, 0.02)


def curve(shots: np.ndarray) -> Curve:
    return Curve({}, Points(shots, LAW.predict(shots), np.ones(len(shots))), np.array([]), np.array([]), 0)


def test_the_bracket_holds_the_truth():
    result = budget(curve(SHOTS), 0.9)
    needed = float(LAW.inverse(0.1))
    assert result.bracket is not None
    assert result.bracket[0] <= needed * 1.001
    assert result.bracket[1] >= needed * 0.999
    assert result.sentence.startswith("0.9 needs ")


def test_a_target_that_was_measured_says_so():
    assert budget(curve(SHOTS), 0.8).sentence == "0.8 is reached at 12 (measured)"


def test_a_target_far_away_is_not_to_be_relied_on():
    result = budget(curve(SHOTS[:6]), 0.95)
    assert "of them beyond twice the measured 12, which is unreliable" in result.sentence
    assert {need.standing for need in result.needs} >= {"beyond"}


def test_a_trusted_law_that_never_gets_there_leaves_the_bracket_open():
    errors = M2(0.5, -0.9, 0.1).predict(SHOTS)
    flat = Curve({}, Points(SHOTS, errors, np.ones(len(SHOTS))), np.array([]), np.array([]), 0)
    result = budget(flat, 0.895)
    assert result.bracket is not None
    assert result.bracket[1] == np.inf
    assert "at least" in result.sentence
    assert "never reach it" in result.sentence


def test_a_target_that_no_law_reaches_has_no_answer():
    result = budget(curve(SHOTS), 0.999, ["M2"])
    assert result.bracket is None
    assert result.sentence == "no answer: no law predicts the largest sizes and reaches 0.999"


def test_targets_and_curves_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="a target accuracy must lie between 0 and 1, got 90"):
        budget(curve(SHOTS), 90)
    with pytest.raises(ValueError, match="a label budget needs 4 different x or more, but the curve all has 3"):
        budget(curve(SHOTS[:3]), 0.9)


def test_many_curves_and_targets_at_once_say_what_each_says_alone():
    curves, targets = [curve(SHOTS), curve(SHOTS[:5]), curve(SHOTS[:4])], [[0.8, 0.9], [0.7], []]
    result = budgets(curves, targets)
    assert [[each.target for each in own] for own in result] == targets
    for own in result:
        for each in own:
            alone = budget(each.curve, each.target)
            assert each.sentence == alone.sentence
            assert [n.labels for n in each.needs] == pytest.approx([n.labels for n in alone.needs], rel=1e-6)
    with pytest.raises(ValueError, match="4 different x or more, but the curve"):
        budgets([curve(SHOTS), curve(SHOTS[:3])], [[0.9], [0.9]])


def run(network: str, source: str, seed: str, score: float) -> PairedScore[str]:
    return PairedScore("birds", "5", network, source, seed, score)


def test_gains_are_paired_by_seed():
    runs = [run("small", "1k", s, v) for s, v in (("1", 0.5), ("2", 0.6), ("3", 0.1))]
    runs += [run("large", "1k", s, v) for s, v in (("1", 0.6), ("2", 0.72))]
    (gain,) = network_gains(runs, "small", "large")
    assert gain.mean == pytest.approx(0.11)
    assert gain.n_seeds == 2
    half = 12.706204736 * np.std([0.1, 0.12], ddof=1) / np.sqrt(2)
    assert (gain.low, gain.high) == pytest.approx((0.11 - half, 0.11 + half))


def test_gains_need_both_sides_and_one_run_a_seed():
    with pytest.raises(ValueError, match="there is no score of the network 'large'; known: small"):
        network_gains([run("small", "1k", "1", 0.5)], "small", "large")
    assert network_gains([run("small", "1k", "1", 0.5), run("large", "1k", "2", 0.6)], "small", "large") == []
    with pytest.raises(ValueError, match="two scores of seed 1 on birds at 5 shots, network small"):
        network_gains([run("small", "1k", "1", 0.5)] * 2 + [run("large", "1k", "1", 0.6)], "small", "large")


def fine_tuned(name: str) -> list[PairedScore[str]]:
    """Cherti & Jitsev's runs, repeated rows removed."""
    lines = {line["path"]: line for line in rows(f"transfer/finetuning_results_{name}.csv")}  # the last of each
    return [
        PairedScore(
            line["dataset"],
            line["shot"].removesuffix("_shot"),
            line["pretrained_model"].rsplit("_", 1)[1],
            line["pretrained_model"].rsplit("_", 1)[0],
            line["seed"],
            float(line["metric_value"]),
        )
        for line in lines.values()
    ]


def test_network_and_source_both_gain_on_cifar_100():
    runs = fine_tuned("cifar100_test_acc")
    for gain in network_gains(runs, "bit50x1", "bit152x4") + source_gains(runs, "imagenet1k", "imagenet21k"):
        assert gain.low > 0 or gain.shots == "1"


def test_on_pets_the_larger_source_loses_at_few_shots():
    gains = source_gains(fine_tuned("pets_test_acc"), "imagenet1k", "imagenet21k")
    few = [gain for gain in gains if gain.shots in ("1", "5", "10")]
    assert len(few) == 6
    assert all(gain.mean < 0 for gain in few)
    assert sum(gain.high < 0 for gain in few) >= 3
