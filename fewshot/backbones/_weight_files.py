"""Reads files of weights without running anything that they name: safetensors, and pickles of torch as weights only."""

from __future__ import annotations

import pickle
import re
import warnings
from collections import OrderedDict
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from fewshot.plugins.shorthand import WEIGHT_SUFFIXES

_BROKEN = (SafetensorError, RuntimeError, EOFError, OSError, ValueError, KeyError, TypeError, AttributeError)
# Names of objects that trainers leave beside the weights: arguments, settings, the best score, paths. Where a pickle
# names one, an empty object takes its place; nothing of these modules is imported or called.
_BESIDE = (
    "argparse.Namespace", "types.SimpleNamespace", "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar",
    "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct", "numpy.dtype", "numpy.ndarray",
    "pathlib.PosixPath", "pathlib.PurePosixPath", "pathlib.WindowsPath", "pathlib.PureWindowsPath",
    "pathlib._local.PosixPath", "pathlib._local.WindowsPath", "datetime.datetime", "datetime.date",
    "datetime.timedelta", "builtins.int", "builtins.float", "builtins.bool", "builtins.str", "builtins.list",
    "builtins.dict", "builtins.tuple", "typing.Any", "omegaconf.dictconfig.DictConfig",
    "omegaconf.listconfig.ListConfig", "omegaconf.base.ContainerMetadata", "omegaconf.base.Metadata",
    "omegaconf.nodes.AnyNode", "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint",
    "pytorch_lightning.callbacks.early_stopping.EarlyStopping",
)  # fmt: skip
_DICTS = (  # those that are filled as a dict is
    "collections.defaultdict", "yacs.config.CfgNode", "fvcore.common.config.CfgNode", "easydict.EasyDict",
    "addict.addict.Dict", "mmcv.utils.config.ConfigDict", "mmengine.config.config.ConfigDict",
    "pytorch_lightning.utilities.parsing.AttributeDict", "lightning_fabric.utilities.data.AttributeDict",
)  # fmt: skip


class _Nothing:
    """Stands for an object beside the weights: takes whatever it is made of, and keeps nothing."""

    def __new__(cls, *_: Any, **__: Any) -> _Nothing:
        return object.__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None: ...
    def __setstate__(self, _: Any) -> None: ...


class _NoDict:
    """The same for one that is filled as a dict; what is made is an OrderedDict, the one that torch fills."""

    def __new__(cls, *_: Any, **__: Any) -> Any:
        return OrderedDict()


def _stand_in(name: str, base: type[Any]) -> type[Any]:
    """A class of that full name: torch allows classes by the names that they bear."""
    module, _, own = name.rpartition(".")
    return type(own, (base,), {"__module__": module, "__qualname__": own})


_STAND_INS = [_stand_in(n, _Nothing) for n in _BESIDE] + [_stand_in(n, _NoDict) for n in _DICTS]


def read_content(path: Path) -> Any:
    """What a file of weights holds, on the CPU. A ValueError says what is wrong with one that cannot be read, or that
    names code."""
    if not path.name.endswith(WEIGHT_SUFFIXES):
        raise ValueError(f"a checkpoint is a file that ends in {', '.join(WEIGHT_SUFFIXES)}; got {path}")
    if not path.is_file():
        raise ValueError(f"there is no checkpoint {path}; give the path of a file")
    try:
        return load_file(path) if path.suffix == ".safetensors" else _unpickled(path)
    except pickle.UnpicklingError as error:
        raise ValueError(_refused(path, error)) from error
    except _BROKEN as error:
        raise ValueError(_unreadable(path, error)) from error


def _unpickled(path: Path) -> Any:
    with warnings.catch_warnings(), _allowed():
        warnings.simplefilter("ignore", UserWarning)  # about pickles that torch did not write
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except UnicodeDecodeError:  # texts of Python 2
            return torch.load(path, map_location="cpu", weights_only=True, encoding="latin1")


def _allowed() -> AbstractContextManager[None]:
    """Inside the context torch puts stand-ins where a pickle names what lies beside weights."""
    allow: Any = getattr(torch.serialization, "safe_globals", None)  # since torch 2.5
    return nullcontext() if allow is None else allow(_STAND_INS)


def _refused(path: Path, error: pickle.UnpicklingError) -> str:
    """Sentence for a file that torch would not unpickle: it names what is not known, or is no pickle."""
    named = re.search(r"GLOBAL (\S+)", str(error))
    if named and named[1].startswith("torch._"):
        return (
            f"the checkpoint {path} needs {named[1]}, which torch {torch.__version__} does not have: it is of a newer "
            "or a special torch; save its state dict there as .safetensors"
        )
    with path.open("rb") as file:
        first = file.read(1)
    if "operand" in str(error) and first == b"P":  # a zip file, as torch writes
        return (
            f"the checkpoint {path} is written in a form of pickle that is not read without running it; save its state "
            "dict as .safetensors, or by torch.save with its own pickle_protocol"
        )
    if first == pickle.PROTO or "GLOBAL" in str(error):
        return (
            f"the checkpoint {path} holds more than tensors (a pickle that names code): not loaded"
            f"{', it names ' + named[1] if named else ''}; where you trust it, load it yourself and save its state "
            "dict as .safetensors"
        )
    return f"the checkpoint {path} cannot be read (UnpicklingError); it is damaged or of another format: fetch it again"


def _unreadable(path: Path, error: BaseException) -> str:
    """Sentence for a file that is not what its name says, by what torch makes of it."""
    text = str(error)
    if "TorchScript" in text:
        return (
            f"the checkpoint {path} is a TorchScript program, not weights; load it with torch.jit.load and save its "
            "state_dict() as .safetensors"
        )
    newer = re.search(r"file with version (\d+)", text)
    if newer:
        return (
            f"the checkpoint {path} is of a newer torch than {torch.__version__} (file version {newer[1]}); install "
            "that, or save its state dict there as .safetensors"
        )
    if "legacy .tar" in text:
        return (
            f"the checkpoint {path} is of a torch before 0.1.10, whose form is not read without running it; load it "
            "yourself where you trust it and save its state dict as .safetensors"
        )
    said = (text.strip().splitlines() or [""])[0][:120]
    return (
        f"the checkpoint {path} cannot be read ({type(error).__name__}: {said}); it is damaged or of another format: "
        "fetch it again"
    )
