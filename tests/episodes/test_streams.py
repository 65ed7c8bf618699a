"""Every stream of random words stands once, in fewshot/episodes/streams.py."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import fewshot
from fewshot.episodes import streams

PACKAGE = Path(fewshot.__file__).parent
ROOT = PACKAGE.parent
MODULES = [path for folder in (PACKAGE, ROOT / "benchmarks", ROOT / "data") for path in sorted(folder.rglob("*.py"))]
IMPORTS = ("fewshot.episodes import draws", "fewshot.episodes.draws import")
BEFORE = 4  # arguments of `words` and of `distinct` before the stream


def listed() -> dict[str, ast.expr]:
    """What stands behind each name of the list."""
    tree = ast.parse(Path(streams.__file__).read_text(encoding="utf-8"))
    return {n.target.id: n.value for n in tree.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)}


def streams_passed(tree: ast.Module) -> list[ast.expr]:
    """The stream of each call of `words` and `distinct`, by whatever name a module knows them."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    drawing = [call for call in calls if ast.unparse(call.func) in ("draws.words", "draws.distinct", "words")]
    keywords = [next((k.value for k in call.keywords if k.arg == "stream"), None) for call in drawing]
    return [word or call.args[BEFORE] for call, word in zip(drawing, keywords, strict=True)]


def test_no_two_numbers_of_the_list_are_equal():
    numbers = [value.value for value in listed().values() if isinstance(value, ast.Constant)]
    assert len(set(numbers)) == len(numbers) > 15
    assert max(number for number in numbers if number != streams.FIRST_OUTSIDE) < streams.FIRST_OUTSIDE


def test_two_names_share_a_number_only_where_the_list_says_so():
    shared = {name: value.id for name, value in listed().items() if isinstance(value, ast.Name)}
    assert shared == {"FITTED_POINTS": "PARTITION", "EXTRAPOLATED": "NARROWING"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_takes_its_streams_from_the_list(path):
    text = path.read_text(encoding="utf-8")
    if path == PACKAGE / "episodes" / "draws.py" or not any(line in text for line in IMPORTS):
        return
    for stream in streams_passed(ast.parse(text)):
        name = ast.unparse(stream)
        assert name == "stream" or (name.startswith("streams.") and name[len("streams.") :] in listed()), name


def test_a_literal_would_be_found():
    for call in ("draws.words(seed, index, 1, 1, 31)", "draws.distinct(seed, index, sizes, n, stream=_STREAM)"):
        (stream,) = streams_passed(ast.parse(call))
        assert ast.unparse(stream) in ("31", "_STREAM")


def test_every_stream_of_the_list_is_drawn_from():
    text = "".join(path.read_text(encoding="utf-8") for path in MODULES if path.name != "streams.py")
    assert not [name for name in listed() if f"streams.{name}" not in text and name != "FIRST_OUTSIDE"]
