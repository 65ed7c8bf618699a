"""Progress: whole lines in a log, at most every half minute, with a rate; a live line on a terminal."""

from __future__ import annotations

import io
import subprocess
import sys
import time

import pytest
from tqdm import tqdm

from fewshot.files import progress
from fewshot.files.durations import duration
from fewshot.files.progress import progress_bar, show_step, with_progress


def test_a_log_gets_whole_lines_with_rate_and_time_left(capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.02)
    with progress_bar(1200, "embedding resnet18", "image") as bar:
        for _ in range(3):
            time.sleep(0.03)
            bar.update(400)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert lines[0] == "  embedding resnet18: 400 of 1,200 images"  # no rate after one batch
    assert lines[1].startswith("  embedding resnet18: 800 of 1,200 images, ")
    assert " per s, about " in lines[1]
    assert lines[1].endswith(" left")


@pytest.mark.parametrize("terminal", [False, True])
def test_the_rate_leaves_out_a_slow_first_batch(monkeypatch, terminal: bool) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr("sys.stderr", screen)
    with progress_bar(601, "LinearProbe", "episode", done=0) as bar:
        bar.start_t -= 100  # the first episode took 100 s
        bar.update(1)
        assert bar.format_dict["rate"] == 0
        bar.first = 1, bar.first[1] - 10  # 10 more seconds
        bar.update(100)
        assert bar.format_dict["rate"] == pytest.approx(10, rel=0.1)


def test_short_work_is_silent_in_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(with_progress(range(5), 5, "reading", "image")) == [0, 1, 2, 3, 4]
    with progress_bar(5, "reading", "image", shown=False) as bar:
        bar.update(5)
    assert capsys.readouterr().err == ""


def test_a_slow_batch_shows_its_steps_in_a_log(capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.0)
    with progress_bar(2, "TIM", "episode") as bar:
        for step in (1, 2, 3):
            show_step(bar, step, 3)
    assert "  TIM: 0 of 2 episodes, step 1 of 3" in capsys.readouterr().err


def test_a_terminal_has_a_live_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with progress_bar(2, "TIM", "episode") as bar:
        bar.mininterval = 0
        for step in (1, 2, 3):
            show_step(bar, step, 3)
        assert bar.n == 0
    assert "\r" in terminal.getvalue()
    assert "step 1 of 3" in terminal.getvalue()
    assert "step 3" not in terminal.getvalue()


def test_a_hidden_bar_shows_no_steps() -> None:
    with tqdm(disable=True) as hidden:
        show_step(hidden, 1, 3)


def test_durations_have_units() -> None:
    assert [duration(seconds) for seconds in (45, 300, 9000)] == ["45 s", "5 min", "2.5 h"]


def test_a_bar_leaves_no_semaphore_of_the_system_behind() -> None:
    script = (
        "from multiprocessing import resource_tracker as tracker\n"
        "from fewshot.files.progress import progress_bar\n"
        "for shown in (True, False):\n"
        "    progress_bar(3, 'a', 'b', shown).close()\n"
        "print(tracker._resource_tracker._pid)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout == "None\n"
