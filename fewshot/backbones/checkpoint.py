"""A local file of weights."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from torch import Tensor, nn

from fewshot.backbones import Backbone, BackboneSource
from fewshot.backbones._conversion import Networks
from fewshot.backbones._fitting import Fitted, Misfit, fit
from fewshot.backbones._timm_network import check_name, data_config, resize, timm_backbone
from fewshot.backbones._weight_config import CONFIG, PREPROCESSING, WeightConfig, check_preprocessing, config_beside
from fewshot.backbones._weight_files import check_finite
from fewshot.backbones._weight_states import WeightState, choose, of_network, read_states
from fewshot.files.quoting import quoted
from fewshot.plugins.fields import declare, integer
from fewshot.plugins.signature import Later
from fewshot.plugins.wording import counted
from fewshot.results.seen_classes.tags import NOT_KNOWN

_log = logging.getLogger("fewshot")
_PLAIN = ("", "state_dict", "model", "model_state_dict")  # places of a state that is the only one
_NAMED = 3  # names of unused entries in the log


@dataclass(frozen=True)
class Checkpoint(BackboneSource):
    """Weights of a local file (.safetensors, .pth, .pth.tar, .pt, .bin, .ckpt) in timm's network `name`.

    The weights may be in dicts of any name and under a shared prefix ("module.", "backbone.", "module.encoder_q."). If
    several states of a file fit, such as a running average, or student and teacher, `state` chooses one:
    "state_dict_ema", "teacher". All entries must fit, except those that only training needs. The number of classes
    comes from the file. A network built for one size is loaded at `image_size` if the file fits there, else at its own
    size and resampled. `pool` as for Timm.

    The preprocessing comes from timm's config.json beside the file, which may also set the image size and arguments of
    the network, else from timm's config of `name`; `mean` and `std` (of values in [0, 1], by channel), `interpolation`
    ("bilinear", "bicubic", ...), `crop_pct` (the share of the resized image that is kept) and `crop_mode` ("center",
    "squash", "border") replace it. `pretrained_on` names the training data, such as "ImageNet-1k", for the report of
    seen classes; fewshot cannot check it.
    """

    short_name: ClassVar[str] = "{name} from {path:file}[ {state}][ @{image_size}]"
    companions: ClassVar[tuple[str, ...]] = ("config.json",)  # read from the folder of `path`; part of the identity

    name: str
    path: Path
    image_size: int | None = None
    pool: str | None = None
    state: str | Later = None
    mean: tuple[float, ...] | Later = None
    std: tuple[float, ...] | Later = None
    interpolation: str | Later = None
    crop_pct: float | Later = None
    crop_mode: str | Later = None
    pretrained_on: str | Later = None

    rules = declare(image_size=integer(1))

    def check(self) -> None:
        check_name(self.name)
        if not Path(self.path).exists():
            raise ValueError(f"there is no file {self.path} of weights; give the path of a checkpoint")

    def load(self) -> Backbone:
        """The network. A file that does not fit, is damaged or holds code is a ValueError."""
        own = {name: getattr(self, name) for name in PREPROCESSING if getattr(self, name) is not None}
        check_preprocessing(own, "Checkpoint")
        path = Path(self.path)
        states, config = read_states(path), config_beside(path, self.name)
        size = config.image_size if self.image_size is None else self.image_size
        check_preprocessing(config.preprocessing, f"the {CONFIG} beside {path}")
        network = self._loaded(states, config, size)
        resize(network, self.name, size)
        preprocessing = data_config(network, size, **{**config.preprocessing, **own})
        return timm_backbone(self.name, network, preprocessing, self.pool, self.trained_on())

    def trained_on(self) -> str:
        """What the user says; unknown otherwise."""
        return self.pretrained_on or NOT_KNOWN

    def _loaded(self, states: list[WeightState], config: WeightConfig, size: int | None) -> nn.Module:
        """The network with the chosen state, or the only one that fits."""
        networks, what = Networks(self.name, config.arguments), f"the checkpoint {self.path}"
        fitting: dict[WeightState, tuple[nn.Module, Fitted]] = {}
        misfits: dict[WeightState, Misfit] = {}
        for state in of_network(states, networks.names(size)):
            try:
                fitting[state] = networks.fitted(state.tensors, size)
            except Misfit as error:
                misfits[state] = error
        if not fitting:
            wanted = [state for state in misfits if self.state and f".{self.state}." in f".{state.place}."]
            best = (wanted or list(misfits))[0]
            raise ValueError(
                _does_not_fit(f"{what} ({quoted(best.place)})" if best.place else what, self.name, misfits[best])
            )
        chosen = choose(list(fitting), self.state, what)
        network, fitted = fitting[chosen]
        network.load_state_dict(fitted.tensors, strict=True)
        check_finite(network, what)
        self._tell(chosen, fitted, [state.place for state in states])
        return network

    def _tell(self, state: WeightState, fitted: Fitted, places: list[str]) -> None:
        """Says which of a file's states was loaded, and what of it was not, unless there is nothing to say."""
        left_out = [*state.beside, *fitted.left_out]
        others = [place for place in places if not f"{state.place}.".startswith(f"{place}." if place else "")]
        notes = [f"loaded {quoted(state.place)}"] if others or state.place not in _PLAIN else []
        if others:
            notes.append(f"not {', '.join(map(repr, others[:_NAMED]))}")
        if left_out:
            notes.append(f"left out {counted(len(left_out), 'entry')}, such as {', '.join(left_out[:_NAMED])}")
        if notes or fitted.done:
            _log.info("%s: %s", Path(self.path).name, ", ".join([*notes, *filter(None, [fitted.done])]))


def load_strictly(network: nn.Module, state: Mapping[str, Tensor], what: str, name: str) -> None:
    """Loads all entries. A ValueError counts and names missing, unexpected and reshaped entries."""
    try:
        network.load_state_dict(fit(network, state).tensors, strict=True)
    except Misfit as misfit:
        raise ValueError(_does_not_fit(what, name, misfit)) from misfit
    check_finite(network, what)


def read_state(path: Path) -> dict[str, Tensor]:
    """The entries of a file of one state; a ValueError where it has several."""
    return dict(choose(read_states(path), None, f"the file {path}").tensors)


def _does_not_fit(what: str, name: str, misfit: Misfit) -> str:
    return f"{what} does not fit timm's {name!r}: {misfit}; give the name of the network that they were trained in"
