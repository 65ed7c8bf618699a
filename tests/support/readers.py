"""Every reader of fewshot with a valid file: what it takes from it, and whether a checksum protects every bit."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from PIL import Image
from safetensors.torch import save_file

from fewshot.backbones._templates import prompts_of
from fewshot.backbones._timm_catalogue import parameter_counts
from fewshot.backbones._timm_network import build
from fewshot.backbones.checkpoint import Checkpoint
from fewshot.backbones.open_clip import OpenCLIP
from fewshot.commands._rates import rates
from fewshot.datasets import ArrayImages, Dataset, LabelledImages
from fewshot.datasets.chest_xray import ChestXray
from fewshot.datasets.class_similarity import ClassSimilarity
from fewshot.datasets.class_tables import ClassTables
from fewshot.datasets.co_op_split import CoOpSplit
from fewshot.datasets.cub200 import Cub200
from fewshot.datasets.digits import Digits
from fewshot.datasets.hugging_face_set import HuggingFaceSet
from fewshot.datasets.image_arrays import ImageArrays
from fewshot.datasets.image_folder_set import ImageFolderSet
from fewshot.datasets.image_net_subset import ImageNetSubset
from fewshot.datasets.image_net_validation import ImageNetValidation
from fewshot.datasets.isic2018 import Isic2018
from fewshot.datasets.manifest import Manifest
from fewshot.datasets.meta_album import MetaAlbum
from fewshot.datasets.path_lists import PathLists
from fewshot.datasets.torchvision_set import TorchvisionSet
from fewshot.datasets.vector_set import VectorSet
from fewshot.datasets.web_dataset_shards import WebDatasetShards
from fewshot.datasets.with_class_vectors import WithClassVectors
from fewshot.episodes import tables
from fewshot.episodes.lists import EpisodeList
from fewshot.files.atomic import home, write_atomically
from fewshot.plugins.folders import read_folder
from fewshot.plugins.registry import BACKBONES, DATASETS, EVALUATORS, SAMPLERS, SPLITS
from fewshot.results.files import Results
from fewshot.results.predictions import Predictions
from fewshot.results.recognition import what_is
from fewshot.results.short_names import ShortNames
from fewshot.results.training_record import TrainingRecord
from fewshot.samplers._class_tree import ClassTree
from fewshot.scaling.fits.line_files import read_lines
from fewshot.scaling.studies.near_and_far import read_distances
from fewshot.sharing.verify import verify
from fewshot.splits import ClassSplit
from tests.support import list_layouts, vector_files
from tests.support.bounded import outcome
from tests.support.mutations import BYTES, JSON, TEXT
from tests.support.pictures import write_pictures
from tests.support.report_rows import row
from tests.support.submissions import submission
from tests.support.tar_files import write_shard
from tests.support.tiny_clip import write_tiny_clip
from tests.support.torchvision_folders import FOLDERS
from tests.support.worlds import labelled, ragged

Content = Any
KINDS = {"bytes": BYTES, "text": TEXT, "json": JSON}
PICTURES = ("png", "jpg", "gif", "bmp", "webp", "tif", "ppm")


@dataclass(frozen=True)
class Reader:
    """A reader, the files that `write` makes below a folder for it, and what damage may do to its content."""

    name: str
    write: Callable[[Path], Sequence[Path]]  # the files that a person, or a disk, may change
    read: Callable[[Path], Content]  # of the same folder
    kind: str = "bytes"
    checked: bool = False  # every bit that it uses has a checksum: it reads what was written, or refuses

    def __str__(self) -> str:
        return self.name


def content_of(images: LabelledImages) -> Content:
    """Everything that a run takes from a data set, after a look at every image; AssertionErrors for nonsense."""
    n, names = len(images), images.class_names
    assert len(set(names)) == len(names)
    assert all(names)
    assert images.labels.shape == (n,)
    assert n == 0 or 0 <= images.labels.min() <= images.labels.max() < len(names)
    if images.vectors is not None:
        assert all(np.isfinite(block).all() for _, block in images.vectors.blocks())
    else:
        for at in range(n):
            assert np.asarray(images.images[at]).dtype == np.uint8
    groups = {name: [group.names[code] for code in group.codes] for name, group in images.image_groups.items()}
    assert all(len(codes) == n for codes in groups.values())
    return images.images_digest, images.labels.tolist(), names, groups


def _set(dataset: Dataset) -> Content:
    return content_of(dataset.load())


def _pictures(folder: Path, suffix: str) -> list[Path]:
    write_pictures(folder / "set", [2, 2])
    path = folder / "set" / "class0" / f"other.{suffix}"
    random = np.random.default_rng(1)
    Image.fromarray(random.integers(0, 256, (9, 11, 3), dtype=np.uint8)).save(path)
    return [path]


def _listed(write: Callable[[Path], Any], *patterns: str) -> Callable[[Path], list[Path]]:
    def written(folder: Path) -> list[Path]:
        write(folder)
        return [path for pattern in patterns for path in sorted(folder.glob(pattern))]

    return written


def _manifest(folder: Path) -> None:
    write_pictures(folder, [3, 3])
    lines = [f"class{i % 2}/{i // 2}.png,{'gull' if i % 2 else 'wren'},{'a' if i < 3 else 'b'}" for i in range(6)]
    (folder / "m.csv").write_text("path,label,domain\n" + "\n".join(lines) + "\n")


def _image_arrays(folder: Path, compressed: bool = False) -> list[Path]:
    images = np.random.default_rng(0).integers(0, 256, (6, 9, 9, 3), dtype=np.uint8)
    (np.savez_compressed if compressed else np.savez)(folder / "a.npz", images=images, labels=np.arange(6) % 2)
    return [folder / "a.npz"]


def _vectors(folder: Path, suffix: str) -> list[Path]:
    if suffix == "safetensors":
        return [vector_files.safetensors(folder / "a.safetensors")]
    if suffix == "npz":
        return [vector_files.npz(folder / "a.npz")]
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {"vectors": vector_files.VALUES.astype(np.float32).tolist(), "labels": vector_files.PLACES.tolist()}
    pq.write_table(pa.table(columns), folder / "a.parquet", write_page_checksum=True)
    return [folder / "a.parquet"]


def _class_vectors(folder: Path) -> list[Path]:
    np.savez(folder / "c.npz", class_names=np.array(list("0123456789")), class_vectors=np.eye(10, dtype=np.float32))
    return [folder / "c.npz"]


def _checkpoint(folder: Path, suffix: str) -> list[Path]:
    state = {name: value.contiguous() for name, value in build("test_resnet", None, num_classes=3).state_dict().items()}
    path = folder / f"a.{suffix}"
    save_file(state, path) if suffix == "safetensors" else torch.save({"model": state, "epoch": 3}, path)
    return [path]


def _config(folder: Path) -> list[Path]:
    _checkpoint(folder, "safetensors")
    config = {"mean": [0.5, 0.5, 0.5], "std": [0.2, 0.2, 0.2], "input_size": [3, 64, 64], "interpolation": "bicubic"}
    content = {"architecture": "test_resnet", "num_classes": 3, "pretrained_cfg": config}
    (folder / "config.json").write_text(json.dumps(content))
    return [folder / "config.json"]


def _weights(folder: Path, suffix: str = "safetensors") -> Content:
    backbone = Checkpoint("test_resnet", folder / f"a.{suffix}").load()
    assert all(torch.isfinite(value).all() for value in backbone.network.state_dict().values())
    return backbone.weights_digest, backbone.preprocess_digest


IMAGES = labelled(8, 40)
LISTED = EpisodeList.of(ragged(IMAGES, 6), IMAGES, "mine@1", "ragged", pools=None)
NAMED = LabelledImages(
    "n",
    ArrayImages(np.arange(24 * 48, dtype=np.uint32).astype(np.uint8).reshape(24, 4, 4, 3)),
    np.arange(24) % 4,
    tuple("abcd"),
    "ab" * 32,
    image_names=[f"i{at}.png" for at in range(24)],
)
TASKS = "task,class,image,set\n" + "".join(
    f"{task},{'abcd'[(task + way) % 4]},i{(task + way) % 4 + 4 * shot}.png,{'support' if shot < 2 else 'query'}\n"
    for task in range(2)
    for way in range(3)
    for shot in range(4)
)


def _episodes(folder: Path) -> Content:
    found = EpisodeList.load(folder / "e.safetensors")
    return found.episodes.digest, found.protocol, found.sampler, found.class_names


def _write_episodes(folder: Path) -> list[Path]:
    LISTED.save(folder / "e.safetensors")
    return [folder / "e.safetensors"]


def _write_predictions(folder: Path) -> list[Path]:
    episodes = LISTED.episodes
    m, e = len(episodes.query), len(episodes)
    halves = np.full(m, 0.5, np.float16)
    Predictions(
        episodes, np.zeros(m, np.uint16), halves, -halves, np.ones(e, np.bool_), None, np.zeros(e, np.uint16)
    ).save(folder / "p.safetensors", {"weights_digest": "w"})
    return [folder / "p.safetensors"]


def _predictions(folder: Path) -> Content:
    found, about = Predictions.load(folder / "p.safetensors")
    arrays = (found.predicted, found.confidence, found.log_probability, found.converged)
    return found.episodes.digest, *(array.tobytes() for array in arrays), sorted(about.items())


def _text(name: str, text: str) -> Callable[[Path], list[Path]]:
    def written(folder: Path) -> list[Path]:
        (folder / name).write_text(text, encoding="utf-8")
        return [folder / name]

    return written


def _rows(folder: Path) -> Content:
    results = Results(folder / "r.jsonl")
    rows = results.rows()
    for one in rows:
        assert one.accuracy is None or 0 <= one.accuracy <= 1
        assert type(one).from_json(one.to_json()) == one
    what_is(folder / "r.jsonl")
    return len(rows), results.n_unreadable


def _record(folder: Path) -> list[Path]:
    TrainingRecord(
        "s", "r", "r", "last", "n", 0, "d", "i", ("a", "b"), None, 10, 20, 30, 30, 1, 5, 5, 1.0, 0.5, None, 0.1, 0.2, 3,
        1.0, "w", "v", "cpu", 1,
    ).write(folder / "record.json")  # fmt: skip
    return [folder / "record.json"]


def _record_content(folder: Path) -> Content:
    return replace(TrainingRecord.read(folder / "record.json"))


def _submission(folder: Path) -> list[Path]:
    place = submission(folder)
    return [path for path in sorted(place.rglob("*")) if path.is_file()]


def _verified(folder: Path) -> Content:
    found = verify(folder / "heads")
    if found.problems:
        raise ValueError("; ".join(found.problems)[:2000])
    return found.statistics


def _split(folder: Path) -> Content:
    split = ClassSplit.load(folder / "s.json")
    return split.seen, split.validation, split.novel, split.classes_digest


def _write_split(folder: Path) -> list[Path]:
    ClassSplit.of(("a", "b"), ("c",), ("d", "e")).save(folder / "s.json")
    return [folder / "s.json"]


def _similarity(folder: Path) -> Content:
    return ClassSimilarity.read(folder / "c.csv").values.tolist()


def _distances(folder: Path) -> Content:
    found = read_distances(folder / "d.json")
    assert all(np.isfinite(value) for value in found.values())
    return found


def _rates(folder: Path) -> Content:
    found = rates()
    assert all(isinstance(value, int | float) for value in found.values())
    return None


def _csv_episodes(folder: Path) -> Content:
    return tables.from_csv(folder / "t.csv", NAMED).episodes.digest


def _rates_file(folder: Path) -> list[Path]:
    write_atomically(home() / "rates.json", json.dumps({"embed a float32 cpu": 0.5, "solve b": 1.25}).encode())
    return [home() / "rates.json"]


def _counts_file(folder: Path) -> list[Path]:
    write_atomically(home() / "timm_parameters.json", json.dumps({timm.__version__: {"test_resnet": 7}}).encode())
    return [home() / "timm_parameters.json"]


def _counts(folder: Path) -> Content:
    found = parameter_counts(["test_resnet"])["test_resnet"]
    assert found is None or found >= 0
    return None


def _clip(folder: Path) -> list[Path]:
    return [write_tiny_clip(folder / "clip").with_name("open_clip_config.json")]


def _checked_clip(folder: Path) -> None:
    OpenCLIP("tiny", str(folder / "clip" / "open_clip_model.safetensors")).check()


def _parquet_images(folder: Path) -> list[Path]:
    import datasets

    datasets.disable_progress_bars()
    write_pictures(folder, [2, 2])
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["gull", "wren"])})
    images = [Image.open(path).copy() for path in sorted(folder.glob("class*/*.png"))]
    table = datasets.Dataset.from_dict({"image": images, "label": [0, 0, 1, 1]}, features=features)
    table.to_parquet(folder / "a.parquet")
    return [folder / "a.parquet"]


def _hub_images(folder: Path) -> Content:
    return _set(HuggingFaceSet(path=folder / "a.parquet"))


def _torchvision(folder: Path, name: str) -> list[Path]:
    FOLDERS[name](folder)
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and path.parent.name != "fewshot_home"]


def _specs(folder: Path) -> Content:
    """How many of the registries take a text as a spec, given by a person or found in a row."""
    text = (folder / "spec.txt").read_text(encoding="utf-8")
    registries = (BACKBONES, DATASETS, EVALUATORS, SAMPLERS, SPLITS)
    reads = [read for each in registries for read in (partial(each.spec, allow_import=False), each.read)]
    kinds = [outcome(partial(read, text))[0] for read in reads]
    if "read" not in kinds:
        reads[0](text)  # refuses
    return kinds


def _signatures_file(folder: Path) -> list[Path]:
    read_folder.__wrapped__("fewshot.transforms")
    return sorted((home() / "signatures").glob("*.json"))


def _signatures(folder: Path) -> Content:
    return repr(read_folder.__wrapped__("fewshot.transforms"))


SPECS = "CrossValidated(inner=LinearProbe(C=1.0, max_iter=100), grid=(('C', (0.1, 1.0, 10.0)),), n_folds=5)"
DISTANCES = json.dumps(
    {"distances": [{"source": "a", "target": "b", "mmd": 0.5}, {"source": "a", "target": "c", "mmd": 1}]}
)
TREE = json.dumps({"wren": "bird", "gull": ["bird", "sea"], "bird": "animal", "sea": "animal"})
ROWS = "".join(row(run_id=f"{at:016x}").to_json() + "\n" for at in range(4))


def _validation(folder: Path, kind: str) -> Dataset:
    return ImageNetValidation(folder / kind)


def _class_index(folder: Path) -> list[Path]:
    list_layouts.imagenet_validation(folder, "val.txt")
    index = {str(place): [synset, "a name"] for place, synset in enumerate(list_layouts.SYNSETS)}
    return [list_layouts.write_text(folder / "imagenet_class_index.json", json.dumps(index))]


def _of(dataset: Callable[[Path], Dataset]) -> Callable[[Path], Content]:
    return lambda folder: _set(dataset(folder))


READERS = [
    Reader("specs", _text("spec.txt", SPECS), _specs, "text"),
    Reader("signatures of members", _signatures_file, _signatures, "json", checked=True),
    Reader("speeds of this machine", _rates_file, _rates, "json"),
    Reader("parameters of timm's networks", _counts_file, _counts, "json"),
    Reader(
        "config of open_clip",
        _clip,
        _checked_clip,
        "json",
    ),
    Reader("images .parquet", _parquet_images, _hub_images),
    *(
        Reader(f"torchvision {name}", partial(_torchvision, name=name), _of(partial(TorchvisionSet, name)))
        for name in ("FashionMNIST", "USPS", "CLEVRClassification")  # others have published md5
    ),
    *(
        Reader(f"image .{suffix}", partial(_pictures, suffix=suffix), _of(lambda f: ImageFolderSet(f / "set")))
        for suffix in PICTURES
    ),
    Reader("manifest", _listed(_manifest, "m.csv"), _of(lambda f: Manifest(f / "m.csv")), "text"),
    Reader(
        "list of CoOp", _listed(list_layouts.coop, "*.json"), _of(lambda f: CoOpSplit(next(f.glob("*.json")))), "json"
    ),
    Reader("lists of VTAB", _listed(list_layouts.vtab, "*.txt"), _of(PathLists), "text"),
    Reader("tables of mini-ImageNet", _listed(list_layouts.mini_imagenet, "*.csv"), _of(ClassTables), "text"),
    Reader("lists of Meta-Album", _listed(list_layouts.meta_album, "*.csv", "*.json"), _of(MetaAlbum), "json"),
    Reader("lists of CUB", _listed(list_layouts.cub, "*.txt"), _of(Cub200), "text"),
    Reader(
        "table of ChestX-ray14",
        _listed(list_layouts.chest, "*.csv"),
        _of(lambda f: ChestXray(f / "Data_Entry_2017.csv")),
        "text",
    ),
    Reader("table of ISIC 2018", _listed(list_layouts.isic, "*/*.csv"), _of(Isic2018), "text"),
    *[
        Reader(
            f"ImageNet's {kind}",
            _listed(partial(list_layouts.imagenet_validation, kind=kind), kind),
            _of(partial(_validation, kind=kind)),
            "text",
        )
        for kind in ("val.txt", "LOC_val_solution.csv", "imagenet_2012_validation_synset_labels.txt")
    ],
    Reader(
        "ImageNet's class index",
        _class_index,
        _of(partial(_validation, kind="val.txt")),
        "json",
    ),
    Reader(
        "ImageNet's 1percent.txt",
        _listed(list_layouts.imagenet_subset, "1percent.txt"),
        _of(lambda f: ImageNetSubset(f / "1percent.txt")),
        "text",
    ),
    Reader("images .npz", _image_arrays, _of(lambda f: ImageArrays(f / "a.npz")), checked=True),
    Reader(
        "images .npz, compressed",
        partial(_image_arrays, compressed=True),
        _of(lambda f: ImageArrays(f / "a.npz")),
        checked=True,
    ),
    Reader("vectors .npz", partial(_vectors, suffix="npz"), _of(lambda f: VectorSet(f / "a.npz")), checked=True),
    Reader(
        "vectors .safetensors",
        partial(_vectors, suffix="safetensors"),
        _of(lambda f: VectorSet(f / "a.safetensors")),
    ),
    Reader("vectors .parquet", partial(_vectors, suffix="parquet"), _of(lambda f: VectorSet(f / "a.parquet"))),
    Reader("class vectors", _class_vectors, _of(lambda f: WithClassVectors(Digits(), f / "c.npz"))),
    Reader("tar shards", lambda folder: [write_shard(folder / "a.tar")], _of(lambda f: WebDatasetShards(f / "a.tar"))),
    Reader("checkpoint .safetensors", partial(_checkpoint, suffix="safetensors"), _weights),
    Reader("checkpoint .pth", partial(_checkpoint, suffix="pth"), partial(_weights, suffix="pth"), checked=True),
    Reader("config of a checkpoint", _config, _weights, "json"),
    Reader("episode list", _write_episodes, _episodes, checked=True),
    Reader("table of episodes", _text("t.csv", TASKS), _csv_episodes, "text"),
    Reader("class split", _write_split, _split, "json"),
    Reader("predictions", _write_predictions, _predictions, checked=True),
    Reader("results", _text("r.jsonl", ROWS), _rows, "json"),
    Reader("short names", _text("n.json", '{"a": "b", "c": "d"}'), lambda f: ShortNames.read(f / "n.json"), "json"),
    Reader("record of a training", _record, _record_content, "json"),
    Reader("submission", _submission, _verified, "json", checked=True),
    Reader("class tree .json", _text("t.json", TREE), lambda f: ClassTree.read(f / "t.json"), "json"),
    Reader(
        "class tree .csv",
        _text("t.csv", "child,parent\nwren,bird\ngull,bird\nbird,animal\n"),
        lambda f: ClassTree.read(f / "t.csv"),
        "text",
    ),
    Reader("class similarities", _text("c.csv", "class,a,b\na,1,0.5\nb,0.5,1\n"), _similarity, "text"),
    Reader("lines .csv", _text("l.csv", "n,error\n1,0.5\n2,0.25\n4,0.1\n"), lambda f: read_lines(f / "l.csv"), "text"),
    Reader("lines .jsonl", _text("l.jsonl", ROWS), lambda f: read_lines(f / "l.jsonl"), "json"),
    Reader("distances", _text("d.json", DISTANCES), _distances, "json"),
    Reader(
        "templates",
        _text("t.txt", "a photo of a {}.\nart of a {}.\n"),
        lambda f: prompts_of(f / "t.txt", "x").texts("gull"),
        "text",
    ),
]
