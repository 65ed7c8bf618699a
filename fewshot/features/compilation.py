"""Networks compiled by torch.compile for batches of one shape."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from fewshot.backbones import Backbone


class Compiled(nn.Module):
    """A network whose forward pass is compiled at its first call. A network or machine that cannot compile is a
    ValueError."""

    def __init__(self, network: nn.Module, name: str) -> None:
        super().__init__()
        self.network, self._name = network, name
        # Not by measuring variants, which would choose other sums in another process.
        self._call: Any = torch.compile(network.forward, dynamic=False)
        self.train(network.training)

    def forward(self, inputs: torch.Tensor) -> Any:
        """The output of the network."""
        from torch._dynamo.exc import TorchDynamoException

        try:
            return self._call(inputs)
        except (TorchDynamoException, ImportError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise ValueError(f"torch.compile cannot compile {self._name}: {reason}; leave out --compile") from error


def compiled(backbone: Backbone) -> nn.Module:
    """The network of a backbone, compiled."""
    return Compiled(backbone.network, backbone.name)
