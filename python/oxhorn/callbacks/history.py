"""`History`: the record that `fit` returns."""

from __future__ import annotations

from typing import Any

from oxhorn.callbacks.callback import Callback, Logs


class History(Callback):
    """Keeps the logs of every epoch; `fit` adds one and returns it.

    Attributes:
        history: for every name in the logs, the list of its values.
        epoch: the indices of the epochs that were trained.
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.epoch: list[int] = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        self.model.history = self
