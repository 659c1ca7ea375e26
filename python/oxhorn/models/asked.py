"""What `compile` asks of each output of a model: losses and metrics, and how they are given."""

from __future__ import annotations

import json
from typing import Any


def spread(value: Any, names: list[str], what: str) -> list[Any]:
    """One value for each output."""
    if isinstance(value, dict):
        unknown = [key for key in value if key not in names]
        if unknown:
            raise ValueError(
                f"In the dict argument `{what}`, key '{unknown[0]}' does not correspond to any "
                f"model output. Received:\n{what}={value}"
            )
        return [value.get(name) for name in names]
    if isinstance(value, (list, tuple)):
        if len(value) != len(names):
            raise ValueError(
                f"For a model with multiple outputs, when providing the `{what}` argument as a "
                f"list, it should have as many entries as the model has outputs. Received:\n"
                f"{what}={value}\nof length {len(value)} "
                f"whereas the model has {len(names)} outputs."
            )
        return list(value)
    if what == "loss_weights" and value is not None:
        return [float(value)] * len(names)
    return [value] * len(names)


def spread_metrics(value: Any, names: list[str], what: str) -> list[list[Any]]:
    """A list of metrics for each output."""
    if value is None:
        return [[] for _ in names]
    if isinstance(value, dict):
        each = spread(value, names, what)
    elif len(names) == 1:
        # A list that holds one list is that list.
        each = [value[0] if len(value) == 1 and isinstance(value[0], (list, tuple)) else value]
    else:
        each = spread(value, names, what)
    return [list(m) if isinstance(m, (list, tuple)) else [] if m is None else [m] for m in each]


def loss_envelope(loss: Any) -> str:
    """The loss as the engine takes it: an envelope, or a name."""
    from oxhorn import losses

    if isinstance(loss, str):
        # Names that depend on shapes are resolved when those are known.
        if loss not in ("crossentropy", "ce"):
            losses.get(loss)
        return json.dumps(loss)
    loss = losses.get(loss)
    if not isinstance(loss, losses.Loss):
        name = getattr(loss, "_registry_name", None)
        if name is not None:
            return json.dumps(name)
        loss = _kept(loss, lambda: losses.LossFunctionWrapper(loss))
    return loss._envelope()


def as_metric(metric: Any) -> Any:
    """The metric, or the name of one."""
    from oxhorn import metrics

    if isinstance(metric, str):
        if metric not in ("accuracy", "acc", "crossentropy", "ce"):
            metrics.get(metric)
        return metric
    metric = metrics.get(metric)
    if isinstance(metric, metrics.Metric):
        return metric
    if hasattr(metric, "_registry_name"):
        return metric._registry_name
    if hasattr(metric, "call") and not isinstance(metric, type):
        return _kept(metric, lambda: metrics.MeanMetricWrapper(metric, name=metric.name))
    return _kept(metric, lambda: metrics.MeanMetricWrapper(metric))


def metric_envelope(metric: Any) -> str:
    """The metric as the engine takes it: an envelope, or a name."""
    metric = as_metric(metric)
    return json.dumps(metric) if isinstance(metric, str) else metric._envelope()


def _kept(function: Any, make: Any) -> Any:
    """The wrapper of a function, made once and kept with it."""
    wrapper = getattr(function, "_oxhorn_wrapper", None)
    if wrapper is None:
        wrapper = make()
        try:
            function._oxhorn_wrapper = wrapper
        except AttributeError:
            _wrappers.append(wrapper)
    return wrapper


# Wrappers of functions that take no attributes.
_wrappers: list[Any] = []
