"""`fewshot scaling`: laws of error over a resource, effective data transferred, and label budgets, from any table."""

from __future__ import annotations

from pathlib import Path

import click

from fewshot.commands import _options
from fewshot.commands._answers import answer, json_option
from fewshot.commands._groups import SuggestingGroup
from fewshot.commands._names import complete_laws

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
        help=f"Read --y as {', '.join(known[:-1])} or {known[-1]} (default: by its name and its values).",
    )


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


@click.group("scaling", cls=SuggestingGroup, short_help="Fit scaling laws, measure transfer, and plan label budgets.")
def command() -> None:
    """Fit laws of error over a resource to any CSV, or to rows of this project.

    FILE is a .csv file with a header, or a .jsonl file of rows, whose `error` is 1 - accuracy. Percentages are
    understood.
    """


@command.command("fit", short_help="Fit laws to curves, with intervals and a test of extrapolation.")
@click.argument("file", type=_options.FILE)
@_where
@click.option("--x", required=True, metavar="COLUMN", help="Column of the resource, such as images or shots.")
@click.option("--y", default="error", metavar="COLUMN", help="Column of the error, accuracy or loss.")
@_metric(*_METRICS)
@click.option("--by", default="", metavar="COLUMN,...", help="Columns whose values define the curves.")
@click.option(
    "--law",
    shell_complete=complete_laws,
    default="",
    metavar="LAW,...",
    show_default="M1,M2,M3,M4; M1,M2,M3 for a loss",
    help="Fit these laws; `fewshot list laws` shows all.",
)
@click.option("--fit-where", default="", metavar="COLUMN=VALUE", help="Fit these lines and predict the rest.")
@click.option("--seeds", default="", metavar="COLUMN", help="Column of the seed: resample whole seeds, not points.")
@click.option("--draws", type=click.IntRange(0), default=100, help="Number of resamples for the intervals; 0 for none.")
@click.option("--seed", type=click.IntRange(0), default=0, help="Seed of the resamples.")
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
        raise ValueError(f"--plot needs a .png or .svg file, got {plot}")
    named = _scaling.known_laws(_names(law)) if law else None
    to_fit = curves(CurveTable.read(file).only(where), x, y, _names(by), fit_where, seeds, metric or "")
    fits = fit_all(to_fit, named or _scaling.usual_laws(to_fit), draws, seed)
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
    help="Keep only these lines; also !=, <, <=, > and >=. Conditions on --pretrained keep runs from scratch.",
)
@click.option("--x", required=True, metavar="COLUMN", help="Column of D_F, the images of the target set.")
@click.option(
    "--y",
    default="error",
    metavar="COLUMN",
    help="Column of the loss (cross-entropy at its optimum) or the error.",
)
@_metric(*_METRICS)
@click.option(
    "--by",
    default="",
    metavar="COLUMN,...",
    help="Column of N, the network's size; further columns define separate tables.",
)
@click.option(
    "--pretrained", required=True, metavar="COLUMN", help="Column of the pre-training set; 0 or none: from scratch."
)
@json_option
def transfer(file: Path, where: str, x: str, y: str, metric: str | None, by: str, pretrained: str) -> int:
    """Measure what pre-training is worth in labelled images: D_E, D_T = D_E - D_F, multiplier, fraction, and the law
    D_T = k D_F^alpha N^beta if the points allow a fit."""
    from fewshot.commands import _scaling
    from fewshot.scaling.fits.tables import CurveTable
    from fewshot.scaling.studies.transfers import kept_sources, transfers

    size, *others = _names(by) or [""]
    table = CurveTable.read(file)
    table.need(pretrained)
    results = transfers(kept_sources(table, where, pretrained), x, y, size, pretrained, others, metric or "")
    answer(_scaling.transfers_text(results), [each.values() for each in results])
    return 0


@command.command("budget", short_help="Estimate how many labels a target accuracy needs.")
@click.argument("file", type=_options.FILE)
@_where
@click.option("--target", type=_options.Number(), required=True, help="Target accuracy, between 0 and 1.")
@click.option(
    "--x",
    default="k_shot",
    metavar="COLUMN",
    help="Column of the number of labels, per class or in all.",
)
@click.option("--y", default="error", metavar="COLUMN", help="Column of the error or the accuracy.")
@_metric("accuracy", "error")
@click.option("--by", default="", metavar="COLUMN,...", help="Columns whose values define the curves.")
@click.option(
    "--law",
    shell_complete=complete_laws,
    default="",
    metavar="LAW,...",
    show_default="all laws for budgets",
    help="Make the bracket from these laws; `fewshot list laws` shows all.",
)
@json_option
def budget(file: Path, where: str, target: float, x: str, y: str, metric: str | None, by: str, law: str) -> int:
    """Estimate how many labels a target accuracy needs, as a bracket from several laws, and how far to trust it."""
    from fewshot.commands import _scaling
    from fewshot.scaling.fits import label_budget
    from fewshot.scaling.fits.curves import curves
    from fewshot.scaling.fits.tables import CurveTable

    laws = _scaling.known_laws(_names(law)) if law else label_budget.budget_laws()
    given = curves(CurveTable.read(file).only(where), x, y, _names(by), metric=metric or "")
    budgets = [each for [each] in label_budget.budgets(given, [[target]] * len(given), laws)]
    answer(_scaling.budgets_text(budgets), [each.values() for each in budgets])
    return 0
