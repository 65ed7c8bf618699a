"""Lists keep what is known of their episodes, in files and in CSV, and refuse what cannot be."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fewshot.datasets import ArrayImages, LabelledImages
from fewshot.datasets.image_folder_set import ImageFolderSet
from fewshot.datasets.manifest import Manifest
from fewshot.episodes.episodes import Episodes
from fewshot.episodes.lists import EpisodeList
from fewshot.episodes.shape import EpisodeShape
from fewshot.episodes.tables import from_csv, to_csv
from fewshot.samplers.balanced import Balanced
from fewshot.samplers.disjoint_pools import DisjointPools
from fewshot.samplers.variable_way_shot import VariableWayShot

LABELS = np.arange(240) % 6
NAMES = ("ant", 'b"ee', "cat, big", "döner", "elk", "fly")
IMAGES = LabelledImages("zoo", ArrayImages(np.zeros((240, 1, 1), np.uint8)), LABELS, NAMES, "pixels")
SHAPE = EpisodeShape(3, 2, 3)


def drawn(sampler=None, shape=SHAPE, images=IMAGES, count=10, seed=5):
    return (sampler or Balanced()).sample(images, np.arange(len(images.class_names)), shape, seed, 0, count)


def pooled():
    return EpisodeList.of(drawn(DisjointPools()), IMAGES, "zoo@1", "DisjointPools()", np.arange(10) % 5)


def test_all_that_is_known_of_a_list_comes_back_from_its_file(tmp_path):
    listed = pooled()
    listed.save(tmp_path / "e.st")
    again = EpisodeList.load(tmp_path / "e.st")
    assert again.episodes.digest == listed.episodes.digest == Episodes.load(tmp_path / "e.st").digest
    assert (again.protocol, again.dataset, again.sampler) == ("zoo@1", "zoo", "DisjointPools()")
    assert again.class_names == listed.class_names == {label: NAMES[label] for label in range(6)}
    assert again.pools.tolist() == [0, 1, 2, 3, 4] * 2
    assert again.pools_of(np.array([3, 8])).tolist() == [3, 3]
    again.check(IMAGES)


def test_files_of_earlier_versions_are_lists_of_which_nothing_more_is_known(tmp_path):
    drawn().save(tmp_path / "old.st")
    listed = EpisodeList.load(tmp_path / "old.st")
    listed.check(IMAGES)
    assert (listed.protocol, listed.class_names, listed.pools) == ("", {}, None)
    assert listed.pools_of(np.arange(4)).tolist() == [0] * 4
    assert "pools     not known" in str(listed)


def test_a_list_says_what_it_is():
    shown = str(pooled()).splitlines()
    assert shown[0].startswith("10 episodes, digest ")
    assert shown[1:6] == [
        "protocol  zoo@1",
        "data set  zoo pixels",
        "sampler   DisjointPools()",
        "pools     5 that share no image",
        'classes   ant, b"ee, cat, big, döner, elk, fly',
    ]
    assert shown[6].startswith("  0: 3 ways, support 6, query 9, classes [")


def test_an_image_in_two_pools_is_refused():
    with pytest.raises(ValueError, match=r"image \d+ is in episodes of pool \d and of pool \d; pools must share no im"):
        EpisodeList.of(drawn(count=40), IMAGES, pools=np.arange(40) % 5)


def test_a_data_set_whose_classes_are_called_otherwise_is_refused():
    other = replace(IMAGES, class_names=(*NAMES[:5], "gnu"))
    with pytest.raises(ValueError, match=r"a class 5 named 'fly', but in zoo it is 'gnu'; load the data set"):
        pooled().check(other)


@pytest.mark.parametrize("about", [{"pools": [0, 1]}, {"pools": 3}, {"pools": [None] * 10}, {"class_names": [[1]]}])
def test_a_file_that_says_nonsense_of_its_episodes_is_refused(tmp_path, about):
    drawn().save(tmp_path / "e.st", about)
    with pytest.raises(ValueError, match=r"e.st is not an episode list: its class names or its pools are not readable"):
        EpisodeList.load(tmp_path / "e.st")


def test_a_table_in_place_of_a_list_is_told_the_way():
    with pytest.raises(ValueError, match=r"e.csv is a table, not an episode list; convert it with `fewshot"):
        EpisodeList.load(Path("e.csv"))


def test_episodes_that_are_not_numbered_in_order_are_not_run():
    EpisodeList.of(drawn(), IMAGES).require_numbered()
    with pytest.raises(ValueError, match=r"numbered 0, 1, 2, ..., but number 0 of this list is 2; number them"):
        EpisodeList.of(drawn()[2:], IMAGES).require_numbered()


@pytest.mark.parametrize(
    "listed",
    [
        pooled(),
        EpisodeList.of(drawn(VariableWayShot(), EpisodeShape(None, None, None), seed=2**63), IMAGES),
        EpisodeList.of(drawn()[4:], IMAGES),
        EpisodeList.of(drawn().take(np.array([3, 1, 7])), IMAGES),
    ],
)
def test_what_was_exported_is_imported_with_the_same_digest(listed, tmp_path):
    (tmp_path / "e.csv").write_text(to_csv(listed, IMAGES), encoding="utf-8")
    again = from_csv(tmp_path / "e.csv", IMAGES)
    assert again.episodes.digest == listed.episodes.digest
    assert (again.pools is None) == (listed.pools is None)
    assert listed.pools is None or np.array_equal(again.pools, listed.pools)


def test_images_of_files_are_exported_by_their_paths_which_survive_another_order(folder, tmp_path):
    images = ImageFolderSet(folder).load()
    episodes = drawn(images=images, count=4)
    (tmp_path / "e.csv").write_text(to_csv(EpisodeList.of(episodes, images), images))
    paths = [path.relative_to(folder) for path in sorted(folder.rglob("*.png"), reverse=True)]
    with open(tmp_path / "list.csv", "w", newline="") as file:
        csv.writer(file).writerows([("path", "label"), *((f"./{path}", path.parent.name) for path in paths)])
    other = Manifest(tmp_path / "list.csv", folder).load()
    moved = from_csv(tmp_path / "e.csv", other).episodes
    assert other.images_digest != images.images_digest
    for which in ("support", "query"):
        before = [images.image_names[row] for row in getattr(episodes, which)]
        assert [other.image_names[row] for row in getattr(moved, which)] == before


def test_tables_of_other_programs_may_mix_tasks_and_call_them_as_they_like(tmp_path):
    lines = ["set,image,class,task", "query,0,ant,x", 'support,1,"b""ee",y', "support,6,ant,x", 'support,7,"b""ee",x']
    lines += ["support,12,ant,y", 'query,13,"b""ee",y', ""]
    (tmp_path / "e.csv").write_text("\n".join(lines))
    listed = from_csv(tmp_path / "e.csv", IMAGES, "theirs@2")
    expected = Episodes.from_rows(IMAGES, [[6, 7], [1, 12]], [[0], [13]])
    assert (listed.episodes.digest, listed.protocol) == (expected.digest, "theirs@2")


HEADER = "task,class,image,set"
GOOD = ["0,ant,0,support", '0,"b""ee",1,support', "0,ant,6,query"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "e.csv is empty; expected a header with the columns task, class, image and set"),
        (
            ["task,class,image"],
            "has no column 'set'; expected a first line task,class,image,set and optionally seed, pool",
        ),
        (
            [HEADER + ",shot", "0,ant,0,support,1"],
            "has an unknown column 'shot'; expected a first line task,class,image,set and",
        ),
        ([HEADER], "has nothing below its first line .*; add one line per entry"),
        ([HEADER, *GOOD, "0,ant,12"], r"line 5: expected 4 fields \(task, class, image, set\), found 3"),
        ([HEADER, *GOOD, '0,"ant,12,query'], "line 5: unexpected end of data; write a quote inside quotes twice"),
        ([HEADER, *GOOD, "0,ant,240,query"], r"line 5: zoo has no image '240'; write a row in \[0, 240\)"),
        ([HEADER, *GOOD, "0,ant,a.png,query"], "line 5: zoo has no image 'a.png'; write a row"),
        ([HEADER, *GOOD, "0,elk,12,query"], "line 5: image 12 has class 'ant' in zoo, found 'elk'"),
        ([HEADER, *GOOD, "0,ant,12,test"], "line 5: set must be support or query, found 'test'"),
        ([HEADER, *GOOD, ",ant,12,query"], "line 5: a line needs a task, found an empty field"),
        ([HEADER, *GOOD, "0,ant,0,query"], "image 0 is twice in episode 0"),
        ([HEADER, *GOOD, '0,"cat, big",2,query'], "episode 0: a query image is of class 'cat, big', which has no supp"),
        ([HEADER, *GOOD[:2]], "episode 0 has no query image"),
        ([HEADER, *GOOD, "1,ant,0,support", "1,ant,6,query"], "episode 1 has support images of 1 classes; at least 2"),
        (
            [HEADER + ",seed", *(f"{line},{seed}" for line, seed in zip(GOOD, "001", strict=True))],
            "line 4: seed must be",
        ),
        ([HEADER + ",seed", *(f"{line},-1" for line in GOOD)], "line 2: seed must be one integer in .* found '-1'"),
        ([HEADER + ",pool", *(f"{line},{p}" for line, p in zip(GOOD, "001", strict=True))], "line 4: pool must be one"),
    ],
)
def test_a_malformed_table_is_one_sentence(lines, message, tmp_path):
    (tmp_path / "e.csv").write_text("".join(f"{line}\n" for line in lines))
    with pytest.raises(ValueError, match=message):
        from_csv(tmp_path / "e.csv", IMAGES)


def test_a_table_that_is_missing_or_no_text_is_one_sentence(tmp_path):
    with pytest.raises(ValueError, match=r"there is no table of episodes .*none.csv; give a CSV file with the columns"):
        from_csv(tmp_path / "none.csv", IMAGES)
    pooled().save(tmp_path / "e.st")
    with pytest.raises(ValueError, match=r"e.st, line 1 is not UTF-8|e.st, line 1: line contains NUL"):
        from_csv(tmp_path / "e.st", IMAGES)
