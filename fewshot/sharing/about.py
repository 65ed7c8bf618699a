"""submission.json: who shares the results, what was left out, and the sha256 of every other file."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fewshot.files.regular import parsed_json
from fewshot.sharing.layout import ABOUT, VERIFICATION, content, is_name
from fewshot.sharing.plain_texts import check_plain

FORMAT = "fewshot-submission-1"
_LONGEST = {"name": 100, "authors": 500, "url": 500, "note": 4000, "made": 40, "fewshot": 40}
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class About:
    """What the authors say of a submission. Texts are short and hold no control characters."""

    name: str
    authors: str = ""
    url: str = ""
    note: str = ""
    made: str = ""  # UTC, ISO 8601
    fewshot: str = ""  # the release that wrote the folder

    def __post_init__(self) -> None:
        for name, longest in _LONGEST.items():
            text = getattr(self, name)
            if not isinstance(text, str) or len(text) > longest:
                raise ValueError(
                    f"the {name} of a submission should be a text of at most {longest:,} characters, found {text!r:.80}"
                )
            check_plain(f"the {name} of a submission", text, lines=name == "note")
        if not self.name.strip():
            raise ValueError("a submission needs a name, such as --name 'ResNet baselines'")
        check_url(self.url)


def check_url(url: str) -> None:
    """Raises a ValueError unless this is "" or the address of a page, https://... or http://..."""
    if not url:
        return
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
    except ValueError:
        known = False
    if not known or re.search(r"""[\s"'<>\\]""", url):
        raise ValueError(f"a url starts with https:// or http:// and holds no spaces or quotes, found {url!r:.80}")


@dataclass(frozen=True)
class Manifest:
    """The content of submission.json."""

    about: About
    files: Mapping[str, tuple[str, int]]  # sha256 and bytes of every file but this one and the verification
    left_out: tuple[tuple[str, str], ...] = ()  # runs that are not shared, and why
    environments: tuple[str, ...] = ()  # versions and platforms of the runs
    digest: str = field(default="", compare=False)  # sha256 of submission.json itself

    def text(self) -> str:
        """The JSON text."""
        files = {name: {"sha256": sha, "bytes": size} for name, (sha, size) in sorted(self.files.items())}
        left = [{"run": run, "why": why} for run, why in self.left_out]
        values = {
            "format": FORMAT,
            **asdict(self.about),
            "environments": self.environments,
            "left_out": left,
            "files": files,
        }
        return json.dumps(values, ensure_ascii=False, indent=1) + "\n"

    @staticmethod
    def read(folder: Path) -> Manifest:
        """The manifest of a submission; a ValueError says why a file is none."""
        stored = content(folder, ABOUT)
        values = parsed(stored, ABOUT)
        if values.get("format") != FORMAT:
            raise ValueError(
                f"{ABOUT} should have the format {FORMAT!r}, found {values.get('format')!r:.80}; update fewshot"
            )
        about = About(**{name: values.get(name, "") for name in _LONGEST})
        try:
            files = {str(name): (one["sha256"], one["bytes"]) for name, one in values["files"].items()}
            left = tuple((str(one["run"]), str(one["why"])) for one in values["left_out"])
            environments = tuple(map(str, values["environments"]))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{ABOUT} does not list files, left_out and environments as fewshot writes them"
            ) from error
        for name, (sha, size) in files.items():
            _check_file(name, sha, size)
        return Manifest(about, files, left, environments, hashlib.sha256(stored).hexdigest())


def _check_file(name: str, sha: Any, size: Any) -> None:
    if not is_name(name) or name in (ABOUT, VERIFICATION):
        raise ValueError(f"{ABOUT} lists {name!r:.120}, which is no file of a submission")
    if not isinstance(sha, str) or not _DIGEST.fullmatch(sha) or type(size) is not int or size < 0:
        raise ValueError(f"{ABOUT} should list a sha256 and a number of bytes for {name}")


def parsed(stored: bytes, name: str) -> dict[str, Any]:
    """The JSON object in the bytes of a file; a ValueError for anything else, and for a key that occurs twice."""
    try:
        values = parsed_json(stored.decode(), object_pairs_hook=unique, parse_constant=refuse_constant)
    except ValueError as error:
        raise ValueError(f"{name} is not readable JSON: {error or type(error).__name__}") from error
    if not isinstance(values, dict):
        raise ValueError(f"{name} should hold a JSON object, found {values!r:.80}")
    return values


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object with these keys; a ValueError if one occurs twice, because readers would disagree about its value."""
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice[:80]!r} occurs twice")
    return values


def refuse_constant(name: str) -> None:
    """Raises a ValueError: NaN and Infinity are not JSON."""
    raise ValueError(f"{name} is not JSON")
