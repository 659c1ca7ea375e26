"""`Samples` and `split_dataset`: data in memory, whole or in two parts."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from oxhorn import tree
from oxhorn.utils.py_dataset import PyDataset


class Samples:
    """Samples in memory: iterable over them, with a length, and cut into batches for `fit`.

    Args:
        arrays: an array, or arrays nested in tuples and dicts, whose first axis counts samples.
    """

    def __init__(self, arrays: Any) -> None:
        self.arrays = arrays

    def __len__(self) -> int:
        return len(tree.flatten(self.arrays)[0])

    def __getitem__(self, index: Any) -> Any:
        """One sample by its number, or several by a slice or an array of numbers."""
        return tree.map_structure(lambda array: array[index], self.arrays)

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))

    def batch(self, batch_size: int, drop_remainder: bool = False) -> Batches:
        """The samples in batches, which `fit`, `evaluate` and `predict` take."""
        return Batches(self, batch_size, drop_remainder)


class Batches(PyDataset):
    """Samples in batches of equal size, the last of which may be smaller."""

    def __init__(self, samples: Samples, batch_size: int, drop_remainder: bool = False) -> None:
        super().__init__()
        if batch_size < 1:
            raise ValueError(f"`batch_size` must be at least 1. Received: batch_size={batch_size}")
        self.samples = samples
        self.batch_size = batch_size
        whole, rest = divmod(len(samples), batch_size)
        self._count = whole if drop_remainder or not rest else whole + 1

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < self._count:
            raise IndexError(f"batch {index} is not among the {self._count} batches")
        first = index * self.batch_size
        return self.samples[first : first + self.batch_size]


def split_dataset(
    dataset: Any,
    left_size: int | float | None = None,
    right_size: int | float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Samples, Samples]:
    """Splits data into two parts, a left one from its beginning and a right one from its end.

    Args:
        dataset: an array; arrays in a list, tuple or dict; or a generator or other iterable of
            samples, which are kept in memory.
        left_size: number of samples, or their share as a float.
        right_size: the same for the right part; at least one of the two must be given.
        shuffle: whether samples are shuffled first.
        seed: seed of the shuffling, drawn from Python's generator by default.
        preferred_backend: not available.

    Returns:
        The two parts as `Samples`; `part.batch(32)` is what `fit` takes.
    """
    if preferred_backend is not None:
        raise NotImplementedError(
            "`split_dataset` of Oxhorn does not support `preferred_backend`, as there is one "
            f"backend only. Received: preferred_backend={preferred_backend}"
        )
    arrays = _as_arrays(dataset)
    if right_size is None and left_size is None:
        raise ValueError(
            "At least one of the `left_size` or `right_size` must be specified. "
            "Received: left_size=None and right_size=None"
        )
    samples = Samples(arrays)
    count = len(samples)
    if count == 0:
        raise ValueError(
            "Received an empty dataset. Argument `dataset` must be a non-empty list/tuple of "
            "`numpy.ndarray` objects or `tf.data.Dataset` objects."
        )
    order = list(range(count))
    if shuffle:
        random.Random(random.randint(0, int(1e6)) if seed is None else seed).shuffle(order)
    left, right = _part_sizes(left_size, right_size, count)
    return Samples(samples[order[:left]]), Samples(samples[order[count - right :]])


def _as_arrays(dataset: Any) -> Any:
    if isinstance(dataset, np.ndarray):
        return dataset
    if isinstance(dataset, (list, tuple)):
        _check_arrays(dataset, "list" if isinstance(dataset, list) else "tuple")
        return tuple(dataset)
    if isinstance(dataset, dict):
        _check_arrays(list(dataset.values()), "dict")
        return dict(dataset)
    if isinstance(dataset, Samples):
        return dataset.arrays
    # What a `PyDataset` yields are batches, which may differ in size.
    if isinstance(dataset, PyDataset) or not isinstance(dataset, Iterable):
        raise TypeError(f"Unsupported dataset type: {type(dataset)}")
    samples = list(dataset)
    if not samples:
        return np.zeros(0)
    samples = [tree.lists_to_tuples(sample) for sample in samples]
    return tree.map_structure(lambda *leaves: np.array(leaves), *samples)


def _check_arrays(arrays: Any, kind: str) -> None:
    if len(arrays) == 0:
        raise ValueError(
            f"Received an empty {kind} dataset. Please provide a non-empty {kind} of arrays."
        )
    for index, array in enumerate(arrays):
        if not isinstance(array, np.ndarray):
            raise ValueError(
                f"Expected a {kind} of `numpy.ndarray` objects,"
                f"Received: {type(array)} at index {index}."
            )
        if len(array) != len(arrays[0]):
            raise ValueError(
                f"Received a {kind} of NumPy arrays with different lengths."
                f"Mismatch found at index {index}, Expected shape={arrays[0].shape} "
                f"Received shape={array.shape}."
                f"Please provide a {kind} of NumPy arrays of the same length."
            )


def _part_sizes(left: Any, right: Any, count: int) -> tuple[int, int]:
    _check_types(left, right)
    if left == 0 and right == 0:
        raise ValueError(
            "Both `left_size` and `right_size` are zero. At least one of the split sizes must be "
            "non-zero."
        )
    if _is_outside(left, count):
        raise ValueError(
            f"`left_size` should be either a positive integer smaller than {count}, or a float "
            f"within the range `[0, 1]`. Received: left_size={left}"
        )
    if _is_outside(right, count):
        raise ValueError(
            f"`right_size` should be either a positive integer and smaller than {count} or a "
            f"float within the range `[0, 1]`. Received: right_size={right}"
        )
    if type(left) is type(right) is float and right + left > 1:
        raise ValueError(
            "The sum of `left_size` and `right_size` is greater than 1. It must be less than or "
            "equal to 1."
        )
    left = round(left * count) if type(left) is float else left
    right = round(right * count) if type(right) is float else right
    left = count - right if left is None else left
    right = count - left if right is None else right
    if left + right > count:
        raise ValueError(
            f"The sum of `left_size` and `right_size` should be smaller than the {count}. "
            f"Received: left_size + right_size = {left + right} and total_length = {count}"
        )
    for size, side in ((left, "left"), (right, "right")):
        if size == 0:
            raise ValueError(
                f"With `dataset` of length={count}, `left_size`={left} and `right_size`={right}."
                f"Resulting {side} side dataset split will be empty. Adjust any of the "
                "aforementioned parameters"
            )
    return left, right


def _check_types(left: Any, right: Any) -> None:
    known = (int, float, type(None))
    if type(left) not in known and type(right) not in known:
        raise TypeError(
            "Invalid `left_size` and `right_size` Types. Expected: integer or float or None, "
            f"Received: type(left_size)={type(left)} and type(right_size)={type(right)}"
        )
    for name, size in (("left_size", left), ("right_size", right)):
        if type(size) not in known:
            raise TypeError(
                f"Invalid `{name}` Type. Expected: int or float or None, "
                f"Received: type({name})={type(size)}."
            )


def _is_outside(size: Any, count: int) -> bool:
    if size is None:
        return False
    return not 0 < size < (count if type(size) is int else 1)
