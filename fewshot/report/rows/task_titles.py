"""Titles of tasks: data set, how its images are divided, classes, ways and queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fewshot.plugins.short_name import short_names
from fewshot.plugins.spec import Spec
from fewshot.results.asked import asked, size
from fewshot.results.row import Row

IF_DIFFERENT = ("split", "seed", "images_digest", "split_digest")  # told where the rest of two titles is equal


def titles(firsts: Sequence[Row]) -> list[str]:
    """The titles of tasks, all different, given a row of each."""
    datasets = short_names(asked(row).dataset for row in firsts)
    plain = [title(row, datasets) for row in firsts]
    namesakes: dict[str, list[Row]] = {}
    for row, text in zip(firsts, plain, strict=True):
        namesakes.setdefault(text, []).append(row)
    differing = {text: _differing(same) for text, same in namesakes.items()}
    return [text + _what_differs(row, differing[text]) for row, text in zip(firsts, plain, strict=True)]


def title(row: Row, datasets: Mapping[Spec, str]) -> str:
    """What the episodes of a row are, as far as that is known; `datasets` has the names of data sets."""
    of = asked(row)
    parts = [datasets[of.dataset], "" if of.is_plainly_balanced else of.sampler.short_name]
    if not of.from_file:
        parts += [f"{row.classes} classes", f"{size(row.n_way, of.sampler)}-way", _queries(row)]
    return ", ".join(filter(None, parts))


def _queries(row: Row) -> str:
    sampler = asked(row).sampler
    if row.n_query is None:
        most = sampler.declares("most_open_queries")
        many = f"up to {most} queries a class" if most else "all other images as queries"
    else:
        many = "1 query a class" if row.n_query == 1 else f"{row.n_query} queries a class"
    return many + (" on average" if sampler.declares("queries_on_average") else "")


def _differing(namesakes: Sequence[Row]) -> list[str]:
    """The columns that tell tasks of one title apart: the split alone, where that does."""
    names = [name for name in IF_DIFFERENT if len({getattr(row, name) for row in namesakes}) > 1]
    return names[:1] if len({row.split for row in namesakes}) == len(namesakes) else names


def _what_differs(row: Row, columns: Sequence[str]) -> str:
    said = [f"{name.replace('_', ' ')} {_short(row, name) or 'unnamed'}" for name in columns]
    return f" ({', '.join(said)})" if said else ""


def _short(row: Row, column: str) -> str:
    """What a column says, in few words."""
    if column == "split":
        return asked(row).split.short_name
    text = str(getattr(row, column))
    return text[:12] if column.endswith("_digest") else text
