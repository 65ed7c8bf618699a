"""Files that --data cannot read, with what to give instead."""

from __future__ import annotations

import os
from pathlib import Path

from fewshot.datasets._decoding import is_picture
from fewshot.files.regular import check_regular

_ARCHIVE = "unpack it and give the folder with one folder of images per class"
_LIST = "write a CSV file with the columns path and label, or give the folder of the images"
_VECTORS = "save vectors and labels with numpy.savez('vectors.npz', vectors=..., labels=...) and give that file"
_PICKLE = (
    "fewshot never loads pickles of others, such as those of mini-ImageNet, tiered-ImageNet and FC100; save their "
    "images once as class folders or .npz in a process that you trust with them (docs/images.md has the lines)"
)
_PICKLES = (".pkl", ".pickle", ".joblib")
_KINDS = (
    ((".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar"), "an archive", _ARCHIVE),
    ((".json", ".jsonl", ".yaml", ".yml", ".xml"), "a file of records", _LIST),
    ((".txt", ".lst"), "a text file", _LIST),
    ((".tsv", ".xlsx", ".xls", ".ods"), "a table", _LIST),
    ((".npy",), "one array without labels", _VECTORS),
    ((".pt", ".pth", ".ckpt", ".bin"), "a file of PyTorch", _VECTORS),
    ((".h5", ".hdf5", ".mat", ".zarr"), "a file of arrays (HDF5 or MATLAB)", _VECTORS),
    (_PICKLES, "a pickle, which can run code", _PICKLE),
    (
        (".feather", ".arrow", ".tfrecord", ".tfrecords", ".mdb", ".db", ".sqlite"),
        "a table of records",
        _VECTORS,
    ),
)


_ONE_IMAGE = "one image", "give the folder with one folder of images per class"


def refusal(path: Path) -> str:
    """One sentence for an existing file of a type that is no data set: what it is, and what to give instead."""
    check_regular(path)
    known = ((what, advice) for suffixes, what, advice in _KINDS if path.suffix.lower() in suffixes)
    what, advice = next(known, _ONE_IMAGE if is_picture(path.suffix) else ("", ""))
    if what:
        return f"--data cannot read {path}: it is {what}; {advice}"
    return (
        f"--data cannot read {path}: it is a file of an unknown type; give a folder with one folder of images per "
        "class, a CSV file with the columns path and label, or vectors and labels as .npz, .safetensors or .parquet"
    )


def refuse_pickles(folder: Path) -> None:
    """Raises a ValueError for a folder of pickles without folders in it: nothing there can be read."""
    try:
        pickles = sorted(name for name in os.listdir(folder) if name.lower().endswith(_PICKLES))
    except OSError:
        return  # `load` reports it
    if pickles and not any(path.is_dir() for path in folder.iterdir() if not path.name.startswith(".")):
        raise ValueError(f"--data cannot read {folder}: {pickles[0]} is a pickle, which can run code; {_PICKLE}")
