"""Schedulers of Dask: what the text of a user names, and how a client reaches it; extra `cluster`.

Dask's own log is silent meanwhile: connection.py words what happens, and --debug shows the log too.
"""

from __future__ import annotations

import contextlib
import logging
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from fewshot.files.regular import parsed_json, read_text
from fewshot.work.gpus import only
from fewshot.work.processes import threads_of_worker
from fewshot.work.worker import MOST_LOSSES

_FILE_WAIT = 5.0  # seconds, for the file of a scheduler that starts now
_LOOK = 0.1  # seconds between two looks at it
_CLOSING = 5.0  # seconds, for the end of a client whose scheduler may be away
_HOST_AND_PORT = re.compile(r"[\w.-]+:\d+|\[[\da-fA-F:]+\]:\d+")
_LOOPBACK = "127.0.0.1"
_LOGS = ("distributed", "tornado", "asyncio")
_log = logging.getLogger("fewshot")
Connect = Callable[[float | None], AbstractContextManager[Any]]  # by the seconds to wait; None: those of Dask


class Gone(Exception):
    """A scheduler does not answer, or it does not know a future any more."""


@dataclass(frozen=True)
class Tls:
    """The files of an encrypted connection, as `dask scheduler` takes them; empty: Dask's own configuration."""

    ca_file: str = ""
    cert: str = ""
    key: str = ""

    def arguments(self) -> dict[str, Any]:
        """The arguments of a client."""
        if not (self.ca_file or self.cert or self.key):
            return {}
        files = {"tls_ca_file": self.ca_file, "tls_client_cert": self.cert, "tls_client_key": self.key}
        given = {name: path for name, path in files.items() if path}
        return {"security": distributed().security.Security(require_encryption=True, **given)}


def distributed() -> Any:
    """The package of Dask's scheduler; a ValueError if it is not installed."""
    try:
        import distributed
    except ImportError as error:
        raise ValueError("--scheduler needs Dask; run: pip install 'fewshot[cluster]'") from error
    return distributed


@contextmanager
def opened(scheduler: str, tls: Tls, gpus: Sequence[str] = ()) -> Iterator[Connect]:
    """How to connect to a scheduler: an address, a scheduler file, or local:N for N workers here, divided among `gpus`.
    A ValueError for any other text."""
    check(scheduler)
    kind, _, number = scheduler.partition(":")
    distributed()
    with quiet():
        if kind != "local":
            yield partial(_client, lambda: {"address": address_of(scheduler), **tls.arguments()})
            return
        with _local_cluster(_count(scheduler, number), gpus) as cluster:
            yield partial(_client, lambda: {"address": cluster})


@contextmanager
def _client(arguments: Callable[[], dict[str, Any]], seconds: float | None) -> Iterator[Any]:
    """A client; Gone if the scheduler does not answer."""
    limit = {} if seconds is None else {"timeout": seconds}
    try:
        client = distributed().Client(**arguments(), **limit, set_as_default=False)
    except OSError as error:
        raise Gone(str(error)) from error
    try:
        yield client
    finally:
        with contextlib.suppress(TimeoutError):
            client.close(timeout=_CLOSING)


@contextmanager
def quiet() -> Iterator[None]:
    """Silences the log of Dask while the context is open, unless tracebacks are wanted."""
    names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] in _LOGS]
    loggers = [logging.getLogger(name) for name in (*names, *_LOGS)]
    before = {logger: logger.level for logger in loggers}
    if not _log.isEnabledFor(logging.DEBUG):
        for logger in loggers:
            logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in before.items():
            logger.setLevel(level)


def check(scheduler: str) -> None:
    """Raises a ValueError for a text that is neither an address, nor a file, nor local:N. A file may come a little
    later: one script starts both the scheduler and this command."""
    kind, colon, number = scheduler.partition(":")
    if kind == "local" and colon:
        _count(scheduler, number)
    elif is_address(scheduler):
        return
    elif not (scheduler.endswith(".json") or "/" in scheduler or Path(scheduler).is_file()):
        raise ValueError(
            f"{scheduler!r} is no scheduler; write an address such as tcp://host:8786, the file of a scheduler, or "
            "local:N for N workers here"
        )
    elif not _comes(scheduler):
        there = Path(scheduler).exists()
        what = f"{scheduler} holds no address of a scheduler" if there else f"there is no scheduler file {scheduler}"
        raise ValueError(f"{what}; `dask scheduler --scheduler-file {scheduler}` writes one")


def is_address(scheduler: str) -> bool:
    """Whether a text is an address, such as tcp://host:8786 or host:8786."""
    return "://" in scheduler or _HOST_AND_PORT.fullmatch(scheduler) is not None


def address_of(scheduler: str) -> str:
    """The address of a scheduler: the text itself, or what the scheduler file holds now; Gone if it holds none."""
    if is_address(scheduler):
        return scheduler
    try:
        return str(parsed_json(read_text(Path(scheduler)))["address"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Gone(f"the file {scheduler} holds no address") from error


def _comes(file: str) -> bool:
    """Whether a file holds an address, or soon does."""
    until = time.monotonic() + _FILE_WAIT
    while True:
        with contextlib.suppress(Gone):
            return bool(address_of(file))
        if time.monotonic() > until:
            return False
        time.sleep(_LOOK)


def _count(scheduler: str, number: str) -> int:
    if not number.isascii() or not number.isdigit() or not int(number):
        raise ValueError(f"{scheduler!r} is no local cluster; write one such as local:4, for four workers here")
    return int(number)


@contextmanager
def _local_cluster(n_workers: int, gpus: Sequence[str]) -> Iterator[Any]:
    """Workers of this machine, which listen on the loopback device alone, without a dashboard."""
    import dask

    def worker(scheduler: str, *, name: int, **options: Any) -> Any:
        gpu = gpus[name % len(gpus)] if gpus else None
        return distributed().Nanny(scheduler, name=name, env=only(gpu), **options)

    config = {
        "distributed.nanny.pre-spawn-environ": threads_of_worker(n_workers),
        "distributed.scheduler.allowed-failures": MOST_LOSSES - 1,
        "distributed.deploy.lost-worker-timeout": "1 day",  # else Dask removes a worker that starts again slowly
    }
    with (
        dask.config.set(config),
        distributed().LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            processes=True,
            worker_class=worker,
            resources={"GPU": 1},  # one task at a time, on whichever device
            host=_LOOPBACK,
            dashboard_address=f"{_LOOPBACK}:0",
            silence_logs=False if _log.isEnabledFor(logging.DEBUG) else logging.CRITICAL,
        ) as cluster,
    ):
        yield cluster
