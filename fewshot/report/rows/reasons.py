"""Why an interval is missing, in words for readers. Rows store the reason, so its text there never changes."""

from __future__ import annotations

import re
from collections.abc import Iterable

from fewshot import protocols
from fewshot.report.rows.dependence import draws_depend
from fewshot.results.comparability import benchmark
from fewshot.results.row import Row
from fewshot.results.row_specs import specs_of

FEWEST_SETS = 5  # with fewer, an interval for other sets spans most of what is possible and says nothing
ONE_DRAW = "one draw of a set of a benchmark has no spread"  # the mean over sets counts its test images instead
_USE_POOLS = 'Use --sampler "DisjointPools()".'
# What rows store, what readers see, and what to do about it.
_WORDS = (
    (r"the episodes share images; draw them with DisjointPools", "episodes share images", _USE_POOLS),
    (r"(\d+) disjoint pools of images; at least (\d+) are needed", r"there are \1 pools of images, \2 are needed", ""),
    (r"every episode holds every one of the (.+)", r"every episode holds all \1", ""),
    (r"some of the (.+) are in every episode of .+", r"some of the \1 are in every episode", "Run more episodes."),
    (r"(\d+) (.+) are too few to speak of others", r"\1 \2 are too few", ""),
    (r"all answers are (right|wrong): .+", r"all answers are \1", ""),
    (r"one episode has no spread", "there is one episode", "Run more episodes."),
    (rf"{ONE_DRAW}", "there is one draw; an interval of a mean over sets is for new test images", ""),
    (r"one support was drawn; at least (\d+) are needed", r"there is one draw, \1 are needed", "Run more episodes."),
    (r"the episodes do not answer all of a test set each", "episodes are not whole test sets", ""),
    (r"a class has one test image; at least (\d+) are needed", r"a class has one test image, \1 are needed", ""),
    (r"(\d+) episodes have no lowest tenth; at least (\d+) are needed", r"there are \1 episodes, \2 are needed", ""),
    (r"no episode asks for a class and for others", "no episode queries a class and others", ""),
    (r"the run was made by an older release", "an older release made the run", ""),
)  # fmt: skip


def in_words(reason: str) -> str:
    """A stored reason as part of a sentence; one without words of its own stays as it is."""
    return _translated(reason)[0]


def are_fixed(rows: Iterable[Row]) -> bool:
    """Whether benchmarks of the field fix the episodes of all rows, or their samplers have one episode only: advice to
    draw others would break them, or help nothing."""
    return all(benchmark(row) or _is_only_episode(row) for row in rows)


def one_episode(row: Row, run: str = "each run") -> str:
    """Why a run whose episodes count as one has no test, and what to do about it. `run`: its name, or "it" where it was
    named; "each run" if all runs of its task are so."""
    followed = protocols.of_protocol(row.protocol) if benchmark(row) else None
    only = ", so nothing can be said of the difference"
    if followed is not None and len(followed.sets) >= FEWEST_SETS:
        only = f"; only means over {FEWEST_SETS} or more sets of {followed.protocol} have a test"
    if draws_depend(row):
        return f"{run} has draws that depend on each other and count as one{only}"
    if _is_only_episode(row) or (followed is not None and followed.n_episodes == 1):
        return f"{run} has one episode, and there are no more{only}"
    return f"{run} has 1 episode, and a comparison needs 2 or more; run more episodes"


def _is_only_episode(row: Row) -> bool:
    """Whether all episodes of its sampler are the same, because each holds all images."""
    sampler, is_open = specs_of(row).sampler, (row.n_way, row.k_shot, row.n_query) == (None, None, None)
    return is_open and bool(sampler.declares("repeats_if_open")) and sampler.fields.get("apart") is None


def sentence(start: str, reasons: Iterable[str], fixed: bool = False) -> str:
    """What is missing, why, and what to do: "No interval for new images: episodes share images. Use ...". `fixed`: a
    protocol fixes the episodes, so there is nothing to do."""
    texts = [_translated(reason) for reason in dict.fromkeys(reasons)]
    advice = dict.fromkeys(todo for _, todo in texts if todo and not fixed)
    return " ".join([f"{start}: {'; or '.join(dict.fromkeys(why for why, _ in texts))}.", *advice])


def _translated(reason: str) -> tuple[str, str]:
    for pattern, why, todo in _WORDS:
        match = re.fullmatch(pattern, reason, re.DOTALL)
        if match:
            return match.expand(why), todo
    return reason, ""
