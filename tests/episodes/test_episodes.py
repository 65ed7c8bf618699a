"""Episodes are slices, joins and files of what plain lists would hold, and refuse what is malformed."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load

from fewshot.datasets import ArrayImages, LabelledImages
from fewshot.episodes.digest import episodes_digest
from fewshot.episodes.episodes import Episodes
from fewshot.episodes.flat import take_runs
from fewshot.episodes.shape import EpisodeShape
from fewshot.files.atomic import write_safetensors

N_CLASSES, PER_CLASS = 8, 12


def labelled(digest="pixels"):
    labels = np.arange(N_CLASSES * PER_CLASS) % N_CLASSES  # interleaved: rows of a class do not lie together
    pixels = np.zeros((len(labels), 1, 1), np.uint8)
    return LabelledImages("test", ArrayImages(pixels), labels, tuple(f"c{c}" for c in range(N_CLASSES)), digest)


IMAGES = labelled()


def plain_episodes(count, seed=0):
    """Ragged episodes as plain lists: of each the support rows and the query rows, by class."""
    random = np.random.default_rng(seed)
    episodes = []
    for _ in range(count):
        ways = []
        for c in random.choice(N_CLASSES, random.integers(2, 6), replace=False).tolist():
            rows = random.permutation(np.flatnonzero(IMAGES.labels == c)).tolist()
            k = random.integers(1, 6)
            ways.append((c, rows[:k], rows[k : k + random.integers(0 if ways else 1, 6)]))
        episodes.append(ways)
    return episodes


def packed(plain):
    def rows(column):
        return [[row for way in ways for row in way[column]] for ways in plain]

    return Episodes.from_rows(IMAGES, rows(1), rows(2))


def unpacked(episodes):
    """The plain lists of episodes, read through their public starts and labels."""
    plain = []
    for e in range(len(episodes)):
        ways = [(int(c), [], []) for c in episodes.classes[episodes.way_start[e] : episodes.way_start[e + 1]]]
        for column, name in ((1, "support"), (2, "query")):
            start = getattr(episodes, f"{name}_start")
            part = slice(start[e], start[e + 1])
            for row, way in zip(getattr(episodes, name)[part], getattr(episodes, f"{name}_labels")[part], strict=True):
                ways[way][column].append(int(row))
        plain.append(ways)
    return plain


PLAIN = plain_episodes(30)
EPISODES = packed(PLAIN)


def test_episodes_hold_what_they_were_given():
    assert unpacked(EPISODES) == PLAIN
    assert len(EPISODES) == 30
    assert EPISODES.index.tolist() == list(range(30))


@pytest.mark.parametrize(
    "part",
    [slice(None), slice(3, 9), slice(0, 0), slice(30, None), slice(-4, None), slice(7, 2), slice(5, 500)],
    ids=str,
)
def test_a_slice_is_the_slice_of_the_list(part):
    assert unpacked(EPISODES[part]) == PLAIN[part]
    assert EPISODES[part].index.tolist() == list(range(30))[part]
    EPISODES[part].check(IMAGES)


def test_a_slice_with_a_step_is_refused():
    with pytest.raises(ValueError, match="steps of 1, got 2"):
        EPISODES[::2]


@pytest.mark.parametrize("order", [[], [4], [29, 0, 7, 7, 3], list(range(29, -1, -1)), [-1]], ids=str)
def test_taking_is_taking_from_the_list(order):
    taken = EPISODES.take(np.array(order, dtype=np.int64))
    assert unpacked(taken) == [PLAIN[i] for i in order]
    assert taken.index.tolist() == [range(30)[i] for i in order]


def test_runs_are_taken_as_from_lists():
    random = np.random.default_rng(2)
    for _ in range(50):
        lengths = random.integers(0, 4, size=random.integers(1, 9))
        start = np.concatenate([[0], np.cumsum(lengths)])
        flat = random.integers(0, 100, size=start[-1])
        order = random.integers(0, len(lengths), size=random.integers(0, 7))
        expected = [x for i in order for x in flat[start[i] : start[i + 1]]]
        assert take_runs(flat, start, order).tolist() == expected


def test_cutting_anywhere_and_joining_gives_the_same_episodes_and_digest():
    for cut in (0, 1, 13, 30):
        joined = Episodes.concatenate([EPISODES[:cut], EPISODES[cut:]])
        assert unpacked(joined) == PLAIN
        assert joined.digest == EPISODES.digest == episodes_digest([EPISODES[:cut], EPISODES[cut:]])
    assert episodes_digest(EPISODES[e : e + 1] for e in range(30)) == EPISODES.digest


def test_episodes_of_other_images_or_another_seed_are_not_joined():
    for other in (replace(EPISODES, images_digest="x"), replace(EPISODES, seed=1)):
        with pytest.raises(ValueError, match="only episodes of one data set and one seed can be joined"):
            Episodes.concatenate([EPISODES, other])
    with pytest.raises(ValueError, match="got 0 parts"):
        Episodes.concatenate([])


def small():
    return Episodes.from_rows(IMAGES, [[0, 8, 1], [2, 3]], [[16, 9], [11]])


DIGEST = "ff07b2309b05668e52b8aabd2049f88a614948b6b60635f948af279855fe07ae"
ARRAYS = ("index", "n_way", "classes", "support_count", "query_count", "support", "query")


def test_the_digest_is_pinned_and_the_same_in_another_process():
    code = f"from {__name__} import small; print(small().digest)"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert small().digest == other.stdout.strip() == DIGEST


@pytest.mark.parametrize("dtype", ["<i8", ">i8", ">i4", "<u4"])
def test_the_digest_and_the_file_do_not_depend_on_how_numbers_are_held(dtype, tmp_path):
    other = replace(EPISODES, **{name: getattr(EPISODES, name).astype(dtype) for name in ARRAYS})
    strided = replace(EPISODES, **{name: np.repeat(getattr(EPISODES, name), 2)[::2] for name in ARRAYS})
    assert other.digest == strided.digest == EPISODES.digest
    for episodes in (other, strided):
        episodes.save(tmp_path / "episodes")
        assert unpacked(Episodes.load(tmp_path / "episodes")) == PLAIN


@pytest.mark.parametrize("name", ARRAYS)
def test_the_digest_changes_with_every_number(name):
    changed = getattr(EPISODES, name).copy()
    changed[-1] += 1
    assert replace(EPISODES, **{name: changed}).digest != EPISODES.digest


def test_the_digest_changes_with_the_images_and_with_the_seed_that_evaluators_draw_from():
    digests = {EPISODES.digest, replace(EPISODES, images_digest="x").digest, replace(EPISODES, seed=1).digest}
    assert len(digests) == 3


def test_rows_that_move_to_the_next_array_change_the_digest():
    moved = replace(small(), support=small().support[:-1], query=np.append(small().support[-1:], small().query))
    assert moved.digest != small().digest


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "folder" / "episodes.safetensors"
    replace(EPISODES, seed=3)[4:].save(path)
    return path


def test_saved_episodes_come_back(saved):
    episodes = Episodes.load(str(saved))
    assert unpacked(episodes) == PLAIN[4:]
    assert (episodes.seed, episodes.index[0], episodes.images_digest) == (3, 4, "pixels")
    episodes.check(IMAGES)


def test_every_damaged_byte_of_the_arrays_is_noticed(saved):
    content = saved.read_bytes()
    for at in range(8 + int.from_bytes(content[:8], "little"), len(content), 37):
        saved.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(ValueError, match="it was changed or damaged"):
            Episodes.load(saved)


def rewritten(path, change):
    """Writes the file again with changed arrays or metadata."""
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    metadata = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["fewshot"])
    arrays = load(content)
    change(arrays, metadata)
    write_safetensors(path, arrays, metadata)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda arrays, about: about.update(format="episodes-0"),
            "not an episode list of format .*; found 'episodes-0'",
        ),
        (lambda arrays, about: about.clear(), "not an episode list of format .* found None"),
        (lambda arrays, about: arrays.pop("query"), "not an episode list of format"),
        (lambda arrays, about: arrays.update(more=np.arange(2)), "not an episode list of format"),
        (
            lambda arrays, about: arrays.update(query=arrays["query"].astype(np.float32)),
            "not an episode list of format",
        ),
        (lambda arrays, about: about.pop("images_digest"), "its images_digest or its seed is missing"),
        (lambda arrays, about: about.update(seed="x"), "its images_digest or its seed is missing"),
        (lambda arrays, about: about.update(seed="4"), "it was changed or damaged"),
        (lambda arrays, about: about.update(images_digest="x"), "it was changed or damaged"),
        (lambda arrays, about: about.pop("digest"), "it was changed or damaged"),
    ],
)
def test_a_changed_file_is_refused(saved, change, message):
    rewritten(saved, change)
    with pytest.raises(ValueError, match=message):
        Episodes.load(saved)


def test_a_pickle_is_refused_and_not_run(saved, tmp_path):
    class Malicious:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    saved.write_bytes(pickle.dumps(Malicious()))
    with pytest.raises(ValueError, match="cannot be read as an episode list"):
        Episodes.load(saved)
    assert not (tmp_path / "ran").exists()


def test_printing_lists_the_first_ten():
    lines = str(EPISODES).splitlines()
    assert len(lines) == 11
    assert lines[0] == f"30 episodes, digest {EPISODES.digest[:16]}"
    assert lines[1].startswith(f"  0: {len(PLAIN[0])} ways, support {sum(len(way[1]) for way in PLAIN[0])}, query")


@pytest.mark.parametrize(
    ("support", "query", "message"),
    [
        ([], [], "custom episodes need as many query lists as support lists, at least one; got 0 support and 0"),
        ([[0, 1]], [], "got 1 support and 0 query lists"),
        ([[0, 96]], [[2]], r"episode 0: rows must be in \[0, 96\), found 0 to 96"),
        ([[0, 1], [0, 1]], [[8], [-1]], r"episode 1: rows must be in \[0, 96\), found -1 to -1"),
        ([[0, 1]], [[2]], "episode 0: a query image is of class 'c2', which has no support image in this episode"),
        ([[0, 1]], [[0]], "image 0 is twice in episode 0; an episode holds each image once"),
        ([[0, 1, 0]], [[8]], "image 0 is twice in episode 0"),
        ([[0, 1], [0, 1]], [[8], [9, 9]], "image 9 is twice in episode 1"),
        ([[0, 8]], [[16]], "episode 0 has support images of 1 classes; at least 2 are needed"),
        ([[]], [[]], "episode 0 has support images of 0 classes; at least 2 are needed"),
        ([[]], [[3]], "a query image is of class 'c3', which has no support"),
        ([[0, 1], [0, 1]], [[8], []], "episode 1 has no query image; give it at least one"),
        ([[0.5, 1]], [[8]], "episode 0: rows must be integers, found float64 such as 0.5"),
        ([[True, False]], [[8]], "episode 0: rows must be integers, found bool"),
        ([["a", "b"]], [[8]], "episode 0: rows must be integers"),
    ],
)
def test_custom_episodes_that_make_no_sense_are_one_sentence(support, query, message):
    with pytest.raises(ValueError, match=message):
        Episodes.from_rows(IMAGES, support, query)


def test_custom_episodes_may_be_arrays_and_need_no_query_of_every_class():
    episodes = Episodes.from_rows(IMAGES, np.array([[3, 0, 11], [1, 2, 9]]), np.array([[8], [17]], dtype=np.uint8))
    assert unpacked(episodes) == [[(3, [3, 11], []), (0, [0], [8])], [(1, [1, 9], [17]), (2, [2], [])]]


def planted(**changes):
    return replace(small(), **{name: np.array(value) for name, value in changes.items()})


@pytest.mark.parametrize(
    ("episodes", "message"),
    [
        (replace(small(), images_digest="other"), "made for images other, but the data set is pixels;"),
        (planted(classes=[0, 3, 2, 1]), "support row 1 has label 1, but is listed under class 3"),
        (planted(query=[16, 10, 11]), "query row 10 has label 2, but is listed under class 1"),
        (planted(query=[8, 9, 11]), "image 8 is twice in episode 0"),
        (planted(support=[0, 8, 1, 2, 96]), r"rows must be in \[0, 96\), found 0 to 96"),
        (planted(query=[16, 9, -1]), r"rows must be in \[0, 96\), found -1 to 16"),
        (planted(support=[0, 8, 1, 2]), "support should hold 5 entries, found 4: the file is damaged"),
        (planted(n_way=[2, 3]), "classes should hold 5 entries, found 4"),
        (planted(n_way=[3, 1]), "episode 1 has support images of 1 classes"),
        (planted(n_way=[5, -1]), "episode 1 has support images of -1 classes"),
        (planted(support_count=[3, 0, 1, 1]), r"every class of an episode needs a support image; the lowest counts"),
        (planted(query_count=[3, -1, 0, 1]), "the lowest counts are 1 support and -1 query"),
        (planted(query_count=[1, 1, 1, 0], n_way=[4, 0]), "episode 1 has support images of 0 classes"),
        (planted(query_count=[2, 1, 0, 0], query=[16, 24, 9]), "episode 1 has no query image"),
        (
            planted(classes=[0, 0, 2, 3], support=[0, 8, 16, 2, 3], query=[24, 32, 11]),
            "class 0 is twice in episode 0",
        ),
        (planted(query=[[16, 9, 11]]), "query should hold 3 entries"),
    ],
)
def test_planted_faults_are_found(episodes, message):
    with pytest.raises(ValueError, match=message):
        episodes.check(IMAGES)


def test_no_episodes_are_well_formed():
    EPISODES[:0].check(IMAGES)
    assert EPISODES[:0].padded("support")[0].shape == (0, 0)


@pytest.mark.parametrize("which", ["support", "query"])
def test_padding_lies_behind_the_rows_under_a_false_mask(which):
    rows, labels, mask = EPISODES.padded(which)
    column = 1 if which == "support" else 2
    for e, ways in enumerate(PLAIN):
        expected = [(row, w) for w, way in enumerate(ways) for row in way[column]]
        assert list(zip(rows[e][mask[e]].tolist(), labels[e][mask[e]].tolist(), strict=True)) == expected
        assert mask[e].tolist() == [i < len(expected) for i in range(mask.shape[1])]
    assert mask.sum(1).max() == mask.shape[1]
    assert (rows == np.where(mask, rows, rows[:, :1])).all()
    assert (labels[~mask] == 0).all()


@pytest.mark.parametrize("field", ["n_way", "k_shot", "n_query"])
@pytest.mark.parametrize("value", [-1, True, False, 1.0, "5", (5,)])
def test_a_shape_refuses_what_is_no_size(field, value):
    with pytest.raises(ValueError, match=rf"{field} must be None \(all\) or an integer of at least [012], got"):
        EpisodeShape(**{field: value})


@pytest.mark.parametrize("field", ["n_way", "k_shot", "n_query"])
def test_a_shape_refuses_sizes_that_no_data_set_has(field):
    with pytest.raises(ValueError, match=rf"{field} must be below 2\^31, the most images of a data set, got 1,000,000"):
        EpisodeShape(**{field: 10**30})


def test_a_shape_refuses_one_way_and_a_flag_that_is_no_boolean():
    with pytest.raises(ValueError, match=r"n_way must be .* at least 2, got 1"):
        EpisodeShape(n_way=1)
    with pytest.raises(ValueError, match="k_shot_at_most must be True or False, got 1"):
        EpisodeShape(k_shot_at_most=1)
    assert EpisodeShape(None, None, 3) == EpisodeShape(n_way=None, k_shot=None, n_query=3)
