"""A spec: a member and its arguments as an object. It is parsed once where it enters and is text again only in rows.

Reading a spec imports nothing; `Spec.make` imports its member.
"""

from __future__ import annotations

import functools
import hashlib
import os
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from fewshot.files.regular import check_regular
from fewshot.plugins.code import Reads, code_digest, file_of
from fewshot.plugins.short_name import short_name
from fewshot.plugins.signature import Parameter, Signature

# The files of these kinds have digests of their own: of images, labels, weights.
_READS: Mapping[str, Reads] = {
    "dataset": "ignored", "split": "ignored", "backbone": "named", "recipe": "named", "measure": "ignored",
}  # fmt: skip


class Home(Protocol):
    """The registry of a member, as far as a spec uses it."""

    @property
    def kind(self) -> str: ...
    def get(self, name: str) -> type[Any]: ...


@dataclass(frozen=True, eq=False)
class Spec:
    """A member and its arguments, with every default written out; members among the arguments are specs themselves.

    Two specs of one kind are equal if their texts are. `signature` holds what the member declares; for an unknown
    member (a row of another release or from outside) it holds the given fields.
    """

    home: Home
    signature: Signature
    arguments: tuple[tuple[Parameter, Any], ...]
    as_written: str | None = None  # the exact text of a spec that was read from a row

    @property
    def name(self) -> str:
        """The name of the member: "LinearProbe"."""
        return self.signature.name

    @cached_property
    def fields(self) -> Mapping[str, Any]:
        """The arguments by field name."""
        return {parameter.name: argument for parameter, argument in self.arguments}

    @cached_property
    def text(self) -> str:
        """The text in rows: "LinearProbe(C=1.0)". Unused fields that came later are left out, so that what was stored
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
        """The short name for people that the member declares: "tf_efficientnet_lite0 @128"."""
        return short_name(self)

    def with_defaults(self, fields: Collection[str]) -> Spec:
        """The spec with these of its fields at their defaults; for names alone, as nothing is checked."""
        plain = ((p, p.default if p.name in fields and p.annotation else value) for p, value in self.arguments)
        return replace(self, arguments=tuple(plain), as_written=None)

    def declares(self, attribute: str) -> Any:
        """A literal class attribute of the member, read without importing it; None if it declares none."""
        return self.signature.declared.get(attribute)

    @property
    def identity(self) -> str:
        """The text that run ids hash: every path replaced by its content, and without unused fields that came later.

        The sha256 of a file replaces its path, with those of the files beside it that the member declares to read
        (`companions`); folders are dropped, because an images digest names their images. Paths inside a member of
        another kind stay, such as the data that a backbone was pre-trained on: no digest names them.
        """
        return self._fixed_identity or self._identity(paths_stay=False)

    @cached_property
    def _fixed_identity(self) -> str | None:
        """The identity where no file and no code from outside can change it meanwhile."""
        return None if self.paths or self.code or ":" in self.text else self._identity(paths_stay=False)

    @cached_property
    def paths(self) -> tuple[Path, ...]:
        """Every path in the spec and in the specs inside it."""
        return tuple(self._paths())

    def make(self) -> Any:
        """The member itself; this imports its module."""
        arguments = {p.name: _member(Path(v) if p.is_path and isinstance(v, str) else v) for p, v in self.arguments}
        cls = self.home.get(self.name)
        refuse_incomplete(self.name, cls)
        return cls(**arguments)

    def _identity(self, paths_stay: bool) -> str:
        parts = []
        for parameter, value in self.arguments:
            if value is None and parameter.is_later:
                continue
            if parameter.holds_path(value) and not paths_stay:
                value = content(str(value), self.declares("companions") or ())
                if value is None:
                    continue
            parts.append(f"{parameter.name}={_rendered(value, self, paths_stay)}{_code_of_field(parameter, value)}")
        return f"{self.name}{self._own_code}({', '.join(parts)})"

    @property
    def code(self) -> str:
        """The digests of all code from outside that the member, its fields and the members inside it use; "" if all
        of their code is fewshot's."""
        fields = "".join(_code_of_field(parameter, value) for parameter, value in self.arguments)
        inside = "".join(inner.code for _, value in self.arguments for inner in specs_in(value))
        return self._own_code + fields + inside

    @property
    def _own_code(self) -> str:
        module = self.signature.module
        if not module or module.partition(".")[0] == "fewshot":
            return ""
        reads: Reads = _READS.get(self.home.kind, "all")
        return f"@{code_digest(module, self.home.get(self.name), reads)}"

    def _paths(self) -> Iterator[Path]:
        for parameter, value in self.arguments:
            if parameter.holds_path(value):
                yield Path(str(value))
            else:
                for inner in specs_in(value):
                    yield from inner._paths()


def refuse_incomplete(name: str, cls: type[Any]) -> None:
    """Raises a ValueError if a class leaves methods of its kind undefined."""
    missing = sorted(getattr(cls, "__abstractmethods__", ()))
    if missing:
        listed = ", ".join(f"{method}()" for method in missing)
        file = getattr(sys.modules.get(cls.__module__), "__file__", None) or cls.__module__
        raise ValueError(f"{name} ({file}) is not complete: it has no {listed}; define what is missing")


def specs_in(value: Any) -> Iterator[Spec]:
    """The specs in an argument: the argument itself, or those in its tuples."""
    if isinstance(value, Spec):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from specs_in(item)


def _member(value: Any) -> Any:
    """An argument with every spec replaced by its member."""
    if isinstance(value, tuple):
        return tuple(_member(item) for item in value)
    return value.make() if isinstance(value, Spec) else value


def _rendered(value: Any, outside: Spec | None = None, paths_stay: bool = False) -> str:
    """The text of an argument; with `outside`, its part of the identity of that spec."""
    if isinstance(value, tuple):
        items = [_rendered(item, outside, paths_stay) for item in value]
        return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"
    if not isinstance(value, Spec):
        return repr(value)
    if outside is None:
        return value.text
    return value._identity(paths_stay or value.home is not outside.home)


def _code_of_field(parameter: Parameter, value: Any) -> str:
    """The digest of the code that a field names, such as "mine:network"; "" for other fields."""
    if parameter.annotation != "Dotted" or ":" not in str(value):
        return ""
    module = str(value).partition(":")[0]
    return f"@{code_digest(module)}" if file_of(module) else ""  # without a file, using the field raises the error


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
    status = os.stat(check_regular(Path(path)))
    return _file_digest(path, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@functools.lru_cache(maxsize=64)
def _file_digest(path: str, *state: int) -> str:
    """16 hex digits of a file's sha256; many runs read a large file once, unless it changes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
