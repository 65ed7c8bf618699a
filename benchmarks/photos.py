"""Decoding of large photos: the rate from a folder against torchvision's loader, and what `draft` changes.

    python benchmarks/photos.py --json benchmarks/results/photos.json

The script makes 24 photos of 4000 x 3000 pixels (JPEG, quality 90) in a temporary folder: crops of scikit-learn's two
sample photos, enlarged, with noise of a standard deviation of 6 levels. Rounds alternate between these sides, each in
its own process; all give inputs of 224 px to a network, in batches of 8 photos:

- torchvision: `ImageFolder` with `Resize(256)`, `CenterCrop(224)`, `ToTensor`, `Normalize`, in a `DataLoader` with a
  worker for each core;
- ours, ours draft: what `feature_table` does before its network, for `ImageFolderSet(root)` and with `draft=512`;
- first look, first look draft: what fewshot does once for new photos: it decodes, checks and hashes every file.

Rates are in photos per second of wall time and of processor time, workers included. Then the script embeds the photos
with EfficientNet-Lite0, and compares the features of `draft` with those of whole photos. At last it stores icons as
JPEG files of 1024 x 1024 pixels, and solves the same episodes with and without `draft`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SIZE, N_PHOTOS, QUALITY, NOISE = (4000, 3000), 24, 90, 6.0
DRAFT, BATCH, EPOCHS = 512, 8, 2
LITE = "Packaged('tf_efficientnet_lite0')"
N_CLASSES, PER_CLASS, ICON_SIZE = 20, 20, 1024
HEADS = ("Prototype()", "LinearProbe()")


def write_photos(folder: Path) -> None:
    """Two classes of 12 photos."""
    from sklearn.datasets import load_sample_images

    random = np.random.default_rng(0)
    for label, picture in enumerate(load_sample_images().images):
        (folder / f"class{label}").mkdir(parents=True)
        for number in range(N_PHOTOS // 2):
            top, left = (int(random.integers(0, side // 4)) for side in picture.shape[:2])
            crop = Image.fromarray(picture[top : top + 320, left : left + 427])
            write_enlarged(crop, SIZE, folder / f"class{label}" / f"{number:02}.jpg", random)


def write_enlarged(image: Image.Image, size: tuple[int, int], path: Path, random: np.random.Generator) -> None:
    """A picture enlarged, with noise, as JPEG."""
    pixels = np.asarray(image.resize(size, Image.Resampling.BICUBIC), np.float32)
    pixels = pixels + NOISE * random.standard_normal(pixels.shape, dtype=np.float32)
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path, quality=QUALITY)


def ours(folder: Path, draft: int | None) -> Callable[[], int]:
    """The work of one pass over the photos, as `feature_table` decodes them."""
    import torch

    from fewshot.datasets.image_folder_set import ImageFolderSet
    from fewshot.features.decoding import Decoder
    from fewshot.features.embedding import canonical_batches, keep_freed_memory
    from fewshot.features.ring import Ring
    from fewshot.plugins.registry import BACKBONES

    images, backbone = ImageFolderSet(folder, draft=draft).load(), BACKBONES.make(LITE).load()
    decoder = Decoder(images, backbone.preprocess, backbone.name, torch.Size([3, 224, 224]))
    keep_freed_memory()

    def work() -> int:
        n_images = 0
        for decoded in Ring(decoder, BATCH, torch.channels_last).batches(canonical_batches(np.arange(N_PHOTOS), BATCH)):
            n_images += int((decoded.slots >= 0).sum())
            decoded.free()
        return n_images

    return work


def torchvisions(folder: Path) -> Callable[[], int]:
    """The work of one pass of torchvision's loader."""
    from torch.utils.data import DataLoader
    from torchvision import transforms
    from torchvision.datasets import ImageFolder

    steps = [
        transforms.Resize(256, transforms.InterpolationMode.BICUBIC),
        transforms.CenterCrop(224),
        transforms.ToTensor(),
        transforms.Normalize([0.5] * 3, [0.5] * 3),
    ]
    images = ImageFolder(str(folder), transforms.Compose(steps))
    loader: Any = DataLoader(images, BATCH, num_workers=os.cpu_count() or 1)
    return lambda: sum(len(inputs) for inputs, _ in loader)


def first_look(folder: Path, draft: int | None) -> Callable[[], int]:
    """The work of the first `load`, with an empty cache of digests."""
    from fewshot.datasets.image_folder_set import ImageFolderSet

    def work() -> int:
        with tempfile.TemporaryDirectory() as home:
            os.environ["FEWSHOT_HOME"] = home
            return len(ImageFolderSet(folder, draft=draft).load())

    return work


SIDES: dict[str, Callable[[Path], Callable[[], int]]] = {
    "torchvision": torchvisions,
    "ours": lambda folder: ours(folder, None),
    "ours draft": lambda folder: ours(folder, DRAFT),
    "first look": lambda folder: first_look(folder, None),
    "first look draft": lambda folder: first_look(folder, DRAFT),
}


def rates(what: str, folder: Path) -> dict[str, float]:
    """Photos per second of some passes of a side, by both clocks."""
    from fewshot.runs.resources import peak_bytes, reset_peak

    work = SIDES[what](folder)
    reset_peak()
    start, n_images = (time.perf_counter(), _processor()), 0
    for _ in range(EPOCHS):
        n_images += work()
    return {
        "wall": n_images / (time.perf_counter() - start[0]),
        "processor": n_images / (_processor() - start[1]),
        "peak_bytes": float(peak_bytes() or 0),  # of this process
    }


def _processor() -> float:
    """Seconds of user and system time of this process and its ended workers."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def measured(what: str, folder: Path) -> dict[str, float]:
    """The rates that a new process measures."""
    command = [sys.executable, __file__, "--round", what, "--folder", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{what}: {done.stderr.strip().splitlines()[-1:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def compared_rates(folder: Path, n_rounds: int) -> dict[str, Any]:
    """The median rates of all sides in alternated rounds, and their ratios to torchvision's of the same round."""
    found: dict[str, list[dict[str, float]]] = {what: [] for what in SIDES}
    for _ in range(n_rounds):
        for what in SIDES:
            found[what].append(measured(what, folder))
            print(f"{what}: {found[what][-1]}", flush=True)
    lines: dict[str, Any] = {}
    for what, rounds in found.items():
        lines[what] = {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
        for clock in ("wall", "processor"):
            pairs = zip(rounds, found["torchvision"], strict=True)
            ratios = sorted(a[clock] / b[clock] for a, b in pairs)
            lines[what][f"{clock}_ratio"] = [statistics.median(ratios), ratios[0], ratios[-1]]
    return lines


def features(folder: Path) -> dict[str, float]:
    """Cosines between the features of the photos with draft and those without, and between different photos of a
    class."""
    import torch

    from fewshot.datasets.image_folder_set import ImageFolderSet
    from fewshot.features.table import feature_table
    from fewshot.plugins.registry import BACKBONES

    backbone, rows, by_draft = BACKBONES.make(LITE).load(), np.arange(N_PHOTOS), []
    with tempfile.TemporaryDirectory() as cache:
        for draft in (None, DRAFT):
            images = ImageFolderSet(folder, draft=draft).load()
            table = feature_table(images, backbone, rows, folder=Path(cache), progress=False)
            by_draft.append(torch.nn.functional.normalize(table.gather(rows), dim=1))
    cosines = (by_draft[0] * by_draft[1]).sum(1)
    others = (by_draft[0] @ by_draft[0].T)[0, 1 : N_PHOTOS // 2]
    return {"least": float(cosines.min()), "median": float(cosines.median()), "of_other_photos": float(others.median())}


def write_icons(folder: Path) -> None:
    """Coloured icons of some classes as large JPEG files."""
    from fewshot.datasets.icons import Icons

    images, random = Icons("colour").load(), np.random.default_rng(0)
    pools = [rows for rows in images.pool().by_class() if len(rows) >= PER_CLASS][:N_CLASSES]
    for label, rows in enumerate(pools):
        (folder / f"class{label:02}").mkdir(parents=True)
        for number, row in enumerate(rows[:PER_CLASS].tolist()):
            path = folder / f"class{label:02}" / f"{number:02}.jpg"
            write_enlarged(images.images[row], (ICON_SIZE, ICON_SIZE), path, random)


def accuracies(folder: Path) -> list[dict[str, Any]]:
    """Accuracies of the same episodes with and without draft, and the paired difference with its 95 % interval over
    episodes."""
    from fewshot.episodes.shape import EpisodeShape
    from fewshot.results.files import Results
    from fewshot.runs.pipeline import run
    from fewshot.runs.specs import RunSpec, Sampled

    lines: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as cache:
        results = Results.at(Path(cache) / "runs.jsonl")
        for head in HEADS:
            for shots in (1, 5):
                by_draft = []
                for data in (f"ImageFolderSet({str(folder)!r})", f"ImageFolderSet({str(folder)!r}, draft={DRAFT})"):
                    episodes = Sampled(EpisodeShape(5, shots, 10))
                    row = run(RunSpec(data, LITE, head, episodes, split="AllNovel()"), results)
                    assert row is not None
                    parts = list(results.parts(row.run_id).read(row.n_episodes))
                    by_draft.append(np.concatenate([_per_episode(part) for part in parts]))
                change = by_draft[1] - by_draft[0]
                error: Any = 1.96 * change.std(ddof=1) / len(change) ** 0.5
                line = {"head": head, "shots": shots, "whole": float(by_draft[0].mean())}
                lines.append(line | {"draft": float(by_draft[1].mean()), "change": [float(change.mean()), error]})
    return lines


def _per_episode(predictions: Any) -> Any:
    """[E] accuracies."""
    episodes = predictions.episodes
    right = predictions.predicted == episodes.query_labels
    return np.add.reduceat(right, episodes.query_start[:-1]) / np.diff(episodes.query_start)


PARTS: dict[str, Callable[[Path, int], Any]] = {
    "rates": lambda folder, n_rounds: compared_rates(folder / "photos", n_rounds),
    "cosines": lambda folder, _: features(folder / "photos"),
    "accuracies": lambda folder, _: accuracies(folder / "icons"),
}


def main() -> None:
    """Measures, and prints all numbers."""
    from fewshot.benchmarks.rounds import machine

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="run this many rounds (default: 3)")
    parser.add_argument("--part", choices=list(PARTS), action="append", help="only this part; repeatable")
    parser.add_argument("--folder", type=Path, help="keep the pictures here, and use those that are here")
    parser.add_argument("--json", type=Path, help="write all numbers to this file; other parts in it stay")
    parser.add_argument("--round", choices=list(SIDES), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.round:
        print(json.dumps(rates(arguments.round, arguments.folder)))
        return
    file: Path | None = arguments.json
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.folder or Path(scratch)
        os.environ["FEWSHOT_HOME"] = str(Path(scratch) / "home")
        for name, write in (("photos", write_photos), ("icons", write_icons)):
            if not (folder / name).is_dir():
                write(folder / name)
        for part in arguments.part or PARTS:
            found = {"machine": machine(), "draft": DRAFT, part: PARTS[part](folder, arguments.rounds)}
            print(json.dumps(found, indent=1))
            if file is not None:
                kept = json.loads(file.read_text()) if file.is_file() else {}
                file.write_text(json.dumps(kept | found, indent=1) + "\n")


if __name__ == "__main__":
    main()
