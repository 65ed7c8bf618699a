"""A slow compilation is announced once; what comes from the cache or compiles in a moment is not."""

from __future__ import annotations

import logging
import time

import pytest

from fewshot.solvers.compiled import notice

numba = pytest.importorskip("numba")


@pytest.fixture
def announced(caplog, monkeypatch):
    from numba.core import event

    listeners: list[event.Listener] = []
    monkeypatch.setattr(event, "register", lambda kind, listener: listeners.append(listener))
    monkeypatch.setattr(notice, "_SOON", 0.05)
    notice.announce_compilation.cache_clear()
    notice._announce.cache_clear()
    notice.announce_compilation()
    notice.announce_compilation()
    assert len(listeners) == 1
    with caplog.at_level(logging.INFO, "fewshot"):
        yield listeners[0], caplog
    notice._announce.cache_clear()


def compile_for(seconds: float, listener) -> None:
    listener.on_start(None)
    listener.on_start(None)  # a loop that the first one calls
    listener.on_end(None)
    time.sleep(seconds)
    listener.on_end(None)


def test_a_slow_compilation_is_announced_once(announced):
    listener, log = announced
    for _ in range(2):
        compile_for(0.3, listener)
    assert log.messages == [notice.NOTICE]


def test_a_quick_compilation_is_silent(announced):
    listener, log = announced
    compile_for(0.0, listener)
    time.sleep(0.2)
    assert log.messages == []


def test_numba_sends_the_event():
    from numba.core import event

    with event.install_recorder("numba:compile") as seen:
        numba.njit(lambda x: x + 1)(1)
    assert seen.buffer
