"""Does fewshot embed with every network of timm? This script tests one small network of every timm module.

    python benchmarks/all_of_timm.py            # writes benchmarks/results/all_of_timm.jsonl
    python benchmarks/all_of_timm.py --summary  # prints the table as markdown

It takes the smallest network of each of the 98 modules of timm 1.0.31, with random weights, at its own image size (at
256 px if that is above 512). About 12 minutes on one core. Expected: 97 networks without a problem, three of them at
one image size only (halonet_h1, crossvit_tiny_240, efficientformer_l1); deepseek_vit is skipped for its 412 M
parameters. The script appends one line per finished network and resumes after an interruption; another version of timm
starts a new table. It downloads nothing. `problems` lists the faults of a network, `refused` what it refuses to do,
with its own error message.
"""

from __future__ import annotations

import argparse
import gc
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from PIL import Image
from torch import Tensor

from fewshot.backbones import Backbone, weights_digest
from fewshot.backbones._timm_catalogue import parameter_counts
from fewshot.backbones._timm_network import build
from fewshot.backbones.random_init import RandomInit

TABLE = Path(__file__).parent / "results" / "all_of_timm.jsonl"
POOLS = ("token", "avg", "token+avg", "last2", "last2+avg")
N_IMAGES = 3
MOST_PARAMETERS = 200_000_000
LARGEST_SIZE, SIZE_INSTEAD = 512, 256  # pixels; networks for larger images are tested at the second size
Record = dict[str, Any]


def smallest(module: str) -> tuple[int, str]:
    """The number of parameters and the name of a module's smallest network."""
    counts = parameter_counts(timm.list_models(module=module))
    return min((count, name) for name, count in counts.items() if count is not None)


def check_module(module: str) -> Record:
    """The record of a module's smallest network; a network that is too large for this benchmark is `skipped`."""
    n_params, name = smallest(module)
    start = {"timm": timm.__version__, "module": module, "network": name}
    if n_params > MOST_PARAMETERS:
        reason = f"its smallest network has {n_params / 1e6:.0f} million parameters"
        return start | {"problems": [], "refused": {}, "skipped": reason, "seconds": 0.0}
    return start | check_network(name)


def check_network(name: str) -> Record:
    """The record of a network, by column: `problems` lists its faults, `refused` maps what it refuses to its error."""
    start = time.monotonic()
    record: Record = {"problems": [], "refused": {}}
    try:
        size = tried_size(name)
        backbone = RandomInit(name, image_size=size).load()
        inputs = inputs_of(backbone)
        record |= {"n_params": backbone.n_params, "dim": backbone.dim, "image_size": inputs.shape[-1]}
        record["problems"] += [text for check in CHECKS for text in check(name, backbone, inputs)]
        record |= _other_size(name, backbone.dim, inputs.shape[-1], record)
        del backbone
        record["pools"] = [pool for pool in POOLS if _pools(RandomInit(name, 0, size, pool), inputs, record)]
    except Exception as error:  # every failure is an entry of the table
        record["problems"].append(f"{type(error).__name__}: {' '.join(str(error).split())[:300]}")
    gc.collect()
    return record | {"seconds": round(time.monotonic() - start, 1)}


def tried_size(name: str) -> int | None:
    """The image size to test a network at; None: its own."""
    config = timm.get_pretrained_cfg(name)
    return SIZE_INSTEAD if config is not None and config.input_size[-1] > LARGEST_SIZE else None


def inputs_of(backbone: Backbone) -> Tensor:
    """[3, 3, H, W]: three noisy images of different colours, preprocessed."""
    rng = np.random.default_rng(0)
    pixels = [np.clip(rng.normal(60 * i + 60, 50, (80, 96, 3)), 0, 255).astype(np.uint8) for i in range(N_IMAGES)]
    return torch.stack([backbone.preprocess(Image.fromarray(image)) for image in pixels])


def features_are_finite(name: str, backbone: Backbone, inputs: Tensor) -> Iterator[str]:
    """Features are finite float32 [3, dim] and differ between different images."""
    features = backbone.embed(inputs)
    if features.shape != (N_IMAGES, backbone.dim) or features.dtype != torch.float32:
        yield f"features are {list(features.shape)} {features.dtype}, dim says {backbone.dim}"
    if not bool(features.isfinite().all()):
        yield f"{int((~features.isfinite()).sum())} of {features.numel()} features are not finite"
    elif torch.allclose(features[0], features[1], rtol=1e-6, atol=0):
        yield "different images have the same features"


def pooling_is_timms(name: str, backbone: Backbone, inputs: Tensor) -> Iterator[str]:
    """Features equal those of timm's own forward_head(forward_features(x), pre_logits=True)."""
    network: Any = build(name, tried_size(name)).eval()
    with torch.inference_mode():
        theirs = network.forward_head(network.forward_features(inputs), pre_logits=True)
    ours = backbone.embed(inputs)
    if isinstance(theirs, tuple):
        theirs = sum(theirs) / len(theirs)  # one head for classes and one for distillation
    if theirs.shape != ours.shape:
        yield f"pre-logits are {list(theirs.shape)}, features {list(ours.shape)}"
    elif not torch.allclose(theirs, ours, rtol=1e-4, atol=1e-5 * float(theirs.abs().max())):
        yield f"features differ from the pre-logits by up to {float((theirs - ours).abs().max()):.3g}"


def evaluation_is_pure(name: str, backbone: Backbone, inputs: Tensor) -> Iterator[str]:
    """Embedding changes neither weights nor BatchNorm statistics, and each row is independent of the other rows."""
    before = weights_digest(backbone.network.state_dict())
    together = backbone.embed(inputs)
    lonely = torch.zeros_like(inputs)
    lonely[1] = inputs[1]
    alone = backbone.embed(lonely)
    if weights_digest(backbone.network.state_dict()) != before:
        yield "embedding changed the state of the network"
    if not torch.equal(alone[1], together[1]):
        yield f"a row depends on its neighbours, by up to {float((alone[1] - together[1]).abs().max()):.3g}"


def layouts_agree(name: str, backbone: Backbone, inputs: Tensor) -> Iterator[str]:
    """channels_last, which feature tables prefer, gives the same features or raises a RuntimeError. This check comes
    last, because it changes the network."""
    before = backbone.embed(inputs)
    try:
        backbone.network.to(memory_format=torch.channels_last)
        after = backbone.embed(inputs.to(memory_format=torch.channels_last))
    except RuntimeError:
        return
    if not torch.allclose(before, after, rtol=1e-3, atol=1e-4 * float(before.abs().max())):
        yield f"channels_last changes features by up to {float((before - after).abs().max()):.3g}"


CHECKS: tuple[Callable[[str, Backbone, Tensor], Iterator[str]], ...] = (
    features_are_finite,
    pooling_is_timms,
    evaluation_is_pure,
    layouts_agree,
)


def other_size(image_size: int) -> int:
    """About three quarters of an image size, as a multiple of 32."""
    return max(32, 32 * round(image_size * 0.75 / 32))


def _other_size(name: str, dim: int, image_size: int, record: Record) -> Record:
    """The other image size, if the network accepts it; otherwise the record keeps the error."""
    size = other_size(image_size)
    try:
        backbone = RandomInit(name, image_size=size).load()
        features = backbone.embed(inputs_of(backbone))
    except ValueError as error:
        record["refused"][f"{size} px"] = str(error)
        return {"other_size": None}
    if features.shape != (N_IMAGES, dim) or not bool(features.isfinite().all()):
        record["problems"].append(f"at {size} px features are {list(features.shape)}, or not finite")
    return {"other_size": size}


def _pools(source: RandomInit, inputs: Tensor, record: Record) -> bool:
    """Whether a network supports a pooling; if not, the record keeps the error."""
    try:
        backbone = source.load()
    except ValueError as error:
        record["refused"][f"pool={source.pool}"] = str(error)
        return False
    features = backbone.embed(inputs)
    if features.shape != (N_IMAGES, backbone.dim) or not bool(features.isfinite().all()):
        record["problems"].append(f"pool={source.pool}: features are {list(features.shape)}, or not finite")
    return True


def read_table(path: Path = TABLE) -> list[Record]:
    """The records of a table, the last one of each module; broken lines are skipped."""
    records = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        records[record["module"]] = record
    return list(records.values())


def fill_table(path: Path, modules: Sequence[str]) -> None:
    """Tests and appends the modules that the table lacks for this version of timm."""
    done = {record["module"] for record in read_table(path) if record["timm"] == timm.__version__}
    if path.exists() and not done:
        path.unlink()
    torn = path.exists() and not path.read_bytes().endswith(b"\n")
    with open(path, "a") as file:
        file.write("\n" if torn else "")
        for module in [module for module in modules if module not in done]:
            record = check_module(module)
            file.write(json.dumps(record) + "\n")
            file.flush()
            state = record["problems"] or record.get("skipped", "ok")
            print(f"{module:24} {record['network']:36} {record['seconds']:6} s  {state}", flush=True)


def summary(records: Sequence[Mapping[str, Any]]) -> str:
    """Markdown: the number of networks that work, and a table of the exceptions with their reasons."""
    wrong = [(r["module"], r["network"], "; ".join(r["problems"])) for r in records if r["problems"]]
    skipped = [(r["module"], r["network"], f"skipped: {r['skipped']}") for r in records if "skipped" in r]
    fixed = [r for r in records if not r["problems"] and r.get("other_size", 0) is None]
    pools = ", ".join(f"{pool} {sum(pool in r.get('pools', ()) for r in records)}" for pool in POOLS)
    n_good = len(records) - len(wrong) - len(skipped)
    lines = [
        f"timm {records[0]['timm']}: {len(records)} modules, {n_good} without a problem, "
        f"{len(fixed)} of them at one image size only. Number of networks by pooling: {pools}.",
        "",
        "| module | network | exception |",
        "|---|---|---|",
    ]
    lines += [f"| {module} | {network} | {reason} |" for module, network, reason in [*wrong, *skipped]]
    lines += [f"| {r['module']} | {r['network']} | {_refusal(r)} |" for r in fixed]
    return "\n".join(lines)


def _refusal(record: Mapping[str, Any]) -> str:
    return next(str(text) for what, text in record["refused"].items() if what.endswith(" px"))


def main() -> None:
    """Tests the missing networks and prints the exceptions."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--module", action="append", help="test only this module; repeat for several")
    parser.add_argument("--summary", action="store_true", help="print the table without testing anything")
    arguments = parser.parse_args()
    if not arguments.summary:
        torch.set_num_threads(1)  # several threads slow each other down on a busy machine
        fill_table(arguments.table, arguments.module or timm.list_modules())
    print(summary(read_table(arguments.table)))


if __name__ == "__main__":
    main()
