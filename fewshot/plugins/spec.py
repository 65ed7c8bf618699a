"""A member as an object: parsed once where it enters, text again only in rows. Nothing is imported."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from fewshot.plugins.short_name import short_name
from fewshot.plugins.signature import Parameter, Signature


class Home(Protocol):
    """What a spec asks of the registry that its member is in."""

    @property
    def kind(self) -> str: ...
    def get(self, name: str) -> type[Any]: ...


@dataclass(frozen=True, eq=False)
class Spec:
    """A member and its arguments, every default written out; members among the arguments are specs themselves.

    Two specs of one kind are equal where their texts are. `signature` says what the member declares; of a member that
    is not known (a row of another release, or of a stranger) it holds the fields that were given.
    """

    home: Home
    signature: Signature
    arguments: tuple[tuple[Parameter, Any], ...]
    as_written: str | None = None  # the text of a spec that was read from a row, which says no more and no less

    @property
    def name(self) -> str:
        """The name of the member: "LinearProbe"."""
        return self.signature.name

    @cached_property
    def fields(self) -> Mapping[str, Any]:
        """The arguments by the names of their fields."""
        return {parameter.name: argument for parameter, argument in self.arguments}

    @cached_property
    def text(self) -> str:
        """What rows say: "LinearProbe(C=1.0)". Without fields that came later and are not used, so that what was stored
        under a text is found again."""
        if self.as_written is not None:
            return self.as_written
        used = ((p, value) for p, value in self.arguments if not (value is None and p.is_later))
        parts = (f"{p.name}={_rendered(_text_of_path(value) if p.is_path else value)}" for p, value in used)
        return f"{self.name}({', '.join(parts)})"

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return repr(self.text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Spec) and (self.home.kind, self.text) == (other.home.kind, other.text)

    def __hash__(self) -> int:
        return hash((self.home.kind, self.text))

    @cached_property
    def short_name(self) -> str:
        """A short name for people, as the member declares it: "tf_efficientnet_lite0 @128"."""
        return short_name(self)

    def declares(self, attribute: str) -> Any:
        """A literal class attribute of the member, read without importing it; None where it declares none."""
        return self.signature.declared.get(attribute)

    @property
    def identity(self) -> str:
        """The text with every path replaced by what it holds: files by their sha256, and that of the files beside them
        that the member declares to read (`companions`), folders dropped (their images are named by an images digest).
        Run ids are made of this. Paths inside a member of another kind, such as the data that a backbone was
        pre-trained on, stay: no digest names them."""
        return self._identity(paths_stay=False)

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every path that it names, those of members inside it too."""
        return tuple(self._paths())

    def make(self) -> Any:
        """The member itself; its module is imported."""
        made = {p.name: _made(Path(v) if p.is_path and isinstance(v, str) else v) for p, v in self.arguments}
        return self.home.get(self.name)(**made)

    def _identity(self, paths_stay: bool) -> str:
        parts = []
        for parameter, value in self.arguments:
            if value is None and parameter.is_later:
                continue
            if parameter.is_path and value is not None and not paths_stay:
                value = content(str(value), self.declares("companions") or ())
                if value is None:
                    continue
            parts.append(f"{parameter.name}={_rendered(value, self, paths_stay)}")
        return f"{self.name}({', '.join(parts)})"

    def _paths(self) -> Iterator[Path]:
        for parameter, value in self.arguments:
            if parameter.is_path and value is not None:
                yield Path(str(value))
            else:
                for inner in specs_in(value):
                    yield from inner._paths()


def specs_in(value: Any) -> Iterator[Spec]:
    """The specs that an argument holds, itself or in tuples."""
    if isinstance(value, Spec):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from specs_in(item)


def _made(value: Any) -> Any:
    """An argument with the members that its specs describe."""
    if isinstance(value, tuple):
        return tuple(_made(item) for item in value)
    return value.make() if isinstance(value, Spec) else value


def _rendered(value: Any, outside: Spec | None = None, paths_stay: bool = False) -> str:
    """The text of an argument; inside an `outside` spec, of its identity."""
    if isinstance(value, tuple):
        items = [_rendered(item, outside, paths_stay) for item in value]
        return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"
    if not isinstance(value, Spec):
        return repr(value)
    if outside is None:
        return value.text
    return value._identity(paths_stay or value.home is not outside.home)


def _text_of_path(value: Any) -> Any:
    return value if value is None else str(value)


def content(path: str, companions: Sequence[str] = ()) -> str | None:
    """What a path adds to an identity: a file's sha256, with those of the companions that lie beside it, and nothing
    for a folder."""
    if Path(path).is_dir():
        return None
    try:
        beside = {name: Path(path).with_name(name) for name in companions}
        digests = (f"{name}:{_digest_now(str(file))}" for name, file in beside.items() if file.is_file())
        return " ".join([f"sha256:{_digest_now(path)}", *digests])
    except OSError as error:
        raise ValueError(f"cannot read the file {path!r}: {error.strerror}") from error


def _digest_now(path: str) -> str:
    status = os.stat(path)
    return _file_digest(path, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@functools.lru_cache(maxsize=64)
def _file_digest(path: str, *state: int) -> str:
    """16 hex digits of a file's sha256; a large file is read once for many runs, unless it was changed."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
