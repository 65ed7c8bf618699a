"""Which classes were in the training data of some weights."""

from __future__ import annotations

import json

import pytest
import timm
from click.testing import CliRunner
from fewshot.data import class_lists
from fewshot.data.class_lists import normal

from fewshot.cli import main
from fewshot.plugins.registry import BACKBONES, DATASETS, EVALUATORS
from fewshot.report.comparisons.verdicts import warnings
from fewshot.report.rows.wording import notes, training_data
from fewshot.results.seen_classes import SeenClass, seen_classes, sentence
from fewshot.results.seen_classes.corpora import corpora
from fewshot.results.seen_classes.synsets import FOLDER, lemmas, listed, title, wider
from fewshot.results.seen_classes.tags import pretraining_data
from fewshot.results.seen_classes.words import by_name
from fewshot.runs.columns import honesty
from tests.support.report_rows import row

TABLES = class_lists.load()


def states(pretrained_on: str, *names: str, dataset: str = "mine") -> dict[str, str]:
    return {c.name: c.state for c in seen_classes(pretrained_on, dataset, names).classes}


def only(pretrained_on: str, *names: str, dataset: str = "mine") -> SeenClass:
    (found,) = seen_classes(pretrained_on, dataset, names).classes
    return found


def test_a_planted_seen_class_is_found_by_its_synset_its_name_and_a_narrower_one():
    assert only("ImageNet-1k", "n02123045").evidence == "ImageNet-1k has it: tabby (n02123045)"
    assert only("ImageNet-1k", "ice-cream").evidence == "ImageNet-1k has it: ice cream (n07614500)"
    assert only("ImageNet-1k", "Cats").evidence == "ImageNet-1k has narrower classes, such as tabby (n02123045)"
    assert only("ImageNet-1k", "traffic_lights").state == "seen"


def test_a_wider_class_counts_only_where_the_list_has_none_narrower():
    """Photographs of a species stood under "albatross", where the list knows no species; "gull" of ImageNet-21k has
    species beside it, so that nobody knows whether another one stood there."""
    assert "a class that covers it: albatross" in only("ImageNet-1k", "002.Laysan_Albatross", dataset="CUB").evidence
    gull = only("ImageNet-21k", "064.Ring_billed_Gull", dataset="CUB")
    assert (gull.state, gull.evidence) == ("unknown", "ImageNet-21k has gull (n02041246), which may include it")


def test_what_no_list_has_is_not_seen_and_what_nobody_knows_is_unknown():
    assert states("ImageNet-1k", "carrot", "quux 17", "crested gull") == {
        "carrot": "not seen",
        "quux 17": "unknown",
        "crested gull": "not seen",  # no gull is in ImageNet-1k
    }
    assert only("ImageNet-21k", "crested gull").state == "unknown"  # it has gulls, by names of their own
    assert only("ImageNet-1k", "quux 17").evidence.startswith("no synset has this name")


def test_weights_of_unlisted_data_are_unknown_and_of_nothing_have_seen_nothing():
    for unlisted in ("openai", "laion2b", "LAION-2B", "JFT-300M", "unknown", "YFCC-15M", "my own photographs"):
        assert set(states(unlisted, "cat", "n02123045").values()) == {"unknown"}, unlisted
    assert set(states("nothing", "cat", "quux 17").values()) == {"not seen"}
    assert only("unknown", "cat").evidence == "no information on what the weights were trained on"


def test_several_data_sets_have_seen_what_one_has_and_exclude_what_all_exclude():
    found = states("clip_laion2b_ft_in12k_in1k", "tabby", "quux", "cat")
    assert found == {"tabby": "seen", "quux": "unknown", "cat": "seen"}
    assert only("augreg_in21k_ft_in1k", "carrot").state == "seen"
    assert only("laion2b_ft_in1k", "carrot").state == "unknown"


def test_lvd_142m_holds_imagenet_22k_and_more():
    assert only("lvd142m", "carrot").evidence == "LVD-142M, which holds ImageNet-22k, has it: carrot (n07730207)"
    assert only("lvd142m", "quux").evidence == "no list says which classes LVD-142M shows"


def test_signs_are_not_seen_whatever_their_names_are():
    assert set(states("ImageNet-21k", "latin/capital-a", "crane", dataset="glyphs").values()) == {"not seen"}
    assert seen_classes("ImageNet-1k", "MNIST", ["0 - zero"]).state == "not seen"


@pytest.mark.parametrize(
    ("name", "n_classes", "n_seen", "n_unknown"),
    [
        ("CIFAR-10", 10, 9, 0),
        ("CIFAR-100", 100, 72, 0),
        ("Oxford-IIIT-Pet", 37, 25, 11),
        ("DTD", 47, 2, 0),
        ("EuroSAT", 10, 0, 0),
    ],
)
def test_the_table_knows_common_sets(name, n_classes, n_seen, n_unknown):
    """Deer is the class of CIFAR-10 that ImageNet-1k lacks. It has most dogs and three of the cats; other cats may be
    among its tabbies."""
    found = seen_classes("ImageNet-1k", "a folder", list(TABLES.sets[name]))
    assert (len(found.classes), found.count("seen"), found.count("unknown")) == (n_classes, n_seen, n_unknown)
    assert found.by == f"the table of {name}"


def test_the_table_takes_a_word_in_the_right_sense():
    assert by_name("crane") == ("n02012849", "n03126707")
    assert TABLES.sets["CIFAR-100"]["mouse"] == ("n02330245",)  # the animal, of which ImageNet-1k has none
    assert states("ImageNet-1k", *TABLES.sets["CIFAR-100"])["mouse"] == "not seen"
    assert only("ImageNet-1k", "mouse", dataset="CIFAR100").state == "not seen"
    assert only("ImageNet-1k", "mouse", dataset="x").state == "seen"  # by name, it may be that of a computer


def test_every_concept_of_the_table_lies_in_wordnet():
    concepts = {c.lstrip("<") for table in TABLES.sets.values() for concepts in table.values() for c in concepts}
    assert not [c for c in concepts if not wider(c)]
    assert all(normal(name) == name for table in TABLES.sets.values() for name in table)


def test_the_lists_are_timms():
    assert len(listed("ImageNet-1k", "imagenet_synsets.txt").members) == 1000
    assert {s for name in FOLDER.glob("imagenet*_synsets.txt") for s in name.read_text().split()} <= set(lemmas())
    assert "n00001740" in wider("n02123045")  # a tabby is an entity
    assert title("n02123045") == "tabby (n02123045)"


def test_the_parts_of_benchmarks_are_disjoint_and_of_their_size():
    sizes = {name: tuple(map(len, parts.values())) for name, (_, parts) in TABLES.benchmarks.items()}
    assert sizes == {
        "CIFAR-FS": (64, 16, 20),
        "FC100": (60, 20, 20),
        "CUB 100/50/50": (100, 50, 50),
        "CUB 140/30/30": (140, 30, 30),
        "miniImageNet": (64, 16, 20),
    }
    for name, (of_set, parts) in TABLES.benchmarks.items():
        assert len({c for part in parts.values() for c in part}) == sum(sizes[name]), name
        known = TABLES.sets.get(of_set, listed("ImageNet-1k", "imagenet_synsets.txt").members)
        assert all(c in known for part in parts.values() for c in part), name


def test_of_cubs_two_benchmarks_14_novel_classes_of_one_are_training_classes_of_the_other():
    novel = TABLES.benchmarks["CUB 140/30/30"][1]["test"]
    found = seen_classes("CUB 100/50/50 train", "CUB", novel)
    assert (found.state, found.count("seen"), found.count("not seen")) == ("seen", 14, 16)
    assert seen_classes("CUB 140/30/30 train", "CUB", novel).state == "not seen"
    assert found.classes[1].evidence in ("", "CUB 100/50/50 train has this class")


def test_a_benchmarks_training_classes_are_not_its_novel_ones():
    for name, (_, parts) in TABLES.benchmarks.items():
        assert seen_classes(f"{name} train", "x", parts["test"]).state == "not seen", name
        assert seen_classes(f"{name} train", "x", parts["train"]).count("seen") == len(parts["train"]), name
        if name == "miniImageNet":
            assert seen_classes("ImageNet-1k", "x", parts["test"]).count("seen") == 20


@pytest.mark.parametrize(
    ("tag", "data"),
    [
        ("augreg_in21k_ft_in1k", "ImageNet-21k, ImageNet-1k"),
        ("clip_laion2b_ft_in12k_in1k", "LAION-2B, ImageNet-12k, ImageNet-1k"),
        ("lvd142m", "LVD-142M"),
        ("ns_jft_in1k", "JFT-300M, ImageNet-1k"),
        ("dino", "ImageNet-1k"),
        ("mae", "ImageNet-1k"),
        ("fcmae_ft_in22k_in1k_384", "ImageNet-1k, ImageNet-22k"),
        ("clip_ft_in1k", "image-text pairs, ImageNet-1k"),
        ("laion2b_ft_in1k", "LAION-2B, ImageNet-1k"),
        ("ssld_stage1_in22k_in1k", "SSLD 4M, ImageNet-22k, ImageNet-1k"),
        ("c_radio", "C-RADIO mix"),
        ("robbyant", "robbyant"),
        ("", "unknown"),
        (" , ", "unknown"),
        ("nothing", "nothing"),
    ],
)
def test_a_tag_says_the_data(tag: str, data: str) -> None:
    assert pretraining_data(tag) == data
    assert [corpus.name for corpus in corpora(tag)] == [name for name in data.split(", ") if name != "nothing"]


def test_most_tags_of_timm_name_their_data() -> None:
    tags = {name.partition(".")[2] for name in timm.list_pretrained()}
    unknown = [tag for tag in tags if pretraining_data(tag) == tag]
    assert len(unknown) < 0.15 * len(tags), sorted(unknown)


def test_a_timm_network_says_what_it_was_trained_on_without_its_weights():
    assert BACKBONES.make("Timm(name='vit_small_patch14_dinov2')").trained_on() == "lvd142m"
    assert BACKBONES.make("RandomInit(name='test_vit')").trained_on() == "nothing"
    with pytest.raises(ValueError, match=r"timm has no weights 'resnet18\.quux'"):
        BACKBONES.make("Timm(name='resnet18.quux')").trained_on()


def test_a_row_counts_the_classes_that_its_episodes_are_of():
    icons = DATASETS.make("Icons()").load()
    labels = [icons.class_names.index(name) for name in ("ambulance", "carrot", "ufo")]
    backbone = BACKBONES.make("Given(pretrained_on='ImageNet-1k')").load()
    found = honesty(EVALUATORS.spec("Prototype"), icons, labels, backbone)
    assert (found.seen_classes, found.n_seen_classes, found.n_unknown_classes) == ("seen", 1, 1)
    assert found.seen_classes_by == "class names"


@pytest.mark.parametrize(
    ("seen", "note", "said"),
    [
        ({}, "seen classes unknown", ""),  # an older row
        ({"seen_classes": "seen"}, "classes seen in training", ""),
        (
            {"seen_classes": "seen", "n_seen_classes": 12, "n_unknown_classes": 3},
            "at least 12 of 20 classes seen in training, 3 unknown",
            "at least 12 of 20 novel classes were in this network's training data, 3 unknown "
            "(ImageNet-1k, found by class names)",
        ),
        (
            {"seen_classes": "unknown", "n_seen_classes": 0, "n_unknown_classes": 20, "pretrained_on": "openai"},
            "seen classes unknown",
            "unknown whether the 20 novel classes were in this network's training data (OpenAI WIT-400M)",
        ),
        (
            {"seen_classes": "not seen", "n_seen_classes": 0, "n_unknown_classes": 0},
            None,
            "none of 20 novel classes was in this network's training data (ImageNet-1k, found by class names)",
        ),
    ],
)
def test_report_and_console_say_what_was_seen(seen, note, said):
    columns = {"n_classes": 20, "classes": "novel", "pretrained_on": "a1_in1k", "seen_classes_by": "class names"}
    made = row(0.5, **columns | seen)
    assert notes([made])[:1] == ((note,) if note else ())
    assert training_data(made) == said


def test_a_comparison_warns_where_not_the_same_classes_were_seen():
    def warned(*seen: tuple[str, int]) -> list[str]:
        return warnings([row(0.5, seen_classes=state, n_seen_classes=n, n_classes=20) for state, n in seen])

    assert warned(("seen", 12), ("not seen", 0)) == ["the weights have not seen the same classes in training"]
    assert warned(("seen", 12), ("seen", 3)) == ["the weights have seen 3 and 12 of the 20 classes in training"]
    assert warned(("seen", 3), ("seen", 3)) == []


def fewshot_seen(*arguments: str) -> str:
    done = CliRunner().invoke(main, ["seen", *arguments])
    assert done.exit_code == 0, done.output
    return done.output


def test_the_command_lists_classes_with_state_and_evidence():
    lines = fewshot_seen("--data", "Icons", "--trained-on", "ImageNet-1k").splitlines()
    assert lines[0].split(maxsplit=2) == [
        "seen",
        "airplane",
        "ImageNet-1k has narrower classes, such as airliner (n02690373)",
    ]
    assert lines[-1] == (
        "at least 44 of 88 novel classes were in this network's training data, 29 unknown "
        "(ImageNet-1k, found by class names)"
    )
    found = json.loads(fewshot_seen("--data", "Glyphs", "--backbone", "vit_small_patch14_dinov2", "--json"))
    assert (found["n_seen"], found["n_classes"], found["pretrained_on"]) == (0, 179, "LVD-142M")
    assert found["classes"][0]["state"] == found["state"] == "unknown"


def test_data_is_known_however_it_is_written_and_the_command_lists_what_is_known():
    for name in ("imagenet-1K", "ImageNet", "ILSVRC2012"):
        assert [corpus.name for corpus in corpora(name)] == ["ImageNet-1k"]
    told = fewshot_seen("--data", "Icons", "--trained-on", "my photographs")
    assert "fewshot does not know the classes of 'my photographs'; it knows: ImageNet-1k, ImageNet-12k" in told


def test_the_command_asks_for_one_of_two():
    done = CliRunner().invoke(main, ["seen", "--data", "Icons"])
    assert done.exit_code == 2
    assert "give either --backbone, or --trained-on" in done.output


def test_the_sentence_has_one_or_many_classes():
    assert sentence(1, 0, 20, "", "ImageNet-1k", "synset ids").startswith("1 of 20 classes was in")
    assert sentence(1, 0, 20, "", "ImageNet-1k", "class names").startswith("at least 1 of 20 classes was in")
    assert sentence(9, 1, 10, "", "ImageNet-1k", "the table of STL-10").startswith("at least 9 of 10 classes were in")
    assert sentence(20, 0, 20, "", "ImageNet-1k", "class names").startswith("20 of 20 classes were in")
    assert sentence(0, 0, 5, "novel", "nothing", "").endswith("it was trained on nothing")
