"""A long run without a progress bar says once how long it takes."""

from __future__ import annotations

import logging
import time

from fewshot.runs.pace import Pace


def advanced(monkeypatch, caplog, total, seconds):
    """What a run logs that solves 100 episodes after each of these times."""
    monkeypatch.setattr(time, "monotonic", lambda: 0.0)
    pace = Pace(total)
    with caplog.at_level(logging.INFO):
        for now in seconds:
            monkeypatch.setattr(time, "monotonic", lambda now=now: now)
            pace.advance(100)
    return caplog.messages


def test_a_long_run_says_once_how_long_it_takes(monkeypatch, caplog):
    [message] = advanced(monkeypatch, caplog, 10_000_000, [20.0, 22.0, 24.0, 26.0, 29.0])
    assert message == (
        "300 of 10,000,000 episodes took 6 s, so the others take about 3,333 min; stop at any time: finished episodes "
        "are kept"
    )


def test_a_short_run_says_nothing(monkeypatch, caplog):
    assert advanced(monkeypatch, caplog, 1000, [1.0, 6.0, 12.0]) == []


def test_the_first_count_which_compiles_loops_gives_no_pace(monkeypatch, caplog):
    assert advanced(monkeypatch, caplog, 2000, [60.0, 60.1, 65.5, 66.0]) == []
