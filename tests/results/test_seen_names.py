"""No name of a thing that the weights saw is ever "not seen": laws over all names of ImageNet-1k and their variations.

When in doubt, a class is seen or unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

import pytest
from fewshot.data import class_lists
from fewshot.data.class_lists import normal

from fewshot.results.seen_classes import SeenClasses, seen_classes, sentence
from fewshot.results.seen_classes.synsets import bases, exists, lemmas, listed, wider

LIST = "ImageNet-1k"
MEMBERS = listed(LIST, "imagenet_synsets.txt").members
NAMES = sorted({name for member in MEMBERS for name in lemmas()[member]})
WORDS = ["dog", "cat", "tree", "house", "car"]  # so that a few names stand among words


@cache
def judged(names: tuple[str, ...], trained_on: str = LIST) -> SeenClasses:
    return seen_classes(trained_on, "mine", names)


def not_seen(names: Iterable[str], trained_on: str = LIST) -> list[str]:
    return [c.name for c in judged(tuple(names), trained_on).classes if c.state == "not seen"]


def state(name: str, trained_on: str = LIST) -> str:
    return next(c.state for c in judged((name, *WORDS), trained_on).classes)


def plural(name: str) -> str:
    """English, with the exceptions that names of things have."""
    irregular = {"mouse": "mice", "goose": "geese", "foot": "feet", "ox": "oxen", "fungus": "fungi", "man": "men"}
    first, _, last = name.rpartition(" ")
    before = f"{first} " if first else ""
    for one, many in irregular.items():
        if last.endswith(one):
            return before + last[: -len(one)] + many
    if last.endswith("y") and last[-2:-1] not in "aeiou":
        return before + last[:-1] + "ies"
    if last.endswith(("fe", "lf", "af")):
        return before + last.removesuffix("e").removesuffix("f") + "ves"
    return before + last + ("es" if last.endswith(("s", "x", "z", "ch", "sh")) else "s")


WRITINGS: dict[str, Callable[[str], str]] = {
    "as it is": lambda name: name,
    "plural": plural,
    "capitals": str.upper,
    "title": str.title,
    "underscores": lambda name: name.replace(" ", "_"),
    "hyphens": lambda name: name.replace(" ", "-"),
    "one word": lambda name: name.replace(" ", ""),
    "numbered": lambda name: f"012.{name}",
}


@pytest.mark.parametrize("writing", WRITINGS)
def test_every_name_of_the_list_is_seen_however_it_is_written(writing: str) -> None:
    found = judged(tuple(map(WRITINGS[writing], NAMES)))
    wrong = [c.name for c in found.classes if c.state != "seen"]
    assert len(wrong) <= (0 if writing != "plural" else 0.02 * len(NAMES)), wrong[:20]
    assert not_seen(map(WRITINGS[writing], NAMES)) == []


def test_no_part_of_a_name_is_not_seen() -> None:
    """Heads (the hound of Afghan hound), what stands before them (the tennis of tennis ball), and runs of words."""
    words = [normal(name).split() for name in NAMES]
    parts = {" ".join(each[a:b]) for each in words for a in range(len(each)) for b in range(a + 1, len(each) + 1)}
    assert not_seen(sorted(parts)) == []


@pytest.mark.parametrize("name", ["bug", "fly", "ball", "board", "bird", "fish", "wheel", "case", "bell", "piper"])
def test_the_second_half_of_a_word_is_not_not_seen(name: str) -> None:
    assert state(name) != "not seen"


@pytest.mark.parametrize("what", ["red {}", "{} face", "small {}s", "my {} at home", "{} toy", "photo of {}"])
def test_no_name_with_more_words_is_not_seen(what: str) -> None:
    assert not_seen(what.format(name) for name in NAMES) == []


def test_nothing_narrower_or_wider_is_not_seen() -> None:
    narrower = {n for synset, names in lemmas().items() if wider(synset) & MEMBERS for n in names}
    above = {n for member in MEMBERS for synset in wider(member) for n in lemmas().get(synset, ())}
    assert not_seen(sorted(narrower)) == []
    found = judged(tuple(sorted(name for name in above if len(normal(name)) > 1)))
    assert {c.state for c in found.classes} == {"seen"}


def test_no_other_name_of_the_same_is_not_seen() -> None:
    """A synset that bears the usual name of a member may be the same thing: tv, of the television receiver."""
    usual = {normal(lemmas()[member][0]) for member in MEMBERS}
    same = {n for names in lemmas().values() if usual & set(map(normal, names)) for n in names if len(normal(n)) > 1}
    assert len(same) > 500
    assert not_seen(sorted(same)) == []


def test_no_age_no_sex_and_no_word_of_children_makes_an_animal_not_seen() -> None:
    """Of every animal below or above which the list has something."""
    imagenet = listed(LIST, "imagenet_synsets.txt")
    known = {*imagenet.shown, *imagenet.inner}
    of = {s: set(bases(s)) for s in class_lists.load().variants}
    covered = {name for synset, found in of.items() if found & known for name in lemmas().get(synset, ())}
    assert {"puppy", "kitten", "pullet", "biddy", "foal", "lamb", "piglet", "doggy", "kitty", "bunny"} <= covered
    assert not_seen(sorted(covered)) == []


def test_the_table_of_variants_lies_in_wordnet() -> None:
    table = class_lists.load()
    assert all(exists(synset) and all(map(exists, found)) for synset, found in table.variants.items())
    assert all(exists(synset) and shown_by in MEMBERS for synset, shown_by in table.also_shown.items())
    assert all(set(synsets) <= set(lemmas()) for synsets in table.meanings.values())


@pytest.mark.parametrize(
    ("name", "states"),
    [
        ("tv", "seen"),
        ("chicken", "seen"),
        ("rooster", "seen"),
        ("puppy", "seen"),
        ("pup", "seen"),
        ("kitten", "seen"),
        ("kittens", "seen"),
        ("cow", "seen"),
        ("bunny", "seen"),
        ("bug", "seen or unknown"),
        ("tennis", "unknown"),
        ("drone", "unknown"),
        ("pet", "seen or unknown"),
        ("livestock", "unknown"),
        ("zebra fish", "unknown"),
        ("zebrafish", "unknown"),
        ("carrot", "not seen"),
        ("giraffe", "not seen"),
        ("helicopter", "not seen"),
        ("tulip", "not seen"),
        ("gull", "not seen"),
        ("octopus", "not seen"),
    ],
)
def test_common_names(name: str, states: str) -> None:
    assert state(name) in states.split(" or ")


def test_a_star_sign_is_no_zebra_fish() -> None:
    found = judged(("zebra fish", *WORDS), "ImageNet-21k").classes[0]
    assert found.state == "unknown"
    assert "Pisces" not in found.evidence


def test_things_that_no_list_has_are_still_not_seen() -> None:
    """The laws above hold for a judge that never says "not seen"; this one does not."""
    names = tuple(sorted({found[0] for synset, found in lemmas().items() if len(found[0]) > 2}))
    assert len(not_seen(names)) > 0.4 * len(names)


# Names that are no words


@pytest.mark.parametrize(
    "names",
    [
        list("abcdef"),
        [f"class_{letter}" for letter in "abcdef"],
        ["c1", "c2", "c3", "c4"],
        ["0", "1", "2", "3"],
        ["NV", "MEL", "BKL", "BCC", "AKIEC", "DF", "VASC"],
        ["chat", "chien", "cheval", "oiseau", "lion", "poisson"],
        ["Hund", "Katze", "Pferd", "Vogel", "Tiger", "Fisch"],
        ["perro", "gato", "caballo", "pan", "mesa", "silla"],
        ["a", "b", "dog"],
    ],
)
def test_codes_and_other_languages_are_unknown(names: list[str]) -> None:
    found = seen_classes(LIST, "mine", names)
    assert {c.state for c in found.classes} == {"unknown"}, [c for c in found.classes if c.state != "unknown"]
    told = sentence(0, found.count("unknown"), len(names), "", LIST, found.by)
    assert told.startswith(f"unknown whether the {len(names)} classes were in this network's training data")


def test_a_letter_among_words_is_unknown_and_the_words_are_not() -> None:
    found = {c.name: c.state for c in seen_classes(LIST, "mine", ["dog", "carrot", "C", "tabby"]).classes}
    assert found == {"dog": "seen", "carrot": "not seen", "C": "unknown", "tabby": "seen"}


def test_ids_that_wordnet_lacks_are_unknown() -> None:
    found = {c.name: c.state for c in seen_classes(LIST, "mine", ["n99999999", "n02123045", "n07730207"]).classes}
    assert found == {"n99999999": "unknown", "n02123045": "seen", "n07730207": "not seen"}


@pytest.mark.parametrize("silence", ["", " ", ",", " , "])
def test_no_word_about_the_training_data_is_not_nothing(silence: str) -> None:
    found = seen_classes(silence, "mine", ["dog", "carrot"])
    assert {c.state for c in found.classes} == {"unknown"}
    assert "trained on nothing" not in sentence(0, 2, 2, "novel", silence, "class names")
    assert seen_classes("nothing", "mine", ["dog"]).state == "not seen"


# Other lists


@pytest.mark.parametrize("trained_on", ["ImageNet-21k", "ImageNet-12k", "ImageNet-22k", "ImageNet-21k, ImageNet-1k"])
def test_what_stands_below_any_member_is_not_not_seen(trained_on: str) -> None:
    files = {"ImageNet-12k": "imagenet12k_synsets.txt", "ImageNet-22k": "imagenet22k_synsets.txt"}
    members = listed(trained_on, files.get(trained_on, "imagenet21k_goog_synsets.txt")).members
    below = {names[0] for synset, names in lemmas().items() if wider(synset) & members and len(names[0]) > 1}
    assert not_seen(sorted(below), trained_on) == []


@pytest.mark.parametrize("benchmark", class_lists.load().benchmarks)
def test_training_classes_of_a_benchmark_are_seen_in_any_company(benchmark: str) -> None:
    """Also where a folder has classes that the benchmark has not, so that it is no part of it."""
    of_set, parts = class_lists.load().benchmarks[benchmark]
    if of_set == "ImageNet-1k":
        pytest.skip("its classes are ids")
    found = seen_classes(f"{benchmark} train", "mine", [*parts["train"], "sofa", "teapot"])
    assert found.by == "class names"
    assert {c.state for c in found.classes if c.name in parts["train"]} <= {"seen"}


def test_few_names_are_of_a_common_set_only_where_the_data_set_is_called_so() -> None:
    names = ["mouse", "ray", "seal"]
    assert seen_classes(LIST, "my photographs", names).by == "class names"
    for called in ("CIFAR-100", "cifar100", "CIFAR 100 novel"):
        assert seen_classes(LIST, called, names).by == "the table of CIFAR-100"
