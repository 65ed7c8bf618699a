"""Files that --data cannot read, with what to give instead."""

from __future__ import annotations

from pathlib import Path

from fewshot.datasets._decoding import SUFFIXES
from fewshot.files.regular import check_regular

_ARCHIVE = "unpack it and give the folder with one folder of images per class"
_LIST = "write a CSV file with the columns path and label, or give the folder of the images"
_VECTORS = "save vectors and labels with numpy.savez('vectors.npz', vectors=..., labels=...) and give that file"
_KINDS = (
    ((".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar"), "an archive", _ARCHIVE),
    ((".json", ".jsonl", ".yaml", ".yml", ".xml"), "a file of records", _LIST),
    ((".txt", ".lst"), "a text file", _LIST),
    ((".tsv", ".xlsx", ".xls", ".ods"), "a table", _LIST),
    ((".npy",), "one array without labels", _VECTORS),
    ((".pt", ".pth", ".ckpt", ".bin"), "a file of PyTorch", _VECTORS),
    ((".h5", ".hdf5", ".mat", ".zarr"), "a file of arrays (HDF5 or MATLAB)", _VECTORS),
    ((".pkl", ".pickle", ".joblib"), "a pickle, which can run code", _VECTORS),
    (
        (".feather", ".arrow", ".tfrecord", ".tfrecords", ".mdb", ".db", ".sqlite"),
        "a table of records",
        _VECTORS,
    ),
    (tuple(SUFFIXES), "one image", "give the folder with one folder of images per class"),
)


def refusal(path: Path) -> str:
    """One sentence for an existing file of a type that is no data set: what it is, and what to give instead."""
    check_regular(path)
    for suffixes, what, advice in _KINDS:
        if path.suffix.lower() in suffixes:
            return f"--data cannot read {path}: it is {what}; {advice}"
    return (
        f"--data cannot read {path}: it is a file of an unknown type; give a folder with one folder of images per "
        "class, a CSV file with the columns path and label, or vectors and labels as .npz, .safetensors or .parquet"
    )
