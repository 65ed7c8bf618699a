"""Gains from rows of several transforms, samplers and shapes: each is compared with its like alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from fewshot.report import page
from fewshot.report.rows.shown import Shown
from fewshot.results.row import Row
from fewshot.scaling.studies.adaptation import ladders
from fewshot.scaling.studies.near_and_far import SourceGains, gains_of, read_distances
from fewshot.scaling.studies.sources import source_matrices
from tests.support.trained_rows import SEEDS, row, trained_of

POOLS = "DisjointPools(pools=4, support_from=None, query_from=None)"


def gaining(gain: float, **changed: Any) -> list[Row]:
    """Networks on 100 and 800 images; more images gain so much."""
    rows = [row(n, seed, accuracy=0.5 + gain * (n == 800)) for n in (100, 800) for seed in SEEDS]
    return [replace(each, run_id=f"{each.run_id} {changed}", **changed) for each in rows]


def gains_in(rows: Sequence[Row]) -> list[SourceGains]:
    return gains_of(trained_of(*rows))


def test_two_transforms_are_two_heads():
    rows = [*gaining(0.1), *gaining(0.2, transform="Identity()"), *gaining(0.3, transform="CentredL2()")]
    assert {each.head.short_name: [gain.mean for gain in each.gains] for each in gains_in(rows)} == {
        "L2 + Prototype": [pytest.approx(0.1)],
        "Prototype": [pytest.approx(0.2)],
        "CentredL2 + Prototype": [pytest.approx(0.3)],
    }


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({"sampler": POOLS}, ["icons mono, balanced", "icons mono, 4 disjoint pools of images"]),
        ({"n_way": 5}, ["icons mono, 20-way", "icons mono, 5-way"]),
        ({"n_query": 15}, ["icons mono, 5 queries per class", "icons mono, 15 queries per class"]),
        ({"seed": 1}, ["icons mono, episode seed 0", "icons mono, episode seed 1"]),
        ({"split": "AllNovel()"}, ["icons mono, default split", "icons mono, AllNovel"]),
        ({"dtype": "float16"}, ["icons mono, unknown dtype", "icons mono, float16"]),
        ({"classes": "seen"}, ["icons mono", "icons mono, seen classes"]),
        (
            {"sampler": POOLS, "n_way": 5},
            ["icons mono, balanced, 20-way", "icons mono, 4 disjoint pools of images, 5-way"],
        ),
    ],
)
def test_scores_of_other_targets_are_paired_apart_and_have_other_names(changed, names):
    [result] = gains_in([*gaining(0.1), *gaining(0.2, **changed)])
    assert [gain.target for gain in result.gains] == names
    assert [gain.mean for gain in result.gains] == pytest.approx([0.1, 0.2])


def test_what_all_rows_share_is_not_named():
    [result] = gains_in(gaining(0.1, sampler=POOLS, n_way=5, seed=3))
    assert [gain.target for gain in result.gains] == ["icons mono"]


def test_trainings_that_share_no_seed_or_size_gain_nothing():
    apart = [row(100, 0, n_params=1000), row(800, 1, n_params=2000)]
    assert gains_in(apart) == []


def test_two_rows_in_the_place_of_one_are_an_error_of_one_sentence():
    rows = [*gaining(0.1), row(100, 0, accuracy=0.7)]
    message = r"the rows .* and .* have the same training \(seed 0, 100 images, 257 classes\) and protocol"
    with pytest.raises(ValueError, match=message):
        gains_in(rows)
    with pytest.raises(ValueError, match=message):
        ladders(trained_of(*rows))
    with pytest.raises(ValueError, match=message):
        source_matrices(trained_of(*rows))


def test_the_page_shows_all_transforms_and_samplers():
    rows = [*gaining(0.1), *gaining(0.2, transform="Identity()"), *gaining(0.3, sampler=POOLS)]
    section = (
        page(Shown.of(rows), None, "x")
        .partition("<h2>What larger networks and more data gain")[2]
        .partition("</section>")[0]
    )
    for gain, target, head in (
        ("10.0", "icons mono, balanced", "L2 + Prototype"),
        ("20.0", "icons mono", "Prototype"),
        ("30.0", "icons mono, 4 disjoint pools of images", "L2 + Prototype"),
    ):
        assert f"<td>{target}</td>" in section
        assert f"<td>{head}</td>" in section
        assert f"<td>{gain}\u00a0[" in section


def test_ladders_of_two_samplers_have_other_names_in_the_report():
    rows = [
        row(size, seed, sampler=sampler, seen_error=None)
        for size in (100, 200, 400) for seed in SEEDS for sampler in ("Balanced()", POOLS)
    ]  # fmt: skip
    section = (
        page(Shown.of(rows), None, "x")
        .partition("<h2>What more pre-training images gain")[2]
        .partition("</section>")[0]
    )
    assert "L2 + Prototype, 4 disjoint pools of images</td>" in section
    assert "L2 + Prototype, balanced</td>" in section


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("1e999", "a distance must be finite, found inf"),
        ("-1e999", "a distance must be finite, found -inf"),
        ("NaN", "a distance must be finite, found nan"),
        ('"Infinity"', "a distance must be finite, found 'Infinity'"),
        ("1" + "0" * 400, "OverflowError: "),
        ('"' + "A" * 200_000 + '"', "ValueError: could not convert"),
        ("null", "TypeError: "),
    ],
    ids=lambda text: text[:12],
)
def test_a_distance_that_is_no_finite_number_is_one_sentence(value, found, tmp_path):
    path = tmp_path / "d.json"
    path.write_text('{"distances": [{"source": "a", "target": "b", "mmd": 0.5}]}')
    assert read_distances(path) == {("a", "b"): 0.5}
    path.write_text(path.read_text().replace("0.5", value))
    with pytest.raises(ValueError, match=rf"d\.json holds no distances \(.*{found}.*; write it with: ") as raised:
        read_distances(path)
    assert len(str(raised.value)) < 1000
