"""Batches of a `PyDataset` that threads or processes make before they are asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from oxhorn.utils.py_dataset import PyDataset

# The data of a process that makes batches.
_data: Any = None


def _take(data: PyDataset) -> None:
    global _data
    _data = data


def _batch(index: int) -> Any:
    return _data[index]


def batches(data: PyDataset, order: Iterable[int]) -> Iterator[Any]:
    """The batches of these indices in their order, made by as many workers as `data` asks for."""
    if data.workers < 2 and not (data.workers and data.use_multiprocessing):
        yield from (data[index] for index in order)
        return
    from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

    if data.use_multiprocessing:
        pool: Any = ProcessPoolExecutor(data.workers, initializer=_take, initargs=(data,))
        make: Any = _batch
    else:
        pool = ThreadPoolExecutor(data.workers, thread_name_prefix="batches")
        make = data.__getitem__
    waiting: deque[Any] = deque()
    remaining = iter(order)
    try:
        while True:
            while len(waiting) < max(data.max_queue_size, 1):
                index = next(remaining, None)
                if index is None:
                    break
                waiting.append(pool.submit(make, index))
            if not waiting:
                return
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
