"""How images are embedded on a device. `EmbeddingSettings` change features by rounding alone, so a run id does not hold
them; the key of a table does, and its row records them."""

from __future__ import annotations

from dataclasses import dataclass

DTYPES = ("float32", "bfloat16")  # compute dtypes of a backbone; a run id holds its own
BATCH = 64  # images of a canonical batch
MOST_IMAGES = 1024  # of a larger batch


@dataclass(frozen=True)
class EmbeddingSettings:
    """`batch`: images per forward pass; None: as many as fit in the memory of the device. `compiled`: whether
    torch.compile compiles the network first. `decoders`: the number of processes that decode images; 0 decodes in
    threads, None chooses by the device and the cores."""

    batch: int | None = BATCH
    compiled: bool = False
    decoders: int | None = None

    def __post_init__(self) -> None:
        if self.batch is not None and not _has_slots(self.batch):
            raise ValueError(
                f"an embedding batch has {BATCH} images, or a multiple of {BATCH} up to {MOST_IMAGES}, or a half, a "
                f"quarter and so on where memory is short; got {self.batch}"
            )
        if self.decoders is not None and self.decoders < 0:
            raise ValueError(f"the number of decoding processes must be 0 or more; got {self.decoders}")

    def in_key(self) -> dict[str, str | int]:
        """The parts of a table's key; none for the canonical batch without compilation."""
        parts: dict[str, str | int] = {} if self.batch in (BATCH, None) else {"batch": self.batch or BATCH}
        return parts | ({"compiled": "torch.compile"} if self.compiled else {})


def _has_slots(batch: int) -> bool:
    """Whether every slot of 64 is a fixed slot of this batch."""
    return batch > 0 and ((batch % BATCH == 0 and batch <= MOST_IMAGES) or BATCH % batch == 0)


USUAL = EmbeddingSettings()
