"""How images are embedded on a device. These settings change features by rounding alone, so a run id does not hold
them; the key of a table does, and its row records them."""

from __future__ import annotations

from dataclasses import dataclass

BATCH = 64  # images of a canonical batch
MOST_IMAGES = 1024  # of a larger batch


@dataclass(frozen=True)
class EmbeddingSettings:
    """`batch`: images per forward pass. `compiled`: whether torch.compile compiles the network first. `decoders`: the
    number of processes that decode images; 0 decodes in threads, None chooses by the device and the cores."""

    batch: int = BATCH
    compiled: bool = False
    decoders: int | None = None

    def __post_init__(self) -> None:
        whole = self.batch % BATCH == 0 and self.batch <= MOST_IMAGES
        if self.batch < 1 or not (whole or BATCH % self.batch == 0):
            raise ValueError(
                f"an embedding batch has {BATCH} images, or a multiple of {BATCH} up to {MOST_IMAGES}, or a half, a "
                f"quarter and so on where memory is short; got {self.batch}"
            )
        if self.decoders is not None and self.decoders < 0:
            raise ValueError(f"the number of decoding processes must be 0 or more; got {self.decoders}")

    def in_key(self) -> dict[str, str | int]:
        """The parts of a table's key; none for the canonical batch without compilation."""
        parts: dict[str, str | int] = {} if self.batch == BATCH else {"batch": self.batch}
        return parts | ({"compiled": "torch.compile"} if self.compiled else {})


USUAL = EmbeddingSettings()
