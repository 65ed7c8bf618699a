"""Whether a hub of weights can be reached, asked once and briefly, so that nobody waits a minute for its retries."""

from __future__ import annotations

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

SECONDS = 3.0  # that a hub has to answer in
_ASKED_AGAIN = 30  # seconds after which an answer is old
ABSENT = RepositoryNotFoundError  # what the hub raises where it has no such thing


@contextmanager
def only_cached() -> Iterator[None]:
    """Inside the context the Hugging Face hub is not asked, only its cache is read."""
    before, constants.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE, True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def unreachable(address: str | None = None) -> str:
    """Why nothing answers at an address within seconds; '' where something does. Not asked where the user said to stay
    offline (HF_HUB_OFFLINE)."""
    if constants.HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE is set"
    parts = urlsplit(address or constants.ENDPOINT)
    return _asked(f"{parts.scheme}://{parts.netloc}", int(time.monotonic() // _ASKED_AGAIN))


@lru_cache(maxsize=16)
def _asked(site: str, period: int) -> str:
    """The answer of one period. In a thread of its own, because looking a name up takes no timeout."""
    answer = [f"{site} did not answer within {SECONDS:g} seconds"]
    thread = threading.Thread(target=_ask, args=(site, answer), daemon=True)
    thread.start()
    thread.join(SECONDS + 0.5)
    return answer[0]


def _ask(site: str, answer: list[str]) -> None:
    try:
        urllib.request.urlopen(urllib.request.Request(site, method="HEAD"), timeout=SECONDS).close()
        answer[0] = ""
    except urllib.error.HTTPError:  # it answered
        answer[0] = ""
    except (OSError, ValueError, HTTPException) as error:
        answer[0] = f"{site} cannot be reached: {getattr(error, 'reason', error)}"
