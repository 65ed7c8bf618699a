"""Titles of tasks: data set, division of its images, classes, ways and queries."""

from __future__ import annotations

from collections.abc import Sequence

from fewshot.plugins.short_name import short_names
from fewshot.plugins.spec import Spec
from fewshot.plugins.wording import agreeing, counted, listed
from fewshot.results.comparability import benchmark
from fewshot.results.row import Row
from fewshot.results.row_specs import data_name, size, specs_of

_PARTITION = "partition="
# Added if two titles are equal otherwise.
_IF_DIFFERENT = ("split", "seed", "images_digest", "split_digest", "classes_digest", "episodes_digest")


def titles(firsts: Sequence[Row]) -> list[str]:
    """The titles of tasks, all different. `firsts`: one row per task."""
    plain = [title(row, name) for row, name in zip(firsts, _data_names(firsts), strict=True)]
    namesakes: dict[str, list[Row]] = {}
    for row, text in zip(firsts, plain, strict=True):
        namesakes.setdefault(text, []).append(row)
    differing = {text: _differing(same) for text, same in namesakes.items()}
    return [text + _what_differs(row, differing[text]) for row, text in zip(firsts, plain, strict=True)]


def _data_names(firsts: Sequence[Row]) -> list[str]:
    """The name of the data of each row: in a benchmark that of the set, unless two data sets would have one name."""
    datasets = short_names(specs_of(row).dataset for row in firsts)
    copies: dict[str, set[Spec]] = {}
    for row in firsts:
        copies.setdefault(row.benchmark_set, set()).add(specs_of(row).dataset)
    one_copy = {name for name, specs in copies.items() if name and len(specs) == 1}
    return [data_name(row) if row.benchmark_set in one_copy else datasets[specs_of(row).dataset] for row in firsts]


def title(row: Row, data: str) -> str:
    """The title of the episodes of a row, as far as they are known, after the benchmark of the field that they follow.
    `data`: the name of its data set."""
    spec = specs_of(row)
    parts = [data, "" if spec.is_plainly_balanced else spec.sampler.short_name]
    if not spec.from_file:
        parts += [f"{row.classes} classes", f"{size(row.n_way, spec.sampler)}-way", _queries(row)]
    followed = f"{benchmark(row)}: " if benchmark(row) else ""
    return followed + ", ".join(filter(None, parts))


def _queries(row: Row) -> str:
    sampler = specs_of(row).sampler
    if row.n_query is None:
        most, field = sampler.declares("most_open_queries"), sampler.declares("query_groups")
        text = f"up to {most} queries per class" if most else "all other images as queries"
        text = _groups(sampler.fields.get(field), text) if field else text
    else:
        text = f"{counted(row.n_query, 'query')} per class"
    return text + (" on average" if sampler.declares("queries_on_average") else "")


def _groups(names: object, otherwise: str) -> str:
    """The groups of images that are the queries: "the test partition as queries"; `otherwise` if they are unknown."""
    if not isinstance(names, tuple) or not names or not all(isinstance(name, str) for name in names):
        return otherwise
    if all(name.startswith(_PARTITION) for name in names):
        every = listed([name.removeprefix(_PARTITION) for name in names])
        return f"the {every} {agreeing(len(names), 'partition', 'partitions')} as queries"
    return f"the images of {listed(names)} as queries"


def _differing(namesakes: Sequence[Row]) -> list[str]:
    """The columns in which tasks of one title differ: the split alone, if it is different for all."""
    names = [name for name in _IF_DIFFERENT if len({_value(row, name) for row in namesakes}) > 1]
    return names[:1] if len({row.split for row in namesakes}) == len(namesakes) else names


def _what_differs(row: Row, columns: Sequence[str]) -> str:
    values = [f"{name.replace('_', ' ')} {_short(row, name) or 'unnamed'}" for name in columns]
    return f" ({', '.join(values)})" if values else ""


def _value(row: Row, column: str) -> object:
    """The value of a column as far as it tells tasks apart: that of episodes only for a list."""
    if column == "episodes_digest" and not specs_of(row).from_file:
        return ""
    return getattr(row, column)


def _short(row: Row, column: str) -> str:
    """The value of a column, in few words."""
    if column == "split":
        return specs_of(row).split.short_name
    text = str(_value(row, column))
    return text[:12] if column.endswith("_digest") else text
