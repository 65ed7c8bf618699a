"""A whole submission: its files, its rows, and, as far as asked, its episodes and runs; and the record of a check."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fewshot.files.atomic import write_atomically
from fewshot.results.files import Results
from fewshot.sharing.about import Manifest, parsed
from fewshot.sharing.checks import CHOICE, check
from fewshot.sharing.cleaning import cleaned
from fewshot.sharing.data import check_episodes
from fewshot.sharing.images import AtHand
from fewshot.sharing.layout import (
    ABOUT,
    ROWS,
    RUNS,
    VERIFICATION,
    check_is_submission,
    content,
    empty_folders,
    files_of,
    run_of,
    sha256_of,
)
from fewshot.sharing.releases import check_written, contradictions
from fewshot.sharing.reruns import rerun_some
from fewshot.sharing.shared import Checked, Shared, bounded, one_line
from fewshot.sharing.stored import read_shared
from fewshot.sharing.texts import check_texts

_FORMAT = "fewshot-verification-1"
KINDS_OF_CHECKS = ("rerun", "episodes", "statistics")  # of a run, the strongest first
_LONGEST = 100  # characters of a name


@dataclass(frozen=True)
class Verified:
    """What a verification found. A submission holds if it has no problems."""

    folder: Path
    manifest: Manifest | None = None
    runs: tuple[Shared, ...] = ()
    problems: tuple[str, ...] = ()  # one sentence each, of bounded length
    unchecked: tuple[str, ...] = ()  # what could not be checked, and why
    statistics: tuple[str, ...] = ()  # runs whose numbers were computed again from their predictions
    episodes: tuple[str, ...] = ()  # runs whose episodes were drawn again from the images
    reruns: tuple[str, ...] = ()  # runs that were computed again
    identified: tuple[str, ...] = ()  # runs whose id was computed again from spec, images and episodes
    places: tuple[Path, ...] = ()  # of the data at hand, which nobody else should read

    def __post_init__(self) -> None:
        for name in ("problems", "unchecked"):
            object.__setattr__(self, name, tuple(map(bounded, getattr(self, name))))

    @property
    def results(self) -> Results:
        """The rows and predictions."""
        return Results(self.folder / ROWS)


@dataclass(frozen=True)
class Record:
    """Who verified a submission, when, with which release, and what was recomputed."""

    by: str
    when: str
    fewshot: str
    submission: str  # sha256 of submission.json, which lists the sha256 of all other files
    statistics: tuple[str, ...] = ()
    episodes: tuple[str, ...] = ()
    reruns: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = field(default=())

    def covers(self, run_id: str) -> str:
        """The strongest check of a run: "rerun", "episodes", "statistics" or ""."""
        for name, runs in zip(KINDS_OF_CHECKS, (self.reruns, self.episodes, self.statistics), strict=True):
            if run_id in runs:
                return name
        return ""


def verify(folder: Path, at_hand: AtHand | None = None, n_reruns: int = 0, seed: int | None = None) -> Verified:
    """What can be said of a submission. Nothing is opened before names, kinds and sizes of all files are known."""
    try:
        check_is_submission(folder)
        sizes = files_of(folder)
        manifest = Manifest.read(folder)
        check_written(manifest.about)
    except (ValueError, OSError) as error:
        return Verified(folder, problems=(one_line(error),))
    problems = [*_file_problems(folder, sizes, manifest), *empty_folders(folder, manifest.files)]
    if any(name in (ROWS, RUNS) for problem in problems for name in problem.split()[:1]):
        return Verified(folder, manifest, problems=tuple(problems))
    try:
        runs = read_shared(folder)
    except (ValueError, OSError) as error:
        return Verified(folder, manifest, problems=(*problems, one_line(error)))
    problems += contradictions(manifest.about, [one.row for one in runs])
    strays = sorted({run for name in sizes if (run := run_of(name))} - {one.row.run_id for one in runs})
    problems += [f"there are predictions of the run {run}, which has no row" for run in strays]
    return _checked(Verified(folder, manifest, tuple(runs), tuple(problems)), at_hand, n_reruns, seed)


def _file_problems(folder: Path, sizes: Mapping[str, int], manifest: Manifest) -> list[str]:
    """Files that are missing, that are not listed, or whose content is not the listed one."""
    there = {name: size for name, size in sizes.items() if name not in (ABOUT, VERIFICATION)}
    problems = [f"{name} is listed in {ABOUT}, but missing" for name in manifest.files if name not in there]
    problems += [f"{name} is not listed in {ABOUT}" for name in there if name not in manifest.files]
    for name in sorted(manifest.files.keys() & there.keys()):
        sha, size = manifest.files[name]
        if there[name] != size:
            problems.append(f"{name} has {there[name]:,} bytes, but {ABOUT} lists {size:,}: it was changed or damaged")
        elif sha256_of(folder / name) != sha:
            problems.append(f"{name} does not have the sha256 that {ABOUT} lists: it was changed or damaged")
    return problems


def _checked(found: Verified, at_hand: AtHand | None, n_reruns: int, seed: int | None) -> Verified:
    """The same after every row was checked."""
    checks: list[tuple[Shared, Checked]] = []
    passed: dict[str, list[str]] = {"statistics": [], "episodes": [], "reruns": [], "identified": []}

    def add(one: Shared, kind: str, checked: Checked) -> None:
        checks.append((one, checked))
        skipped = kind != "statistics" and bool(checked.unchecked)
        passed[kind] += [] if checked.problems or skipped else [one.row.run_id]
        passed["identified"] += [one.row.run_id] if checked.identified and not checked.problems else []

    for one in found.runs:
        add(one, "statistics", check(one, found.results, at_hand))
        if at_hand is not None and one.row.run_id in passed["statistics"]:
            add(one, "episodes", check_episodes(one, found.results, at_hand))
    sound = [one for one in found.runs if one.row.run_id in passed["statistics"]]
    for one, checked in rerun_some(sound, found.results, at_hand or AtHand(), n_reruns, seed) if n_reruns else ():
        add(one, "reruns", checked)
    assert found.manifest is not None
    texts = (
        Checked()
        if found.problems or len(sound) < len(found.runs)
        else _texts(found.folder, found.manifest, found.runs)
    )
    problems = (f"run {one.row.run_id}: {text}" for one, checked in checks for text in checked.problems)
    unchecked = (
        f"run {one.row.run_id}: {text}"
        for one, checked in checks
        for text in checked.unchecked
        if not (text.startswith(f"{CHOICE}:") and one.row.run_id in passed["reruns"])
    )
    return Verified(
        found.folder,
        found.manifest,
        found.runs,
        (*found.problems, *problems, *texts.problems),
        (*unchecked, *texts.unchecked),
        places=() if at_hand is None else at_hand.places,
        **{kind: tuple(runs) for kind, runs in passed.items()},
    )


def _texts(folder: Path, manifest: Manifest, runs: Sequence[Shared]) -> Checked:
    """The check of commands and README.md of sound rows; what cannot be read is a problem."""
    try:
        return check_texts(folder, manifest, runs)
    except Exception as error:  # texts of strangers may be damaged in any way
        return Checked((f"its commands and README.md cannot be compared: {one_line(error)}",))


def record(verified: Verified, by: str) -> Record:
    """Adds who verified a submission to its verification.json. A ValueError if it does not hold."""
    if verified.problems or verified.manifest is None:
        raise ValueError("a submission with problems is not recorded as verified")
    if not by.strip() or len(by) > _LONGEST or not by.isprintable():
        raise ValueError(f"whoever verifies needs a name of at most {_LONGEST} printable characters, got {by!r:.80}")
    new = Record(
        by.strip(),
        datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        version("fewshot"),
        verified.manifest.digest,
        verified.statistics,
        verified.episodes,
        verified.reruns,
        tuple(cleaned(text, verified.places) for text in verified.unchecked),
    )
    values = [asdict(one) for one in (*records(verified.folder, verified.manifest), new)]
    text = json.dumps({"format": _FORMAT, "verified_by": values}, ensure_ascii=False, indent=1) + "\n"
    write_atomically(verified.folder / VERIFICATION, text.encode())
    return new


def records(folder: Path, manifest: Manifest) -> list[Record]:
    """The records of this very submission; those of earlier content, and a file that holds no records, give none."""
    if not (folder / VERIFICATION).exists():
        return []
    try:
        values = parsed(content(folder, VERIFICATION), VERIFICATION)
        found = [_record(one) for one in values.get("verified_by", [])]
    except (ValueError, OSError, KeyError, TypeError, AttributeError):
        return []
    return [one for one in found if one.submission == manifest.digest]


def _record(values: Mapping[str, Any]) -> Record:
    texts = {name: str(values[name])[:_LONGEST] for name in ("by", "when", "fewshot", "submission")}
    statistics, episodes, reruns, unchecked = (
        tuple(map(str, values.get(name, ()))) for name in ("statistics", "episodes", "reruns", "unchecked")
    )
    return Record(**texts, statistics=statistics, episodes=episodes, reruns=reruns, unchecked=unchecked)
