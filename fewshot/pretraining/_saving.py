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
        """Loads the state from a file; False if there is none, if it belongs to another training, or, with a warning,
        if its bits changed: then the training starts anew."""
        try:
            with safe_open(path, framework="pt") as file:
                about = file.metadata() or {}
                if about.get("identity") != identity:
                    return False
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (FileNotFoundError, SafetensorError):
            return False
        if about.get("checksum") != _checksum(tensors, about):
            _log.warning("the state of a training in %s was changed after it was written; it starts anew", path)
            return False
        self.objective.load_state_dict(_part(tensors, _OBJECTIVE))
        for number, parameter in enumerate(self._parameters):
            state = _part(tensors, f"{_OPTIMIZER}{number}.")
            if state:
                scalars = {
                    name: value if value.ndim == 0 else value.to(parameter.device) for name, value in state.items()
                }
                self.optimizer.state[parameter] = scalars
        self.losses = tensors[_LOSSES].tolist()
        self.best = _part(tensors, _BEST) or None
        values = json.loads(about["progress"])
        self.best_loss, self.best_step, self.seconds = (values[k] for k in ("best_loss", "best_step", "seconds"))
        return True

    @property
    def _parameters(self) -> list[Tensor]:
        return [parameter for group in self.optimizer.param_groups for parameter in group["params"]]


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
