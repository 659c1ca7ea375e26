"""Metrics as functions: one value for each sample, or for each element."""

from __future__ import annotations

from typing import Any

from oxhorn._identifiers import registry_function
from oxhorn.ops import any as any_along
from oxhorn.ops import (
    argmax,
    cast,
    convert_to_tensor,
    equal,
    expand_dims,
    greater,
    in_top_k,
    mean,
    reshape,
    sqrt,
    square,
    squeeze,
)

# What keeps quotients finite: Keras' epsilon.
EPSILON = 1e-7


@registry_function
def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """1 where the prediction is on the right side of the threshold, else 0.

    Args:
        y_true: What is true, 0 or 1.
        y_pred: What is predicted.
        threshold: What a prediction has to exceed to mean yes.
    """
    y_true, y_pred = _same_rank(_real(y_true), _real(y_pred))
    return _real(equal(y_true, _real(greater(y_pred, threshold))))


@registry_function
def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the most probable class is the true one, else 0; labels are one-hot.

    Args:
        y_true: What is true, for each class.
        y_pred: What is predicted, for each class.
    """
    return _real(equal(argmax(y_true, axis=-1), argmax(y_pred, axis=-1)))


@registry_function
def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the most probable class is the true one, else 0; labels are the classes' numbers.

    Args:
        y_true: The number of the true class.
        y_pred: What is predicted, for each class.
    """
    y_true, y_pred = convert_to_tensor(y_true), convert_to_tensor(y_pred)
    labels = _integer(_labels(y_true, y_pred))
    return _real(equal(labels, _integer(argmax(y_pred, axis=-1))))


@registry_function
def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where the true class is among the `k` most probable ones, else 0; labels are one-hot.

    Args:
        y_true: What is true, for each class.
        y_pred: What is predicted, for each class.
        k: How many classes count as found.
    """
    return _in_top_k(argmax(y_true, axis=-1), convert_to_tensor(y_pred), k)


@registry_function
def sparse_top_k_categorical_accuracy(
    y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False
) -> Any:
    """1 where the true class is among the `k` most probable ones, else 0; labels are numbers.

    Args:
        y_true: The number of the true class.
        y_pred: What is predicted, for each class; or the numbers of the classes, the most probable
            one first.
        k: How many classes count as found.
        from_sorted_ids: Whether predictions are numbers of classes.
    """
    y_true, y_pred = convert_to_tensor(y_true), convert_to_tensor(y_pred)
    labels = _integer(_labels(y_true, y_pred))
    if from_sorted_ids:
        matches = equal(expand_dims(labels, -1), _integer(y_pred[..., :k]))
        matches = _real(any_along(matches, axis=-1))
    else:
        matches = _in_top_k(labels, y_pred, k)
    return matches if matches.shape == y_true.shape else reshape(matches, y_true.shape)


@registry_function
def pearson_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """How far two rows of numbers are one another's linear function: from -1 to 1.

    Args:
        y_true: What is true.
        y_pred: What is predicted.
        axis: The axis of the rows.
    """
    (a, var_a), (b, var_b) = _centered(y_true, axis), _centered(y_pred, axis)
    return mean(a / sqrt(var_a) * (b / sqrt(var_b)), axis=axis)


@registry_function
def concordance_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """How far two rows of numbers are equal: Pearson's correlation, less for every bias.

    Args:
        y_true: What is true.
        y_pred: What is predicted.
        axis: The axis of the rows.
    """
    (a, var_a), (b, var_b) = _centered(y_true, axis), _centered(y_pred, axis)
    y_true, y_pred = _real(y_true), _real(y_pred)
    bias = mean(y_true, axis=axis, keepdims=True) - mean(y_pred, axis=axis, keepdims=True)
    return mean(2.0 * a * b / (var_a + var_b + square(bias) + EPSILON), axis=axis)


def _real(x: Any) -> Any:
    return cast(x, "float32")


def _integer(x: Any) -> Any:
    return cast(x, "int32")


def _centered(x: Any, axis: int) -> tuple[Any, Any]:
    """The numbers less their mean, and their variance."""
    x = _real(x)
    centered = x - mean(x, axis=axis, keepdims=True)
    return centered, mean(square(centered), axis=axis, keepdims=True)


def _same_rank(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Both with the same number of axes, where one has an axis of extent 1 more at its end.

    That axis goes, unless the other has samples alone: then it gets one too.
    """
    difference = len(y_true.shape) - len(y_pred.shape)
    if difference == 1 and y_true.shape[-1] == 1:
        if len(y_pred.shape) == 1:
            return y_true, expand_dims(y_pred, -1)
        return squeeze(y_true, -1), y_pred
    if difference == -1 and y_pred.shape[-1] == 1:
        if len(y_true.shape) == 1:
            return expand_dims(y_true, -1), y_pred
        return y_true, squeeze(y_pred, -1)
    return y_true, y_pred


def _labels(y_true: Any, y_pred: Any) -> Any:
    """The numbers of classes without the axis of extent 1 that stands for that of the classes."""
    if len(y_true.shape) == len(y_pred.shape) > 0 and y_true.shape[-1] == 1:
        return squeeze(y_true, -1)
    return y_true


def _in_top_k(labels: Any, y_pred: Any, k: int) -> Any:
    """1 where the prediction for the class is among the `k` greatest, else 0."""
    rows = reshape(y_pred, (-1, y_pred.shape[-1]))
    found = in_top_k(_integer(reshape(labels, (-1,))), rows, k=k)
    return reshape(_real(found), labels.shape)
