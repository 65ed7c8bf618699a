"""Comparisons in sentences: what a pair shows and for whom, what would settle it, and what makes it unfair."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fewshot.plugins.spec import Spec
from fewshot.report.comparisons.naming import Naming
from fewshot.report.comparisons.pairing import RunPair
from fewshot.report.rows import selection_budgets as budgets
from fewshot.results.asked import asked
from fewshot.results.row import Row
from fewshot.statistics.comparison import Comparison
from fewshot.statistics.intervals import Interval

THESE_WEIGHTS = "these weights only"
_LARGEST_P = 0.05
_MOST_MONTE_CARLO = 0.2  # of the variance over classes, that comes from the number of episodes
_MANY = 100_000  # episodes that are still told as a number


def verdict(pair: RunPair, p_adjusted: float) -> str:
    """For whom the difference is settled, and what would settle it for the others. For new classes it is settled where
    the 95 % interval and the p-value, adjusted over all pairs that are shown (NaN: no test), both say so."""
    found, units = pair.comparison, pair.units.name
    images, classes = settled(found.these_images), settled_for_classes(pair, p_adjusted)
    if images and classes:
        return f"settled, for these images and for new {units}"
    what = f"settled for these images, not for new {units}" if images else "not settled"
    if classes:
        what = f"settled for new {units}, not for these images"
    elif settled(found.new_classes):
        return f"{what}: alone it would be, among all pairs shown it is not (adjusted p {p_value(p_adjusted)})"
    size = abs(found.these_images.mean)
    if size == 0:
        return f"{what}: no difference was found; these episodes would show one of {_detectable(found)}"
    return f"{what}; to show the {100 * size:.2f} points that were found: {pair.needed(size).sentence}"


def settled(interval: Interval) -> bool:
    """Whether the interval is all on one side of zero."""
    return not interval.reason and (interval.low > 0 or interval.high < 0)


def settled_for_classes(pair: RunPair, p_adjusted: float) -> bool:
    """Whether the difference is settled for new classes, among all pairs shown."""
    return settled(pair.comparison.new_classes) and not p_adjusted >= _LARGEST_P


def paragraph(pair: RunPair, naming: Naming, p_adjusted: float, n_compared: int) -> str:
    """A paragraph to paste: the claim, its populations, and what it does not say."""
    found = pair.comparison
    paired = (
        f"Pairing on the same episodes (correlation {found.correlation:.2f}) makes the interval "
        f"{found.width_ratio:.1f} times narrower than two independent samples would."
    )
    sentences = [
        f"On the {len(pair.accuracy_a)} episodes that both solved ({naming.task(pair.a)}), {claim(pair, naming)}.",
        _over_classes(found, pair.units.name, p_adjusted, n_compared),
        paired if math.isfinite(found.width_ratio) else "",
        "" if settled_for_classes(pair, p_adjusted) else f"The difference is {verdict(pair, p_adjusted)}.",
        of_weights([pair.a, pair.b]),
    ]
    return " ".join(filter(None, sentences))


def claim(pair: RunPair, naming: Naming) -> str:
    """Who exceeds whom by how much, for other episodes from these images."""
    images = pair.comparison.these_images
    told = {(True, True): "exceeds", (True, False): "falls short of"}.get(
        (settled(images), images.mean > 0), "is not told apart from"
    )
    return (
        f"{naming.run(pair.a)} {told} {naming.run(pair.b)}: the difference is {100 * images.mean:z.2f} points, "
        f"95 % interval {bounds(images)} for other episodes from these images"
    )


def _over_classes(found: Comparison, units: str, p_adjusted: float, n_compared: int) -> str:
    interval = found.new_classes
    if interval.reason:
        return f"No interval for new {units}: {interval.reason}."
    corrected = f", Holm-adjusted over {n_compared} comparisons" if n_compared > 1 else ""
    return (
        f"For new {units} the interval is {bounds(interval)} (jackknife over {units}; sign-flip test "
        f"p {p_value(p_adjusted)}{corrected}); differences from {number(100 * found.detectable_classes, 2)} points on "
        "would be found with 80 % power."
    )


def warnings(rows: Sequence[Row]) -> list[str]:
    """What makes a comparison of these rows unfair, one sentence each."""
    differing = {
        "pretrained_on": "the weights were trained on different data",
        "seen_classes": "the weights have not seen the same classes in training",
        "transductive": "some methods see all queries of an episode at once, others do not",
    }
    found = [said for column, said in differing.items() if len({getattr(row, column) for row in rows}) > 1]
    found += _counts_differ(rows)
    found += [sentence[0].lower() + sentence[1:].rstrip(".") for sentence in budgets.warnings(rows)]
    own = {row.preprocess_digest for row in rows if row.preprocess_digest}
    if len(own) > 1 and not any(map(budgets.image_size, rows)):
        found.append("each network prepares images in its own way, and their sizes may differ; set image_size")
    if any(row.n_not_converged for row in rows):
        found.append("some runs have episodes that did not converge")
    return found


def _counts_differ(rows: Sequence[Row]) -> list[str]:
    """A sentence where all weights have seen classes, but not as many of them."""
    counts = {row.n_seen_classes for row in rows}
    if {row.seen_classes for row in rows} != {"seen"} or len(counts) < 2 or None in counts:
        return []
    told = " and ".join(str(count) for count in sorted(filter(None, counts)))
    return [f"the weights have seen {told} of the {rows[0].n_classes} classes in training"]


def more_episodes(pairs: Sequence[RunPair]) -> str:
    """Where more than a fifth of the variance over classes comes from the number of episodes, how many would bring it
    below; else "". With E' = k E episodes a share m becomes (m/k) / (1 - m + m/k)."""
    shares = {pair: pair.comparison.new_classes.monte_carlo for pair in pairs}
    told = [pair for pair in pairs if shares[pair] > _MOST_MONTE_CARLO]
    if not told:
        return ""
    keep = (1 - _MOST_MONTE_CARLO) / _MOST_MONTE_CARLO
    wanted = max(len(pair.accuracy_a) * keep * shares[pair] / max(1e-9, 1 - shares[pair]) for pair in told)
    below = f"about {_rounded(wanted)} episodes bring it below {100 * _MOST_MONTE_CARLO:.0f} %"
    return (
        f"Intervals for new {told[0].units.name} are wider than need be: up to {100 * max(shares.values()):.0f} % of "
        f"their variance comes from the number of episodes; {below if wanted < _MANY else 'draw far more'}."
    )


def _rounded(count: float) -> int:
    """Up to two digits."""
    unit = int(10 ** max(0, math.floor(math.log10(count)) - 1))
    return math.ceil(count / unit) * unit


def of_weights(rows: Sequence[Row]) -> str:
    """Where backbones are compared and one of them is a single checkpoint, what may not be claimed; else ""."""
    if len({row.backbone for row in rows}) < 2 or not single_checkpoints(rows):
        return ""
    return (
        f"This speaks of {THESE_WEIGHTS}, not of the recipes that made them: each backbone is one checkpoint, and "
        "another training of the same recipe would differ too."
    )


def single_checkpoints(rows: Sequence[Row]) -> set[Spec]:
    """The backbones of which there are no weights of another pre-training seed among the rows."""
    of_recipe: dict[str, set[Spec]] = {}
    for backbone in (asked(row).backbone for row in rows):
        of_recipe.setdefault(_recipe(backbone), set()).add(backbone)
    return {backbone for same in of_recipe.values() if len(same) == 1 for backbone in same}


def _recipe(backbone: Spec) -> str:
    """A spec without its seed."""
    fields = sorted((key, repr(value)) for key, value in backbone.fields.items() if key != "seed")
    return repr((backbone.name, fields))


def points(interval: Interval) -> str:
    """Such as "0.41 [0.20, 0.62]" in percentage points, or the mean and the reason why it has no bounds."""
    told = f"({interval.reason})" if interval.reason else bounds(interval)
    return f"{100 * interval.mean:z.2f} {told}"


def bounds(interval: Interval) -> str:
    """Such as "[0.20, 0.62]", in percentage points."""
    return f"[{100 * interval.low:z.2f}, {100 * interval.high:z.2f}]"


def number(value: float, digits: int) -> str:
    """A number, or that it is not known."""
    return f"{value:.{digits}f}" if math.isfinite(value) else "not known"


def p_value(value: float) -> str:
    """Such as "= 0.012" or "< 0.001"."""
    if not math.isfinite(value):
        return "no test"
    return f"= {value:.3f}" if value >= 0.001 else "< 0.001"


def _detectable(found: Comparison) -> str:
    return f"{number(100 * found.detectable_episodes, 2)} points with 80 % power"
