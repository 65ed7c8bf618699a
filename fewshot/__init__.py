"""fewshot: how well does a backbone learn new classes from a handful of images, and is the difference real?

Package map. Data goes down the left column, room by room; each room imports only rooms above it.

    files/        whole-or-nothing writes, safe readers        plugins/       a folder is a registry; specs as objects
    statistics/   intervals by population, comparisons         solvers/       batched optimisers, compiled loops
    episodes/     index tensors: support and query rows        datasets/      labelled images, a file a source
    splits/       seen, validation, novel; a file a rule       samplers/      ways to compose episodes, a file each
    results/      rows and predictions on disk                 measures/      predictions to numbers, a file a measure
    protocols/    benchmarks of the field, a file each         backbones/     networks, a file a source
    features/     every needed image embedded once             transforms/    features to features, a file each
    evaluators/   ways to learn an episode, a file each        pretraining/   networks trained here, a file a recipe
    runs/         a spec to a row; suites that resume          scaling/       laws, fits, studies of trained networks
    report/       rows to one HTML page                        conformance/   what every member must obey
    work/         runs as tasks for many processes             notebooks/     evaluate, rows and comparisons in Python
    sharing/      rows that others check and rank              commands/      the command line, a file a command

Sizes in docstrings: E episodes, B episodes in a batch, N ways, K shots, Q queries per class, S support rows, M query
rows, D features, n images, C classes.

The thirteen longest journeys:

    fewshot run       commands -> runs -> datasets, splits, samplers -> features -> evaluators -> results
    --benchmark       commands -> protocols (sets, copies) -> runs, as above -> report (means over sets)
    fewshot bench     commands -> benchmarks -> runs, as above -> results -> report
    --jobs, work      commands -> work (runs to tasks) -> runs, features, pretraining (a task is a step) -> results
    evaluate()        notebooks -> runs, as above (rows with their predictions, in a temporary folder or in memory)
    compare(rows)     notebooks -> results -> statistics -> report (rankings)
    --dry-run         commands -> runs (what a run needs) -> features (what is there already)
    --select          runs -> runs (a trial is a run) -> results
    fewshot pretrain  commands -> backbones -> pretraining -> results (its record)
    fewshot report    commands -> results -> report (rows -> tables, comparisons, studies -> page)
    fewshot compare   commands -> results -> statistics -> report
    fewshot study     commands -> results -> scaling
    fewshot check     commands -> plugins -> conformance

A spec is parsed where it enters (command line, suite, Python), is an object in runs, and is text again in the row; the
report reads it back once.

Public names are listed in `__init__.pyi`, and imported when they are first used, so that `import fewshot` is instant.
"""

from __future__ import annotations

from typing import Any

import lazy_loader

_listed, _, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    """A public name, or a member of a folder by its class."""
    if name in __all__:
        return _listed(name)
    if name[:1].isupper():
        from fewshot.plugins.registry import REGISTRIES

        for registry in REGISTRIES:
            if name in registry.names():
                return registry.get(name)
    raise AttributeError(f"module 'fewshot' has no attribute {name!r}")


def __dir__() -> list[str]:
    from fewshot.plugins.registry import REGISTRIES

    return sorted({*__all__, *(name for registry in REGISTRIES for name in registry.names())})
