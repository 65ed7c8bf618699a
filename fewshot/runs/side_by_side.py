"""Small episodes that tune a network, side by side, each on one thread of the processor.

A training step on a few small images is too short to be divided well among threads, and its sums depend on how it is
divided. With one thread an episode has the same predictions on any number of cores, and as many episodes run at once as
torch has threads. Large episodes keep all threads.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TypeVar

import torch

from fewshot.files.memory import free_bytes

MOST_IMAGES = 128  # in the support of an episode with one thread
MOST_BYTES = 1 << 30  # of the activations of a forward pass
_IMAGES_AT_ONCE = 64  # in a forward pass, at most
_PATIENCE = 0.1  # seconds after which the main thread looks whether a signal has come

Item = TypeVar("Item")
Result = TypeVar("Result")
Watch = Callable[[int, int], None]  # gets the steps done and the number of all steps


class _Stopped(Exception):
    """The episodes side by side are not wanted any more."""


def fits_one_thread(n_support: int, activation_bytes: int | None) -> bool:
    """Whether an episode is small: a function of its size and its network, so that every machine decides alike.
    `activation_bytes`: of one image; None: unknown."""
    if activation_bytes is None or n_support > MOST_IMAGES:
        return False
    return _bytes(n_support, activation_bytes) <= MOST_BYTES


def lanes(n_support: int, activation_bytes: int | None) -> int:
    """How many such episodes to run at once: as torch has threads, or as fit into half of the free memory."""
    free, needed = free_bytes(), max(1, 2 * _bytes(n_support, activation_bytes or 0))  # activations and gradients
    room = torch.get_num_threads() if free is None else free // 2 // needed
    return max(1, min(torch.get_num_threads(), room))


def side_by_side(
    work: Callable[[Item, Watch], Result], items: Sequence[Item], n_lanes: int, watch: Watch | None = None
) -> Iterator[Result]:
    """The results of all items, in their order. `work` calls the function that it gets after each step, with (0, 0) for
    one that nobody has to see; `watch` sees the steps of the first item that is not done. After an error or an
    interruption the others end at their next step; the results of items that had ended come before it is raised."""
    stopped, first = threading.Event(), 0
    begun, ended = set[int](), dict[int, Result]()

    def stepped(number: int) -> Watch:
        def step(done: int, steps: int) -> None:
            if stopped.is_set():
                raise _Stopped
            if watch is not None and steps and number == first:
                watch(done, steps)

        return step

    def worked(number: int) -> None:
        begun.add(number)
        try:
            torch.set_grad_enabled(with_gradients)  # each thread has its own mode
            step = stepped(number)
            step(0, 0)
            ended[number] = work(items[number], step)
        finally:
            begun.discard(number)

    with_gradients, waiting = torch.is_grad_enabled(), deque[Future[None]]()
    with _one_thread(), ThreadPoolExecutor(n_lanes, thread_name_prefix="episode") as pool:
        try:
            for number in range(len(items)):
                waiting.append(pool.submit(worked, number))
                while waiting and (len(waiting) >= n_lanes or number == len(items) - 1):
                    _wait(waiting[0])
                    waiting.popleft()
                    yield ended.pop(first)
                    first += 1
        except GeneratorExit:
            raise
        except BaseException:
            stopped.set()
            pool.shutdown(cancel_futures=True)
            while begun:  # an interruption may have come before the pool knew of its newest thread
                time.sleep(_PATIENCE / 10)
            yield from (ended.pop(number) for number in sorted(ended))
            raise
        finally:
            stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)


def _wait(future: Future[None]) -> None:
    """Returns when it has ended, with its error where it has one. A signal that the system gave to another thread does
    not wake the main thread: it looks by itself."""
    while not wait([future], _PATIENCE).done:
        pass
    future.result()


@contextmanager
def _one_thread() -> Iterator[None]:
    """A context in which torch computes with one thread, also in threads that start in it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _bytes(n_support: int, activation_bytes: int) -> int:
    return min(n_support, _IMAGES_AT_ONCE) * activation_bytes
