"""Metrics: numbers by which people judge predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oxhorn._generated import metrics as _generated
from oxhorn._generated.metrics import *  # noqa: F403
from oxhorn._identifiers import Category, not_available
from oxhorn.losses import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from oxhorn.metrics.metric import MeanMetricWrapper, Metric

if TYPE_CHECKING:
    from oxhorn.metrics.functions import (
        binary_accuracy,
        categorical_accuracy,
        concordance_correlation,
        pearson_correlation,
        sparse_categorical_accuracy,
        sparse_top_k_categorical_accuracy,
        top_k_categorical_accuracy,
    )

__all__ = [
    "MeanMetricWrapper",
    "Metric",
    "binary_accuracy",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "concordance_correlation",
    "deserialize",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "pearson_correlation",
    "poisson",
    "serialize",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy",
    "squared_hinge",
    "top_k_categorical_accuracy",
]
__all__ += _generated.__all__

_CATEGORY = Category("keras.metrics", "metric", _generated)


def get(identifier: Any) -> Any:
    """The metric of this name, dictionary or class; others stand for themselves."""
    return _CATEGORY.get(identifier)


def serialize(metric: Any) -> Any:
    """The dictionary of a metric."""
    return _CATEGORY.serialize(metric)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The metric of a dictionary."""
    return _CATEGORY.deserialize(config, custom_objects)


def __getattr__(name: str) -> Any:
    if name in __all__:
        # Those written with `ops`, which few programs import.
        from oxhorn.metrics import functions

        return getattr(functions, name)
    raise not_available(__name__, name, _generated.MISSING)
