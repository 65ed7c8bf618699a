"""`fewshot verify`: every number of a submission, computed again."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fewshot.commands import _options
from fewshot.commands._answers import answer, json_option
from fewshot.commands._names import NameOf
from fewshot.plugins.wording import counted, listed

if TYPE_CHECKING:
    from fewshot.plugins.spec import Spec
    from fewshot.sharing.verify import Verified


_MOST_PROBLEMS = 10


@click.command("verify", short_help="Check a submission: compute its numbers again.")
@click.argument("folder", metavar="FOLDER", type=_options.FOLDER)
@click.option(
    "--data",
    type=NameOf("datasets", with_files=True),
    multiple=True,
    metavar="FOLDER|FILE|SPEC",
    help="Compare labels and episodes with this copy of the images; repeat for several. Bundled images are at hand.",
)
@click.option(
    "--rerun",
    "n_reruns",
    type=click.IntRange(min=0),
    default=0,
    help="Compute this many random runs again (default 0).",
)
@click.option(
    "--seed", type=click.IntRange(min=0), help="Set the seed that chooses the runs of --rerun (default: random)."
)
@click.option("--by", default="", metavar="NAME", help="Record under this name that the submission holds.")
@click.option("--verbose", is_flag=True, help="Print a line for each run and problem instead of one for each kind.")
@json_option
def command(folder: Path, data: tuple[str, ...], n_reruns: int, seed: int | None, by: str, verbose: bool) -> int:
    """Check a submission of `fewshot submit`, which may come from anybody.

    Names, sizes and sha256 of all files come first. Then every number of every row is computed again from the
    predictions, and every run id from its spec. --data compares the episodes with the images, --rerun computes runs
    again. Each mismatch is one sentence, and the exit code is then 1.

    \b
      fewshot verify baselines --data birds --rerun 3 --by "A. Reader"
    """
    from fewshot.sharing.images import AtHand
    from fewshot.sharing.plain_texts import shown
    from fewshot.sharing.verify import record, verify

    specs = tuple(spec for place in data for spec in _specs(place))
    found = verify(folder, AtHand(specs), n_reruns, seed)
    if found.manifest is None:  # it is no submission
        raise ValueError(f"{shown(str(folder))} cannot be checked: {found.problems[0]}")
    if n_reruns and not found.problems and not found.reruns:
        from fewshot.sharing.verify_words import no_rerun

        raise ValueError(
            f"{shown(str(folder))} is not verified: {no_rerun(found.unchecked, len(found.runs), n_reruns)}"
        )
    lines = [*_lines(found, verbose)]
    if by and not found.problems:
        record(found, by)
        lines.append(f"recorded in {shown(str(folder / 'verification.json'))} as verified by {by}")
    answer("\n".join(lines), _values(found))
    return 1 if found.problems else 0


def _specs(place: str) -> list[Spec]:
    """The data set at a place, or all data sets in the folder of a benchmark."""
    from fewshot.datasets._levels import sets_inside

    try:
        return [_options.dataset_spec(place)]
    except ValueError:
        folder = Path(place).expanduser()
        inside = sets_inside(folder) if folder.is_dir() else []
        if not inside:
            raise
        return [_options.dataset_spec(str(path)) for path in inside]


def _lines(found: Verified, verbose: bool) -> list[str]:
    """The verdict first, then what was checked, then what was not: a line for each kind, or with `verbose` each run."""
    from fewshot.sharing.plain_texts import shown
    from fewshot.sharing.reported import reported
    from fewshot.sharing.verify_words import grouped, shortened

    n_runs, ids = len(found.runs), [run.row.run_id for run in found.runs]
    if found.problems:
        head = f"{shown(str(found.folder))} does not hold: {counted(len(found.problems), 'problem')}"
        problems = shortened(found.problems, ids)
        kept = problems if verbose else problems[:_MOST_PROBLEMS]
        rest = len(problems) - len(kept)
        more = [f"  and {counted(rest, 'problem')} more: --verbose shows all"] if rest else []
        return [head, *(f"  {problem}" for problem in kept), *more, *_other_release(found)]
    lines = [f"{shown(str(found.folder))} holds: the numbers of {counted(n_runs, 'run')} follow from their predictions"]
    if found.episodes:
        lines.append(f"  episodes: {len(found.episodes):,} of {counted(n_runs, 'run')} as the sampler draws them")
    if found.reruns:
        lines.append(f"  computed again: {counted(len(found.reruns), 'run')}, with the same predictions")
    if verbose:
        of_each = ((run.row.run_id, listed([one.name for one in reported([run.row])])) for run in found.runs)
        texts = (f"run {run_id}: its {names}, which the submitter reports" for run_id, names in of_each if names)
        unchecked = shortened([*found.unchecked, *texts], ids)
    else:
        names = listed([one.names for one in reported(run.row for run in found.runs)])
        of_all = [f"the {names} of all runs, which the submitter reports"] if names else []
        unchecked = [*grouped(found.unchecked, n_runs), *of_all]
    return [*lines, *(f"  not checked: {text}" for text in unchecked)]


def _other_release(found: Verified) -> list[str]:
    """That another release wrote the submission, which may compute intervals or seen classes otherwise."""
    wrote, here = "" if found.manifest is None else found.manifest.about.fewshot, version("fewshot")
    return (
        [f"  fewshot {wrote} wrote it, this is {here}: verify with that release too"] if wrote not in ("", here) else []
    )


def _values(found: Verified) -> dict[str, Any]:
    from fewshot.sharing.reported import reported

    return {
        "folder": found.folder,
        "holds": not found.problems,
        "runs": [run.row.run_id for run in found.runs],
        "problems": found.problems,
        "not_checked": found.unchecked,
        "reported": [column for one in reported(run.row for run in found.runs) for column in one.columns],
        "statistics": found.statistics,
        "episodes": found.episodes,
        "reruns": found.reruns,
    }
