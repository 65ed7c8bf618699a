"""Ladders of classes from rows with known answers: which rungs belong together, what more classes change, and when it
cannot be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from fewshot.results.row import Row
from fewshot.scaling.fits.intervals import ONE_SEED
from fewshot.scaling.studies.class_ladders import HELP, HURT, UNCLEAR, ClassLadder, class_ladders
from fewshot.scaling.studies.trained_rows import trained
from tests.support.class_ladder_rows import A_CLASS, COUNTS, IN_ALL, NARROWED, ladder_rows, rung
from tests.support.trained_rows import ALL, SEEDS, SIZES, row, trained_of

T2 = 4.302653 / np.sqrt(3)  # half width of an interval over three values of spread 1


def ladders_in(rows: Sequence[Row]) -> list[ClassLadder]:
    return class_ladders(trained_of(*rows))


def test_what_is_fixed_makes_two_ladders_that_share_a_rung():
    a_class, in_all = ladders_in(ladder_rows())
    assert (a_class.fixed, in_all.fixed) == (A_CLASS, IN_ALL)
    assert a_class.classes == in_all.classes == COUNTS
    np.testing.assert_allclose(in_all.ladder.errors[:, 0], a_class.ladder.errors[:, 0])
    np.testing.assert_allclose(in_all.ladder.errors[1], 0.4 + 0.1 * np.arange(4) / 3)
    assert [each.ladder.arm.trained_on for each in (a_class, in_all)] == [
        "icons mono, 16 images per class",
        "icons mono, 512 images in all",
    ]


def test_one_row_for_a_rung_of_both_is_enough():
    rows = [each for each in ladder_rows() if each.training_classes != 32]
    shared = [rung(32, IN_ALL, seed, 0.3 + 0.1 * seed) for seed in SEEDS]
    assert [each.classes for each in ladders_in([*rows, *shared])] == [COUNTS, COUNTS]


def test_means_have_a_t_interval_inside_what_an_error_can_be():
    _, in_all = ladders_in(ladder_rows())
    mean, low, high = in_all.means[0]
    assert (mean, low, high) == pytest.approx((0.4, 0.4 - 0.1 * T2, 0.4 + 0.1 * T2), abs=1e-6)
    _, wide = ladders_in(ladder_rows(seeds=(0, 2)))
    assert wide.means[0][1:] == (0.0, 1.0)


def test_the_change_is_paired_by_seed():
    a_class, in_all = ladders_in(ladder_rows())
    change = in_all.change
    assert (change.value, change.low, change.high) == pytest.approx((0.1, 0.1 - 0.01 * T2, 0.1 + 0.01 * T2), abs=1e-6)
    assert change.how == "one difference for each of 3 seeds, Student's t"
    assert (a_class.change.value, a_class.verdict, in_all.verdict) == (pytest.approx(-0.1), HELP, HURT)


def test_a_change_is_unclear_where_its_interval_holds_0():
    for spread, verdict in ((0.03, HURT), (0.05, UNCLEAR)):  # 0.1 / T2 = 0.04
        rows = ladder_rows(change=lambda _, seed, spread=spread: 0.1 + spread * (seed - 1))
        assert {each.verdict for each in ladders_in(rows)} == {verdict}


def test_one_seed_tells_nothing():
    for each in ladders_in(ladder_rows(seeds=(0,))):
        assert each.verdict == UNCLEAR
        assert each.change.how == ONE_SEED
        assert np.isnan([each.change.low, each.change.high, *each.means[0][1:]]).all()
        assert np.isfinite([each.change.value, each.means[0][0]]).all()


def test_a_seed_without_all_rungs_is_omitted_and_named():
    rows = [each for each in ladder_rows() if (each.training_seed, each.unique_images) != (2, 1024)]
    a_class, in_all = ladders_in(rows)
    assert (a_class.ladder.seeds, a_class.ladder.dropped) == ((0, 1), ("seed 2: some of its rungs are missing",))
    assert (in_all.ladder.seeds, in_all.ladder.dropped) == (SEEDS, ())


def test_a_rung_near_chance_is_omitted_and_named():
    near = [rung(256, IN_ALL, seed, 0.799) for seed in SEEDS]
    rows = [each for each in ladder_rows() if (each.training_classes, each.unique_images) != (256, 512)]
    _, in_all = ladders_in([*rows, *near])
    assert in_all.classes == COUNTS[:-1]
    assert in_all.ladder.dropped == ("256 classes: within two standard errors of chance",)


def test_two_numbers_of_classes_are_a_ladder_and_one_is_none():
    two = [each for each in ladder_rows() if each.training_classes in (32, 128)]
    assert [each.classes for each in ladders_in(two)] == [(32, 128)] * 2
    assert ladders_in([each for each in ladder_rows() if each.training_classes == 64]) == []


def test_images_that_no_class_has_equally_many_of_are_a_rung_of_their_total_alone():
    rows = [*ladder_rows(), *(rung(count, IN_ALL, seed, 0.4) for count in (100, 101) for seed in SEEDS)]
    assert [each.classes for each in ladders_in(rows)] == [COUNTS, (32, 64, 100, 101, 128, 256)]


def test_rows_of_ladders_of_images_change_nothing():
    images = [row(size, seed, n_way=5) for size in (*SIZES, 512) for seed in SEEDS]
    assert class_ladders(trained(ALL)) == []
    mixed = class_ladders([*trained(ALL), *trained_of(*images, *ladder_rows())])
    assert [(each.classes, each.ladder.errors.tolist()) for each in mixed] == [
        (each.classes, each.ladder.errors.tolist()) for each in ladders_in(ladder_rows())
    ]


def test_scores_on_other_classes_at_every_rung_are_not_compared():
    own = [
        replace(each, split=NARROWED.format(each.training_seed).replace("n_seen=32", f"n_seen={each.training_classes}"))
        for each in ladder_rows(classes="seen")
    ]
    partly = ladder_rows(classes="seen", split="", n_classes=257, n_seen_classes=32)
    for rows in (own, partly):
        assert ladders_in(rows) == []
    assert len(ladders_in(ladder_rows(classes="seen"))) == 2


def test_settings_are_kept_apart():
    other = ladder_rows(network="ConvNet(width=16)", n_params=2000)
    assert len({each.setting for each in ladders_in([*ladder_rows(), *other])}) == 2
    several = [*ladder_rows(), *ladder_rows(k_shot=5), *ladder_rows(classes="seen")]
    result = ladders_in(several)
    assert len({each.setting for each in result}) == 1
    scored = [("novel", 1), ("novel", 5), ("seen", 1)]
    assert [(each.fixed, (each.protocol.target.classes, each.protocol.k_shot)) for each in result] == [
        (fixed, score) for fixed in (A_CLASS, IN_ALL) for score in scored
    ]
