"""Small functions of arrays: one-hot rows, normalized rows, padded sequences, batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray:
    """One-hot rows, in `float64`, of an array of class indices.

    The number of classes is one more than the largest index by default. A last axis of length
    one is taken for the place of the row.
    """
    x = np.array(x, dtype="int64")
    shape = x.shape[:-1] if x.ndim > 1 and x.shape[-1] == 1 else x.shape
    x = x.reshape(-1)
    num_classes = num_classes or np.max(x) + 1
    rows = np.zeros((x.size, num_classes))
    rows[np.arange(x.size), x] = 1
    return rows.reshape((*shape, num_classes))


def normalize(x: Any, axis: int = -1, order: float = 2) -> Any:
    """The array divided by its norms along an axis; what has norm zero stays as it is."""
    if not isinstance(x, np.ndarray):
        from oxhorn import ops

        return ops.normalize(x, axis=axis, order=order)
    norm = np.atleast_1d(np.linalg.norm(x, order, axis))
    norm[norm == 0] = 1
    return x / np.expand_dims(norm, axis)


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Sequences of different lengths as the rows of one array.

    Args:
        sequences: the sequences; their steps may be arrays, all of one shape.
        maxlen: length of the rows, by default that of the longest sequence.
        dtype: type of the array; `object` for texts of any length.
        padding: `"pre"` or `"post"`, where `value` is put in shorter sequences.
        truncating: `"pre"` or `"post"`, where longer sequences lose steps.
        value: what is put in place of missing steps.
    """
    if not hasattr(sequences, "__len__"):
        raise ValueError("`sequences` must be iterable.")
    lengths, step_shape = _measure(sequences)
    maxlen = np.max(lengths) if maxlen is None else maxlen
    of_text = np.issubdtype(dtype, np.str_) or np.issubdtype(dtype, np.bytes_)
    if isinstance(value, str) and dtype is not object and not of_text:
        raise ValueError(
            f"`dtype` {dtype} is not compatible with `value`'s type: {type(value)}\n"
            "You should set `dtype=object` for variable length strings."
        )
    padded = np.full((len(sequences), maxlen, *step_shape), value, dtype=dtype)
    for index, sequence in enumerate(sequences):
        if not len(sequence):
            continue
        if truncating not in ("pre", "post"):
            raise ValueError(f'Truncating type "{truncating}" not understood')
        kept = sequence[-maxlen:] if truncating == "pre" else sequence[:maxlen]
        kept = np.asarray(kept, dtype=dtype)
        if kept.shape[1:] != step_shape:
            raise ValueError(
                f"Shape of sample {kept.shape[1:]} of sequence at position {index} is different "
                f"from expected shape {step_shape}"
            )
        if padding not in ("pre", "post"):
            raise ValueError(f'Padding type "{padding}" not understood')
        place = slice(None, len(kept)) if padding == "post" else slice(-len(kept), None)
        padded[index, place] = kept
    return padded


def _measure(sequences: Sequence[Any]) -> tuple[list[int], tuple[int, ...]]:
    """The lengths of sequences, and the shape of the steps of the first that has any."""
    lengths: list[int] = []
    step_shape: tuple[int, ...] | None = None
    for sequence in sequences:
        try:
            lengths.append(len(sequence))
        except TypeError as error:
            raise ValueError(
                f"`sequences` must be a list of iterables. Found non-iterable: {sequence}"
            ) from error
        if step_shape is None and lengths[-1]:
            step_shape = np.asarray(sequence).shape[1:]
    return lengths, step_shape or ()


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """A batch as `fit` takes it from data sets: `x`, `(x,)`, `(x, y)` or with weights too."""
    if y is None:
        return (x,) if isinstance(x, (tuple, list)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """The three parts of a batch, where those that are missing are `None`."""
    if not isinstance(data, (tuple, list)):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(
            "Data is expected to be in format `x`, `(x,)`, `(x, y)`, or "
            f"`(x, y, sample_weight)`, found: {tuple(data)}"
        )
    x, y, sample_weight = (*data, None, None)[:3]
    return x, y, sample_weight
