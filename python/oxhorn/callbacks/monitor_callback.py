"""`MonitorCallback`: what callbacks share that watch one metric for improvement."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable
from typing import Any

from oxhorn.callbacks.callback import Callback


class MonitorCallback(Callback):
    """Base class of callbacks that compare a metric with the best value so far.

    Args:
        monitor: name of the metric in the logs.
        mode: `"min"`, `"max"`, or `"auto"`, which asks the metric for its direction.
        baseline: the value to be better than at first.
        min_delta: change below which an improvement does not count.
    """

    # Its sign is that of the direction, which is found out again.
    _passing = ("min_delta",)

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: str = "auto",
        baseline: float | None = None,
        min_delta: float = 0,
    ) -> None:
        super().__init__()
        if mode not in ("auto", "min", "max"):
            warnings.warn(
                f"{self.__class__.__name__} mode '{mode}' is unknown, fallback to auto mode.",
                stacklevel=2,
            )
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.best = baseline
        self.min_delta = abs(min_delta)
        self.monitor_op: Callable[[float, float], bool] | None = None

    def _set_monitor_op(self) -> None:
        direction = {"min": "down", "max": "up"}.get(self.mode) or self._metric_direction()
        if direction is None:
            raise ValueError(
                f"{self.__class__.__name__} callback received monitor={self.monitor}, but Keras "
                "isn't able to automatically determine whether that metric should be maximized "
                "or minimized. Pass `mode='max'` in order to monitor based on the highest metric "
                "value, or pass `mode='min'` in order to use the lowest value."
            )
        self.monitor_op = operator.gt if direction == "up" else operator.lt
        if direction == "down":
            self.min_delta *= -1

    def _metric_direction(self) -> str | None:
        name = self.monitor.removeprefix("val_")
        names = (name, name.removeprefix("clean_"))
        direction = "down" if "loss" in names or name == "clean_gap" else None
        for metric in _single_metrics(getattr(self.model, "metrics", ())):
            if metric.name in names and hasattr(metric, "_direction"):
                direction = "up" if metric._direction == "up" else "down"
        return direction

    def _is_improvement(self, monitor_value: float, reference_value: float | None) -> bool:
        if reference_value is None:
            return True
        return bool(self.monitor_op(monitor_value - self.min_delta, reference_value))


def _single_metrics(metrics: Any) -> list[Any]:
    """The metrics in a list of metrics and of containers that hold them as `metrics`."""
    single = []
    for metric in metrics:
        if hasattr(metric, "metrics"):
            single.extend(_single_metrics(metric.metrics))
        else:
            single.append(metric)
    return single
