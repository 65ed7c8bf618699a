"""Copies of a network with other modules and the same weights."""

from __future__ import annotations

import copy
import sys
from typing import Any

from torch import nn


def copy_sharing_weights(network: nn.Module) -> nn.Module:
    """A copy of the network whose parameters and buffers are those of the network itself."""
    shared = {id(tensor): tensor for tensor in (*network.parameters(), *network.buffers())}
    return copy.deepcopy(network, shared)


def replace_module(network: nn.Module, name: str, module: nn.Module) -> None:
    """Puts the module, in eval mode, in the place of that name."""
    parent, _, last = name.rpartition(".")
    setattr(network.get_submodule(parent), last, module.eval())


def loaded_class(module: str, name: str) -> Any:
    """A class of a module; None if nothing has imported the module, so that no network can hold the class."""
    return getattr(sys.modules.get(module), name, None)
