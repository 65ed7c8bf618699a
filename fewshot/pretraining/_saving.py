"""The state of a training in a file, so that an interrupted training can resume."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from fewshot.files.atomic import write_atomically
from fewshot.files.checksums import checksum_of_parts
from fewshot.files.regular import check_regular, parsed_json

_log = logging.getLogger("fewshot")
_OBJECTIVE, _OPTIMIZER, _BEST, _LOSSES = "objective.", "optimizer.", "best.", "losses"


@dataclass(eq=False)
class Progress:
    """The state of a training: modules and optimizer, changed in place, and the losses so far."""

    objective: nn.Module
    optimizer: torch.optim.Optimizer
    losses: list[float] = field(default_factory=list)  # one per step
    best: dict[str, Tensor] | None = None  # the weights with the least loss on validation images
    best_loss: float | None = None
    best_step: int = 0
    seconds: float = 0.0

    @property
    def step(self) -> int:
        """The number of finished steps."""
        return len(self.losses)

    @property
    def first_loss(self) -> float:
        """The mean loss over the first tenth of the steps so far."""
        return self._mean(self.losses[: self._tenth])

    @property
    def recent_loss(self) -> float:
        """The mean loss over the last tenth of the steps so far."""
        return self._mean(self.losses[-self._tenth :])

    def keep_best(self, loss: float) -> None:
        """Keeps a copy of the weights if their validation loss is the least so far."""
        if self.best_loss is None or loss < self.best_loss:
            self.best_loss, self.best_step = loss, self.step
            self.best = {name: value.detach().clone() for name, value in self.objective.state_dict().items()}

    def save(self, path: Path, identity: str) -> None:
        """Writes the whole state to a file, atomically."""
        tensors = {_OBJECTIVE + name: value for name, value in self.objective.state_dict().items()}
        tensors |= {_BEST + name: value for name, value in (self.best or {}).items()}
        for number, parameter in enumerate(self._parameters):
            for name, value in self.optimizer.state.get(parameter, {}).items():
                if isinstance(value, Tensor):
                    tensors[f"{_OPTIMIZER}{number}.{name}"] = value
        tensors[_LOSSES] = torch.tensor(self.losses, dtype=torch.float64)
        about = {"best_loss": self.best_loss, "best_step": self.best_step, "seconds": self.seconds}
        write_atomically(path, saved(tensors, {"identity": identity, "progress": json.dumps(about)}))

    def resume(self, path: Path, identity: str) -> bool:
        """Loads the state from a file; False if there is none, or if it belongs to another training. A state that
        changed, or that does not fit this training, is not loaded: the training starts anew, with a warning."""
        try:
            with safe_open(check_regular(path), framework="pt") as file:
                about = file.metadata() or {}
                if about.get("identity") != identity:
                    return False
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            self._load(tensors, about)
        except FileNotFoundError:
            return False
        except (SafetensorError, OSError, ValueError) as error:
            _log.warning("the state of a training in %s cannot be used (%s); the training starts anew", path, error)
            return False
        return True

    def _load(self, tensors: dict[str, Tensor], about: Mapping[str, str]) -> None:
        """Takes over a whole state; a ValueError, before anything is changed, if it is damaged or does not fit."""
        if about.get("checksum") != _checksum(tensors, about):
            raise ValueError("it was changed after it was written")
        losses, values = tensors.get(_LOSSES), _progress(about)
        if losses is None or losses.ndim != 1 or not bool(torch.isfinite(losses).all()):
            raise ValueError("it has no losses of its steps")
        objective, best = _part(tensors, _OBJECTIVE), _part(tensors, _BEST)
        own = self.objective.state_dict()
        _check_like(objective, own)
        if best:
            _check_like(best, own)
        states = [_part(tensors, f"{_OPTIMIZER}{number}.") for number in range(len(self._parameters))]
        for parameter, state in zip(self._parameters, states, strict=True):
            _check_optimizer(state, parameter)
        self.objective.load_state_dict(objective)
        for parameter, state in zip(self._parameters, states, strict=True):
            if state:
                on_device = {name: v if v.ndim == 0 else v.to(parameter.device) for name, v in state.items()}
                self.optimizer.state[parameter] = on_device
        self.losses, self.best = losses.tolist(), best or None
        self.best_loss, self.best_step, self.seconds = values

    @property
    def _tenth(self) -> int:
        return max(1, round(0.1 * self.step))

    @staticmethod
    def _mean(losses: list[float]) -> float:
        return sum(losses) / max(1, len(losses))

    @property
    def _parameters(self) -> list[Tensor]:
        return [parameter for group in self.optimizer.param_groups for parameter in group["params"]]


def _progress(about: Mapping[str, str]) -> tuple[float | None, int, float]:
    """The best loss, its step and the seconds so far; a ValueError if the metadata lacks one."""
    try:
        values = parsed_json(about["progress"])
        best_loss, best_step, seconds = (values[name] for name in ("best_loss", "best_step", "seconds"))
        return None if best_loss is None else float(best_loss), int(best_step), float(seconds)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("it does not say how far the training was") from error


def _check_like(state: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> None:
    """Raises a ValueError unless a state has the same names, shapes and types as the own one."""
    if odd := sorted(state.keys() ^ own.keys()):
        raise ValueError(f"it {'lacks' if odd[0] in own else 'has an unknown'} {odd[0]!r}")
    for name, value in state.items():
        if (value.shape, value.dtype) != (own[name].shape, own[name].dtype):
            expected, found = (f"{tuple(t.shape)} {t.dtype}" for t in (own[name], value))
            raise ValueError(f"{name!r} should be {expected}, but is {found}")


def _check_optimizer(state: Mapping[str, Tensor], parameter: Tensor) -> None:
    """Raises a ValueError if the optimizer's state does not fit its parameter; single numbers fit any."""
    for name, value in state.items():
        if value.ndim and value.shape != parameter.shape:
            shapes = f"{tuple(value.shape)}, but its parameter is {tuple(parameter.shape)}"
            raise ValueError(f"{name!r} of the optimizer is {shapes}")


def saved(tensors: dict[str, Tensor], metadata: dict[str, str]) -> bytes:
    """The bytes of a .safetensors file; tensors may share memory or be strided."""
    whole = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    return save(whole, metadata | {"checksum": _checksum(whole, metadata)})


def _checksum(tensors: dict[str, Tensor], metadata: Mapping[str, str]) -> str:
    """The checksum of a state: of its tensors, and of what is said of them."""
    text = json.dumps({name: value for name, value in sorted(metadata.items()) if name != "checksum"})
    parts = (
        (n, f"{t.dtype} {tuple(t.shape)}", t.flatten().view(torch.uint8).numpy()) for n, t in sorted(tensors.items())
    )
    return checksum_of_parts(text, parts)


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
