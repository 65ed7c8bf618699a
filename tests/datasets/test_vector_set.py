"""Vectors instead of images: all formats give the same data set, a mistake is one sentence, and nothing is copied."""

from __future__ import annotations

import logging
import pickle
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import fewshot
from fewshot.cli import main
from fewshot.evaluators import ImageEvaluator
from fewshot.evaluators.augmented_support import AugmentedSupport
from fewshot.evaluators.cross_validated import CrossValidated
from fewshot.plugins.registry import EVALUATORS, SAMPLERS
from fewshot.report.rows.shown import Shown
from tests.support.checkout import DOCS
from tests.support.vector_files import (
    CENTRES,
    FAMILY,
    NAMES,
    PARTITION,
    PLACES,
    VALUES,
    C,
    D,
    N,
    load,
    npz,
    safetensors,
    says_the_same,
    vectors,
)
from tests.support.worlds import labelled
from tests.support.zero_shot_heads import NamesOnly


@pytest.mark.parametrize("kind", ["stored", "compressed", "safetensors"])
def test_every_format_gives_the_same_data_set(tmp_path, kind):
    write = {
        "stored": lambda: npz(tmp_path / "a.npz"),
        "compressed": lambda: npz(tmp_path / "a.npz", compressed=True),
        "safetensors": lambda: safetensors(tmp_path / "a.safetensors"),
    }
    images = load(write[kind]())
    says_the_same(images, tmp_path)
    assert np.array_equal(images.class_vectors, CENTRES)


@pytest.mark.parametrize("dtype", ["<f2", "<f8", ">f4", "<i2"])
def test_other_numbers_are_used_as_float32(tmp_path, dtype):
    values = (VALUES * 100).astype(dtype)
    images = load(npz(tmp_path / "a.npz", vectors=values))
    assert np.array_equal(vectors(images), values.astype(np.float32))
    assert images.images_digest == load(npz(tmp_path / "b.npz", vectors=values.astype(np.float32))).images_digest


def test_arrays_by_column_and_bfloat16_are_read(tmp_path):
    assert np.array_equal(vectors(load(npz(tmp_path / "a.npz", vectors=np.asfortranarray(VALUES)))), VALUES)
    from safetensors.torch import save_file as save_tensors

    halves = torch.from_numpy(VALUES).bfloat16()
    save_tensors({"embeddings": halves, "targets": torch.from_numpy(PLACES)}, tmp_path / "b.safetensors")
    assert np.array_equal(vectors(load(tmp_path / "b.safetensors")), halves.float().numpy())


def test_integers_and_strings_name_classes_by_themselves(tmp_path):
    alone = {"class_names": None, "class_vectors": None, "class:family": None}
    numbers = load(npz(tmp_path / "a.npz", labels=PLACES * 10, **alone))
    assert numbers.class_names == ("0", "10", "20", "30", "40")
    assert np.array_equal(numbers.labels, PLACES)
    for labels in (NAMES[PLACES], np.char.encode(NAMES[PLACES])):
        strings = load(npz(tmp_path / "b.npz", labels=labels, **alone))
        assert strings.class_names == tuple(sorted(NAMES))
        assert [strings.class_names[label] for label in strings.labels] == NAMES[PLACES].tolist()


def test_classes_without_vectors_are_skipped_with_their_groups_and_counted(tmp_path, caplog):
    names, centres = np.insert(NAMES, 2, "dodo"), np.insert(CENTRES, 2, 9, axis=0)
    changes = {"class_names": names, "class_vectors": centres, "class:family": np.insert(FAMILY, 2, "none")}
    images = load(npz(tmp_path / "a.npz", labels=NAMES[PLACES], **changes))
    assert images.class_names == tuple(NAMES)
    assert np.array_equal(images.class_vectors, CENTRES)
    assert np.array_equal(images.labels, PLACES)
    assert images.class_groups["family"].mask("sea").tolist() == (FAMILY == "sea").tolist()
    assert "a.npz: skipped 1 class without vectors, such as dodo" in caplog.text


def test_arrays_of_other_names_are_ignored_and_listed(tmp_path, caplog):
    load(npz(tmp_path / "a.npz", ids=np.arange(N), logits=np.ones((N, 2))))
    assert "a.npz: ignored ids, logits; name a group of vectors 'group:NAME', and a group of classes" in caplog.text


BROKEN = VALUES.copy()
BROKEN[[17, 40], 2] = np.nan


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vectors": BROKEN}, r"2 of 60 vectors have numbers that are NaN, infinite or .* the first in row 17;"),
        ({"vectors": VALUES * np.float64(1e39)}, r"60 of 60 vectors have numbers that are NaN, infinite or too large"),
        ({"vectors": VALUES[:, 0]}, r"vectors must be numbers of shape \[n, D\], .* found float32 of shape \[60\]"),
        ({"vectors": VALUES[:0]}, r"found float32 of shape \[0, 7\]"),
        ({"vectors": VALUES.astype(str)}, r"vectors must be numbers .* found <U\d+"),
        (
            {"vectors": VALUES.astype(object)},
            r"the array 'vectors' cannot be read: it holds Python objects; save plain numbers",
        ),
        ({"labels": NAMES[PLACES].astype(object)}, r"the array 'labels' cannot be read: it holds Python objects"),
        ({"vectors": None}, r"must contain one array named vectors or features or embeddings or X; found none"),
        ({"features": VALUES}, "must contain one array named .*; found vectors and features among"),
        ({"labels": None}, "must contain one array named labels or label or targets or y; found none"),
        ({"labels": PLACES[:59]}, r"labels must be of shape \[60\], one for each vector, found \[59\]"),
        ({"labels": np.eye(C)[PLACES]}, r"labels must be of shape \[60\], one for each vector, found \[60, 5\]"),
        ({"labels": PLACES / 2}, "labels must be integers or strings, found float64"),
        ({"labels": PLACES + 1}, r"labels index class_names, so .* in \[0, 5\), but the label of row \d+ is 5"),
        ({"labels": np.where(np.arange(N) == 3, "dodo", NAMES[PLACES])}, "the label 'dodo' of row 3 is not in class_n"),
        ({"class_names": np.arange(C)}, r"class_names must be strings of shape \[C\], found int64 of shape \[5\]"),
        ({"class_names": np.repeat("wren", C)}, "class names of bad must differ; 'wren' occurs twice"),
        (
            {"class_names": None, "labels": NAMES[PLACES]},
            "labels are strings, so class_names must name the class of each row",
        ),
        ({"class_vectors": CENTRES[:, :3]}, r"class_vectors must be numbers of shape \[5, 7\], .* of shape \[5, 3\]"),
        ({"class_vectors": CENTRES[:4]}, r"class_vectors must be numbers of shape \[5, 7\]"),
        (
            {"class_vectors": np.diag([1, 1, np.inf, 1, 1, 1, 1])[:5]},
            "the vector of the class 'hawk' of bad has NaN or",
        ),
        ({"partition": PARTITION[:5]}, r"group 'partition' must be of shape \[60\], one for each vector, found \[5\]"),
        ({"partition": VALUES[:, 0]}, "group 'partition' must hold strings or integers, found float32"),
        ({"class:family": FAMILY[:3]}, r"class group 'family' must be of shape \[5\], one for each class, found \[3\]"),
        ({"class:family": PARTITION}, "the class group 'family' of row 30 is 'test', but another vector of its class"),
    ],
)
@pytest.mark.parametrize("compressed", [False, True])
def test_a_mistake_is_one_sentence_that_names_the_file(tmp_path, changes, message, compressed):
    path = npz(tmp_path / "bad.npz", compressed, **changes)
    with pytest.raises(ValueError, match=message) as error:
        load(path)
    assert "bad" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
@pytest.mark.parametrize("content", [b"", b"not such a file", b"PK\3\4 cut", b"\xff" * 64])
def test_files_of_another_kind_are_named(tmp_path, suffix, content):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"a\.{suffix} cannot be read as \.{suffix}"):
        load(path)


@pytest.mark.parametrize("writer", [npz, safetensors])
def test_a_file_that_was_cut_off_is_named(tmp_path, writer):
    path = writer(tmp_path / ("a.npz" if writer is npz else "a.safetensors"))
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(ValueError, match=r"a\.\w+ cannot be read"):
        load(path)


def test_the_error_for_a_missing_file_or_another_suffix_says_what_to_give(tmp_path):
    with pytest.raises(ValueError, match=r"there is no file none.npz; give a file of vectors and labels"):
        load(Path("none.npz"))
    (tmp_path / "a.npy").write_bytes(b"x")
    with pytest.raises(
        ValueError,
        match=r"cannot read vectors from .*a.npy; give a file of one of the types .npz, .safetensors, .parquet",
    ):
        load(tmp_path / "a.npy")


def test_the_digest_names_the_vectors_and_is_kept(tmp_path, monkeypatch):
    first = load(npz(tmp_path / "a.npz"))
    changed = VALUES.copy()
    changed[59, 6] += 1
    assert load(npz(tmp_path / "b.npz", vectors=changed)).images_digest != first.images_digest
    monkeypatch.setattr("fewshot.datasets.vector_set.vectors_digest", lambda *_: pytest.fail("computed again"))
    assert load(tmp_path / "a.npz").images_digest == first.images_digest


def test_vectors_of_a_file_can_be_sent_to_another_process(tmp_path):
    images = load(npz(tmp_path / "a.npz"))
    assert np.array_equal(vectors(pickle.loads(pickle.dumps(images))), VALUES)


def given(**changes):
    named = {"class_names": NAMES, "class_vectors": CENTRES, "partition": PARTITION, "name": "birds"}
    named |= {"image_groups": {"domain": np.where(np.arange(N) % 2, "mono", "colour")}}
    return fewshot.labelled_vectors(VALUES, PLACES, **named | changes)


def test_arrays_in_memory_are_the_same_data_set_as_a_file(tmp_path):
    mine, file = given(), load(npz(tmp_path / "a.npz"))
    assert (mine.images_digest, mine.class_names) == (file.images_digest, file.class_names)
    assert np.array_equal(mine.mask("partition=test"), file.mask("partition=test"))
    mine = fewshot.labelled_vectors(torch.from_numpy(VALUES), PLACES.tolist())
    assert mine.images_digest == file.images_digest
    with pytest.raises(ValueError, match=r"vectors: labels must be of shape \[60\]"):
        fewshot.labelled_vectors(VALUES, PLACES[:3])
    with pytest.raises(ValueError, match=r"vectors: 2 of 60 vectors have numbers that are NaN"):
        fewshot.labelled_vectors(BROKEN, PLACES)


def heads():
    classes = [EVALUATORS.get(name) for name in EVALUATORS.names()]
    return [cls for cls in classes if cls is not AugmentedSupport and not issubclass(cls, ImageEvaluator)]


@pytest.mark.parametrize("evaluator", heads(), ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("sampler", [s for name in SAMPLERS.names() for s in SAMPLERS.get(name).examples()], ids=repr)
def test_every_head_and_sampler_works_on_vectors(evaluator, sampler):
    places = np.tile(np.arange(12), 50)
    centres = np.random.default_rng(4).normal(size=(12, D)).astype(np.float32)
    values = centres[places] + np.random.default_rng(3).normal(size=(len(places), D)) / 2
    domains = np.where(np.arange(len(places)) // 12 % 2, "mono", "colour")
    images = fewshot.labelled_vectors(
        values,
        places,
        np.array([f"class {place}" for place in range(12)]),
        image_groups={
            "domain": domains,
            "video": np.char.add("v", (places * 10 + np.arange(len(places)) // 12 % 10).astype(str)),
            "burst": np.char.add("b", (places * 50 + np.arange(len(places)) // 12 // 2).astype(str)),
            "scene": np.char.add("s", (np.arange(len(places)) // 12 % 10).astype(str)),
        },
        class_groups={"family": np.array(["a", "b"] * 6), "kind": np.array([*"abcdef"] * 2)},
        class_vectors=centres,
        name="birds",
    )
    episodes = sampler.sample(images, np.arange(12), fewshot.EpisodeShape(3, 5, 2), seed=0, start=0, count=4)
    if evaluator is CrossValidated and episodes.support_count.min() < 2:
        with pytest.raises(ValueError, match="every class needs at least 2; found a class with 1"):
            fewshot.evaluate("given", images, episodes, evaluator.examples()[0], "L2()", progress=False)
        return
    row = fewshot.evaluate("given", images, episodes, evaluator.examples()[0], "L2()", progress=False)
    assert row.accuracy > 1 / 3
    assert (row.backbone, row.dim, row.n_params, row.weights_digest, row.pretrained_on) == (
        "Given(name='given', pretrained_on='unknown')",
        D,
        0,
        "",
        "unknown",
    )
    assert (row.dataset, row.images_digest) == ("birds", images.images_digest)


def test_custom_episodes_of_vectors_agree_with_a_direct_computation():
    images = given()
    rows = [np.flatnonzero(images.labels == c) for c in range(C)]
    episodes = fewshot.Episodes.from_rows(images, [[r[0] for r in rows]], [np.concatenate([r[1:] for r in rows])])
    row = fewshot.evaluate("given", images, episodes, "Prototype", "Identity", progress=False)
    support, query = VALUES[episodes.support].astype(np.float64), VALUES[episodes.query].astype(np.float64)
    nearest = ((query[:, None] - support[None]) ** 2).sum(2).argmin(1)
    assert row.accuracy == (nearest == episodes.query_labels).mean()


def test_class_vectors_reach_evaluators_of_class_features():
    images = given()
    episodes = fewshot.Balanced().sample(images, np.arange(C), fewshot.EpisodeShape(5, 1, 5), 0, 0, 10)
    assert fewshot.evaluate("given", images, episodes, NamesOnly(), "L2()", progress=False).accuracy > 0.7


def test_the_user_names_the_network_behind_the_vectors():
    images = given()
    episodes = fewshot.Balanced().sample(images, np.arange(C), fewshot.EpisodeShape(5, 1, 5), 0, 0, 2)
    row = fewshot.evaluate(fewshot.Given("CLIP", "nothing"), images, episodes, progress=False)
    assert (row.backbone, row.pretrained_on, row.seen_classes) == (
        "Given(name='CLIP', pretrained_on='nothing')",
        "nothing",
        "not seen",
    )


@dataclass(frozen=True)
class Birds:
    """The vectors of this file as a data set of its own."""

    def load(self):
        return given()

    def default_split(self):
        return "AllNovel()"


@pytest.mark.parametrize(
    ("backbone", "evaluator", "message"),
    [
        ("pixels", "Prototype", "birds holds vectors, so pixels has no images to embed; use Given"),
        ("given", "FineTune", r"FineTune\(.* tunes a network on images, but birds holds vectors; use an evaluator of"),
        (torch.nn.Flatten(), "Prototype", "birds holds vectors, so live network has no images to embed"),
    ],
)
def test_networks_and_tuning_are_refused_on_vectors(backbone, evaluator, message):
    images = given()
    episodes = fewshot.Balanced().sample(images, np.arange(C), fewshot.EpisodeShape(5, 1, 5), 0, 0, 2)
    with pytest.raises(ValueError, match=message):
        fewshot.evaluate(
            backbone, images, episodes, evaluator, preprocess=lambda i: torch.zeros(3, 2, 2), progress=False
        )


def test_given_is_refused_on_images():
    images = labelled(5, 20)
    episodes = fewshot.Balanced().sample(images, np.arange(5), fewshot.EpisodeShape(5, 1, 5), 0, 0, 2)
    with pytest.raises(ValueError, match="Given is for data sets of vectors, but test holds images; name a network"):
        fewshot.evaluate("given", images, episodes, progress=False)


def test_a_network_is_refused_before_it_is_loaded(tmp_path):
    spec = fewshot.RunSpec(f"{__name__}:Birds()", "vit_giant_patch14_clip_224", "Prototype")
    with pytest.raises(ValueError, match=r"birds holds vectors, so Timm\(.*\) has no images to embed"):
        fewshot.run(spec, fewshot.Results(tmp_path / "rows.jsonl"))
    spec = fewshot.RunSpec("Icons()", "given", "Prototype")
    with pytest.raises(ValueError, match="Given is for data sets of vectors, but icons mono holds images"):
        fewshot.run(spec, fewshot.Results(tmp_path / "rows.jsonl"))


def test_a_compute_dtype_is_refused_on_vectors(tmp_path):
    spec = fewshot.RunSpec(f"{__name__}:Birds()", "given", "Prototype", dtype="bfloat16")
    with pytest.raises(ValueError, match="birds holds vectors, which no network computes; remove dtype='bfloat16'"):
        fewshot.run(spec, fewshot.Results(tmp_path / "rows.jsonl"))


def test_runs_of_one_file_share_one_look_at_its_content(tmp_path, monkeypatch, own_home):
    path = npz(tmp_path / "a.npz")
    results, bench = fewshot.Results(tmp_path / "rows.jsonl"), fewshot.Workbench(progress=False)
    shape = fewshot.Sampled(fewshot.EpisodeShape(5, 1, 5))
    specs = [
        fewshot.RunSpec(f"VectorSet({str(path)!r})", "given", e, shape, split="AllNovel", n_episodes=5)
        for e in ("Prototype", "LinearProbe")
    ]
    rows = [fewshot.run(spec, results, bench) for spec in specs]
    assert all(row.status == "ok" for row in rows)
    assert not (own_home / "features").exists()
    moved = tmp_path / "moved.npz"
    path.rename(moved)
    again = fewshot.RunSpec(f"VectorSet({str(moved)!r})", "given", "Prototype", shape, split="AllNovel", n_episodes=5)
    assert fewshot.run(again, results).run_id == rows[0].run_id  # a path is not hashed, what it holds is


def test_a_report_says_that_there_are_no_pictures(tmp_path, caplog):
    from fewshot.report import page

    path = npz(tmp_path / "a.npz")
    results = fewshot.Results(tmp_path / "rows.jsonl")
    shape = fewshot.Sampled(fewshot.EpisodeShape(5, 1, 5))
    spec = fewshot.RunSpec(f"VectorSet({str(path)!r})", "given", "Prototype", shape, split="AllNovel", n_episodes=5)
    row = fewshot.run(spec, results, fewshot.Workbench(progress=False))
    text = page(Shown.of([row]), results, "vectors")
    assert "No episode is shown: a holds vectors, no pictures." in text
    assert caplog.records == [r for r in caplog.records if r.levelno < logging.ERROR]


def test_the_examples_of_the_guide_run(tmp_path, monkeypatch, capsys):
    guide = (DOCS / "features.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", guide, re.DOTALL | re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    exec("\n".join(code for language, code in blocks if language == "python"), {})
    assert re.fullmatch(r"0\.[5-9]\d+ of the queries right\n", capsys.readouterr().out)
    [command] = [code for language, code in blocks if language == "sh" and "features.npz" in code]
    done = CliRunner().invoke(main, shlex.split(command)[1:])
    assert done.exit_code == 0
    assert len(re.findall(r"^.*[15] shots? +\d\d\.\d +\[", done.output, re.MULTILINE)) == 2
