"""Whether a hub of weights can be reached: one short request, to avoid a minute of retries."""

from __future__ import annotations

import logging
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from http.client import HTTPException
from urllib.parse import urlsplit

from huggingface_hub import constants
from huggingface_hub.errors import RepositoryNotFoundError

SECONDS = 3.0  # for the hub to answer
_KEPT_SECONDS = 30  # for which an answer is reused
ABSENT = RepositoryNotFoundError  # the hub's error for an unknown repository


@contextmanager
def only_cached() -> Iterator[None]:
    """Inside the context only the cache of the Hugging Face hub is read."""
    before, constants.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE, True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


@contextmanager
def quiet() -> Iterator[None]:
    """Inside the context, the hub's client and timm print no warning: a download that fails is one error, not one line
    per retry."""
    loggers = [logging.getLogger(name) for name in ("huggingface_hub", "timm")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


def unreachable(address: str | None = None) -> str:
    """Why nothing answers at an address within seconds; '' if something answers. Sends nothing if HF_HUB_OFFLINE is
    set."""
    if constants.HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE is set"
    parts = urlsplit(address or constants.ENDPOINT)
    return _answer(f"{parts.scheme}://{parts.netloc}", int(time.monotonic() // _KEPT_SECONDS))


@lru_cache(maxsize=16)
def _answer(site: str, period: int) -> str:
    """The answer of one period. Uses a thread, because a name lookup has no timeout."""
    answer = [f"{site} did not answer within {SECONDS:g} seconds"]
    thread = threading.Thread(target=_request, args=(site, answer), daemon=True)
    thread.start()
    thread.join(SECONDS + 0.5)
    return answer[0]


def _request(site: str, answer: list[str]) -> None:
    try:
        urllib.request.urlopen(urllib.request.Request(site, method="HEAD"), timeout=SECONDS).close()
        answer[0] = ""
    except urllib.error.HTTPError:  # it answered
        answer[0] = ""
    except (OSError, ValueError, HTTPException) as error:
        answer[0] = f"{site} cannot be reached: {getattr(error, 'reason', error)}"
