"""What a verification says in few lines: run ids as short as they stay different, and a line for each kind of check."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from fewshot.plugins.wording import counted

NOT_AGAIN = "it cannot be computed again here"  # the kind of what --rerun could not check
_LEAST = 4  # digits of a run id
_OF_RUN = re.compile(r"run (?P<run>[0-9a-f]{16}): (?P<kind>[^:]+)(?:: (?P<why>.+))?", re.DOTALL)
_IMAGES = re.compile(r"the images of .+ are not at hand", re.DOTALL)  # of each data set; one reason for all
_RUN_ID = re.compile(r"\b[0-9a-f]{16}\b")


def shortened(texts: Iterable[str], run_ids: Sequence[str]) -> list[str]:
    """The texts with the beginning of each of these run ids that no other one has."""
    known, length = set(run_ids), _LEAST
    while len({run_id[:length] for run_id in known}) < len(known):
        length += 1
    return [_RUN_ID.sub(lambda found: found[0][:length] if found[0] in known else found[0], text) for text in texts]


def grouped(texts: Iterable[str], n_runs: int) -> list[str]:
    """One line for each kind of what was not checked: "run id of 12 of 30 runs (the labels of its images are not
    here)"."""
    kinds: dict[str, tuple[set[str], dict[str, None]]] = {}
    others = []
    for text in texts:
        found = _OF_RUN.fullmatch(text)
        if found is None:
            others.append(text)
            continue
        runs, reasons = kinds.setdefault(found["kind"], (set(), {}))
        runs.add(found["run"])
        reasons |= {_IMAGES.sub("the images are not at hand", found["why"]): None} if found["why"] else {}
    return [_line(kind, len(runs), n_runs, list(reasons)) for kind, (runs, reasons) in kinds.items()] + others


def no_rerun(unchecked: Iterable[str], n_runs: int, n_reruns: int) -> str:
    """The sentence for a --rerun that found no run to compute again: what it asked, what there is, and why."""
    (line,) = grouped([text for text in unchecked if f": {NOT_AGAIN}: " in text], n_runs)
    _, _, why = line.partition("cannot run here")
    return f"--rerun asked for {counted(n_reruns, 'run')}, but none of the {counted(n_runs, 'run')} can run here{why}"


def _line(kind: str, count: int, n_runs: int, reasons: Sequence[str]) -> str:
    of = f"all {counted(n_runs, 'run')}" if count == n_runs > 1 else f"{count:,} of {counted(n_runs, 'run')}"
    more = [f"{len(reasons) - 2} other reasons"] if len(reasons) > 3 else []
    shown = list(reasons[: 2 if more else 3])
    why = f" ({'; '.join([*shown, *more])})" if reasons else ""
    if kind == NOT_AGAIN:
        return f"second computation of {of}, which cannot run here{why}"
    kind = kind.removeprefix("its ")
    return f"{kind} of {of}{why}"
