"""Rows, comparisons, images and episodes as text, HTML, tables and figures: bounded, escaped, one line each."""

from __future__ import annotations

import re

import numpy as np
import pytest

import fewshot
from fewshot.datasets import ArrayImages, LabelledImages
from fewshot.notebooks.plots import Plot

EVIL = "<script>alert(1)</script>"
LABELS = np.repeat(np.arange(12), 12)
NAMES = (EVIL, "a $x_1$ & b", "n" * 500, *(f"c{i}" for i in range(9)))


def labelled(name: str) -> LabelledImages:
    """Noisy squares of twelve classes, three of them with odd names."""
    random = np.random.default_rng(0)
    pixels = (LABELS[:, None, None] * 15 + random.integers(0, 60, (len(LABELS), 8, 8))).astype(np.uint8)
    return LabelledImages(name, ArrayImages(pixels), LABELS, NAMES, "shown here")


IMAGES = labelled(EVIL)
EPISODES = fewshot.Episodes.sample(IMAGES, n_way=5, k_shot=2, n_query=3, n_episodes=20)


@pytest.fixture(scope="module")
def rows():
    words = {"shots": (1, 2), "evaluators": ["Prototype", "LinearProbe"], "n_episodes": 20, "progress": False}
    return fewshot.evaluate(["pixels", "RawPixels(image_size=4)"], IMAGES, **words)


@pytest.mark.parametrize("which", ["images", "episodes", "one episode", "list", "rows", "row", "compared"])
def test_a_repr_is_one_line_and_html_is_escaped_and_bounded(which, rows):
    from fewshot.episodes.lists import EpisodeList

    shown = {
        "images": IMAGES,
        "episodes": EPISODES,
        "one episode": EPISODES[3],
        "list": EpisodeList.of(EPISODES, IMAGES),
        "rows": rows,
        "row": rows[0],
        "compared": rows.compare(),
    }[which]
    assert "\n" not in repr(shown)
    assert len(repr(shown)) < 400
    if which != "row":
        html = shown._repr_html_()
        assert len(html) < 300_000
        assert "<script" not in html
        assert "n" * 61 not in html


def test_images_and_episodes_show_pictures_and_names(rows):
    assert IMAGES._repr_html_().count("<img ") == 8 * 5
    assert "and 4 more classes" in IMAGES._repr_html_()
    assert EPISODES._repr_html_().count("<img ") == 5 * (2 + 3)
    assert "&lt;script&gt;" in IMAGES._repr_html_()


def test_episodes_of_images_that_are_not_in_memory_are_shown_without_pictures():
    images = LabelledImages("gone", IMAGES.images, LABELS, NAMES, "gone")
    episodes = fewshot.Episodes.sample(images, n_way=3, k_shot=1, n_query=2, n_episodes=2)
    del images
    assert "<img" not in episodes._repr_html_()
    assert "3-way 1-shot, 2 queries per class" in episodes._repr_html_()


def test_vectors_have_no_pictures():
    data = fewshot.labelled_vectors(np.eye(6), list("aabbcc"))
    assert repr(data) == "LabelledImages('vectors': 6 vectors of 6 numbers, 3 classes)"
    assert "<img" not in data._repr_html_()


def test_many_rows_are_a_bounded_table(rows):
    many = fewshot.Rows([*rows._runs] * 100)
    assert len(many) == 800
    assert many._repr_html_().count("<tr>") == 51
    assert "and 750 more" in many._repr_html_()


def test_the_text_of_a_comparison_is_its_verdict(rows):
    compared = fewshot.compare(rows[::2])
    assert compared.verdict in " ".join(str(compared).split())
    assert compared.verdict == repr(compared)
    assert re.search(r" leads on these 12 classes with | is the best on these 12 classes: ", compared.verdict)
    assert len(fewshot.compare(rows).rankings) == 2


def test_a_frame_has_short_names_sizes_and_numbers(rows):
    frame = rows.to_frame()
    assert len(frame) == len(rows)
    assert set(frame["evaluator"]) == {"L2 + Prototype", "L2 + LinearProbe"}
    assert set(frame["backbone"]) == {"raw pixels 32", "raw pixels 4"}
    assert frame["shots"].tolist() == [row.k_shot for row in rows]
    assert (frame["ways"] == 5).all()
    assert (frame["queries"] == 10).all()
    assert frame["accuracy"].tolist() == [row.accuracy for row in rows]
    assert set(rows.to_frame(full=True).columns) == set(rows[0].columns())


def test_a_frame_of_given_episodes_keeps_ways_shots_and_queries():
    frame = fewshot.evaluate("pixels", IMAGES, EPISODES, progress=False).to_frame()
    assert frame[["ways", "shots", "queries"]].to_numpy().tolist() == [[5, 2, 3]]


def test_without_pandas_a_sentence_says_what_to_install(rows, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(ImportError, match=r"needs pandas; install it with: pip install 'fewshot\[notebook\]'"):
        rows.to_frame()


def test_plots_are_figures_that_notebooks_show(rows, tmp_path):
    over_shots, ranked = rows.plot(), rows[::2].plot()
    for plot in (over_shots, ranked, fewshot.plot_shots(rows), fewshot.evaluate("pixels", IMAGES, EPISODES).plot()):
        assert isinstance(plot, Plot)
        assert plot._repr_png_().startswith(b"\x89PNG")
        assert "\n" not in repr(plot)
    (axes,) = over_shots.axes
    assert axes.get_xlabel() == "support images per class"
    assert len(axes.get_legend().get_texts()) == 4
    (axes,) = ranked.axes
    values = [text.get_text() for text in axes.get_yticklabels()]
    assert len(values) == 4
    over_shots.savefig(tmp_path / "plot.svg")
