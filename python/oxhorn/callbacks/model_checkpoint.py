"""`ModelCheckpoint`: saves the model, or its weights, while it is being trained."""

from __future__ import annotations

import os
import warnings
from typing import Any

from oxhorn.callbacks.callback import Logs, hooks_without
from oxhorn.callbacks.monitor_callback import MonitorCallback
from oxhorn.utils.messages import print_message

# The endings of files of weights.
WEIGHTS = (".weights.h5", ".npz", ".safetensors")


class BatchClock:
    """Says after which batches something is due that is due every so many batches.

    Batches are counted across epochs. The index that a hook receives may jump, because a loop
    may run several steps at once.
    """

    _seen = 0
    _last: int | None = None

    def _is_due(self, batch: int, frequency: int) -> bool:
        started_anew = self._last is None or batch <= self._last
        self._seen += batch + 1 if started_anew else batch - self._last
        self._last = batch
        if self._seen < frequency:
            return False
        self._seen = 0
        return True


class ModelCheckpoint(BatchClock, MonitorCallback):
    """Saves the model or its weights after every epoch or every so many batches.

    Args:
        filepath: where to save, `.keras` or `.h5` for models, `.weights.h5`, `.npz` or
            `.safetensors` for weights. Names in braces are filled in from the logs, along with
            `epoch` and `batch`, which count from one: `"{epoch:02d}-{val_loss:.2f}.keras"`.
        monitor: name of the metric in the logs.
        verbose: 1 says what is being saved, 0 is silent.
        save_best_only: whether to save only where the metric is better than ever before.
        save_weights_only: whether to save weights instead of the whole model.
        mode: `"min"`, `"max"`, or `"auto"`, which asks the metric for its direction.
        save_freq: `"epoch"`, or a number of batches.
        initial_value_threshold: the value to be better than at first.
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, initial_value_threshold)
        self.verbose = verbose
        self.filepath = os.fspath(filepath)
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self._current_epoch = 0
        if save_freq != "epoch" and not isinstance(save_freq, int):
            raise ValueError(
                f"Unrecognized save_freq: {save_freq}. Expected save_freq are 'epoch' or "
                "integer values"
            )
        if save_weights_only and not self.filepath.endswith(WEIGHTS):
            raise ValueError(
                "When using `save_weights_only=True` in `ModelCheckpoint`, the filepath provided "
                "must end in `.weights.h5` (Keras weights format), `.npz` or `.safetensors`. "
                f"Received: filepath={self.filepath}"
            )
        if not save_weights_only and not self.filepath.endswith((".keras", ".h5")):
            raise ValueError(
                "The filepath provided must end in `.keras` (Keras model format). "
                f"Received: filepath={self.filepath}"
            )

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if self.save_freq != "epoch" and self._is_due(batch, self.save_freq):
            if self.save_best_only and self.monitor_op is None:
                self._set_monitor_op()
            self._save_model(self._current_epoch, batch, logs or {})

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._current_epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.monitor_op is None:
            self._set_monitor_op()
        if self.save_freq == "epoch":
            self._save_model(epoch, None, logs or {})

    def _hooks(self) -> set[str]:
        idle = {"on_train_batch_end"} if self.save_freq == "epoch" else set()
        return hooks_without(self, ModelCheckpoint, idle)

    def _save_model(self, epoch: int, batch: int | None, logs: Logs) -> None:
        filepath = self._file_path(epoch, batch, logs)
        try:
            if not self._should_save_model(epoch, logs, filepath):
                return
            folder = os.path.dirname(filepath)
            if folder:
                os.makedirs(folder, exist_ok=True)
            if self.save_weights_only:
                self.model.save_weights(filepath, overwrite=True)
            else:
                self.model.save(filepath, overwrite=True)
            self._say(epoch, f"finished saving model to {filepath}")
        except OSError as error:
            if not isinstance(error, IsADirectoryError):
                if "is a directory" not in str(error.args[:1]).lower():
                    raise
            raise OSError(
                "Please specify a non-directory filepath for ModelCheckpoint. Filepath used is "
                f"an existing directory: {filepath}"
            ) from error

    def _should_save_model(self, epoch: int, logs: Logs, filepath: str) -> bool:
        if not self.save_best_only:
            self._say(epoch, f"saving model to {filepath}")
            return True
        current = logs.get(self.monitor)
        if current is None:
            warnings.warn(f"Can save best model only with {self.monitor} available.", stacklevel=2)
            return True
        if len(getattr(current, "shape", ())) > 0:
            warnings.warn(
                "Can save best model only when `monitor` is a scalar value. "
                f"Received: {current}. Falling back to `save_best_only=False`.",
                stacklevel=2,
            )
            return True
        best = "None" if self.best is None else f"{self.best:.5f}"
        if not self._is_improvement(current, self.best):
            self._say(epoch, f"{self.monitor} did not improve from {best}")
            return False
        self._say(
            epoch,
            f"{self.monitor} improved from {best} to {current:.5f}, saving model to {filepath}",
        )
        self.best = current
        return True

    def _say(self, epoch: int, message: str) -> None:
        if self.verbose > 0:
            print_message(f"\nEpoch {epoch + 1}: {message}")

    def _file_path(self, epoch: int, batch: int | None, logs: Logs) -> str:
        names: dict[str, Any] = {"epoch": epoch + 1, **logs}
        if batch is not None:
            names.setdefault("batch", batch + 1)
        try:
            return self.filepath.format(**names)
        except KeyError as error:
            raise KeyError(
                f'Failed to format this callback filepath: "{self.filepath}". Reason: {error}'
            ) from error
