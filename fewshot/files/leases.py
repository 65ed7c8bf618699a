"""Leases: which process works on a thing, on any folder that several machines share.

A lease is a file that only one process can create (O_EXCL, so it needs no lock of the file system). Its holder changes
it every few seconds. A lease has expired if its content did not change for some time by the monotonic clock of the
process that looks: no clocks are compared, so wrong ones and clocks that are set back do no harm. The lease of a dead
process of this machine expires at once. A holder that was only slow goes on, so work under a lease must be harmless to
do twice.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fewshot.files.atomic import make_folder
from fewshot.files.regular import parsed_json

PATIENCE = 60.0  # seconds without a sign of life until a lease expires
_BEATS = 12  # signs of life within the patience
_WIDTH = 12  # digits of the count of beats: a lease always has the same length
_MOST_BYTES = 4096


@dataclass(frozen=True)
class Held:
    """What a lease says of its holder."""

    token: str = ""
    machine: str = ""
    process: int = 0
    started: str = ""  # by the kernel's count, so that a later process with the same number is another

    @staticmethod
    def read(content: bytes) -> Held:
        """The holder; an empty one for a lease that is not written yet, or that is torn."""
        try:
            values = parsed_json(content)
            return Held(str(values["token"]), str(values["machine"]), int(values["process"]), str(values["started"]))
        except (ValueError, KeyError, TypeError):
            return Held()

    @property
    def is_here(self) -> bool:
        """Whether it is, or was, a process of this machine."""
        return self.machine == _machine()

    @property
    def is_dead(self) -> bool:
        """Whether it was a process of this machine that has ended."""
        return self.is_here and _started(self.process) != self.started

    @property
    def name(self) -> str:
        """The holder in words."""
        return f"process {self.process} on {self.machine.partition(' ')[0]}" if self.token else "another process"


@dataclass(eq=False)
class Leases:
    """The leases in a folder, as one process sees them. Expired ones are counted in the folder `lost`."""

    folder: Path
    patience: float = PATIENCE
    clock: Callable[[], float] = time.monotonic
    _seen: dict[str, tuple[bytes, float]] = field(default_factory=dict)  # content, and since when it is the same

    @contextmanager
    def claimed(self, name: str) -> Iterator[bool]:
        """Whether this process got the lease; while the context is open, it gives signs of life."""
        token, ended = secrets.token_hex(8), threading.Event()
        thread = threading.Thread(target=self._beat, args=(name, token, ended), name="lease", daemon=True)
        try:  # an interruption may come at any moment after the file is there, also while the thread starts
            mine = self._create(name, token)
            if mine:
                thread.start()
            yield mine
        finally:
            ended.set()
            try:
                if thread.is_alive():
                    thread.join()
            finally:
                if Held.read(self._content(name)).token == token:
                    self._path(name).unlink(missing_ok=True)

    def release(self, processes: Iterable[int]) -> None:
        """Removes the leases of processes of this machine that were stopped on purpose; they do not count as lost."""
        stopped = set(processes)
        for name in _names(self.folder):
            held = Held.read(self._content(name))
            if held.is_here and held.process in stopped:
                self._path(name).unlink(missing_ok=True)

    def taken(self) -> dict[str, Held]:
        """The holder of every lease that has not expired. Removes those that have, and counts them as lost."""
        found: dict[str, Held] = {}
        for name in _names(self.folder):
            content = self._content(name)
            held = Held.read(content)
            if self._has_expired(name, content, held):
                self._remove(name, held)
            else:
                found[name] = held
        for name in self._seen.keys() - found.keys():
            del self._seen[name]
        return found

    def held_by(self, process: int) -> bool:
        """Whether a process of this machine left a lease behind, which another one may have counted as lost."""
        contents = (
            content
            for folder in (self.folder, self._lost)  # in this order: leases move from the one to the other
            for name in _names(folder)
            if (content := _content(folder / name))
        )
        return any(one.is_here and one.process == process for one in map(Held.read, contents))

    def losses(self, name: str) -> int:
        """The number of times that the holder of this lease died, or gave no sign of life for too long."""
        return sum(lost.startswith(f"{name}.") for lost in _names(self._lost))

    def all_losses(self) -> list[str]:
        """The name of every lease that was lost, once for each loss."""
        return [lost.rpartition(".")[0] for lost in _names(self._lost)]

    def _has_expired(self, name: str, content: bytes, held: Held) -> bool:
        now = self.clock()
        known, since = self._seen.get(name, (b"", now))
        if known != content or name not in self._seen:
            self._seen[name] = content, now
            since = now
        return held.is_dead or now - since > self.patience

    def _remove(self, name: str, held: Held) -> None:
        """Moves an expired lease to the lost ones. If it turns out to be a new one of the same name, puts it back."""
        lost = make_folder(self._lost) / f"{name}.{held.token or secrets.token_hex(8)}"
        try:
            os.rename(self._path(name), lost)
        except FileNotFoundError:  # another observer was faster, or its holder has finished
            return
        with contextlib.suppress(OSError):
            if Held.read(_read(lost)).token != held.token:
                os.rename(lost, self._path(name))

    def _create(self, name: str, token: str) -> bool:
        make_folder(self.folder)
        try:
            file = os.open(self._path(name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            return False
        try:
            os.write(file, _text(token, 0))
        except BaseException as error:
            self._path(name).unlink(missing_ok=True)
            if not isinstance(error, OSError):
                raise
            raise OSError(
                f"cannot write {self._path(name)}: {error.strerror}; free some space or choose another folder"
            ) from error
        finally:
            os.close(file)
        return True

    def _beat(self, name: str, token: str, ended: threading.Event) -> None:
        """Changes the lease until the work has ended, or until another process has taken it."""
        count = 0
        while not ended.wait(self.patience / _BEATS):
            count += 1
            with contextlib.suppress(OSError):  # a full disk or a server that is away may be back at the next beat
                file = os.open(self._path(name), os.O_RDWR)
                try:
                    if Held.read(os.read(file, _MOST_BYTES)).token != token:
                        return
                    os.pwrite(file, _text(token, count), 0)
                finally:
                    os.close(file)

    def _content(self, name: str) -> bytes:
        return _content(self._path(name))

    def _path(self, name: str) -> Path:
        return self.folder / name

    @property
    def _lost(self) -> Path:
        return self.folder.with_name("lost")


def _text(token: str, count: int) -> bytes:
    values = {"token": token, "machine": _machine(), "process": os.getpid(), "started": _started(os.getpid())}
    return json.dumps({**values, "beats": f"{count:0{_WIDTH}d}"}).encode()


def _content(path: Path) -> bytes:
    """The content of a lease; b"" if it is gone."""
    try:
        return _read(path)
    except OSError:
        return b""


def _read(path: Path) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read(_MOST_BYTES)


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


@functools.cache
def _machine() -> str:
    """The machine: its name, this start of it, and the container in which processes are counted."""
    return " ".join((socket.gethostname(), _kernel("/proc/sys/kernel/random/boot_id"), _link("/proc/self/ns/pid")))


def _kernel(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _started(process: int) -> str:
    """When the kernel started a process; "running" where it does not say; "" for one that has ended."""
    fields = _kernel(f"/proc/{process}/stat").rpartition(")")[2].split()
    if fields:
        return "" if fields[0] in "ZX" else fields[19]
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return ""
    except OSError:
        pass
    return "running"
