"""`timeseries_dataset_from_array`: windows that slide over a series."""

from __future__ import annotations

from typing import Any

import numpy as np

from oxhorn.utils.py_dataset import PyDataset


class Windows(PyDataset):
    """Windows of a series, or batches of them, with the targets of their first steps.

    Args:
        data: the series, one step a row.
        targets: a target for every step at which a window may begin, or `None`.
        starts: the steps at which windows begin.
        offsets: the steps of a window, counted from its beginning.
        batch_size: number of windows of a batch, `None` for single windows.
        generator: shuffles the windows now and after every epoch, `None` to keep their order.
    """

    def __init__(
        self,
        data: np.ndarray,
        targets: np.ndarray | None,
        starts: np.ndarray,
        offsets: np.ndarray,
        batch_size: int | None,
        generator: np.random.RandomState | None,
    ) -> None:
        super().__init__()
        self._data, self._targets = data, targets
        self._starts, self._offsets = starts, offsets
        self._batch_size = batch_size
        self._generator = generator
        self.on_epoch_end()

    def __len__(self) -> int:
        return -(-len(self._starts) // (self._batch_size or 1))

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(f"batch {index} is not among the {len(self)} batches")
        if self._batch_size is None:
            starts = self._starts[index]
            windows = self._data[starts + self._offsets]
        else:
            first = index * self._batch_size
            starts = self._starts[first : first + self._batch_size]
            windows = self._data[starts[:, None] + self._offsets]
        return windows if self._targets is None else (windows, self._targets[starts])

    def on_epoch_end(self) -> None:
        if self._generator is not None:
            self._generator.shuffle(self._starts)


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",
) -> Windows:
    """Batches of windows over a series, as a `PyDataset`.

    Window number `i` begins at step `s = i * sequence_stride` and holds the steps
    `s + k * sampling_rate` for `k < sequence_length`. Its target is `targets[s]`.

    Args:
        data: the series, one step a row.
        targets: targets by the step at which a window begins, or `None`.
        sequence_length: number of steps of a window.
        sequence_stride: number of steps between the beginnings of two windows.
        sampling_rate: number of steps between two steps of a window.
        batch_size: number of windows of a batch, the last of which may have fewer; `None` for
            single windows.
        shuffle: whether windows come in another order in every epoch.
        seed: seed of the shuffling, drawn from NumPy's generator by default.
        start_index: the first step of the series that is used.
        end_index: the step before which the series ends.
        format: left at its default; the result is Oxhorn's own.
    """
    _check_range(data, start_index, end_index)
    _check_less("sampling_rate", sampling_rate, data)
    _check_less("sequence_stride", sequence_stride, data)
    if format not in ("tf", "grain"):
        raise ValueError(f'`format` should be either "tf" or "grain". Received: format={format}')
    if format != "tf":
        raise NotImplementedError(
            "`timeseries_dataset_from_array` of Oxhorn does not support `format`, as it returns "
            f"a `PyDataset`. Received: format={format}. Leave it out."
        )
    first = start_index or 0
    last = len(data) if end_index is None else end_index
    count = last - first - (sequence_length - 1) * sampling_rate
    if targets is not None:
        count = min(count, len(targets))
        targets = np.asarray(targets[first:last])
    generator = None
    if shuffle:
        generator = np.random.RandomState(np.random.randint(int(1e6)) if seed is None else seed)
    offsets = np.arange(0, sequence_length * sampling_rate, sampling_rate)
    starts = np.arange(0, count, sequence_stride)
    return Windows(np.asarray(data[first:last]), targets, starts, offsets, batch_size, generator)


def _check_range(data: Any, start_index: int | None, end_index: int | None) -> None:
    if start_index:
        if start_index < 0:
            raise ValueError(
                f"`start_index` must be 0 or greater. Received: start_index={start_index}"
            )
        if start_index >= len(data):
            raise ValueError(
                "`start_index` must be lower than the length of the data. Received: "
                f"start_index={start_index}, for data of length {len(data)}"
            )
    if end_index:
        if start_index and end_index <= start_index:
            raise ValueError(
                "`end_index` must be higher than `start_index`. Received: "
                f"start_index={start_index}, and end_index={end_index} "
            )
        if end_index >= len(data):
            raise ValueError(
                "`end_index` must be lower than the length of the data. Received: "
                f"end_index={end_index}, for data of length {len(data)}"
            )
        if end_index <= 0:
            raise ValueError(f"`end_index` must be higher than 0. Received: end_index={end_index}")


def _check_less(name: str, value: int, data: Any) -> None:
    if value <= 0:
        raise ValueError(f"`{name}` must be higher than 0. Received: {name}={value}")
    if value >= len(data):
        raise ValueError(
            f"`{name}` must be lower than the length of the data. Received: {name}={value}, for "
            f"data of length {len(data)}"
        )
