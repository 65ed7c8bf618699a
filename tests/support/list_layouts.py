"""Small data sets in the layouts in which the field's benchmarks are published: images, and lists beside them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

COOP = {
    "train": [["banded/a 1.jpg", 0, "banded"], ["banded/a2.jpg", 0, "banded"], ["zig/b1.jpg", 1, "zigzagged"]],
    "val": [["banded/a3.jpg", 0, "banded"], ["zig/b2.jpg", 1, "zigzagged"]],
    "test": [["zig/b3.jpg", 1, "zigzagged"], ["banded/a4.jpg", 0, "banded"]],
}
BIRDS = ("001.Black_footed_Albatross", "002.Laysan_Albatross", "003.Sooty_Albatross")
CHEST = (
    ("00000001_000.png", "Cardiomegaly"),
    ("00000001_001.png", "Cardiomegaly|Emphysema"),
    ("00000002_000.png", "No Finding"),
    ("00000003_000.png", "Mass"),
    ("00000004_000.png", "Pneumonia"),
    ("00000005_000.png", "Hernia"),
    ("00000006_000.png", "Mass"),
)


def write_images(root: Path, paths: Iterable[str]) -> Path:
    """Writes different images of 8 x 8 pixels, which are not blank, and returns `root`."""
    for place, path in enumerate(paths):
        picture = Image.new("RGB", (8, 8), (40 + place % 200, 3 * place % 256, 90))
        picture.paste((255, 128, 0), (place % 6, 0, place % 6 + 2, 8))
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        picture.save(root / path)
    return root


def coop(root: Path, folder: str = "images", listed: dict[str, list] | None = None) -> Path:
    """The list split_zhou_DescribableTextures.json of a folder, with its images in `folder`."""
    write_images(root / folder, (path for some in COOP.values() for path, _, _ in some))
    return write_text(root / "split_zhou_DescribableTextures.json", json.dumps(listed or COOP))


def vtab(root: Path, again: str = "images") -> Path:
    """A task of VTAB-1k with 4 + 2 + 3 images of 3 classes; `again` is the folder in train800val200.txt."""
    lists = {
        "train800.txt": ["images/0.jpg 0", "images/1.jpg 2", "images/2.jpg 10", "images/3.jpg 10"],
        "val200.txt": ["images/4.jpg 0", "images/5.jpg 2"],
        "test.txt": ["images/t 6.jpg 10", "images/t7.jpg 0", "images/t8.jpg 2"],
    }
    both = [line.replace("images/", f"{again}/") for name in ("train800.txt", "val200.txt") for line in lists[name]]
    lists["train800val200.txt"] = both[::-1]
    for name, lines in lists.items():
        write_text(root / name, "\n".join(lines) + "\n")
    return write_images(root, sorted({line.rsplit(maxsplit=1)[0] for lines in lists.values() for line in lines}))


def mini_imagenet(root: Path, name: str = "{label}{number:08}.jpg", folder: str = "images") -> Path:
    """images/ and three tables, 2 images of each of 6 classes; `name` is the naming scheme."""
    synsets = {
        "train": ("n01532829", "n01558993", "n01704323"),
        "val": ("n01855672",),
        "test": ("n01930112", "n01981276"),
    }
    for part, labels in synsets.items():
        rows = [(name.format(label=label, number=number), label) for label in labels for number in (5, 17)]
        write_text(root / f"{part}.csv", "filename,label\n" + "".join(f"{file},{label}\n" for file, label in rows))
        for place, (file, label) in enumerate(rows):
            picture = Image.new("RGB", (8, 8), (int(label[-3:]) % 256, place, 7))
            picture.paste((255, 128, 0), (0, 0, 3, 8))
            (root / folder.format(label=label)).mkdir(parents=True, exist_ok=True)
            picture.save(root / folder.format(label=label) / file)
    return root


def meta_album(root: Path, above: tuple[str, str, str] = ("owls", "gulls", "gulls")) -> Path:
    """images/, labels.csv and info.json of 6 birds of 3 classes."""
    names = [f"BRD_{number:06}.jpg" for number in range(6)]
    rows = [f"{name},{('BARN OWL', 'HERRING GULL', 'TERN')[i % 3]},{above[i % 3]}\n" for i, name in enumerate(names)]
    write_text(root / "labels.csv", "FILE_NAME,CATEGORY,SUPER_CATEGORY\n" + "".join(rows))
    info = {"dataset_name": "BRD", "has_super_categories": True, "image_column_name": "FILE_NAME"}
    write_text(root / "info.json", json.dumps(info))
    write_images(root / "images", names)
    return root


def cub(root: Path) -> Path:
    """CUB_200_2011 with 3 classes of 2 images, the first of each for training."""
    paths = [f"{bird}/{bird[4:]}_{number:04}_{place}.jpg" for place, bird in enumerate(BIRDS) for number in (1, 2)]
    lists = {
        "images.txt": [f"{row} {path}" for row, path in enumerate(paths, 1)],
        "image_class_labels.txt": [f"{row} {(row + 1) // 2}" for row in range(1, 7)],
        "classes.txt": [f"{row} {bird}" for row, bird in enumerate(BIRDS, 1)],
        "train_test_split.txt": [f"{row} {row % 2}" for row in range(1, 7)],
    }
    for name, lines in lists.items():
        write_text(root / name, "\n".join(lines) + "\n")
    write_images(root / "images", paths)
    return root


def chest(root: Path, folders: tuple[str, ...] = ("images",)) -> Path:
    """ChestX-ray14: the table Data_Entry_2017.csv, and its images in `folders`, one after the other."""
    header = "Image Index,Finding Labels,Follow-up #,Patient ID\n"
    write_text(root / "Data_Entry_2017.csv", header + "".join(f"{name},{found},0,1\n" for name, found in CHEST))
    write_images(root, (f"{folders[row % len(folders)]}/{name}" for row, (name, _) in enumerate(CHEST)))
    return root / "Data_Entry_2017.csv"


def write_text(path: Path, text: str) -> Path:
    """Writes a UTF-8 text, with the folder that holds it, and returns `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def isic(root: Path, inside: bool = True) -> Path:
    """The table of ISIC 2018 with four images, in a folder of its own beside that of the images, or beside them."""
    table = "ISIC2018_Task3_Training_GroundTruth"
    lines = ["image,MEL,NV,BCC,AKIEC,BKL,DF,VASC"]
    for number, place in enumerate((1, 0, 1, 6)):
        lines.append(f"ISIC_002430{number},{','.join('1.0' if column == place else '0.0' for column in range(7))}")
    folder = root / "ISIC2018_Task3_Training_Input" if inside else root
    write_images(folder, (f"ISIC_002430{number}.jpg" for number in range(4)))
    return write_text((root / table if inside else root) / f"{table}.csv", "\n".join(lines) + "\n")


SYNSETS = ("n01440764", "n01443537", "n01484850")  # the first three of ImageNet's 1000 classes


def imagenet_validation(root: Path, kind: str) -> Path:
    """Five validation images of ImageNet in the folder val, and one of the usual lists beside it."""
    labels = [2, 0, 1, 0, 2]
    names = [f"ILSVRC2012_val_{number:08d}" for number in range(1, 6)]
    write_images(root / "val", (f"{name}.JPEG" for name in names))
    pairs = list(zip(names, labels, strict=True))
    if kind == "val.txt":
        return write_text(root / kind, "".join(f"{name}.JPEG {label}\n" for name, label in pairs))
    if kind == "LOC_val_solution.csv":
        rows = "".join(f"{name},{SYNSETS[label]} 85 1 499 272 {SYNSETS[label]} 3 4 5 6\n" for name, label in pairs)
        return write_text(root / kind, f"ImageId,PredictionString\n{rows}")
    return write_text(root / kind, "".join(f"{SYNSETS[label]}\n" for label in labels))


def imagenet_subset(root: Path) -> Path:
    """The list 1percent.txt of three training images among six, and two validation images."""
    names = [f"{synset}_{number}.JPEG" for synset in SYNSETS[:2] for number in (10, 26, 7)]
    train = [f"train/{name.partition('_')[0]}/{name}" for name in names]
    val = [f"val/{synset}/ILSVRC2012_val_{number:08d}.JPEG" for number, synset in enumerate(SYNSETS, 1)]
    write_images(root, [*train, *val])
    return write_text(root / "1percent.txt", f"{names[1]}\n{names[4]}\n{names[0]}\n")
