"""A power law with one smooth break: `BNSL1`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from fewshot.scaling.laws import Meaning
from fewshot.scaling.laws.bnsl0 import BNSL0


@dataclass(frozen=True)
class BNSL1(BNSL0):
    """A broken neural scaling law with one smooth break."""

    c1: Annotated[float, Meaning("change of the exponent at the break")]
    d1: Annotated[float, Meaning("place of the break", "x")]
    f1: Annotated[float, Meaning("width of the break", "log x")]
    formula: ClassVar[str] = "e = a + b x^(-c0) (1 + (x / d1)^(1 / f1))^(-c1 f1)"
    breaks = 1
