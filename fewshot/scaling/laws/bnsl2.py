"""A power law with two smooth breaks: `BNSL2`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from fewshot.scaling.laws import Meaning
from fewshot.scaling.laws.bnsl1 import BNSL1


@dataclass(frozen=True)
class BNSL2(BNSL1):
    """A broken neural scaling law with two smooth breaks."""

    c2: Annotated[float, Meaning("change of the exponent at the second break")]
    d2: Annotated[float, Meaning("place of the second break", "x")]
    f2: Annotated[float, Meaning("width of the second break", "log x")]
    formula: ClassVar[str] = "e = a + b x^(-c0) prod_i (1 + (x / d_i)^(1 / f_i))^(-c_i f_i), i = 1, 2"
    breaks = 2
