"""`fewshot scaling`: laws of error over data, what pre-training is worth in labelled images, and label budgets."""

from __future__ import annotations

from pathlib import Path

import click

from fewshot.commands import _options
from fewshot.commands._answers import answer, json_option

_LAWS = "M1,M2,M3,M4"

_only = click.option(
    "--where", default="", metavar="COLUMN=VALUE,...", help="Look at these lines only; also !=, <, <=, > and >=."
)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


@click.group("scaling", short_help="Fit scaling laws, measure transfer, and plan label budgets.")
def command() -> None:
    """Laws of error over a resource, from any CSV or from rows of this project.

    FILE is a .csv with a header, or a .jsonl of rows; there `error` is 1 - accuracy.
    """


@command.command("fit", short_help="Fit laws to curves, with intervals and a test of trust.")
@click.argument("file", type=_options.FILE)
@_only
@click.option("--x", required=True, metavar="COLUMN", help="The resource, such as images or shots.")
@click.option("--y", default="error", metavar="COLUMN", help="The error, in (0, 1].")
@click.option("--by", default="", metavar="COLUMN,...", help="What tells curves apart.")
@click.option("--law", default=_LAWS, metavar="LAW,...", help="Laws to fit; `fewshot list laws` shows them.")
@click.option("--fit-where", default="", metavar="COLUMN=VALUE", help="Which lines to fit; the rest is predicted.")
@click.option("--seeds", default="", metavar="COLUMN", help="The seed of a line: whole seeds are drawn, not points.")
@click.option("--draws", type=click.IntRange(0), default=100, help="Draws for the intervals; 0 for none.")
@click.option("--seed", type=click.IntRange(0), default=0, help="Of the draws.")
@click.option("--plot", type=_options.FILE, help="Draw the fits and their residuals, as .png or .svg.")
@json_option
def fit(
    file: Path,
    where: str,
    x: str,
    y: str,
    by: str,
    law: str,
    fit_where: str,
    seeds: str,
    draws: int,
    seed: int,
    plot: Path | None,
) -> int:
    """Fit laws to the curves of FILE: parameters with 95 % intervals, the RMSE of log error, how far to trust it."""
    from fewshot.commands import _scaling
    from fewshot.scaling.fits.fit import fit_all
    from fewshot.scaling.fits.tables import CurveTable, curves

    laws = _scaling.known_laws(_names(law))
    if plot is not None and plot.suffix not in (".png", ".svg"):
        raise ValueError(f"a plot is a .png or .svg file, got {plot}")
    found = curves(CurveTable.read(file).only(where), x, y, _names(by), fit_where, seeds)
    fits = fit_all(found, laws, draws, seed)
    if plot is not None:
        from fewshot.files.atomic import write_atomically
        from fewshot.report.figures.fits import figure

        write_atomically(plot, figure(fits, x, y, plot.suffix[1:]))
    answer(_scaling.fits_text(fits), [each.values() for each in fits])
    return 0


@command.command("transfer", short_help="Effective data transferred by pre-training.")
@click.argument("file", type=_options.FILE)
@_only
@click.option("--x", required=True, metavar="COLUMN", help="Images of the target set, D_F.")
@click.option("--y", default="error", metavar="COLUMN", help="The loss: cross-entropy at its optimum, or the error.")
@click.option(
    "--by", default="", metavar="COLUMN,...", help="The network's size, N; further columns tell tables apart."
)
@click.option(
    "--pretrained", required=True, metavar="COLUMN", help="What a run was pre-trained on; 0 or none: nothing."
)
@json_option
def transfer(file: Path, where: str, x: str, y: str, by: str, pretrained: str) -> int:
    """What pre-training was worth in labelled images: D_E, D_T = D_E - D_F, multiplier, fraction, and the law
    D_T = k D_F^alpha N^beta where the points allow it."""
    from fewshot.commands import _scaling
    from fewshot.scaling.fits.tables import CurveTable
    from fewshot.scaling.studies.transfers import transfers

    size, *others = _names(by) or [""]
    found = transfers(CurveTable.read(file).only(where), x, y, size, pretrained, others)
    answer(_scaling.transfers_text(found), [each.values() for each in found])
    return 0


@command.command("budget", short_help="How many labels a target accuracy needs.")
@click.argument("file", type=_options.FILE)
@_only
@click.option("--target", type=float, required=True, help="The accuracy wanted, between 0 and 1.")
@click.option("--x", default="k_shot", metavar="COLUMN", help="Labels, a class or in all.")
@click.option("--y", default="error", metavar="COLUMN", help="The error, 1 - accuracy.")
@click.option("--by", default="", metavar="COLUMN,...", help="What tells curves apart.")
@click.option("--law", default="", metavar="LAW,...", help="Laws that make the bracket, in place of the usual ones.")
@json_option
def budget(file: Path, where: str, target: float, x: str, y: str, by: str, law: str) -> int:
    """How many labels a target accuracy needs: a bracket from several laws, and how far to trust it."""
    from fewshot.commands import _scaling
    from fewshot.scaling.fits import label_budget as labels
    from fewshot.scaling.fits.tables import CurveTable, curves

    laws = _scaling.known_laws(_names(law)) if law else labels.budget_laws()
    found_curves = curves(CurveTable.read(file).only(where), x, y, _names(by))
    found = [each for [each] in labels.budgets(found_curves, [[target]] * len(found_curves), laws)]
    answer(_scaling.budgets_text(found), [each.values() for each in found])
    return 0
