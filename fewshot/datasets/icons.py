"""The icons that come with fewshot: one concept a class, one artist's drawing an image."""

from __future__ import annotations

from dataclasses import dataclass

from fewshot.datasets import Dataset

DOMAINS = ("mono", "colour", "both")


@dataclass(frozen=True)
class Icons(Dataset):
    """Drawings of 48 x 48 pixels from openly licensed icon sets: "mono" (black on white), "colour", or "both" (the
    classes that have both). Groups: domain, set and artist an image; superclass and orientation_matters a class."""

    domain: str = "mono"
