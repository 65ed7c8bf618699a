"""Comparisons in sentences: what a pair shows, what would confirm it, and what makes the comparison unfair."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fewshot.plugins.spec import Spec
from fewshot.plugins.wording import counted, listed
from fewshot.report.comparisons.naming import Naming
from fewshot.report.comparisons.run_pair import RunPair
from fewshot.report.rows import selection_budgets as budgets
from fewshot.report.rows.reasons import in_words
from fewshot.report.rows.reasons import sentence as missing
from fewshot.results.row import Row
from fewshot.results.row_specs import specs_of
from fewshot.statistics.comparison import Comparison, Needed
from fewshot.statistics.interval import Interval

THESE_WEIGHTS = "this checkpoint only"
_LARGEST_P = 0.05
_MOST_MONTE_CARLO = 0.2  # largest share of episode noise in the variance over classes without a remark
_MANY = 100_000  # episodes, from which on no number is given


def verdict(pair: RunPair, p_adjusted: float) -> str:
    """Whether the difference is significant, for these images and for new classes, and what would confirm it. For new
    classes both the 95 % interval and the p-value, corrected for the comparisons shown (NaN: no test), must say so; if
    the classes are too few for that, both are for these images."""
    if pair.equal:
        return f"no difference in any of the {counted(len(pair.accuracy_a), 'episode')}, so there is nothing to confirm"
    comparison, units = pair.comparison, pair.units.name
    if pair.few:
        return _on_few_classes(pair, p_adjusted)
    images, classes = significant(comparison.these_images), significant_for_classes(pair, p_adjusted)
    images = images if pair.of_classes else significant_in_ranking(pair, p_adjusted)
    if images and classes:
        return f"significant for these images and for new {units}"
    outcome = "significant for these images" if images else "not significant"
    if images and not comparison.new_classes.reason:
        outcome = f"{outcome}, not for new {units}"
    if classes:
        outcome = f"significant for new {units}, not for these images"
    elif significant(comparison.new_classes):
        p = p_value(p_adjusted)
        return f"{outcome}: significant alone, but not after correcting for all comparisons (adjusted p {p})"
    size = abs(comparison.these_images.mean)
    if size == 0:
        return f"{outcome}: the difference is 0; these episodes detect {_detectable(comparison)}"
    return f"{outcome}. {confirming(pair, pair.needed(size), images)}".rstrip(".")


def _on_few_classes(pair: RunPair, p_adjusted: float) -> str:
    certain = significant_in_ranking(pair, p_adjusted)
    outcome = f"{'significant' if certain else 'not significant'} for {pair.population}"
    if significant(pair.shown) and not certain:
        outcome += f" after correcting for all comparisons (adjusted p {p_value(p_adjusted)})"
    return f"{outcome}; {too_few(pair)}"


def too_few(pair: RunPair) -> str:
    """A clause if the classes are too few for new ones; else ""."""
    return f"{in_words(pair.few)} to speak for new ones" if pair.few else ""


def confirming(pair: RunPair, needed: Needed, images: bool) -> str:
    """What it takes to confirm a difference with 80 % power, in sentences. `images`: it is significant for these images
    already."""
    units, reason = pair.units.name, pair.comparison.new_classes.reason
    for_images = ""
    if not images and needed.episodes is not None:
        episodes = counted(needed.episodes, "episode")
        for_images = f"Confirming {100 * needed.delta:.2f} points for these images needs {episodes}."
    if needed.classes is None:
        return f"{for_images} {missing(f'No interval for new {units}', [reason])}".strip()
    if needed.class_episodes is None:
        more = f"More episodes will not help: confirming this for new {units} needs about {needed.classes:,} {units}."
        return f"{for_images} {more}".strip()
    return f"{for_images} Confirming it for new {units} needs {counted(needed.class_episodes, 'episode')}.".strip()


def needs(pair: RunPair, delta: float) -> str:
    """The episodes and classes that detect a difference of `delta` with 80 % power, in words."""
    reason = pair.comparison.new_classes.reason
    text = pair.needed(delta).sentence
    return text.replace(reason, f"no interval for new {pair.units.name} ({in_words(reason)})") if reason else text


def significant(interval: Interval) -> bool:
    """Whether the interval excludes zero."""
    return not interval.reason and (interval.low > 0 or interval.high < 0)


def significant_for_classes(pair: RunPair, p_adjusted: float) -> bool:
    """Whether the difference is significant for new classes, if they are enough, after the correction."""
    return not pair.few and significant(pair.comparison.new_classes) and not p_adjusted >= _LARGEST_P


def significant_in_ranking(pair: RunPair, p_adjusted: float) -> bool:
    """Whether the difference is significant, after the correction, for the population that a ranking speaks of."""
    return significant(pair.shown) and not p_adjusted >= _LARGEST_P


def paragraph(pair: RunPair, naming: Naming, p_adjusted: float, n_compared: int, correction: str = "holm") -> str:
    """A paragraph to paste: the claim, its intervals, and its limits."""
    comparison = pair.comparison
    paired = (
        f"Pairing on the same episodes (correlation {comparison.correlation:.2f}) makes the interval "
        f"{comparison.width_ratio:.1f} times narrower than two independent samples would."
    )
    sentences = [
        f"On the {counted(len(pair.accuracy_a), 'episode')} that both solved ({naming.task(pair.a)}), "
        f"{claim(pair, naming)}.",
        "" if pair.equal else _over_classes(pair, p_adjusted, n_compared, correction),
        paired if math.isfinite(comparison.width_ratio) else "",
        "" if pair.equal or significant_for_classes(pair, p_adjusted) else _outcome(pair, p_adjusted),
        about_weights([pair.a, pair.b]),
    ]
    return " ".join(filter(None, sentences))


def _outcome(pair: RunPair, p_adjusted: float) -> str:
    return f"The difference is {verdict(pair, p_adjusted)}."


def claim(pair: RunPair, naming: Naming) -> str:
    """Which run exceeds which by how much, for these images."""
    images = pair.comparison.these_images
    if pair.equal:
        return f"{naming.run(pair.a)} and {naming.run(pair.b)} have the same accuracy in every episode"
    relation = {(True, True): "exceeds", (True, False): "falls below"}.get(
        (significant(images), images.mean > 0), "does not differ significantly from"
    )
    return (
        f"{naming.run(pair.a)} {relation} {naming.run(pair.b)}: the difference is {100 * images.mean:z.2f} points, "
        f"with the 95 % interval {bounds(images)} for these images"
    )


def _over_classes(pair: RunPair, p_adjusted: float, n_compared: int, correction: str) -> str:
    comparison, units, interval = pair.comparison, pair.units.name, pair.comparison.new_classes
    if interval.reason:
        return missing(f"No interval for new {units}", [interval.reason])
    if pair.few:
        return f"For new {units} the interval is {bounds(interval)} (jackknife over {units})."
    how = "Holm-adjusted over" if correction == "holm" else "corrected for"
    corrected = f", {how} {n_compared:,} comparisons" if n_compared > 1 else ""
    text = (
        f"For new {units} the interval is {bounds(interval)} (jackknife over {units}; "
        f"p {p_value(p_adjusted)}{corrected})."
    )
    if not math.isfinite(comparison.detectable_classes):
        return text
    least = number(100 * comparison.detectable_classes, 2)
    return f"{text} Differences of {least} points or more would be detected with 80 % power."


def warnings(rows: Sequence[Row]) -> list[str]:
    """What makes a comparison of these rows unfair, one clause each."""
    differing = {
        "pretrained_on": "the weights were trained on different data",
        "seen_classes": "the weights have not seen the same classes in training",
        "transductive": "some methods see all queries of an episode at once, others do not",
    }
    clauses = [text for column, text in differing.items() if len({getattr(row, column) for row in rows}) > 1]
    clauses += _seen_counts(rows)
    clauses += [sentence[0].lower() + sentence[1:].rstrip(".") for sentence in budgets.warnings(rows)]
    own = {row.preprocess_digest for row in rows if row.preprocess_digest}
    if len(own) > 1 and not any(map(budgets.image_size, rows)):
        clauses.append("preprocessing differs between networks, and image sizes may differ; set image_size")
    if any(row.n_not_converged for row in rows):
        clauses.append("some episodes of some runs did not converge")
    return clauses


def caution(rows: Sequence[Row]) -> str:
    """The warnings in one sentence; "" for none."""
    clauses = warnings(rows)
    return f"Caution: {'; '.join(clauses)}." if clauses else ""


def _seen_counts(rows: Sequence[Row]) -> list[str]:
    """A clause if all weights have seen classes, but different numbers of them."""
    counts = {row.n_seen_classes for row in rows}
    if {row.seen_classes for row in rows} != {"seen"} or len(counts) < 2 or None in counts:
        return []
    numbers = listed([str(count) for count in sorted(filter(None, counts))])
    return [f"the weights have seen {numbers} of the {rows[0].n_classes} classes in training"]


def more_episodes(pairs: Sequence[RunPair]) -> str:
    """How many episodes would reduce the episode noise in the variance over classes to a fifth, if it is more; else "".
    With E' = k E episodes a share m becomes (m/k) / (1 - m + m/k)."""
    shares = {pair: pair.comparison.new_classes.monte_carlo for pair in pairs}
    noisy = [pair for pair in pairs if shares[pair] > _MOST_MONTE_CARLO]
    if not noisy:
        return ""
    keep = (1 - _MOST_MONTE_CARLO) / _MOST_MONTE_CARLO
    wanted = max(len(pair.accuracy_a) * keep * shares[pair] / max(1e-9, 1 - shares[pair]) for pair in noisy)
    enough = f"About {_rounded(wanted):,} episodes" if wanted < _MANY else "Far more episodes"
    return (
        f"Intervals for new {noisy[0].units.name} are wider than necessary: up to {100 * max(shares.values()):.0f} % "
        f"of their variance is episode noise. {enough} bring it below {100 * _MOST_MONTE_CARLO:.0f} %."
    )


def _rounded(count: float) -> int:
    """The number rounded up to two digits."""
    unit = int(10 ** max(0, math.floor(math.log10(count)) - 1))
    return math.ceil(count / unit) * unit


def about_weights(rows: Sequence[Row]) -> str:
    """A sentence if backbones are compared and one of them is a single checkpoint; else ""."""
    if len({row.backbone for row in rows}) < 2 or not single_checkpoints(rows):
        return ""
    return "Applies to these checkpoints, not to their training recipes."


def single_checkpoints(rows: Sequence[Row]) -> set[Spec]:
    """The backbones without weights of another pre-training seed among the rows."""
    by_recipe: dict[str, set[Spec]] = {}
    for backbone in (specs_of(row).backbone for row in rows):
        by_recipe.setdefault(_recipe(backbone), set()).add(backbone)
    return {backbone for same in by_recipe.values() if len(same) == 1 for backbone in same}


def _recipe(backbone: Spec) -> str:
    """A spec without its seed."""
    fields = sorted((key, repr(value)) for key, value in backbone.fields.items() if key != "seed")
    return repr((backbone.name, fields))


def points(interval: Interval) -> str:
    """Such as "0.41 [0.20, 0.62]" in percentage points, or the mean and the reason why there are no bounds."""
    text = f"({in_words(interval.reason)})" if interval.reason else bounds(interval)
    return f"{100 * interval.mean:z.2f} {text}"


def bounds(interval: Interval) -> str:
    """Such as "[0.20, 0.62]", in percentage points."""
    return f"[{100 * interval.low:z.2f}, {100 * interval.high:z.2f}]"


def number(value: float, digits: int) -> str:
    """A number, or "not known" if it is not finite."""
    return f"{value:.{digits}f}" if math.isfinite(value) else "not known"


def p_value(value: float) -> str:
    """Such as "= 0.012" or "< 0.001"."""
    if not math.isfinite(value):
        return "no test"
    return f"= {value:.3f}" if value >= 0.001 else "< 0.001"


def _detectable(comparison: Comparison) -> str:
    return f"{number(100 * comparison.detectable_episodes, 2)} points with 80 % power"
