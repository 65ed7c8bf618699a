"""`fewshot study`: what rows of the studies say."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fewshot.commands import _options, _study
from fewshot.commands._answers import answer, json_option

if TYPE_CHECKING:
    from fewshot.scaling.studies.adaptation import Exponent, ExponentDifference
    from fewshot.scaling.studies.class_ladders import ClassLadder
    from fewshot.scaling.studies.ladders import Ladder


@click.group("study", short_help="Exponents, gains, and sources against targets, from rows.")
def command() -> None:
    """Answers of the studies, from a .jsonl of rows of networks that were trained here."""


@command.command("adaptation", short_help="Exponents by protocol, and b_new - b_seen.")
@click.argument("file", type=_options.FILE)
@json_option
def adaptation(file: Path) -> int:
    """Exponents of error over pre-training images by network, rule and protocol; b_new - b_seen, paired over the same
    checkpoints, first on equal protocols; few-shot error against the error over all seen classes."""
    from fewshot.report.studies.study import ladder_name
    from fewshot.scaling.fits.tables import Table
    from fewshot.scaling.studies import adaptation as study

    found = study.ladders(Table.read(file).lines)
    exponents, differences = [study.exponent(ladder) for ladder in found], study.new_minus_seen(found)
    upstream = {ladder.arm: ladder for ladder in found if ladder.protocol is None}
    followed = [(l, study.downstream(upstream[l.arm], l)) for l in found if l.protocol and l.arm in upstream]  # noqa: E741
    values = {
        "exponents": [_exponent_values(e) for e in exponents],
        "new_minus_seen": [_difference_values(d) for d in differences],
        "downstream": [_names(ladder) | {"rank_correlation": r, "slope": s} for ladder, (r, s) in followed],
    }
    answer(_study.adaptation_text(values, {ladder.name: ladder_name(ladder) for ladder in found}), values)
    return 0


@command.command("classes", short_help="What more classes bring, with their images fixed or the total of them.")
@click.argument("file", type=_options.FILE)
@json_option
def classes(file: Path) -> int:
    """Error over pre-training classes, with the images of a class fixed or their total: mean over seeds of training
    with a 95 % t interval; and error at the most classes minus error at the fewest, paired by seed."""
    from fewshot.report.studies.classes import conclusions
    from fewshot.report.studies.study import ladder_name
    from fewshot.scaling.fits.tables import Table
    from fewshot.scaling.studies.class_ladders import class_ladders

    found = class_ladders(Table.read(file).lines)
    values = [_class_values(each) for each in found]
    short = {each.protocol.text: ladder_name(each.ladder) for each in found}
    answer(_study.classes_text(values, short, conclusions(found)), values)
    return 0


@command.command("sources", short_help="Sources against targets.")
@click.argument("file", type=_options.FILE)
@json_option
def sources(file: Path) -> int:
    """Accuracy on new classes of each target by the set that networks were trained on, everything else equal: mean over
    seeds of training with a 95 % t interval. Transfer is directed: read rows and columns."""
    from fewshot.scaling.fits.tables import Table
    from fewshot.scaling.studies.sources import source_matrices

    found = source_matrices(Table.read(file).lines)
    answer("\n\n".join(map(_study.matrix_text, found)), [asdict(matrix) for matrix in found])
    return 0


@command.command("gains", short_help="What a larger network and a larger source are worth, near and far.")
@click.argument("file", type=_options.FILE)
@click.option("--distances", type=_options.FILE, help="What `fewshot distance --json` printed, to order targets by.")
@json_option
def gains(file: Path, distances: Path | None) -> int:
    """Gains of the largest over the smallest network, and of the most over the fewest images of a source, paired by
    seed, for every source, target and number of shots."""
    from fewshot.scaling.fits.tables import Table
    from fewshot.scaling.studies.near_and_far import gains_of, read_distances

    far = {} if distances is None else read_distances(distances)
    lines = []
    for source, head, found in gains_of(Table.read(file).lines):
        for gain in found:
            lines.append({"source": source, "mmd": far.get((source, gain.target)), "head": head} | asdict(gain))
    lines.sort(key=lambda line: (line["mmd"] is None, line["mmd"] or 0.0))
    answer(_study.gains_text(lines), lines)
    return 0


def _names(ladder: Ladder) -> dict[str, Any]:
    arm = ladder.arm
    return {"trained_on": arm.trained_on, "n_params": arm.n_params, "rule": arm.rule, "protocol": ladder.name}


def _class_values(each: ClassLadder) -> dict[str, Any]:
    means, change = each.means, each.change
    columns = dict(zip(("error", "low", "high"), map(list, zip(*means, strict=True)), strict=True))
    about = {"images": each.fixed.text, "classes": each.classes, "n_seeds": len(each.ladder.seeds)}
    about |= {"change": asdict(change), "more_classes": each.verdict, "dropped": list(each.ladder.dropped)}
    return _names(each.ladder) | about | columns


def _exponent_values(found: Exponent) -> dict[str, Any]:
    ladder = found.ladder
    about = {"n_seeds": len(ladder.seeds), "images": ladder.sizes.tolist(), "dropped": list(ladder.dropped)}
    about |= {"remark": ladder.remark}
    return _names(ladder) | {"b": found.b, "low": found.low, "high": found.high, "how": found.how} | about


def _difference_values(found: ExponentDifference) -> dict[str, Any]:
    d = found.difference
    about = {"protocol": found.second.name, "minus": found.first.name}
    return _names(found.second) | about | {"difference": d.value, "low": d.low, "high": d.high, "how": d.how}
