"""Turns: what another process computes comes last, so that a process waits only if nothing else is left."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from fewshot.files.locks import Busy

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_turns(
    items: Iterable[Item], attempt: Callable[[Item, bool], Result], wait: bool = True
) -> Iterator[tuple[Item, Result]]:
    """Every item with its result, in the order in which they finish. `attempt(item, False)` raises Busy if another
    process works on the item, which then goes to the end; if all that is left is busy, `attempt(item, wait)` may wait.
    """
    queue: deque[Item] = deque()
    for item in items:  # taken one by one, when its turn comes
        try:
            result = attempt(item, False)
        except Busy:
            queue.append(item)
        else:
            yield item, result
    n_busy = 0  # of the items in the queue, since one finished
    while queue:
        item, last = queue.popleft(), n_busy >= len(queue)
        try:
            result = attempt(item, last and wait)
        except Busy:
            if last and not wait:
                raise
            queue.append(item)
            n_busy += 1
        else:
            n_busy = 0
            yield item, result
