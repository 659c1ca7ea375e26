"""`ReduceLROnPlateau`: lowers the learning rate once a metric has stopped improving."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from oxhorn.callbacks.callback import Logs
from oxhorn.callbacks.learning_rates import learning_rate, log_learning_rates, named_optimizers
from oxhorn.callbacks.monitor_callback import MonitorCallback
from oxhorn.utils.messages import print_message


class ReduceLROnPlateau(MonitorCallback):
    """Multiplies the learning rate by `factor` after `patience` epochs without improvement.

    Args:
        monitor: name of the metric in the logs.
        factor: what the rate is multiplied by, less than 1.
        patience: number of epochs without improvement after which the rate is lowered.
        verbose: 1 says when the rate is lowered, 0 is silent.
        mode: `"min"`, `"max"`, or `"auto"`, which asks the metric for its direction.
        min_delta: change below which an improvement does not count.
        cooldown: number of epochs after a reduction that are not watched.
        min_lr: the rate below which there is no reduction.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 0.0001,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        if kwargs:
            raise TypeError(f"ReduceLROnPlateau received unknown arguments: {sorted(kwargs)}")
        if factor >= 1.0:
            raise ValueError(
                f"ReduceLROnPlateau does not support a factor >= 1.0. Received factor={factor}"
            )
        self.factor = factor
        self.min_lr = min_lr
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.cooldown_counter = 0
        self.wait = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.best = None
        self.cooldown_counter = 0
        self.wait = 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.monitor_op is None:
            # Only after the first epoch are the metrics of the model known.
            self._set_monitor_op()
        logs = {} if logs is None else logs
        log_learning_rates(self.model.optimizer, logs)
        current = logs.get(self.monitor)
        if current is None:
            warnings.warn(
                f"Learning rate reduction is conditioned on metric `{self.monitor}` which is "
                f"not available. Available metrics are: {','.join(logs)}.",
                stacklevel=2,
            )
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(current, self.best):
            self.best = current
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience and self._reduce(epoch):
                self.cooldown_counter = self.cooldown
                self.wait = 0

    def in_cooldown(self) -> bool:
        """Whether the last reduction was so recent that epochs are not watched."""
        return self.cooldown_counter > 0

    def _reduce(self, epoch: int) -> bool:
        """Lowers the rates that may be lowered, and says whether there were any."""
        reduced = False
        for name, optimizer in named_optimizers(self.model.optimizer):
            old = learning_rate(optimizer)
            # The optimizer keeps its rate in single precision, so the limit is compared in it.
            if old <= np.float32(self.min_lr):
                continue
            new = max(old * self.factor, self.min_lr)
            optimizer.learning_rate = new
            reduced = True
            if self.verbose > 0:
                which = f" {name}" if name else ""
                print_message(
                    f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing{which} learning rate "
                    f"to {new}."
                )
        return reduced
