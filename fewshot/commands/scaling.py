"""`fewshot scaling`: laws of error over a resource, effective data transferred, and label budgets, from any table."""

from __future__ import annotations

from pathlib import Path

import click

from fewshot.commands import _options
from fewshot.commands._answers import answer, json_option

_METRICS = ("accuracy", "error", "loss")

_where = click.option(
    "--where",
    default="",
    metavar="COLUMN=VALUE,...",
    help="Use only these lines, such as shots<=5,model=ViT; also !=, <, > and >=.",
)


def _metric(*known: str) -> _options.Decorator:
    return click.option(
        "--metric",
        type=click.Choice(known),
        help=f"Read --y as {', '.join(known[:-1])} or {known[-1]} (default: by its name and values).",
    )


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


@click.group("scaling", short_help="Fit scaling laws, measure transfer, and plan label budgets.")
def command() -> None:
    """Fit laws of error over a resource to any CSV, or to rows of this project.

    FILE is a .csv file with a header, or a .jsonl file of rows, whose `error` is 1 - accuracy. Percentages are
    understood.
    """


@command.command("fit", short_help="Fit laws to curves, with intervals and a test of extrapolation.")
@click.argument("file", type=_options.FILE)
@_where
@click.option("--x", required=True, metavar="COLUMN", help="Use this column as the resource, such as images or shots.")
@click.option("--y", default="error", metavar="COLUMN", help="Use this column as error, accuracy or loss.")
@_metric(*_METRICS)
@click.option(
    "--by", default="", metavar="COLUMN,...", help="Make one curve for each combination of values of these columns."
)
@click.option(
    "--law",
    default="",
    metavar="LAW,...",
    show_default="M1,M2,M3,M4; M1,M2,M3 for a loss",
    help="Fit these laws; `fewshot list laws` shows all.",
)
@click.option("--fit-where", default="", metavar="COLUMN=VALUE", help="Fit only these lines and predict the others.")
@click.option(
    "--seeds",
    default="",
    metavar="COLUMN",
    help="Resample whole seeds, given in this column, instead of single points.",
)
@click.option(
    "--draws", type=click.IntRange(0), default=100, help="Resample this many times for the intervals; 0: no intervals."
)
@click.option("--seed", type=click.IntRange(0), default=0, help="Set the seed of the resamples.")
@click.option("--plot", type=_options.FILE, help="Plot the fits and their residuals to a .png or .svg file.")
@json_option
def fit(
    file: Path,
    where: str,
    x: str,
    y: str,
    metric: str | None,
    by: str,
    law: str,
    fit_where: str,
    seeds: str,
    draws: int,
    seed: int,
    plot: Path | None,
) -> int:
    """Fit laws to the curves of FILE: parameters with 95 % intervals, RMSE of log error, and how far to trust them."""
    from fewshot.commands import _scaling
    from fewshot.scaling.fits.curves import curves
    from fewshot.scaling.fits.fit import fit_all
    from fewshot.scaling.fits.tables import CurveTable

    if plot is not None and plot.suffix not in (".png", ".svg"):
        raise ValueError(f"a plot is a .png or .svg file, got {plot}")
    named = _scaling.known_laws(_names(law)) if law else None
    found = curves(CurveTable.read(file).only(where), x, y, _names(by), fit_where, seeds, metric or "")
    fits = fit_all(found, named or _scaling.usual_laws(found), draws, seed)
    if plot is not None:
        from fewshot.files.atomic import write_atomically
        from fewshot.report.figures.fits import figure

        write_atomically(plot, figure(fits, x, y, plot.suffix[1:]))
    answer(_scaling.fits_text(fits), [each.values() for each in fits])
    return 0


@command.command("transfer", short_help="Measure effective data transferred by pre-training.")
@click.argument("file", type=_options.FILE)
@click.option(
    "--where",
    default="",
    metavar="COLUMN=VALUE,...",
    help="Use only these lines; also !=, <, <=, > and >=. A condition on --pretrained keeps the runs from scratch.",
)
@click.option(
    "--x", required=True, metavar="COLUMN", help="Use this column as the number of images of the target set, D_F."
)
@click.option(
    "--y",
    default="error",
    metavar="COLUMN",
    help="Use this column as the loss: cross-entropy at its optimum, or the error.",
)
@_metric(*_METRICS)
@click.option(
    "--by",
    default="",
    metavar="COLUMN,...",
    help="Use the first column as the network's size N; further columns make separate tables.",
)
@click.option(
    "--pretrained",
    required=True,
    metavar="COLUMN",
    help="Read the pre-training data of a run from this column; 0 or none: from scratch.",
)
@json_option
def transfer(file: Path, where: str, x: str, y: str, metric: str | None, by: str, pretrained: str) -> int:
    """Measure how many labelled images pre-training is worth: D_E, D_T = D_E - D_F, multiplier, fraction, and the law
    D_T = k D_F^alpha N^beta if there are enough points."""
    from fewshot.commands import _scaling
    from fewshot.scaling.fits.tables import CurveTable
    from fewshot.scaling.studies.transfers import kept_sources, transfers

    size, *others = _names(by) or [""]
    table = CurveTable.read(file)
    table.need(pretrained)
    found = transfers(kept_sources(table, where, pretrained), x, y, size, pretrained, others, metric or "")
    answer(_scaling.transfers_text(found), [each.values() for each in found])
    return 0


@command.command("budget", short_help="Estimate how many labels a target accuracy needs.")
@click.argument("file", type=_options.FILE)
@_where
@click.option("--target", type=float, required=True, help="Set the target accuracy, between 0 and 1, such as 0.9.")
@click.option(
    "--x", default="k_shot", metavar="COLUMN", help="Use this column as the number of labels, per class or in total."
)
@click.option("--y", default="error", metavar="COLUMN", help="Use this column as error or accuracy.")
@_metric("accuracy", "error")
@click.option(
    "--by", default="", metavar="COLUMN,...", help="Make one curve for each combination of values of these columns."
)
@click.option(
    "--law",
    default="",
    metavar="LAW,...",
    show_default="all laws for budgets",
    help="Bracket the answer with these laws; `fewshot list laws` shows all.",
)
@json_option
def budget(file: Path, where: str, target: float, x: str, y: str, metric: str | None, by: str, law: str) -> int:
    """Estimate how many labels a target accuracy needs, as a bracket from several laws, and how far to trust it."""
    from fewshot.commands import _scaling
    from fewshot.scaling.fits import label_budget
    from fewshot.scaling.fits.curves import curves
    from fewshot.scaling.fits.tables import CurveTable

    laws = _scaling.known_laws(_names(law)) if law else label_budget.budget_laws()
    asked = curves(CurveTable.read(file).only(where), x, y, _names(by), metric=metric or "")
    found = [each for [each] in label_budget.budgets(asked, [[target]] * len(asked), laws)]
    answer(_scaling.budgets_text(found), [each.values() for each in found])
    return 0
