"""Short names of specs for people: "tf_efficientnet_lite0 @128" for Packaged(name='tf_efficientnet_lite0', ...)."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePath
from typing import Any

from fewshot.plugins.registry import BACKBONES, DATASETS, EVALUATORS, RECIPES, REQUIRED, SAMPLERS, SPLITS, TRANSFORMS
from fewshot.runs.selection import ON

_LONGEST = 64  # characters of a label
_MOST_CHARACTERS = 10_000  # of a spec that is read
_NAME = re.compile(r"\s*[A-Za-z_][\w.:]*")
_REGISTRIES = (BACKBONES, EVALUATORS, TRANSFORMS, DATASETS, SAMPLERS, SPLITS, RECIPES)
Fields = Mapping[str, Any]


def label(spec: str) -> str:
    """A short name of one spec; a spec of an unknown kind without its defaults, any other text as it is."""
    parsed = parse(spec)
    if parsed is None:
        return _clean(spec)
    name, given = parsed
    fields = _defaults(name) | given
    try:
        text = _SHORT[name](fields) if name in _SHORT else _without_defaults(name, given)
    except (KeyError, TypeError, ValueError):  # written by another release, or by hand
        text = _without_defaults(name, given)
    return _clean(text)


def labels(specs: Iterable[str]) -> dict[str, str]:
    """The label of every spec, all different: where two would be equal, what differs is added."""
    distinct = list(dict.fromkeys(specs))
    short = {spec: label(spec) for spec in distinct}
    for text in set(short.values()):
        same = [spec for spec in distinct if short[spec] == text]
        if len(same) > 1:
            short.update(_told_apart(text, same))
    return short


def learner(transform: str, evaluator: str) -> str:
    """The evaluator behind its transform, where there is one: "L2 + LinearProbe"."""
    return evaluator if transform in ("", "Identity") else f"{transform} + {evaluator}"


def size(count: int | None, sampler: str) -> str:
    """A number of ways, shots or queries in words: "5", or what an open one is for this sampler."""
    if count is None:
        return "variable" if sampler.startswith("VariableWayShot") else "all"
    return str(count)


def parse(spec: str) -> tuple[str, dict[str, Any]] | None:
    """Name and fields of a spec "Name(field=value, ...)"; None for any other text. Nothing is evaluated."""
    name, bracket, _ = spec.partition("(")
    call = "Outside" + spec[len(name) :] if ":" in name else spec
    if not (bracket and _NAME.fullmatch(name)) or len(spec) > _MOST_CHARACTERS:
        return None
    try:
        node = ast.parse(call.strip(), mode="eval").body
        if not isinstance(node, ast.Call) or any(k.arg is None for k in node.keywords):
            return None
        fields = {str(number): _value(argument) for number, argument in enumerate(node.args)}
        return name.strip(), fields | {str(k.arg): _value(k.value) for k in node.keywords}
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _value(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):  # a spec inside a spec
        return ast.unparse(node)


def _defaults(name: str) -> dict[str, Any]:
    """The defaults of a member; none of a name that would have to be imported, or is unknown."""
    for registry in _REGISTRIES:
        if ":" not in name and name in registry.names():
            try:
                parameters = registry.signature(name).parameters
            except Exception:  # a plug-in that is broken is still a name
                return {}
            return {p.name: p.default for p in parameters if p.default is not REQUIRED}
    return {}


def _without_defaults(name: str, given: Fields) -> str:
    defaults = _defaults(name)
    kept = [repr(v) if k.isdigit() else f"{k}={v!r}" for k, v in given.items() if k not in defaults or defaults[k] != v]
    return f"{name}({', '.join(kept)})" if kept else name


def _sized(text: str, fields: Fields) -> str:
    return f"{text} @{fields['image_size']}" if fields.get("image_size") is not None else text


def _sides(fields: Fields) -> str:
    pools = {str(fields.get(key)).rpartition("=")[2] for key in ("support_from", "query_from") if fields.get(key)}
    if len(pools) == 1 and fields.get("support_from") == fields.get("query_from"):
        return f"{pools.pop()} images"
    sides = [
        f"{side} from {str(fields[key]).rpartition('=')[2]}"
        for side, key in (("support", "support_from"), ("queries", "query_from"))
        if fields.get(key)
    ]
    return ", ".join(sides)


def _dirichlet(fields: Fields) -> str:
    """ "Dirichlet(2) queries": shares of the classes are drawn, not equal."""
    return ", ".join(filter(None, (f"Dirichlet({fields['alpha']:g}) queries", _sides(fields))))


def _pools(fields: Fields) -> str:
    return ", ".join(filter(None, (f"{fields['pools']} disjoint pools of images", _sides(fields))))


def _variable(fields: Fields) -> str:
    inside = f" inside one {fields['group']}" if fields.get("group") else ""
    return "variable ways and shots" + (
        inside or (f" by the tree {PurePath(fields['tree']).stem}" if fields.get("tree") else "")
    )


def _testbed(fields: Fields) -> str:
    tasks = f"{fields['difficulty']} tasks by {PurePath(fields['similarity']).stem}"
    return ", ".join(filter(None, (tasks, _sides(fields))))


def _hierarchical(fields: Fields) -> str:
    classes = f"classes of one {fields['group']}" if fields["within"] else f"each class of another {fields['group']}"
    return ", ".join(filter(None, (classes, _sides(fields))))


def _imbalanced(fields: Fields) -> str:
    shares = (
        f"Dirichlet({fields['alpha']:g})"
        if fields["shares"] is None
        else " : ".join(f"{share:g}" for share in fields["shares"])
    )
    return ", ".join(filter(None, (f"{shares} supports", _sides(fields))))


def _fields_of(grid: Any) -> str:
    return " and ".join(str(field) for field, _ in (ast.literal_eval(grid) if isinstance(grid, str) else grid))


def _pretrained(fields: Fields) -> str:
    """ "conv net 8 x 4, CrossEntropy 7 epochs, 400 images, seed 1"."""
    images = f"{fields['n_images']} images" if fields.get("n_images") else "all images"
    return f"{label(str(fields['network']))}, {_recipe(str(fields['recipe']))}, {images}, seed {fields['seed']}"


def _recipe(text: str) -> str:
    """ "CrossEntropy 7 epochs", "CrossEntropy 20 epochs tuned"."""
    name, given = parse(text) or (text, {})
    if name == "Tuned":
        return f"{_recipe(str(given['inner']))} tuned"
    fields = _defaults(name) | given
    return name + (
        f" {fields['steps']} steps" if fields.get("steps") else f" {fields['epochs']:g} epochs" if given else ""
    )


_SHORT: dict[str, Callable[[Fields], str]] = {
    "Packaged": lambda f: _sized(f["name"], f),
    "Timm": lambda f: _sized(f["name"], f),
    "Checkpoint": lambda f: _sized(f"{f['name']} from {PurePath(f['path']).name}", f),
    "RandomInit": lambda f: _sized(f"{f['name']} random init", f),
    "ConvNet": lambda f: f"conv net {f['width']} x {f['depth']}",
    "Pretrained": _pretrained,
    "Given": lambda f: str(f["name"]),
    "RawPixels": lambda f: f"raw pixels {f['image_size']}",
    "Function": lambda f: _sized(f["target"], f),
    "Icons": lambda f: f"icons {f['domain']}",
    "Glyphs": lambda f: "glyphs",
    "Partitioned": lambda f: label(str(f["images"])),
    "TorchvisionSet": lambda f: f["name"],
    "ImageFolderSet": lambda f: PurePath(f["root"]).name or "folder",
    "VectorSet": lambda f: PurePath(f["path"]).stem or "vectors",
    "PseudoLabels": lambda f: f"{f['clusters']} clusters of {label(str(f['images']))} by {f['backbone']}",
    "WithClassVectors": lambda f: f"{label(str(f['images']))} with class vectors",
    "Balanced": lambda f: _sides(f) or "balanced",
    "DirichletQuery": _dirichlet,
    "DisjointPools": _pools,
    "AugmentedSupport": lambda f: f"{label(f['inner'])} on {f['views']} views ({f['augment']})",
    "Hierarchical": _hierarchical,
    "Imbalanced": _imbalanced,
    "VariableWayShot": _variable,
    "SimilarityTestbed": _testbed,
    "CrossValidated": lambda f: f"{label(f['inner'])}, {_fields_of(f['grid'])} cross-validated",
    "Selection": lambda f: f"{_fields_of(f['grid'])} chosen on {ON.get(f['on'], f['on'])}",
    "Committed": lambda f: str(f["name"]),
    "Narrowed": lambda f: f"{label(str(f['inner']))} narrowed to {f['n_seen']} seen classes, seed {f['seed']}",
    "Listed": lambda f: f"listed in {PurePath(f['0']).name}",
}


def _told_apart(text: str, specs: list[str]) -> dict[str, str]:
    """Specs with one label: each with the fields that differ between them, or written out where that is not enough."""
    parsed = {spec: parse(spec) or (spec, {}) for spec in specs}
    full = {spec: {"": name} | _defaults(name) | fields for spec, (name, fields) in parsed.items()}
    differing = [
        key
        for key in dict.fromkeys(k for fields in full.values() for k in fields)
        if len({repr(fields.get(key)) for fields in full.values()}) > 1
    ]
    told = {
        spec: ", ".join(f"{k}={v!r}" if k else str(v) for k in differing if (v := fields.get(k)) is not None)
        for spec, fields in full.items()
    }
    if len(set(told.values())) < len(specs):
        return {spec: " ".join(_printable(spec).split()) for spec in specs}
    return {spec: f"{text} ({extra})" if extra else text for spec, extra in told.items()}


def _clean(text: str) -> str:
    return one_line(text, _LONGEST)


def one_line(text: str, most: int) -> str:
    """The text on one line, printable, and shortened in its middle where it is long."""
    line = " ".join(_printable(text).split())
    half = (most - 1) // 2
    return line if len(line) <= most else f"{line[:half]}…{line[-half:]}"


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() or c.isspace() else "�" for c in text)
