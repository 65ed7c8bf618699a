"""Reads files of weights without running code from them: safetensors, and torch pickles as weights only."""

from __future__ import annotations

import pickle
import re
import warnings
from collections import OrderedDict
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import nn

from fewshot.files.quoting import quoted
from fewshot.files.regular import check_regular
from fewshot.files.zips import changed_members
from fewshot.plugins.shorthand import WEIGHT_SUFFIXES

# Objects that trainers store beside the weights: arguments, settings, the best score, paths. An empty object replaces
# each; nothing from these modules is imported or called.
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
_DICTS = (  # those that unpickle like a dict
    "collections.defaultdict", "yacs.config.CfgNode", "fvcore.common.config.CfgNode", "easydict.EasyDict",
    "addict.addict.Dict", "mmcv.utils.config.ConfigDict", "mmengine.config.config.ConfigDict",
    "pytorch_lightning.utilities.parsing.AttributeDict", "lightning_fabric.utilities.data.AttributeDict",
)  # fmt: skip


class _Nothing:
    """A stand-in for an object beside the weights: accepts any arguments and keeps nothing."""

    def __new__(cls, *_: Any, **__: Any) -> _Nothing:
        return object.__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None: ...
    def __setstate__(self, _: Any) -> None: ...


class _NoDict:
    """The same for a dict-like object: creates an OrderedDict, because torch can fill that."""

    def __new__(cls, *_: Any, **__: Any) -> Any:
        return OrderedDict()


def _stand_in(name: str, base: type[Any]) -> type[Any]:
    """A class with that full name: torch allows classes by name."""
    module, _, own = name.rpartition(".")
    return type(own, (base,), {"__module__": module, "__qualname__": own})


_STAND_INS = [_stand_in(n, _Nothing) for n in _BESIDE] + [_stand_in(n, _NoDict) for n in _DICTS]


def read_content(path: Path) -> Any:
    """The content of a file of weights, on the CPU. A file that cannot be read, or that names code, is a ValueError."""
    if not path.name.endswith(WEIGHT_SUFFIXES):
        raise ValueError(f"a checkpoint is a file that ends in {', '.join(WEIGHT_SUFFIXES)}; got {path}")
    if not check_regular(path, "checkpoint").is_file():
        raise ValueError(f"there is no checkpoint {path}; give the path of a file")
    if changed := changed_members(path):
        raise ValueError(
            f"the checkpoint {path} is damaged: the checksum of {quoted(changed[0])} in it is wrong; fetch it again"
        )
    try:
        return load_file(path) if path.suffix == ".safetensors" else _unpickled(path)
    except pickle.UnpicklingError as error:
        raise ValueError(_refused(path, error)) from error
    except Exception as error:  # of any kind: torch and pickle take the bytes of a damaged file for commands
        raise ValueError(_unreadable(path, error)) from error


def check_finite(network: nn.Module, what: str) -> None:
    """Raises a ValueError that names the first weight of a loaded network that is NaN or infinite. `what` names the
    file in it. Buffers may be infinite, such as masks."""
    broken = [name for name, value in network.named_parameters() if not bool(torch.isfinite(value).all())]
    if broken:
        raise ValueError(
            f"{what} holds weights that are NaN or infinite, the first in {quoted(broken[0])}: its "
            "training diverged, or the file is damaged; fetch it again, or give an earlier checkpoint"
        )


def _unpickled(path: Path) -> Any:
    with warnings.catch_warnings(), _allowed():
        warnings.simplefilter("ignore", UserWarning)  # about pickles that torch did not write
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except UnicodeDecodeError:  # strings of Python 2
            return torch.load(path, map_location="cpu", weights_only=True, encoding="latin1")


def _allowed() -> AbstractContextManager[None]:
    """Inside the context torch replaces objects beside the weights by stand-ins."""
    allow: Any = getattr(torch.serialization, "safe_globals", None)  # since torch 2.5
    return nullcontext() if allow is None else allow(_STAND_INS)


def _refused(path: Path, error: pickle.UnpicklingError) -> str:
    """The error for a file that torch refuses to unpickle: it names unknown objects, or is no pickle."""
    named = re.search(r"GLOBAL (\S+)", str(error))
    if named and named[1].startswith("torch._"):
        return (
            f"the checkpoint {path} needs {named[1]}, which torch {torch.__version__} does not have: a newer or "
            "special torch wrote it; save its state dict there as .safetensors"
        )
    with path.open("rb") as file:
        first = file.read(1)
    if "operand" in str(error) and first == b"P":  # a zip file, as torch writes
        return (
            f"the checkpoint {path} uses a pickle protocol that cannot be read without running code; save its state "
            "dict as .safetensors, or by torch.save with its default pickle_protocol"
        )
    if first == pickle.PROTO or "GLOBAL" in str(error):
        return (
            f"the checkpoint {path} holds more than tensors (a pickle that names code): not loaded"
            f"{', it names ' + named[1] if named else ''}; if you trust it, load it yourself and save its state "
            "dict as .safetensors"
        )
    return f"the checkpoint {path} cannot be read (UnpicklingError); it is damaged or of another format: fetch it again"


def _unreadable(path: Path, error: BaseException) -> str:
    """The error for a file whose content does not match its name, from torch's own error."""
    text = str(error)
    if "TorchScript" in text:
        return (
            f"the checkpoint {path} is a TorchScript program, not weights; load it with torch.jit.load and save its "
            "state_dict() as .safetensors"
        )
    newer = re.search(r"file with version (\d+)", text)
    if newer:
        return (
            f"a newer torch than {torch.__version__} wrote the checkpoint {path} (file version {newer[1]}); install "
            "it, or save its state dict there as .safetensors"
        )
    if "legacy .tar" in text:
        return (
            f"a torch before 0.1.10 wrote the checkpoint {path}, which cannot be read without running code; if you "
            "trust it, load it yourself and save its state dict as .safetensors"
        )
    reason = (text.strip().splitlines() or [""])[0][:120]
    return (
        f"the checkpoint {path} cannot be read ({type(error).__name__}: {reason}); it is damaged or of another format: "
        "fetch it again"
    )
