"""Everything that a small suite imports, for the server of `warm_processes`; what a training and a table keep on disk
is synced within tenths of a second here, so that a small suite has many such moments."""

from __future__ import annotations

import importlib
import os
import pkgutil

os.environ.update(OMP_NUM_THREADS="1", NUMBA_NUM_THREADS="1", OMP_WAIT_POLICY="passive")

MODULES = (
    *("backbones.conv_net", "backbones.raw_pixels", "commands.bench", "datasets.glyphs", "datasets.icons"),
    *("evaluators.fine_tune", "evaluators.linear_probe", "evaluators.prototype", "features.table", "report", "cli"),
    *("pretraining.cross_entropy", "pretraining.training", "report.rows.shown", "runs.pipeline", "runs.solving"),
    *("solvers.compiled", "commands._plan", "commands.run", "commands.work", "work.worker", "work.planning"),
    *("backbones.pretrained", "benchmarks", "datasets.digits", "files.bars", "files.npz", "samplers.balanced"),
    *("splits.by_seed", "transforms.l2"),
)
ROOMS = ("measures", "report", "results", "scaling.laws", "solvers", "statistics")
OTHERS = (
    *("scipy.stats", "sklearn.datasets.data", "jinja2.ext", "PIL.PngImagePlugin", "timm", "safetensors.numpy"),
    *("matplotlib.backends.backend_svg", "matplotlib.backends.backend_agg", "torch.utils.flop_counter"),
)

for name in MODULES:
    importlib.import_module(f"fewshot.{name}")
for room in ROOMS:
    for module in pkgutil.walk_packages(importlib.import_module(f"fewshot.{room}").__path__, f"fewshot.{room}."):
        importlib.import_module(module.name)
for name in OTHERS:
    importlib.import_module(name)

import torch  # noqa: E402

import fewshot.features.files  # noqa: E402
import fewshot.pretraining.training  # noqa: E402
import fewshot.runs.portions  # noqa: E402
import fewshot.solvers.compiled  # noqa: E402

if fewshot.solvers.compiled.installed():
    from numba.core.registry import cpu_target

    cpu_target.typing_context.refresh()
    cpu_target.target_context.refresh()  # it imports the rest of numba
torch.set_num_threads(1)
fewshot.pretraining.training._SAVED_EVERY = 0.1
fewshot.features.files.SYNC_SECONDS = 0.02
fewshot.runs.portions.WRITE_SECONDS = 0.1
fewshot.runs.portions._BATCH_SECONDS = 0.05
