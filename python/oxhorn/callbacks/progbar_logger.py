"""`ProgbarLogger`: shows progress and metrics at the terminal."""

from __future__ import annotations

from typing import Any

from oxhorn.callbacks.callback import Callback, Logs, hooks_without
from oxhorn.utils.messages import print_message
from oxhorn.utils.progbar import Progbar


class ProgbarLogger(Callback):
    """The progress bar of `fit`, `evaluate` and `predict`; these add it where there is none.

    `verbose` 1 draws a bar, 2 writes a line per epoch, 0 is silent.
    """

    interval = 0.05

    # What is printed of one run is not printed again by another.
    _passing = ("seen", "target", "verbose", "epochs")

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0
        self.progbar: Progbar | None = None
        self.target: int | None = None
        self.verbose = 1
        self.epochs = 1
        self._called_in_fit = False

    def set_params(self, params: dict[str, Any]) -> None:
        super().set_params(params)
        self.verbose = 1 if params["verbose"] == "auto" else params["verbose"]
        self.epochs = params["epochs"]
        self.target = params["steps"]

    def on_train_begin(self, logs: Logs | None = None) -> None:
        # Validation within `fit` shares the bar of the epoch.
        self._called_in_fit = True

    def _go_on(self, further: Any) -> None:
        """Draws the rest of the epoch that was interrupted."""
        self._called_in_fit = True
        self._new_progbar()

    def on_test_begin(self, logs: Logs | None = None) -> None:
        if not self._called_in_fit:
            self._new_progbar()

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self._new_progbar()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._new_progbar()
        if self.verbose and self.epochs > 1:
            print_message(f"Epoch {epoch + 1}/{self.epochs}")

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._update(batch, logs)

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if not self._called_in_fit:
            self._update(batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        # The logs of a prediction are its outputs, which are no metrics.
        self._update(batch, None)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._finalize(logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        if not self._called_in_fit:
            self._finalize(logs)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        self._finalize(logs)

    def _hooks(self) -> set[str]:
        # Without a bar only the number of steps matters, and only where nobody said it before.
        idle = set()
        if self.verbose == 0 or (self.verbose == 2 and self.target is not None):
            idle = {"on_train_batch_end", "on_test_batch_end", "on_predict_batch_end"}
        return hooks_without(self, ProgbarLogger, idle)

    def _new_progbar(self) -> None:
        self.seen = 0
        self.progbar = Progbar(
            target=self.target,
            verbose=self.verbose,
            interval=self.interval,
            unit_name="step",
            stateless_metrics=set(),
        )

    def _update(self, batch: int, logs: Logs | None) -> None:
        if self.progbar is None:
            self._new_progbar()
        self.seen = batch + 1
        if self.verbose == 1:
            self.progbar.update(self.seen, list((logs or {}).items()), finalize=False)

    def _finalize(self, logs: Logs | None) -> None:
        if self.target is None:
            # The first pass over data of unknown length tells how long the next ones are.
            self.target = self.seen
            self.progbar.target = self.target
        self.progbar.update(self.target, list((logs or {}).items()), finalize=True)
