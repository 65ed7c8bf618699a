"""A measure is one file: what it declares is read without importing it, and rows, page and list have it."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from fewshot.measures import Measure
from fewshot.plugins.registry import MEASURES
from fewshot.plugins.signature import Signature
from fewshot.results import declared as module
from fewshot.results.columns import RunName, Score
from fewshot.results.declared import Declared, declared, measure_columns, measure_defaults
from fewshot.results.row import Row
from tests.support.package_copies import copied_package, python

GOOD = {
    "columns": {"brier": "float | None", "brier_low": "float | None", "brier_high": "float | None", "worst": "str"},
    "title": "Brier score",
    "unit": "",
    "better": "lower",
}
NEW = '''
from dataclasses import dataclass
from typing import ClassVar

from fewshot.measures import EpisodeMeasure
from fewshot.results.predictions import means


@dataclass(frozen=True)
class FirstWay(EpisodeMeasure):
    """The share of queries that are answered with the first way. More about it."""

    columns: ClassVar = {
        "first_way": "float | None",
        "first_way_low": "float | None",
        "first_way_high": "float | None",
    }
    title = "first way"
    unit = "%"
    better = "higher"

    def of_episodes(self, predictions):
        return means(predictions.predicted == 0, predictions.episodes.query_start)
'''
USE = """
import sys
from pathlib import Path
import numpy as np
import fewshot
from fewshot.datasets import ArrayImages, LabelledImages
from fewshot.episodes.shape import EpisodeShape
from fewshot.report import page
from fewshot.report.rows.shown import Shown
from fewshot.results.columns import RunName, SpecColumns
from fewshot.results.files import Results
from fewshot.results.predictions import Predictions
from fewshot.results.row import Row
from fewshot.runs.design import Design
from fewshot.runs.scores import score
from fewshot.samplers.balanced import Balanced

labels, names = np.repeat(np.arange(8), 10), tuple("abcdefgh")
images = LabelledImages("x", ArrayImages(np.zeros((80, 1, 1, 3), np.uint8)), labels, names, "ab" * 32)
episodes = Balanced().sample(images, np.arange(8), EpisodeShape(3, 1, 4), 0, 0, 30)
random = np.random.default_rng(0)
answers = random.integers(0, 3, len(episodes.query)).astype(np.uint16)
some = random.random(len(answers)).astype(np.float16)
predictions = Predictions(episodes, answers, some, -some, np.ones(30, np.bool_))
found, _ = score([predictions], Design(names, np.arange(8)))
spec = SpecColumns("Icons()", "", "novel", "RawPixels()", "L2()", "Prototype()", "Balanced()", 3, 1, 4)
results = Results(Path(sys.argv[1]) / "rows.jsonl")
results.append(Row.of(RunName("a"), spec, found))
Path(sys.argv[1], "page.html").write_text(page(Shown.of(results.rows()), None, "title"))
print(fewshot.__file__)
"""


def signature(**changed):
    return Signature("Brier", "The mean squared distance. More.", (), "brier", {**GOOD, **changed})


@pytest.mark.parametrize("name", MEASURES.names())
def test_every_measure_declares_its_columns_and_its_words(name):
    found, cls = Declared.of(MEASURES.signature(name)), MEASURES.get(name)
    assert issubclass(cls, Measure)
    assert (found.columns, found.title, found.unit, found.better) == (cls.columns, cls.title, cls.unit, cls.better)
    assert (found.label, found.reason) == (cls.label, cls.reason)
    assert {found.label, found.reason} - {""} <= measure_columns().keys()
    assert found.caption.endswith(".")
    assert 10 < len(found.caption) < 120


def test_a_declaration_names_its_number_and_its_bounds():
    found = Declared.of(signature())
    assert (found.number, found.bounds) == ("brier", ("brier_low", "brier_high"))
    assert found.caption == "The mean squared distance."
    assert Declared.of(signature(columns={"brier": "float | None"})).bounds is None


@pytest.mark.parametrize("missing", ["columns", "title", "unit", "better"])
def test_what_is_not_declared_is_named(missing):
    known = replace(signature(), declared={name: value for name, value in GOOD.items() if name != missing})
    with pytest.raises(ValueError, match=f"the measure Brier declares no {missing}; give it as a literal"):
        Declared.of(known)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"columns": {}}, "has no columns"),
        ({"columns": {"a": "Floats"}}, "the type 'Floats'; write one of 'float | None', 'int | None', 'str'"),
        ({"columns": {"a": "str"}}, "has the text 'a' as its first column; put the number first"),
        ({"better": "high"}, "must say better='higher' or 'lower', got 'high'"),
        ({"label": "c"}, "has no column 'c' for its label, only brier"),
    ],
)
def test_a_wrong_declaration_is_one_sentence(changed, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Declared.of(signature(**changed))


@pytest.fixture
def registered(monkeypatch):
    """Registers a measure with these columns beside those of the folder."""

    def register(columns):
        for cached in (module.declared, module.measure_columns, module.measure_defaults):
            cached.cache_clear()
        new, signature_of, names = signature(columns=columns), type(MEASURES).signature, MEASURES.names()
        monkeypatch.setattr(type(MEASURES), "names", lambda _: [*names, "Brier"])
        monkeypatch.setattr(
            type(MEASURES), "signature", lambda own, name: new if name == "Brier" else signature_of(own, name)
        )

    yield register
    for cached in (module.declared, module.measure_columns, module.measure_defaults):
        cached.cache_clear()


def test_columns_of_a_new_measure_come_last_and_have_defaults(registered):
    old = list(measure_columns())
    registered(GOOD["columns"])
    assert list(measure_columns()) == [*old, *GOOD["columns"]]
    assert declared()[-1].name == "Brier"
    assert (measure_defaults()["brier"], measure_defaults()["worst"]) == (None, "")
    line = json.loads(Row.of(RunName("a"), Score(measures={"brier": 0.25})).to_json())
    names = list(line)
    assert names[names.index("mean_per_class_high") + 1 :][:5] == [*GOOD["columns"], "n_not_converged"]
    assert line["brier"] == 0.25


def test_two_measures_with_one_column_are_refused(registered):
    registered({"auroc": "float | None"})
    with pytest.raises(ValueError, match="the measures AUROC and Brier both have a column 'auroc'; rename one"):
        declared()


def test_the_columns_of_a_measure_are_checked_and_unknown_ones_dropped():
    assert "tomorrow" not in Row.from_json('{"run_id": "a", "tomorrow": 1, "auroc": 0.5}').measures
    assert Row.from_json('{"run_id": "a", "auroc": 0.5}').measures["auroc"] == 0.5
    with pytest.raises(ValueError, match=r"column auroc should be float \| None, found 'high'"):
        Row.from_json('{"run_id": "a", "auroc": "high"}')


def test_a_file_in_the_folder_is_in_row_page_and_list_without_another_edit(tmp_path):
    """In a copy of the package: every other test would see the new measure too."""
    package = copied_package(tmp_path)
    (package / "measures" / "first_way.py").write_text(NEW)
    assert python(tmp_path, "-c", USE, str(tmp_path)).strip() == str(package / "__init__.py")
    line = json.loads((tmp_path / "rows.jsonl").read_text())
    assert 0 < line["first_way_low"] < line["first_way"] < line["first_way_high"] < 1
    html = (tmp_path / "page.html").read_text()
    assert '<th scope="col">first way</th></tr>' in html
    assert f"<td>{100 * line['first_way']:.1f}<span" in html
    assert "First way: the share of queries that are answered with the first way." in html
    assert "  FirstWay\n" in python(tmp_path, "-m", "fewshot", "list", "measures")
