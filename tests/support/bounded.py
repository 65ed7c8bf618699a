"""A call with limits on its seconds and its memory."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import click

SECONDS = 20.0
BYTES = 2 << 30  # of addresses: threads and libraries take many of them without using memory
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Hang(BaseException):
    """A call took too long. Not an Exception, so that no reader takes it for a fault of its file."""


@contextmanager
def bounded(seconds: float = SECONDS, size: int = BYTES) -> Iterator[None]:
    """Raises Hang after so many seconds, and a MemoryError where so many bytes are asked for."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm", encoding="ascii") as file:
        used = int(file.read().split()[0]) * _PAGE
    handler = signal.signal(signal.SIGALRM, _stop)
    resource.setrlimit(resource.RLIMIT_AS, (used + size, before[1]))
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        resource.setrlimit(resource.RLIMIT_AS, before)
        signal.signal(signal.SIGALRM, handler)


def _stop(number: int, frame: FrameType | None) -> None:
    raise Hang


def outcome(read: Callable[[], Any]) -> tuple[str, Any]:
    """("read", content) or ("refused", sentence). Anything else that a reader does with a file is an AssertionError."""
    try:
        with bounded():
            return "read", read()
    except (ValueError, OSError, click.ClickException) as error:
        return "refused", _sentence(error)
    except Hang as hang:
        raise AssertionError(f"took more than {SECONDS} s") from hang


def _sentence(error: BaseException) -> str:
    """The message of an error that is not for want of memory, of a length that people read."""
    cause: BaseException | None = error
    while cause is not None:
        assert not isinstance(cause, MemoryError), f"asked for more than {BYTES:,} bytes: {error}"
        cause = cause.__cause__ or cause.__context__
    text = error.format_message() if isinstance(error, click.ClickException) else str(error)
    assert 0 < len(text) < 3000, f"{len(text):,} characters: {text[:300]!r}"
    return text
