"""Tiny copies of published data sets, laid out and encoded as torchvision expects them.

Every image of a class has one brightness: `FOLDERS[name](root)` writes the files and returns {class name: brightness}.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import json
import pickle
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy.io
import torch
from PIL import Image

LEVELS = (40, 120, 200)
Levels = dict[str, int]


def picture(path: Path, level: int) -> None:
    """An image of about this brightness; no two are the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels(level, 1)[0]).save(path)


_random = np.random.default_rng(0)


def pixels(level: int, count: int, *shape: int) -> np.ndarray:
    return _random.integers(level - 6, level + 7, size=(count, *(shape or (12, 10, 3)))).astype(np.uint8)


def text(path: Path, content: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def idx(path: Path, values: np.ndarray) -> None:
    """The format of MNIST; big-endian."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = {"uint8": 8, "int32": 12}[values.dtype.name]
    header = struct.pack(f">BBBB{values.ndim}I", 0, 0, kind, values.ndim, *values.shape)
    path.write_bytes(header + values.astype(values.dtype.newbyteorder(">")).tobytes())


def labelled(per_class: int, *shape: int, first: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images of two classes in turn, and their labels from `first`."""
    labels = np.arange(2 * per_class) % 2
    return np.concatenate([pixels(LEVELS[label], 1, *shape) for label in labels]), (labels + first).astype(np.uint8)


def mnist(root: Path, name: str = "FashionMNIST", packed: bool = False) -> Levels:
    raw = root / name / "raw"
    for part, per_class in (("train", 3), ("t10k", 2)):
        images, labels = labelled(per_class, 28, 28)
        for file, values in ((f"{part}-images-idx3-ubyte", images), (f"{part}-labels-idx1-ubyte", labels)):
            idx(raw / file, values)
            if packed:
                (raw / f"{file}.gz").write_bytes(gzip.compress((raw / file).read_bytes()))
                (raw / file).unlink()
    names = {
        "FashionMNIST": ("T-shirt/top", "Trouser"),
        "MNIST": ("0 - zero", "1 - one"),
        "KMNIST": ("o", "ki"),
    }
    return dict(zip(names[name], LEVELS, strict=False))


def emnist(split: str) -> Callable[[Path], Levels]:
    def write(root: Path) -> Levels:
        for part, per_class in (("train", 3), ("test", 2)):
            images, labels = labelled(per_class, 28, 28, first=1)
            idx(root / f"EMNIST/raw/emnist-{split}-{part}-images-idx3-ubyte", images)
            idx(root / f"EMNIST/raw/emnist-{split}-{part}-labels-idx1-ubyte", labels)
        return dict(zip("ab" if split == "letters" else "12", LEVELS, strict=False))

    return write


def qmnist(root: Path) -> Levels:
    for part in ("train", "test"):
        images, labels = labelled(2, 28, 28)
        idx(root / f"QMNIST/raw/qmnist-{part}-images-idx3-ubyte", images)
        columns = np.zeros((len(labels), 8), np.int32)
        columns[:, 0] = labels
        idx(root / f"QMNIST/raw/qmnist-{part}-labels-idx2-int", columns)
    return {"0 - zero": 40, "1 - one": 120}


def cifar(root: Path, folder: str = "cifar-10-batches-py", parts: str = "data_batch_{}", key: str = "labels") -> Levels:
    files = [parts.format(n) for n in range(1, 6)] if "{}" in parts else [parts]
    for file in (*files, "test_batch" if "{}" in parts else "test"):
        images, labels = labelled(1, 32, 32, 3)
        batch = {
            "data": images.transpose(0, 3, 1, 2).reshape(len(images), -1),
            key: labels.tolist(),
            "filenames": ["x"],
        }
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder / file).write_bytes(pickle.dumps(batch, protocol=3))
    meta, names = ("batches.meta", "label_names") if "{}" in parts else ("meta", "fine_label_names")
    (root / folder / meta).write_bytes(pickle.dumps({names: ["plane", "car"]}, protocol=3))
    return {"plane": 40, "car": 120}


def svhn(root: Path) -> Levels:
    for part in ("train", "test"):
        images, labels = labelled(2, 32, 32, 3)
        labels[labels == 0] = 10
        scipy.io.savemat(root / f"{part}_32x32.mat", {"X": images.transpose(1, 2, 3, 0), "y": labels[:, None]})
    return {"0": 40, "1": 120}


def usps(root: Path) -> Levels:
    for name in ("usps.bz2", "usps.t.bz2"):
        images, labels = labelled(2, 256)
        rows = [
            f"{label + 1} " + " ".join(f"{i + 1}:{v / 127.5 - 1:.6f}" for i, v in enumerate(image))
            for image, label in zip(images, labels, strict=True)
        ]
        (root / name).write_bytes(bz2.compress("\n".join(rows).encode()))
    return {"0": 40, "1": 120}


def semeion(root: Path) -> Levels:
    images, labels = labelled(2, 256)
    np.savetxt(root / "semeion.data", np.hstack([(images + 0.5) / 255, np.eye(10)[labels]]))
    return {"0": 40, "1": 120}


def stl10(root: Path) -> Levels:
    folder = root / "stl10_binary"
    folder.mkdir()
    for part in ("train", "test"):
        images, labels = labelled(2, 3, 96, 96, first=1)
        images.tofile(folder / f"{part}_X.bin")
        labels.tofile(folder / f"{part}_y.bin")
    (folder / "unlabeled_X.bin").write_bytes(b"")
    text(folder / "class_names.txt", "airplane\nbird\n")
    return {"airplane": 40, "bird": 120}


def fer2013(root: Path) -> Levels:
    (root / "fer2013").mkdir()
    with open(root / "fer2013/fer2013.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["emotion", "pixels", "Usage"])
        for usage in ("Training", "PublicTest", "PrivateTest"):
            for image, label in zip(*labelled(2, 2304), strict=True):
                writer.writerow([label, " ".join(map(str, image)), usage])
    return {"0": 40, "1": 120}


def folders(pattern: str, parts: tuple[str, ...] = ("",), names: tuple[str, ...] = ("boat", "tree")):
    """Folders of classes, two images each: `pattern` of part, name, the label from 1, and the number from 1."""

    def write(root: Path) -> Levels:
        for part in parts:
            for label, name in enumerate(names):
                for number in (1, 2):
                    picture(root / pattern.format(part=part, name=name, label=label + 1, number=number), LEVELS[label])
        return dict(zip(names, LEVELS, strict=False))

    return write


def caltech101(root: Path) -> Levels:
    picture(root / "caltech101/101_ObjectCategories/BACKGROUND_Google/image_0001.jpg", 10)
    return folders("caltech101/101_ObjectCategories/{name}/image_{number:04}.jpg")(root)


def celeba(root: Path) -> Levels:
    rows = [(f"{i:06}.jpg", 7 + i % 2, i % 3) for i in range(12)]
    for name, person, _ in rows:
        picture(root / "celeba/img_align_celeba" / name, LEVELS[person - 7])
    text(root / "celeba/list_eval_partition.txt", "".join(f"{name} {part}\n" for name, _, part in rows))
    text(root / "celeba/identity_CelebA.txt", "".join(f"{name} {person}\n" for name, person, _ in rows))
    for file in ("list_bbox_celeba.txt", "list_landmarks_align_celeba.txt", "list_attr_celeba.txt"):
        text(root / "celeba" / file, f"{len(rows)}\nx y\n" + "".join(f"{name} 1 -1\n" for name, _, _ in rows))
    return {"7": 40, "8": 120}


def clevr(root: Path) -> Levels:
    for part in ("train", "val"):
        scenes = []
        for i in range(4):
            name = f"CLEVR_{part}_{i:06}.png"
            picture(root / "clevr/CLEVR_v1.0/images" / part / name, LEVELS[i % 2])
            scenes.append({"image_filename": name, "objects": [{}] * (3 + i % 2)})
        text(root / f"clevr/CLEVR_v1.0/scenes/CLEVR_{part}_scenes.json", json.dumps({"scenes": scenes}))
    return {"3": 40, "4": 120}


def listed(base: str, image: str, listing: str, line: str, parts: tuple[str, ...], names: tuple[str, ...]):
    """Images of two classes in a folder, and a text file a part that lists them; as `folders`."""

    def write(root: Path) -> Levels:
        for part in parts:
            lines = []
            for label, name in enumerate(names):
                for number in (1, 2):
                    where = {"part": part, "name": name, "label": label + 1, "number": number}
                    picture(root / base / image.format(**where), LEVELS[label])
                    lines.append(line.format(**where))
            text(root / base / listing.format(part=part), "\n".join(lines) + "\n")
        return dict(zip(names, LEVELS, strict=False))

    return write


def aircraft(level: str, plural: str) -> Callable[[Path], Levels]:
    def write(root: Path) -> Levels:
        text(root / f"fgvc-aircraft-2013b/data/{plural}.txt", "A 1\nB 2\n")
        return listed(
            "fgvc-aircraft-2013b/data",
            "images/{part}{label}{number}.jpg",
            f"images_{level}_{{part}}.txt",
            "{part}{label}{number} {name}",
            ("train", "val", "test"),
            ("A 1", "B 2"),
        )(root)

    return write


def pets(root: Path) -> Levels:
    annotations = "{name}_{part}{number} {label} 1 1"
    (root / "oxford-iiit-pet/annotations").mkdir(parents=True)
    listed(
        "oxford-iiit-pet",
        "images/{name}_{part}{number}.jpg",
        "annotations/{part}.txt",
        annotations,
        ("trainval", "test"),
        ("Abyssinian", "great_pug"),
    )(root)
    return {"Abyssinian": 40, "Great Pug": 120}


def flowers(root: Path) -> Levels:
    for number in range(1, 13):
        picture(root / f"flowers-102/jpg/image_{number:05}.jpg", LEVELS[number % 2])
    scipy.io.savemat(root / "flowers-102/imagelabels.mat", {"labels": [[number % 2 + 1 for number in range(1, 13)]]})
    ids = {"trnid": [[1, 2, 3, 4]], "valid": [[5, 6, 7, 8]], "tstid": [[9, 10, 11, 12]]}
    scipy.io.savemat(root / "flowers-102/setid.mat", ids)
    return {"pink primrose": 40, "hard-leaved pocket orchid": 120}


def food(root: Path) -> Levels:
    for part in ("train", "test"):
        listing = {name: [f"{name}/{part}{number}" for number in (1, 2)] for name in ("waffles", "apple_pie")}
        text(root / f"food-101/meta/{part}.json", json.dumps(listing))
        for level, paths in zip(LEVELS, listing.values(), strict=False):
            for path in paths:
                picture(root / f"food-101/images/{path}.jpg", level)
    return {"waffles": 40, "apple_pie": 120}


def gtsrb(root: Path) -> Levels:
    rows = ["Filename;ClassId"]
    for label in (0, 1):
        for number in (1, 2):
            picture(root / f"gtsrb/GTSRB/Training/{label:05}/{number}.ppm", LEVELS[label])
            picture(root / f"gtsrb/GTSRB/Final_Test/Images/{label}{number}.ppm", LEVELS[label])
            rows.append(f"{label}{number}.ppm;{label}")
    text(root / "gtsrb/GT-final_test.csv", "\n".join(rows))
    return {"0": 40, "1": 120}


def imagenet(root: Path) -> Levels:
    """Two different classes are called crane."""
    words = {"n01": ("crane",), "n02": ("tench", "Tinca"), "n03": ("crane",)}
    text(root / "ILSVRC2012_devkit_t12.tar.gz")
    torch.save((words, ["n01"]), root / "meta.bin")
    folders("{part}/{name}/{number}.JPEG", ("train", "val"), tuple(words))(root)
    return {"crane 0": 40, "tench": 120, "crane 2": 200}


def imagenette(folder: str) -> Callable[[Path], Levels]:
    def write(root: Path) -> Levels:
        folders(f"{folder}/{{part}}/{{name}}/{{number}}.JPEG", ("train", "val"), ("n01440764", "n03888257"))(root)
        return {"tench": 40, "parachute": 120}

    return write


def inaturalist(train: str) -> Callable[[Path], Levels]:
    kinds = tuple(f"{i:05}_Animalia_Chordata_Aves_Gruiformes_Gruidae_Grus_{name}" for i, name in enumerate("ab"))
    return folders("{part}/{name}/{number}.jpg", (train, "2021_valid"), kinds)


def lfw(root: Path) -> Levels:
    people = {"train": "Ada_L", "test": "Emmy_N"}
    text(root / "lfw-py/lfw-funneled.tgz")
    text(root / "lfw-py/lfw-names.txt", "Ada_L\t2\nEmmy_N\t2\n")
    for level, (part, name) in zip(LEVELS, people.items(), strict=False):
        text(root / f"lfw-py/peopleDev{part.title()}.txt", f"1\n{name}\t2\n")
        for number in (1, 2):
            picture(root / f"lfw-py/lfw_funneled/{name}/{name}_{number:04}.jpg", level)
    return {"Ada_L": 40, "Emmy_N": 120}


def omniglot(root: Path) -> Levels:
    levels = {}
    for part, alphabet in (("images_background", "Latin"), ("images_evaluation", "Greek")):
        text(root / f"omniglot-py/{part}.zip")
        for number, level in ((2, 120), (1, 40)):
            levels[f"{alphabet}/character{number:02}"] = level
            for drawer in (2, 1):
                picture(root / f"omniglot-py/{part}/{alphabet}/character{number:02}/0{drawer}.png", level)
    return levels


def places(small: bool, parts: tuple[str, ...] = ("train-standard", "val")) -> Callable[[Path], Levels]:
    def write(root: Path) -> Levels:
        size = "256" if small else "large"
        text(root / "categories_places365.txt", "/a/abbey 0\n/b/bar 1\n")
        for part in parts:
            folder, file = (f"val_{size}", "val") if part == "val" else (f"data_{size}_standard", "train_standard")
            for label in (0, 1):
                picture(root / folder / f"{part}{label}.jpg", LEVELS[label])
            text(root / f"places365_{file}.txt", f"/{part}0.jpg 0\n/{part}1.jpg 1\n")
        return {"/a/abbey": 40, "/b/bar": 120}

    return write


def cars(root: Path) -> Levels:
    annotation = np.dtype([("class", "i4"), ("fname", "O")])
    base = root / "stanford_cars"
    (base / "devkit").mkdir(parents=True)
    names = np.array(["AM General Hummer", "Audi S4"], dtype=object)
    scipy.io.savemat(base / "devkit/cars_meta.mat", {"class_names": names})
    for part, file in (("train", "devkit/cars_train_annos.mat"), ("test", "cars_test_annos_withlabels.mat")):
        rows = np.array([(1 + i % 2, f"{i}.jpg") for i in range(4)], dtype=annotation)
        scipy.io.savemat(base / file, {"annotations": rows})
        for i in range(4):
            picture(base / f"cars_{part}/{i}.jpg", LEVELS[i % 2])
    return dict(zip(names.tolist(), LEVELS, strict=False))


def sun(root: Path) -> Levels:
    text(root / "SUN397/ClassName.txt", "/a/abbey\n/b/bar/indoor\n")
    folders("SUN397/{name}/sun_{number}.jpg", names=("a/abbey", "b/bar/indoor"))(root)
    return {"abbey": 40, "bar/indoor": 120}


_THREE = ("train", "val", "test")
FOLDERS: dict[str, Callable[[Path], Levels]] = {
    "Caltech101": caltech101,
    "Caltech256": folders("caltech256/256_ObjectCategories/{name}/{label:03}_{number:04}.jpg"),
    "CelebA": celeba,
    "CIFAR10": cifar,
    "CIFAR100": lambda root: cifar(root, "cifar-100-python", "train", "fine_labels"),
    "CLEVRClassification": clevr,
    "Country211": folders("country211/{part}/{name}/{number}.jpg", ("train", "valid", "test"), ("AD", "ZW")),
    "DTD": listed(
        "dtd/dtd",
        "images/{name}/{part}{number}.jpg",
        "labels/{part}1.txt",
        "{name}/{part}{number}.jpg",
        _THREE,
        ("a", "b"),
    ),
    **{f"EMNIST-{s}": emnist(s) for s in ("byclass", "bymerge", "balanced", "letters", "digits", "mnist")},
    "EuroSAT": folders("eurosat/2750/{name}/{name}_{number}.jpg", names=("Forest", "River")),
    "FashionMNIST": mnist,
    "FER2013": fer2013,
    "FGVCAircraft": aircraft("variant", "variants"),
    "FGVCAircraft-family": aircraft("family", "families"),
    "FGVCAircraft-manufacturer": aircraft("manufacturer", "manufacturers"),
    "Flowers102": flowers,
    "Food101": food,
    "GTSRB": gtsrb,
    "ImageNet": imagenet,
    "ImageNet-val": imagenet,
    "Imagenette": imagenette("imagenette2"),
    "Imagenette-160px": imagenette("imagenette2-160"),
    "Imagenette-320px": imagenette("imagenette2-320"),
    "INaturalist-2021": inaturalist("2021_train"),
    "INaturalist-2021-mini": inaturalist("2021_train_mini"),
    "KMNIST": lambda root: mnist(root, "KMNIST"),
    "LFWPeople": lfw,
    "MNIST": lambda root: mnist(root, "MNIST"),
    "Omniglot": omniglot,
    "OxfordIIITPet": pets,
    "Places365": places(small=False),
    "Places365-small": places(small=True),
    "Places365-small-val": places(small=True, parts=("val",)),
    "QMNIST": qmnist,
    "RenderedSST2": folders(
        "rendered-sst2/{part}/{name}/{number}.png", ("train", "valid", "test"), ("negative", "positive")
    ),
    "SEMEION": semeion,
    "StanfordCars": cars,
    "STL10": stl10,
    "SUN397": sun,
    "SVHN": svhn,
    "USPS": usps,
}
