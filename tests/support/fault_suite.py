"""A suite of seconds that embeds, scores, fine-tunes and pre-trains, and everything that its results say."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from fewshot.files.checksums import checksum
from fewshot.results.files import Results
from fewshot.results.predictions import Predictions
from tests.support.machine_columns import MACHINE_COLUMNS

SUITE = """
from fewshot.episodes.shape import EpisodeShape
from fewshot.runs.specs import RunSpec, Sampled

NET = "ConvNet(width=4, depth=2, image_size=8)"
TRAINED = f"Pretrained({NET}, Digits(), CrossEntropy(steps=60, batch_size=16), split=BySeed(0.5, 0.0), n_images=200)"


def suite():
    for backbone, head, n in (
        (TRAINED, "Prototype()", 300),
        (NET, "LinearProbe(C=1.0)", 100),
        (NET, "FineTune(tune='all', steps=3, lr=0.01)", 12),
        ("RawPixels(image_size=8)", "Prototype()", 300),
    ):
        sampled = Sampled(EpisodeShape(n_way=3, k_shot=1, n_query=5))
        yield RunSpec("Digits()", backbone, head, sampled, split="BySeed(0.5, 0.0)", n_episodes=n, protocol="faults@1")
"""
BENCH = ("bench", "suite.py", "--results", "rows.jsonl")


def write_suite(folder: Path) -> Path:
    """The folder, with the suite in it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "suite.py").write_text(SUITE)
    return folder


def outcome(folder: Path, home: Path | None = None, rows: str = "rows.jsonl") -> dict[str, Any]:
    """All rows without `MACHINE_COLUMNS`, and digests of all predictions, features and trained networks."""
    results = Results(folder / rows)
    home = home or folder / "home"
    kept = {row.run_id: {k: v for k, v in asdict_of(row).items() if k not in MACHINE_COLUMNS} for row in results.rows()}
    predictions = {row.run_id: _predictions(results, row) for row in results.rows() if row.status == "ok"}
    trained = {path.parent.name: _network(path) for path in home.glob("pretrained/*/weights.safetensors")}
    features = {
        f"{path.parent.name}/{path.name}": _digest(path.read_bytes())
        for path in home.glob("features/*/*")
        if path.name in ("values.f32", "sums.u32", "done")
    }
    return {"rows": kept, "predictions": predictions, "networks": trained, "features": features}


def asdict_of(row: Any) -> dict[str, Any]:
    """The columns of a row."""
    values: dict[str, Any] = json.loads(row.to_json())
    return values


def _predictions(results: Results, row: Any) -> str:
    whole = Predictions.concatenate(list(results.predictions(row)))
    arrays = {name: array for name, array in vars(whole).items() if hasattr(array, "tobytes")}
    episodes = {name: array for name, array in asdict(whole.episodes).items() if hasattr(array, "tobytes")}
    return _digest(b"".join(name.encode() + array.tobytes() for name, array in sorted((arrays | episodes).items())))


def _network(path: Path) -> str:
    """The digest of a network's tensors and metadata, which safetensors writes in any order."""
    try:
        with safe_open(path, "numpy") as file:
            named = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return checksum(named, json.dumps(file.metadata(), sort_keys=True))
    except SafetensorError:
        return "damaged"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
