"""Which published number a row stands beside, and every choice in which their protocols differ."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from fewshot.plugins.registry import EVALUATORS, TRANSFORMS
from fewshot.plugins.spec import Spec
from fewshot.results.published import PublishedNumber
from fewshot.results.row import Row
from fewshot.results.row_specs import specs_of
from fewshot.results.selection_rule import saw_test_labels


def partner(row: Row, numbers: Sequence[PublishedNumber], model: str = "") -> PublishedNumber | None:
    """The number of the row's data and network whose protocol is nearest to the row's; None if there is none.

    A network is matched by the names of its weights. Many published networks have no public name: then `model` names
    one, as in `of_model`.
    """
    of_network = of_model(numbers, model) if model else [one for one in numbers if is_network(row, one)]
    text = _letters(f"{row.dataset} {row.split}")
    longest = max((len(_longest(one, text)) for one in of_network), default=0)
    same = [one for one in of_network if longest and len(_longest(one, text)) == longest]
    return min(same, key=lambda one: len(list(mismatches(row, one))), default=None)


def of_model(numbers: Sequence[PublishedNumber], model: str) -> list[PublishedNumber]:
    """The numbers of the network whose name is `model`, or the only one that holds it. A ValueError if several do."""
    wanted = model.lower().replace(",", "")  # no name holds one, so that lists of names can be read
    held = [one for one in numbers if wanted in one.model.lower()]
    exact = [one for one in held if one.model.lower() == wanted]
    names = dict.fromkeys(one.model for one in held)
    if not exact and len({name.lower() for name in names}) > 1:
        shown = ", ".join(list(names)[:10])
        raise ValueError(f"{model!r} fits {len(names)} published networks: {shown}; write the whole name of one")
    return exact or held


def mismatches(row: Row, number: PublishedNumber, n_test: int | None = None) -> Iterator[str]:
    """Every reason why the two numbers may not be compared, as "shots: 5, published 1". `n_test`: the test images that
    each draw of the row answers, where they are known."""
    yield from _data(row, number, n_test)
    yield from _shape(row, number)
    yield from head_mismatches(row, number)


def _data(row: Row, number: PublishedNumber, n_test: int | None) -> Iterator[str]:
    data = number.data
    if data.splits and _split(row) not in data.splits:
        yield f"other split: {row.split or 'the default split'}, published {data.name}"
    if row.classes in ("seen", "validation"):
        yield f"other part of the split: {row.classes} classes, published novel"
    if data.n_classes and row.n_classes and row.n_classes != data.n_classes:
        yield f"other counts: {row.n_classes:,} classes, published {data.n_classes:,}"
    if data.n_test and n_test is not None and n_test != data.n_test:
        yield f"other counts: {n_test:,} test images, published {data.n_test:,}"
    if "at chance" in number.labels:
        yield "the published number is at chance: its features failed"


def _split(row: Row) -> str:
    """The name of the published split of a row; "" for any other, since the name of a folder or file proves none."""
    specs = specs_of(row)
    if row.split:
        return _letters(str(specs.split.fields.get("name", ""))) if specs.split.declares("is_published") else ""
    return _letters(str(specs.dataset.fields.get("split_name", "")))


def _shape(row: Row, number: PublishedNumber) -> Iterator[str]:
    reads_support = not specs_of(row).evaluator.declares("ignores_support")
    sizes = [("ways", row.n_way, number.ways)]
    if reads_support:
        sizes.append(("shots", row.k_shot, number.shots))
    if number.queries == "all" or row.transductive:
        sizes.append(("queries per class", row.n_query, number.queries))
    for name, own, published in sizes:
        wanted = published if isinstance(published, int) else None
        if own != wanted:
            yield f"other {name}: {'open' if own is None else own}, published {published or 'unknown'}"
    varies = bool(specs_of(row).sampler.declares("open_ways_vary"))
    if varies != (number.ways == "variable"):
        yield f"other sampler: {specs_of(row).sampler.short_name}, published {number.ways} ways"


def head_mismatches(row: Row, number: PublishedNumber) -> Iterator[str]:
    """Every reason in how the two learn."""
    spec = specs_of(row)
    for name, own, text, registry in (
        ("evaluator", spec.evaluator, number.evaluator, EVALUATORS),
        ("transform", spec.transform, number.transform, TRANSFORMS),
    ):
        if text and not _fits(own, registry.read(text)):
            yield f"other {name}: {own.short_name}, published {text.removesuffix('()')}"
    own_oracle, published_oracle = saw_test_labels(row.selection), any("oracle" in each for each in number.labels)
    if own_oracle != published_oracle:
        which = ("the run", "the published number") if own_oracle else ("the published number", "the run")
        yield f"{which[0]} chose hyperparameters on the test labels (oracle), {which[1]} did not"


def _fits(own: Spec, published: Spec) -> bool:
    """Whether a member is the published one, with the values that differ from its defaults."""
    given = [p.name for p, value in published.arguments if value != p.default or p.name == "C"]
    return own.name == published.name and all(own.fields.get(key) == published.fields[key] for key in given)


def is_network(row: Row, number: PublishedNumber) -> bool:
    """Whether a row has the weights of a published network."""
    return any(part in row.backbone for part in number.networks)


def _longest(number: PublishedNumber, text: str) -> str:
    """The longest spelling of the published data in a text; "" for none: CIFAR-100 is not CIFAR-10."""
    return max((alias for alias in number.data.aliases if alias in text), key=len, default="")


def _letters(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
