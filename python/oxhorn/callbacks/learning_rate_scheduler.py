"""`LearningRateScheduler`: sets the learning rate of every epoch by a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from oxhorn.callbacks.callback import Callback, Logs
from oxhorn.callbacks.learning_rates import learning_rate, log_learning_rates, named_optimizers
from oxhorn.utils.messages import print_message


class LearningRateScheduler(Callback):
    """Asks `schedule` for the learning rate before every epoch.

    Args:
        schedule: function of the epoch, from zero, and the current rate, or of the epoch alone,
            that returns the new rate as a float.
        verbose: 1 says which rate is set, 0 is silent.
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        for name, optimizer in named_optimizers(self.model.optimizer):
            rate = self._update(optimizer, epoch)
            if self.verbose > 0:
                which = f"{name} learning rate" if name else "learning rate"
                print_message(
                    f"\nEpoch {epoch + 1}: LearningRateScheduler setting {which} to {rate}."
                )

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        log_learning_rates(self.model.optimizer, {} if logs is None else logs)

    def _update(self, optimizer: Any, epoch: int) -> float:
        if not hasattr(optimizer, "learning_rate"):
            raise ValueError('Optimizer must have a "learning_rate" attribute.')
        try:
            rate = self.schedule(epoch, learning_rate(optimizer))
        except TypeError:
            # Schedules of the epoch alone are the older form.
            rate = self.schedule(epoch)
        if not isinstance(rate, (float, np.float32, np.float64)):
            raise ValueError(
                f"The output of the `schedule` function should be a float. Got: {rate}"
            )
        optimizer.learning_rate = rate
        return rate
