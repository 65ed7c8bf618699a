"""torchvision's data sets by name, on tiny files of the published formats, and FashionMNIST itself where Debian's
package is installed."""

from __future__ import annotations

import bz2
import hashlib
import importlib
import os
import pickle
import pkgutil
from pathlib import Path

import numpy as np
import pytest
import torchvision.datasets

from fewshot.datasets import _torchvision_files as torchvision_files
from fewshot.datasets import torchvision_set
from fewshot.datasets._torchvision_files import unpickle
from fewshot.datasets._torchvision_sources import SOURCES
from fewshot.datasets.image_folder_set import ImageFolderSet
from fewshot.datasets.torchvision_set import TorchvisionSet
from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.registry import DATASETS
from fewshot.samplers.balanced import Balanced
from tests.support.torchvision_folders import FOLDERS, cifar, idx, labelled, mnist, picture

DEBIAN = torchvision_set.DEBIAN_SETS / "fashion-mnist"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "sets"
    folder.mkdir()
    return folder


@pytest.fixture
def any_checksum(monkeypatch):
    """torchvision takes any file that is there for the published one."""

    def there(path, md5=None):
        return os.path.isfile(path)

    for module in pkgutil.iter_modules(torchvision.datasets.__path__):
        loaded = importlib.import_module(f"torchvision.datasets.{module.name}")
        if "check_integrity" in vars(loaded):
            monkeypatch.setattr(loaded, "check_integrity", there)
    monkeypatch.setattr(torchvision_files, "checked", lambda path, *_: path.read_bytes())


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", sorted(set(SOURCES) - {"PCAM"}))
def test_images_have_the_class_and_the_partition_of_their_files(name, root, any_checksum):
    levels = FOLDERS[name](root)
    images = TorchvisionSet(name, root).load()
    assert set(images.class_names) == set(levels)
    for row, label in enumerate(images.labels):
        image = images.images[row]
        assert image.mode == "RGB"
        assert abs(np.asarray(image).mean() - levels[images.class_names[label]]) < 6
    partitions = set(SOURCES[name].partitions)
    held = images.image_groups["partition"].names if images.image_groups else ("",)
    assert set(held) == partitions
    again = TorchvisionSet(name, root).load()
    assert images.images_digest == again.images_digest
    assert np.array_equal(images.labels, again.labels)


def test_every_set_that_torchvision_can_read_here_has_a_tiny_copy():
    assert set(FOLDERS) == set(SOURCES) - {"PCAM"}  # needs h5py


@pytest.mark.parametrize("name", sorted(set(SOURCES) - {"PCAM"}))
def test_a_missing_set_is_one_sentence_that_says_what_belongs_where(name, root):
    with pytest.raises(ValueError, match=f"^{name} is not in {root}: torchvision expects .* there; set root") as caught:
        TorchvisionSet(name, root).load()
    message = str(caught.value)
    assert SOURCES[name].expects in message
    assert ("download=True" in message) == (not SOURCES[name].by_hand)
    assert "\n" not in message
    assert not list(root.iterdir())


def test_a_set_that_needs_a_package_names_it(root, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"^PCAM needs the package h5py; install it with `pip install h5py`$"):
        TorchvisionSet("PCAM", root).load()
    with pytest.raises(ValueError, match=r"^CelebA needs the package gdown"):
        TorchvisionSet("CelebA", root, download=True).load()


@pytest.mark.parametrize("name", [name for name, source in SOURCES.items() if source.by_hand])
def test_what_cannot_be_downloaded_says_why(name, root):
    with pytest.raises(ValueError, match=f"^{name} cannot be downloaded: .*; then put it into "):
        TorchvisionSet(name, root, download=True).load()


def test_a_download_without_a_network_is_one_sentence(root, monkeypatch):
    def refuse(*_, **__):
        raise OSError("Network is unreachable")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    with pytest.raises(
        ValueError, match=r"^SVHN cannot be downloaded or read in .* \(train\): Network is unreachable$"
    ):
        TorchvisionSet("SVHN", root / "new", download=True).load()


def test_an_unknown_name_lists_the_known_and_the_closest():
    with pytest.raises(
        ValueError, match=r"^unknown name 'fashionmnist' of .*; known: .*; did you mean FashionMNIST\?$"
    ):
        TorchvisionSet("fashionmnist").load()


def test_the_default_folder_lies_beside_the_caches(own_home):
    images = mnist(own_home / "torchvision")
    assert set(TorchvisionSet("FashionMNIST").load().class_names) == set(images)
    assert TorchvisionSet("FashionMNIST").default_split() is None


def test_the_spec_keeps_the_folder_and_the_identity_drops_it(root):
    spec = DATASETS.canonical(TorchvisionSet("MNIST", root))
    assert spec == f"TorchvisionSet(name='MNIST', root={str(root)!r}, download=False)"
    assert DATASETS.make(spec) == TorchvisionSet("MNIST", root)
    assert str(root) not in DATASETS.spec(spec).identity
    assert DATASETS.canonical("TorchvisionSet('MNIST')") == "TorchvisionSet(name='MNIST', root=None, download=False)"


@pytest.mark.parametrize("name", ["FashionMNIST", "CIFAR10", "SVHN", "Food101", "Flowers102"])
def test_support_comes_from_train_and_queries_from_test(name, root, any_checksum):
    FOLDERS[name](root)
    images = TorchvisionSet(name, root).load()
    sampler = Balanced(support_from="partition=train", query_from="partition=test")
    shape = EpisodeShape(n_way=2, k_shot=2, n_query=1)
    episodes = sampler.sample(images, np.arange(2), shape, seed=0, start=0, count=20)
    episodes.check(images)
    assert images.mask("partition=train")[episodes.support].all()
    assert images.mask("partition=test")[episodes.query].all()


def test_classes_that_share_a_name_are_told_apart_by_their_number(root):
    FOLDERS["ImageNet"](root)
    assert TorchvisionSet("ImageNet-val", root).load().class_names == ("crane 0", "crane 2", "tench")


def test_a_class_without_images_is_left_out(root):
    FOLDERS["EMNIST-letters"](root)
    assert TorchvisionSet("EMNIST-letters", root).load().class_names == ("a", "b")  # torchvision's has "N/A" first


def test_the_same_files_through_a_folder_and_through_torchvision_have_the_same_digest(root):
    FOLDERS["EuroSAT"](root)
    one, other = TorchvisionSet("EuroSAT", root).load(), ImageFolderSet(root / "eurosat/2750").load()
    assert one.images_digest == other.images_digest
    assert one.class_names == other.class_names
    assert np.array_equal(one.labels, other.labels)


def test_a_damaged_set_is_one_sentence(root):
    mnist(root)
    (root / "FashionMNIST/raw/t10k-images-idx3-ubyte").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"^FashionMNIST is incomplete or damaged in .* \(test\): "):
        TorchvisionSet("FashionMNIST", root).load()


def test_a_damaged_image_is_named(root):
    FOLDERS["EuroSAT"](root)
    (root / "eurosat/2750/Forest/Forest_1.jpg").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"1 of 4 images cannot be read: .*Forest_1.jpg"):
        TorchvisionSet("EuroSAT", root).load()


def test_copies_are_told(root, caplog):
    FOLDERS["EuroSAT"](root)
    forest = root / "eurosat/2750/Forest"
    (forest / "Forest_2.jpg").write_bytes((forest / "Forest_1.jpg").read_bytes())
    TorchvisionSet("EuroSAT", root).load()
    assert "EuroSAT: 1 exact copy of other images of the same class" in caplog.text
    caplog.clear()
    mnist(root)
    images, _ = labelled(2, 28, 28)
    idx(root / "FashionMNIST/raw/t10k-images-idx3-ubyte", images[[0, 1, 2, 0]])
    TorchvisionSet("FashionMNIST", root).load()
    assert "1 exact copy of images of ANOTHER class, such as test 0 and test 3" in caplog.text


@pytest.fixture
def packed(root, monkeypatch) -> Path:
    """FashionMNIST as .gz files that have the published checksums."""
    mnist(root, packed=True)
    raw = root / "FashionMNIST/raw"
    known = [(path.name, md5(path)) for path in sorted(raw.iterdir())]
    monkeypatch.setattr(torchvision.datasets.FashionMNIST, "resources", known)
    return raw


def test_gz_files_are_unpacked_after_their_checksum(packed, root):
    assert len(TorchvisionSet("FashionMNIST", root).load()) == 10
    assert len(list(packed.iterdir())) == 8


def test_files_of_debians_package_are_found_where_no_root_is_given(packed, root, own_home, tmp_path, monkeypatch):
    debian = tmp_path / "datasets"
    monkeypatch.setattr(torchvision_set, "DEBIAN_SETS", debian)
    with pytest.raises(ValueError, match="run `apt-get install dataset-fashion-mnist`, or use download=True"):
        TorchvisionSet("FashionMNIST").load()
    debian.mkdir()
    packed.rename(debian / "fashion-mnist")
    with pytest.raises(ValueError, match="run `apt-get install dataset-fashion-mnist` and leave root out, or"):
        TorchvisionSet("FashionMNIST", root).load()
    assert len(TorchvisionSet("FashionMNIST").load()) == 10
    assert len(list((own_home / "torchvision/FashionMNIST/raw").iterdir())) == 4


def test_a_gz_file_with_another_checksum_is_named_and_not_unpacked(packed, root):
    mnist(root, packed=True)
    sentence = r"t10k-images-idx3-ubyte.gz has the md5 .* instead of .*, that of the published file; get it again"
    with pytest.raises(ValueError, match=sentence):
        TorchvisionSet("FashionMNIST", root).load()
    assert len(list(packed.iterdir())) == 4


def test_a_damaged_gz_file_is_named(packed, root):
    path = packed / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ValueError, match=r"t10k-images-idx3-ubyte.gz cannot be unpacked: "):
        TorchvisionSet("FashionMNIST", root).load()


def test_pickles_of_an_old_torchvision_are_refused(root):
    mnist(root)
    (root / "FashionMNIST/processed").mkdir()
    (root / "FashionMNIST/processed/training.pt").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"training.pt is a pickle of an old torchvision and is not loaded; delete "):
        TorchvisionSet("FashionMNIST", root).load()


class Touch:
    """A pickle that makes a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def sign(monkeypatch, root: Path) -> None:
    """Makes torchvision's checksums of CIFAR10 those of these files."""
    folder, loader = root / "cifar-10-batches-py", torchvision.datasets.CIFAR10
    for lists in ("train_list", "test_list"):
        monkeypatch.setattr(loader, lists, [[name, md5(folder / name)] for name, _ in getattr(loader, lists)])
    monkeypatch.setattr(loader, "meta", {**loader.meta, "md5": md5(folder / "batches.meta")})


def test_cifar_is_read_as_torchvision_reads_it(root, monkeypatch):
    cifar(root)
    sign(monkeypatch, root)
    images = TorchvisionSet("CIFAR10", root).load()
    theirs = [torchvision.datasets.CIFAR10(root, train=train) for train in (False, True)]
    assert images.class_names == tuple(theirs[0].classes)
    for part, partition in zip(theirs, ("test", "train"), strict=True):
        rows = np.flatnonzero(images.mask(f"partition={partition}"))
        assert len(rows) == len(part)
        for row, (image, label) in zip(rows, part, strict=True):
            assert np.array_equal(np.asarray(images.images[row]), np.asarray(image))
            assert images.labels[row] == label


@pytest.mark.parametrize("file", ["data_batch_3", "test_batch", "batches.meta"])
def test_a_malicious_pickle_is_refused_before_and_behind_its_checksum(file, root, monkeypatch, tmp_path):
    cifar(root)
    sign(monkeypatch, root)
    path = root / "cifar-10-batches-py" / file
    path.write_bytes(pickle.dumps({"data": Touch(tmp_path / "ran")}))
    with pytest.raises(
        ValueError,
        match=f"not the published .*{file} has the md5 .*; get it from cs.toronto.edu/~kriz/cifar.html, or",
    ):
        TorchvisionSet("CIFAR10", root).load()
    sign(monkeypatch, root)
    with pytest.raises(ValueError, match=f"{file} is not loaded: it asks for posix.mkdir, which is not a number"):
        TorchvisionSet("CIFAR10", root).load()
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "name", ["builtins.eval", "os.system", "numpy.load", "numpy.ndarray.tofile", "builtins.getattr"]
)
def test_the_unpickler_finds_arrays_and_nothing_else(name):
    module, _, attribute = name.partition(".")
    with pytest.raises(ValueError, match=f"it is not loaded: it asks for {name}"):
        unpickle(
            b"\x80\x04"
            + b"\x8c"
            + bytes([len(module)])
            + module.encode()
            + b"\x8c"
            + bytes([len(attribute)])
            + attribute.encode()
            + b"\x93.",
            "it",
        )
    values = {"a": [1, "x", b"y"], "b": np.arange(6, dtype=np.uint8).reshape(2, 3)}
    assert str(unpickle(pickle.dumps(values, protocol=3), "it")) == str(values)


def test_a_damaged_mat_file_is_one_sentence(root, any_checksum):
    FOLDERS["SVHN"](root)
    (root / "test_32x32.mat").write_bytes(b"MATLAB 5.0 MAT-file" * 20)
    with pytest.raises(ValueError, match=r"^SVHN is incomplete or damaged in .* \(test\): "):
        TorchvisionSet("SVHN", root).load()


def test_images_without_labels_are_told(root, any_checksum):
    (root / "fer2013").mkdir()
    for part, header in (("train", "emotion,pixels"), ("test", "pixels")):
        row = " ".join(["7"] * 2304)
        (root / f"fer2013/{part}.csv").write_text(f"{header}\n{'0,' if part == 'train' else ''}{row}\n")
    with pytest.raises(ValueError, match=r"^FER2013 .* \(test\): its files hold images without labels$"):
        TorchvisionSet("FER2013", root).load()


def test_images_in_files_are_upright_and_sorted_by_path(root):
    FOLDERS["SUN397"](root)
    picture(root / "SUN397/a/abbey/sun_0.jpg", 40)
    paths = TorchvisionSet("SUN397", root).load().images.paths
    assert list(paths) == sorted(paths)


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="needs Debian's package dataset-fashion-mnist")
def test_fashion_mnist_comes_from_debians_package(own_home):
    images = TorchvisionSet("FashionMNIST").load()
    assert images.images_digest.startswith("b83eb3900d715d1f")
    assert np.bincount(images.labels).tolist() == [7000] * 10
    assert images.mask("partition=train").sum() == 60_000
    assert images.class_names[9] == "Ankle boot"
    theirs = torchvision.datasets.FashionMNIST(own_home / "torchvision", train=True)
    row = int(np.flatnonzero(images.mask("partition=train"))[17])
    assert images.labels[row] == theirs[17][1]
    assert np.array_equal(np.asarray(images.images[row])[:, :, 1], np.asarray(theirs[17][0]))


@pytest.mark.parametrize("labels", [[0, 1, 0, 127], [0, 1, 0, 10], [0, 1, 0], [0, 1, 0, 1, 0]])
def test_labels_that_are_no_classes_of_the_images_are_one_sentence(labels, root):
    mnist(root)
    idx(root / "FashionMNIST/raw/t10k-labels-idx1-ubyte", np.array(labels, np.uint8))
    wrong = (
        "labels must be in \\[0, 10\\), found" if len(labels) == 4 else f"it holds 4 images and {len(labels)} labels"
    )
    with pytest.raises(ValueError, match=rf"^FashionMNIST is incomplete or damaged in .* \(test\): {wrong}"):
        TorchvisionSet("FashionMNIST", root).load()


@pytest.mark.parametrize("label", ["0", "-3", "999999999999"])
def test_a_label_without_a_class_is_no_memory(label, root, any_checksum):
    FOLDERS["USPS"](root)
    lines = bz2.decompress((root / "usps.bz2").read_bytes()).decode().split("\n")
    lines[0] = " ".join([label, *lines[0].split(" ")[1:]])
    (root / "usps.bz2").write_bytes(bz2.compress("\n".join(lines).encode()))
    with pytest.raises(ValueError, match=r"^USPS is incomplete or damaged in .* \(train\): labels must be in \[0, "):
        TorchvisionSet("USPS", root).load()
