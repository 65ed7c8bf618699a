"""The specs of a row as members of fewshot. A row from a stranger imports no code and reads no file that it names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.code import code_digest, file_of
from fewshot.plugins.registry import BACKBONES, DATASETS, EVALUATORS, SAMPLERS, SPLITS, TRANSFORMS, Registry
from fewshot.plugins.signature import Parameter
from fewshot.plugins.spec import Spec, specs_in
from fewshot.results.row import Row
from fewshot.results.row_specs import specs_of
from fewshot.results.selection_rule import Selection
from fewshot.runs.names import texts_digest

KINDS: Mapping[str, Registry] = {
    "dataset": DATASETS,
    "split": SPLITS,
    "backbone": BACKBONES,
    "transform": TRANSFORMS,
    "evaluator": EVALUATORS,
    "sampler": SAMPLERS,
}
NAMED = ("dataset", "backbone", "transform", "evaluator")  # whose identities a run id hashes by themselves
RECORDED = (*NAMED, "sampler")  # whose identities lie beside a row if they name files
_PLACE = re.compile(r"""['"](?:/|~|\\|\.\.?[/\\]|[A-Za-z]:[/\\])""")  # the start of a path in a text
_CONTENT = re.compile(r"sha256:[0-9a-f]{16}(?: |$)")  # the start of what replaces a path in an identity
_DOTTED = re.compile(r"(?<![\w.])([A-Za-z_][\w.]*):[A-Za-z_]\w*")


def own_code(row: Row) -> str:
    """What others lack to run a row again, such as "evaluator mine:Centre (code 0123456789abcdef)"; "" for rows of
    fewshot's members alone. Looking for the code may import the packages around it, so only own rows are asked."""
    return ", ".join(f"{column} {_code(getattr(row, column))}" for column in own_columns(row))


def own_columns(row: Row) -> list[str]:
    """The columns whose members are not fewshot's; this imports nothing that the row names."""
    return [column for column in KINDS if not _is_own(row, column)]


def _is_own(row: Row, column: str) -> bool:
    """Whether all members in the spec are fewshot's."""
    text = getattr(row, column)
    if text == "" or (column == "sampler" and specs_of(row).from_file):
        return True
    try:
        return _all_own(KINDS[column].spec(text, allow_import=False))
    except ValueError:
        return False


def _all_own(spec: Spec) -> bool:
    own = spec.signature.module.partition(".")[0] == "fewshot"
    return own and all(_all_own(inner) for _, value in spec.arguments for inner in specs_in(value))


def _code(text: str) -> str:
    """The name of a member from outside, with the digest of its code where its file is at hand; nothing is imported."""
    found = _DOTTED.search(text)
    if found is None or file_of(found[1]) is None:
        return text if len(text) <= 80 else f"{text[:77]}..."
    return f"{found[0]} (code {code_digest(found[1])})"


def member(row: Row, column: str) -> Any:
    """The member in a column, one of fewshot's own; anything else is a ValueError."""
    return KINDS[column].spec(getattr(row, column), allow_import=False).make()


def shape(row: Row) -> EpisodeShape:
    """The shape of the episodes of a row; a ValueError for a shape that no episode has."""
    return EpisodeShape(row.n_way, row.k_shot, row.n_query, row.k_shot_at_most)


def identity(row: Row, column: str, recorded: str = "") -> str:
    """The identity of a spec: computed from its text, or, where it names a file, as it was `recorded` beside the row.

    A ValueError if the recorded one is of another spec, or if there is none.
    """
    spec = KINDS[column].spec(getattr(row, column), allow_import=False)
    if not spec.paths:
        return spec.identity
    if not recorded:
        raise ValueError(f"the {column} names a file or a folder that only its author has")
    if not same_but_for_paths(KINDS[column].read(recorded), spec):
        raise ValueError(f"the {column} of the row is {spec.text:.80}, but its identity is that of {recorded:.80}")
    return recorded


def recorded_identity(spec: Spec) -> str:
    """The identity of a spec that names files, for those who lack them; "" if it would tell where they lie."""
    if not spec.paths:
        return ""
    try:
        text = spec.identity
    except ValueError:
        return ""
    return "" if _PLACE.search(text) or any(repr(str(path)) in text for path in spec.paths) else text


def same_but_for_paths(a: Spec, b: Spec) -> bool:
    """Whether two specs differ in their paths at most."""
    return bool(_plain(a) == _plain(b))


def _plain(spec: Spec) -> Any:
    """A spec without its paths."""
    fields = {p.name: _plain_value(value) for p, value in spec.arguments if not (p.is_path or value is None)}
    return spec.name, fields | {p.name: "a file" for p, value in spec.arguments if _is_file(p, value)}


def _is_file(parameter: Parameter, value: Any) -> bool:
    """Whether a value that may be a name is a path, or the content of a file in its place."""
    content = isinstance(value, str) and bool(_CONTENT.match(value))
    return parameter.base == "NameOrPath" and (content or parameter.holds_path(value))


def _plain_value(value: Any) -> Any:
    if isinstance(value, Spec):
        return _plain(value)
    return tuple(map(_plain_value, value)) if isinstance(value, tuple) else value


def selection_identity(row: Row) -> Any:
    """The part of a run id that the selection rule adds; None without a rule."""
    if not row.selection_rule:
        return None
    rule = Selection.read(row.selection_rule)
    if rule is None:
        raise ValueError(f"the selection rule {row.selection_rule!r:.80} is not readable")
    return rule.identity(EVALUATORS.spec(row.evaluator, allow_import=False))


def texts_identity(row: Row, dataset: str, class_names: Sequence[str]) -> str | None:
    """The digest of the texts of the class names; None for a row without a text tower. A ValueError if its backbone
    has other templates than the row names."""
    if not row.templates:
        return None
    backbone = KINDS["backbone"].spec(row.backbone, allow_import=False)
    if not backbone.declares("has_words"):
        raise ValueError(f"it names the templates {row.templates!r:.60}, but its backbone has no text tower")
    prompts = backbone.make().prompts(dataset)
    if prompts is None or prompts.name != row.templates:
        raise ValueError(f"it names the templates {row.templates!r:.60}, but its backbone has others")
    return texts_digest(prompts, class_names)


def templates_are_a_file(row: Row) -> bool:
    """Whether the templates of a row's text tower are a file that only its author has."""
    backbone = specs_of(row).backbone
    return bool(row.templates) and str(backbone.fields.get("templates")) in map(str, backbone.paths)
