"""The data embedded in the package: see README.md in this folder."""

from pathlib import Path

FOLDER = Path(__file__).parent
