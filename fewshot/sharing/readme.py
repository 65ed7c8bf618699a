"""README.md of a submission: its rows as a table, what was left out, and how to check it and run it again."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fewshot.plugins.wording import counted
from fewshot.report.rows.benchmark_means import averages, explained
from fewshot.report.rows.errors import TestImages
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.tasks import interval, shot_label
from fewshot.report.rows.wording import percent
from fewshot.sharing.about import Manifest
from fewshot.sharing.commands import recreation
from fewshot.sharing.shared import Shared

_SIGNS = re.compile(r"([\\`*_{}\[\]<>|#])")


def plain(text: str) -> str:
    """The text as Markdown shows it: no sign of it becomes a link, a tag or a heading."""
    return _SIGNS.sub(r"\\\1", " ".join(text.split()))


def readme(manifest: Manifest, runs: Sequence[Shared], n_bytes: int, n_test: TestImages = lambda row: None) -> str:
    """The page in Markdown. `n_test`: the test images that each episode of a row answers."""
    about = manifest.about
    lines = [f"# {plain(about.name)}", ""]
    lines += [f"By {plain(about.authors)}.", ""] if about.authors else []
    lines += [f"<{about.url}>", ""] if about.url else []
    lines += [plain(about.note), ""] if about.note else []
    lines += [
        f"{counted(len(runs), 'run')} with predictions, {_size(n_bytes)}. "
        f"Written by fewshot {about.fewshot}, {about.made}.",
        "",
        "| backbone | evaluator | data | shots | accuracy in % | episodes | run |",
        "|---|---|---|---|---|---|---|",
        *_table(runs),
        "",
        _explained(runs),
        "",
        *_benchmarks(runs, n_test),
        "## Check it",
        "",
        "```sh",
        "fewshot verify .",
        "```",
        "",
        "`--data FOLDER` compares the episodes with your copy of the images; `--rerun 3` computes three runs again.",
        "",
        *_again(runs),
        *_own_code(runs),
        *_left_out(manifest),
        "",
        "## Computed with",
        "",
        *(f"- {plain(text)}" for text in manifest.environments),
    ]
    return "\n".join(lines) + "\n"


def _table(runs: Sequence[Shared]) -> list[str]:
    shown = Shown.of([run.row for run in runs])
    return [
        "| " + " | ".join(map(plain, cells)) + " |"
        for run in runs
        for cells in [
            (
                *shown.name(run.row),
                shown.title(run.row),
                shot_label(run.row),
                percent(run.row),
                f"{run.row.n_episodes:,}",
                run.row.run_id,
            )
        ]
    ]


def _explained(runs: Sequence[Shared]) -> str:
    """What the numbers of the table are, and what stands beside them."""
    with_interval = [interval(run.row) is not None for run in runs]
    mean = "Each number is the mean over episodes"
    if all(with_interval):
        return f"{mean} ± its 95 % interval."
    return f"{mean}, with ± its 95 % interval where it has one." if any(with_interval) else f"{mean}."


def _benchmarks(runs: Sequence[Shared], n_test: TestImages) -> list[str]:
    """The means of benchmarks of the field over their data sets, each with its missing sets."""
    every = [one for one in averages((run.row for run in runs), n_test) if one.of > 1]
    if not every:
        return []
    populations = dict.fromkeys(explained(one.population) for one in every if one.population)
    lines = [
        "## Means over data sets",
        "",
        "| backbone | evaluator | benchmark | sets | mean in % |",
        "|---|---|---|---|---|",
    ]
    for one in every:
        task = ", ".join(filter(None, (one.benchmark, one.shape)))
        method = ", ".join(filter(None, (one.method, one.label)))
        cells = (one.backbone, method, task, one.described, one.text)
        lines.append("| " + " | ".join(map(plain, cells)) + " |")
    note = f"[ ]: 95 % interval for {' or '.join(populations)}. " if populations else ""
    return [*lines, "", f"{note}A mean without some of the sets is not the number of the benchmark.", ""]


def _again(runs: Sequence[Shared]) -> list[str]:
    """The commands of the runs, and where they need a place of the reader's machine."""
    found = recreation([run.row for run in runs if not run.own_code])
    if not found.commands:
        return ["## Run it again"]
    lines = ["## Run it again", "", "```sh", *found.commands, "```"]
    if not found.places:
        return lines
    places = (f"- {plain(name)}: {plain(what)}" for name, what in found.places)
    return [*lines, "", "Put your own path in place of:", "", *places]


def _own_code(runs: Sequence[Shared]) -> list[str]:
    own = [run for run in runs if run.own_code]
    if not own:
        return []
    return ["", "Own code, which only its authors can run:", ""] + [
        f"- {run.row.run_id}: {plain(run.own_code)}" for run in own
    ]


def _left_out(manifest: Manifest) -> list[str]:
    if not manifest.left_out:
        return []
    return ["", "## Not shared", ""] + [f"- {plain(run)}: {plain(why)}" for run, why in manifest.left_out]


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes >= 1e6 else f"{n_bytes / 1e3:.1f} kB"
