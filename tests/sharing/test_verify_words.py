"""A verification in few lines: short ids that stay different, and one line for each kind."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fewshot.sharing.verify_words import grouped, shortened

IDS = ("0123456789abcdef", "0123ffff89abcdef", "aaaa456789abcdef")


def test_ids_are_as_short_as_they_stay_different() -> None:
    texts = [f"run {IDS[0]}: its run id: own code", "run 00000000000000ff: unknown"]
    assert shortened(texts, IDS) == ["run 01234: its run id: own code", texts[1]]
    assert shortened([f"run {IDS[2]}: a"], IDS[2:]) == ["run aaaa: a"]


@given(st.sets(st.text("0123456789abcdef", min_size=16, max_size=16), min_size=1, max_size=40))
def test_no_two_ids_become_one(ids: set[str]) -> None:
    short = shortened([f"run {one}: a" for one in ids], list(ids))
    assert len(set(short)) == len(ids)


def test_one_line_for_each_kind_with_its_runs_and_reasons() -> None:
    texts = [f"run {one}: its run id: the labels of its images are not here" for one in IDS]
    texts += [f"run {IDS[0]}: its labels: the evaluator is own code"]
    texts += [f"run {one}: it cannot be computed again here: no weights of {one[0]}" for one in IDS[:2]]
    assert grouped(texts, 3) == [
        "run id of all 3 runs (the labels of its images are not here)",
        "labels of 1 of 3 runs (the evaluator is own code)",
        "second computation of 2 of 3 runs, which cannot run here (no weights of 0)",
    ]


def test_many_reasons_are_counted() -> None:
    texts = [f"run {number:016x}: its episodes: reason {number}" for number in range(9)]
    assert grouped(texts, 9) == ["episodes of all 9 runs (reason 0; reason 1; 7 other reasons)"]
