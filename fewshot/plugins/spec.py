"""A member as an object: parsed once where it enters, text again only in rows. Nothing is imported."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from fewshot.plugins.code import code_digest, file_of
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
        """What rows say: "LinearProbe(C=1.0)"."""
        if self.as_written is not None:
            return self.as_written
        parts = (f"{p.name}={_rendered(_text_of_path(value) if p.is_path else value)}" for p, value in self.arguments)
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
        """The text with every path replaced by what it holds: files by their sha256, folders dropped (their images are
        named by an images digest), and without fields that came later and are not used. Run ids are made of this. Paths
        inside a member of another kind, such as the data that a backbone was pre-trained on, stay: no digest names
        them."""
        return self._fixed_identity or self._identity(paths_stay=False)

    @cached_property
    def _fixed_identity(self) -> str | None:
        """The identity where no file and no code from outside can change it meanwhile."""
        return None if self.paths or self.code else self._identity(paths_stay=False)

    @cached_property
    def paths(self) -> tuple[Path, ...]:
        """Every path that it names, those of members inside it too."""
        return tuple(self._paths())

    def make(self) -> Any:
        """The member itself; its module is imported."""
        made = {p.name: _made(Path(v) if p.is_path and isinstance(v, str) else v) for p, v in self.arguments}
        cls = self.home.get(self.name)
        missing = sorted(getattr(cls, "__abstractmethods__", ()))
        if missing:
            raise ValueError(f"{self.name} is not complete: it has no {', '.join(f'{name}()' for name in missing)}")
        return cls(**made)

    def _identity(self, paths_stay: bool) -> str:
        parts = []
        for parameter, value in self.arguments:
            if value is None and parameter.is_later:
                continue
            if parameter.is_path and value is not None and not paths_stay:
                value = content(str(value))
                if value is None:
                    continue
            parts.append(f"{parameter.name}={_rendered(value, self, paths_stay)}{_code_of_field(parameter, value)}")
        return f"{self.name}{self._own_code}({', '.join(parts)})"

    @property
    def code(self) -> str:
        """What names the code from outside that the member, its fields and members inside it are made of; "" where all
        of it is fewshot's."""
        fields = "".join(_code_of_field(parameter, value) for parameter, value in self.arguments)
        inside = "".join(inner.code for _, value in self.arguments for inner in specs_in(value))
        return self._own_code + fields + inside

    @property
    def _own_code(self) -> str:
        module = self.signature.module
        if not module or module.partition(".")[0] == "fewshot":
            return ""
        return f"@{code_digest(module, self.home.get(self.name))}"

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


def _code_of_field(parameter: Parameter, value: Any) -> str:
    """What names the code that a field imports, such as "mine:network"."""
    if parameter.annotation != "Dotted" or ":" not in str(value):
        return ""
    module = str(value).partition(":")[0]
    return f"@{code_digest(module)}" if file_of(module) else ""  # where there is none, its use says so


def _text_of_path(value: Any) -> Any:
    return value if value is None else str(value)


def content(path: str) -> str | None:
    """What a path adds to an identity: a file's sha256, and nothing for a folder."""
    if Path(path).is_dir():
        return None
    try:
        status = os.stat(path)
        return "sha256:" + _file_digest(path, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    except OSError as error:
        raise ValueError(f"cannot read the file {path!r}: {error.strerror}") from error


@functools.lru_cache(maxsize=64)
def _file_digest(path: str, *state: int) -> str:
    """16 hex digits of a file's sha256; a large file is read once for many runs, unless it was changed."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
