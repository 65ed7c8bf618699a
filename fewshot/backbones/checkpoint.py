"""A local file of weights."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from fewshot.backbones import Backbone, BackboneSource
from fewshot.backbones._timm_network import build, data_config, pretrained_config, resize, timm_backbone
from fewshot.plugins.fields import declare, integer
from fewshot.plugins.shorthand import WEIGHT_SUFFIXES

_NESTED = ("state_dict", "model", "model_state_dict")


@dataclass(frozen=True)
class Checkpoint(BackboneSource):
    """Weights of a local .safetensors, .pth, .pt or .bin file in timm's network `name`.

    A state dict may lie under 'state_dict', 'model' or 'model_state_dict', and its names may begin with
    'module.'. The number of classes is the file's; every entry must fit. Preprocessing is timm's for
    `name`. A network built for one size is loaded at `image_size` if the file fits there, else at its own
    size and resampled. `pool` as for Timm.
    """

    short_name: ClassVar[str] = "{name} from {path:file}[ @{image_size}]"

    name: str
    path: Path
    image_size: int | None = None
    pool: str | None = None

    rules = declare(image_size=integer(1))

    def load(self) -> Backbone:
        """The network; a file that does not fit, is damaged or holds code is a ValueError."""
        path = Path(self.path)
        state = read_state(path)
        network = self._network(state, self.image_size)
        if self.image_size is not None and _mismatch(network, state):
            network = self._network(state, None)
        load_strictly(network, state, f"the checkpoint {path}", self.name)
        resize(network, self.name, self.image_size)
        return timm_backbone(self.name, network, data_config(network, self.image_size), self.pool)

    def _network(self, state: Mapping[str, Tensor], image_size: int | None) -> nn.Module:
        """The network with as many classes as the file's classifier has, or none where it has none."""
        network = build(self.name, image_size)
        classifier = pretrained_config(network).get("classifier") or ""
        first = classifier if isinstance(classifier, str) else classifier[0]
        weight = state.get(f"{first}.weight")
        num_classes = 0 if weight is None else weight.shape[0]
        return network if num_classes == network.num_classes else build(self.name, image_size, num_classes)


def read_state(path: Path) -> dict[str, Tensor]:
    """The state dict of a file, on the CPU. Nothing in it is executed: a pickle with code is a ValueError."""
    if path.suffix not in WEIGHT_SUFFIXES:
        raise ValueError(f"a checkpoint is a file that ends in {', '.join(WEIGHT_SUFFIXES)}; got {path}")
    if not path.is_file():
        raise ValueError(f"there is no checkpoint {path}; give the path of a file")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about pickles that torch did not write
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(_refused(path, error)) from error
    except (SafetensorError, RuntimeError, EOFError, OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"the checkpoint {path} cannot be read ({type(error).__name__}: {_short(error)}); "
            "it is damaged or of another format: fetch it again"
        ) from error
    return _state_dict(content, path)


def load_strictly(network: nn.Module, state: Mapping[str, Tensor], what: str, name: str) -> None:
    """Loads every entry; a ValueError counts and names what is missing, unexpected or of another shape."""
    mismatch = _mismatch(network, state)
    if mismatch:
        raise ValueError(
            f"{what} does not fit timm's {name!r}: {mismatch}; "
            "give the name of the network that these weights were trained in"
        )
    network.load_state_dict(state, strict=True)


def _mismatch(network: nn.Module, state: Mapping[str, Tensor]) -> str:
    """What keeps a strict load from succeeding, or ''."""
    own = network.state_dict()
    missing = [key for key in own if key not in state]
    unexpected = [key for key in state if key not in own]
    reshaped = [key for key in own if key in state and own[key].shape != state[key].shape]
    parts = []
    if missing:
        parts.append(f"{len(missing)} of {len(own)} entries are missing (first: {missing[0]})")
    if unexpected:
        parts.append(f"{len(unexpected)} of its {len(state)} are unexpected (first: {unexpected[0]})")
    if reshaped:
        first = reshaped[0]
        parts.append(
            f"{len(reshaped)} have another shape (first: {first} is {tuple(state[first].shape)}, "
            f"should be {tuple(own[first].shape)})"
        )
    return ", ".join(parts)


def _state_dict(content: Any, path: Path) -> dict[str, Tensor]:
    """The tensors by name, out of the containers that trainers save them in."""
    if isinstance(content, Mapping):
        nested = next((content[key] for key in _NESTED if isinstance(content.get(key), Mapping)), content)
        if nested and all(isinstance(value, Tensor) for value in nested.values()):
            bare = all(name.startswith("module.") for name in nested)
            return {name.removeprefix("module.") if bare else name: value for name, value in nested.items()}
    found = type(content).__name__
    if isinstance(content, Mapping):
        found += f" of {', '.join(map(str, list(content)[:5])) or 'nothing'}"
    raise ValueError(
        f"the checkpoint {path} holds a {found}, but a state dict was expected, alone or under "
        f"{', '.join(map(repr, _NESTED))}; save network.state_dict()"
    )


def _refused(path: Path, error: pickle.UnpicklingError) -> str:
    """Sentence for a file that torch would not unpickle: it holds more than tensors, or is no pickle."""
    with path.open("rb") as file:
        begins_as_pickle = file.read(1) == pickle.PROTO
    if begins_as_pickle or "GLOBAL" in str(error):
        return (
            f"the checkpoint {path} holds more than tensors (a pickle that names code): not loaded; "
            "where you trust it, load it yourself and save its state dict as .safetensors"
        )
    return f"the checkpoint {path} cannot be read (UnpicklingError); it is damaged or of another format: fetch it again"


def _short(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [""])[0][:120]
