"""A submission is one safe folder: what goes in, what stays out and why, and what it says."""

from __future__ import annotations

import getpass
import io
import json
import re
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.registry import DATASETS
from fewshot.plugins.spec import Spec
from fewshot.results.collections import Collection
from fewshot.results.files import Results
from fewshot.runs.pipeline import run
from fewshot.runs.specs import RunSpec, Sampled
from fewshot.runs.workbench import Workbench
from fewshot.sharing.about import About, Manifest
from fewshot.sharing.images import AtHand
from fewshot.sharing.submit import submit
from fewshot.sharing.verify import verify
from tests.support.bird_folders import COLOURS
from tests.support.report_rows import row
from tests.support.submissions import birds, own_home, runs, submission


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("submit")
    with own_home(folder):
        runs(folder)
    return folder


def shared(place: Path, out: Path, own: bool = True, data: bool = True, **about: str) -> Manifest:
    held = Collection.of([Results(place / "mine.jsonl")])
    at_hand = AtHand((birds(place),) if data else (), own=own)
    return submit(held, out, About(**{"name": "Two heads"} | about), at_hand).manifest


def test_a_submission_holds_plain_files_without_a_place_of_this_machine(place, tmp_path):
    manifest = shared(place, tmp_path / "out")
    files = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert files == {*manifest.files, "submission.json"}
    for path in (tmp_path / "out").rglob("*.*"):
        content = path.read_bytes() if path.is_file() else b""
        assert str(place).encode() not in content, path
        assert b"home" not in content.lower(), path
    assert getpass.getuser() == "root" or getpass.getuser() not in (tmp_path / "out" / "README.md").read_text()


def test_its_readme_shows_every_row_and_the_commands(place, tmp_path):
    shared(place, tmp_path / "out", authors="A. Author", url="https://example.org/p", note="See <b>this</b> [x](y)")
    text = (tmp_path / "out" / "README.md").read_text()
    assert text.startswith(
        "# Two heads\n\nBy A. Author.\n\n<https://example.org/p>\n\nSee \\<b\\>this\\</b\\> \\[x\\](y)\n"
    )
    for one in Results(place / "mine.jsonl").rows():
        assert f"| 6 | {one.run_id} |" in text
    assert text.count("fewshot run --data birds --split AllNovel") == 2
    assert re.search(r"2 runs with predictions, \d+\.\d kB\. Written by fewshot", text)


def test_its_readme_speaks_of_intervals_only_where_it_has_some(tmp_path):
    with own_home(tmp_path):
        birds(tmp_path)
        sentences = {}
        for number in (1, 40):
            (tmp_path / str(number)).mkdir()
            (tmp_path / str(number) / "birds").symlink_to(tmp_path / "birds")
            made = runs(tmp_path / str(number), ("Prototype()",), n_episodes=number)
            out = submission(tmp_path, made, name=f"out {number}")
            sentences[number] = (
                (out / "README.md").read_text(encoding="utf-8").partition("Each number ")[2].split("\n")[0]
            )
    assert sentences == {1: "is the mean over episodes.", 40: "is the mean over episodes ± its 95 % interval."}


def test_without_the_images_the_design_comes_from_the_predictions(place, tmp_path):
    shared(place, tmp_path / "out", own=False, data=False)
    found = verify(tmp_path / "out")
    assert not found.problems
    assert len(found.statistics) == 2
    assert any("the names of classes are not here" in text for text in found.unchecked)
    assert any("its run id: the labels of its images are not here" in text for text in found.unchecked)


def test_what_is_left_out_is_named_with_its_reason(place, tmp_path):
    source = tmp_path / "mine.jsonl"
    source.write_text((place / "mine.jsonl").read_text())
    held = Results(source)
    first, second = held.rows()
    for part in Results(place / "mine.jsonl").parts(first.run_id).files():
        target = held.parts(first.run_id).folder / part.name
        target.parent.mkdir(parents=True)
        target.write_bytes(part.read_bytes())
    held.append(row(None, None, status="failed", error="out of memory", k_shot=3))
    out = submit(Collection.of([held]), tmp_path / "out", About("A"), AtHand((birds(place),), own=True))
    assert dict(out.manifest.left_out).keys() == {second.run_id, held.rows()[-1].run_id}
    assert sorted(why for _, why in out.manifest.left_out) == [
        "it failed: out of memory",
        "it has no stored predictions",
    ]
    assert "it has no stored predictions" in (tmp_path / "out" / "README.md").read_text()
    assert not verify(tmp_path / "out").problems


def test_a_row_that_its_predictions_do_not_give_is_left_out(place, tmp_path):
    held = [replace(one, accuracy_low=0.0) for one in Results(place / "mine.jsonl").rows()]
    source = Results(place / "changed.jsonl")
    for one in held:
        source.append(one)
    (place / "changed.predictions").symlink_to(place / "mine.predictions")
    with pytest.raises(ValueError, match=r"none of the 2 runs can be shared:\n  run .*: accuracy_low is 0 in the row"):
        submit(Collection.of([source]), tmp_path / "out", About("A"), AtHand((birds(place),), own=True))
    assert not (tmp_path / "out").exists()
    assert list(tmp_path.glob(".out*")) == []


def test_own_code_is_shared_with_its_digest_and_cannot_be_run_again(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "mine_alone.py").write_text(
        "from dataclasses import dataclass\n"
        "from fewshot.evaluators.prototype import Prototype\n"
        "@dataclass(frozen=True)\n"
        "class Own(Prototype):\n"
        "    '''Mine.'''\n"
    )
    spec = RunSpec(
        birds(place),
        "RawPixels(image_size=4)",
        "mine_alone:Own()",
        Sampled(EpisodeShape(3, 2, 4)),
        split="AllNovel()",
        n_episodes=6,
    )
    results = Results(tmp_path / "own.jsonl")
    run(spec, results, Workbench(progress=False))
    done = submit(Collection.of([results]), tmp_path / "out", About("Own"), AtHand((birds(place),), own=True))
    assert re.fullmatch(r"evaluator mine_alone:Own \(code [0-9a-f]{16}\)", done.runs[0].own_code)
    assert "Own code, which only its authors can run" in (tmp_path / "out" / "README.md").read_text()
    found = verify(tmp_path / "out", AtHand((birds(place),)), n_reruns=1)
    assert not found.problems
    assert (len(found.statistics), len(found.episodes), len(found.reruns)) == (1, 1, 0)
    assert any(
        "it cannot be computed again here: own code, evaluator mine_alone:Own" in text for text in found.unchecked
    )


def test_a_name_of_the_user_in_a_relative_path_is_refused(place, tmp_path, monkeypatch):
    monkeypatch.setattr("fewshot.sharing.submit.private_words", lambda: ["birds"])
    with pytest.raises(ValueError, match="its texts hold 'birds', a name of this user or machine"):
        shared(place, tmp_path / "out")


SOURCES = {
    "folders": lambda folder: birds(folder),
    "a list": lambda folder: with_list(folder),
    "shards": lambda folder: with_shards(folder),
}


def with_list(folder: Path) -> Spec:
    """A CSV file of the birds."""
    birds(folder)
    lines = [f"{path.relative_to(folder)},{path.parent.name}" for path in sorted((folder / "birds").rglob("*.png"))]
    (folder / "list.csv").write_text("\n".join(["path,label", *lines]) + "\n")
    return DATASETS.spec(f"Manifest({str(folder / 'list.csv')!r})")


def with_shards(folder: Path) -> Spec:
    """A tar file of the birds."""
    birds(folder)
    with tarfile.open(folder / "birds.tar", "w") as shard:
        for number, path in enumerate(sorted((folder / "birds").rglob("*.png"))):
            shard.add(path, f"{number:04d}.png")
            label = str(sorted(COLOURS).index(path.parent.name)).encode()
            about = tarfile.TarInfo(f"{number:04d}.cls")
            about.size = len(label)
            shard.addfile(about, io.BytesIO(label))
    return DATASETS.spec(f"WebDatasetShards({str(folder / 'birds.tar')!r})")


def test_a_place_that_is_part_of_a_run_id_leaves_the_run_out(tmp_path, monkeypatch):
    with_shards(tmp_path)
    (tmp_path / "birds.tar").rename(tmp_path / "birds-0.tar")
    monkeypatch.chdir(tmp_path.parent)
    results, data = Results(tmp_path / "mine.jsonl"), f"WebDatasetShards(names='{tmp_path.name}/birds-{{0..0}}.tar')"
    spec = RunSpec(data, "RawPixels(image_size=4)", "Prototype()", Sampled(EpisodeShape(3, 1, 2)), split="AllNovel()")
    run(replace(spec, n_episodes=2), results, Workbench(progress=False))
    with pytest.raises(ValueError, match="its dataset names a place of this machine, which is part of its run id: Web"):
        submit(Collection.of([results]), tmp_path / "out", About("A"), AtHand(own=True))


@pytest.mark.parametrize("source", SOURCES)
def test_images_that_are_unchanged_since_the_run_are_not_opened_again(tmp_path, monkeypatch, source):
    data = SOURCES[source](tmp_path)
    results = Results(tmp_path / "mine.jsonl")
    spec = RunSpec(data, "RawPixels(image_size=4)", "Prototype()", Sampled(), split="AllNovel()", n_episodes=2)
    run(replace(spec, episodes=Sampled(EpisodeShape(3, 1, 2))), results, Workbench(progress=False))

    def refuse(*_: object) -> None:
        raise AssertionError("an image was decoded again")

    monkeypatch.setattr(Image.Image, "load", refuse)
    monkeypatch.setattr(Image.Image, "convert", refuse)
    submit(Collection.of([results]), tmp_path / "out", About("A"), AtHand(own=True))
    assert not verify(tmp_path / "out", AtHand((data,))).problems


def test_a_changed_image_is_read_again_and_is_no_longer_that_of_the_run(tmp_path):
    with own_home(tmp_path):
        results = runs(tmp_path)
        picture = next((tmp_path / "birds").rglob("*.png"))
        Image.new("RGB", (16, 16), "red").save(picture)
        done = submit(Collection.of([results]), tmp_path / "out", About("A"), AtHand((birds(tmp_path),), own=True))
    assert not any(run.design.has_names for run in done.runs), "these are not the images of the run"


def test_nothing_is_overwritten(place, tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(ValueError, match=r"out exists; choose another --out"):
        shared(place, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "ftp://a.b/c", "https://", "http://a b", "https://u:p@a.b", "//a.b", "https://a'b.c"]
)
def test_only_addresses_of_pages_are_links(url):
    with pytest.raises(ValueError, match="a url starts with https://"):
        About("A", url=url)


def test_two_machines_with_one_run_share_it_once(place, tmp_path):
    with own_home(tmp_path):
        other = runs(tmp_path, ("Prototype()", "LinearSVM()"))
    both = Collection.of([Results(place / "mine.jsonl"), other])
    done = submit(both, tmp_path / "out", About("A"), AtHand((birds(place), birds(tmp_path)), own=True))
    assert len(done.runs) == 3
    assert not verify(tmp_path / "out", AtHand((birds(place),))).problems


def test_bundled_images_are_always_at_hand(tmp_path):
    results = Results(tmp_path / "icons.jsonl")
    spec = RunSpec(DATASETS.spec("Icons()"), "RawPixels(image_size=4)", "Prototype()", Sampled(), n_episodes=4)
    run(spec, results, Workbench(progress=False))
    place = submission(tmp_path, results, name="out")
    found = verify(place, AtHand(), n_reruns=1)
    assert (found.problems, found.unchecked) == ((), ())
    assert len(found.reruns) == len(found.episodes) == 1
    assert json.loads((place / "runs.json").read_text())["designs"][0]["dataset"].startswith("icons")
