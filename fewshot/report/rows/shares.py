"""How many lines of each table and figure a page shows, so that a page of very many runs is small and opens at once."""

from __future__ import annotations

from collections.abc import Sequence


def shares(counts: Sequence[int], most: int) -> list[int]:
    """How many of each of these numbers a page shows: small ones whole and large ones about equally many, so that they
    are at most `most` together. Of each at least one, if there is one."""
    shown, left = [0] * len(counts), most
    for rank, place in enumerate(sorted(range(len(counts)), key=counts.__getitem__)):
        shown[place] = min(counts[place], max(1, left // (len(counts) - rank)))
        left -= shown[place]
    return shown
