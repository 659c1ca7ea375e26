"""`BackupAndRestore`: lets training that was interrupted go on where it was."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from oxhorn.callbacks.callback import Callback, Logs, hooks_without
from oxhorn.callbacks.model_checkpoint import BatchClock


class BackupAndRestore(Callback):
    """Backs up weights, optimizer and epoch, and restores them when `fit` is called again.

    A backup is one file, replaced in a single step, so an interruption while it is being written
    leaves the one before. Interrupted in the middle of an epoch, training goes on at that
    epoch's beginning.

    Args:
        backup_dir: folder of the backup, used by this callback of this training alone.
        save_freq: `"epoch"`, or a number of batches.
        double_checkpoint: whether the backup before the last one is kept as well, and used when
            the last one cannot be read.
        delete_checkpoint: whether the backup is deleted when training has ended.
    """

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        if not backup_dir:
            raise ValueError("Empty `backup_dir` argument passed")
        if save_freq != "epoch" and (not isinstance(save_freq, int) or save_freq < 1):
            raise ValueError(
                "Invalid value for argument `save_freq`. "
                f"Received: save_freq={save_freq}. "
                "Expected either 'epoch' or an integer value."
            )
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._clock = BatchClock()
        self._current_epoch = 0
        self._path = os.path.join(self.backup_dir, "latest.npz")
        self._previous_path = f"{self._path}.bkp"

    def on_train_begin(self, logs: Logs | None = None) -> None:
        if not self.model.built:
            raise ValueError(
                "To use the BackupAndRestore callback, you model must be built before you call "
                f"`fit()`. Model {self.model} is unbuilt. You can build it beforehand by calling "
                "it on a batch of data."
            )
        backup = self._newest_backup()
        if backup is None:
            return
        self._current_epoch = int(backup.pop("epoch"))
        state = {name.removeprefix("state/"): array for name, array in backup.items()}
        self.model._load_training_state(state)
        self.model._initial_epoch = self._current_epoch

    def _resumed_epoch(self) -> int | None:
        """The epoch of the backup. Loops ask before they begin, the model is restored after."""
        backup = self._newest_backup()
        return None if backup is None else int(backup["epoch"])

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._current_epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if self.save_freq != "epoch" and self._clock.is_due(batch, self.save_freq):
            self._save()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._current_epoch = epoch + 1
        if self.save_freq == "epoch":
            self._save()

    def on_train_end(self, logs: Logs | None = None) -> None:
        if not self.delete_checkpoint:
            return
        for path in (self._path, self._previous_path):
            if os.path.exists(path):
                os.remove(path)
        if os.path.isdir(self.backup_dir) and not os.listdir(self.backup_dir):
            os.rmdir(self.backup_dir)

    def _hooks(self) -> set[str]:
        idle = {"on_train_batch_end"} if self.save_freq == "epoch" else set()
        return hooks_without(self, BackupAndRestore, idle)

    def _save(self) -> None:
        state = self.model._training_state()
        arrays = {f"state/{name}": np.asarray(array) for name, array in state.items()}
        os.makedirs(self.backup_dir, exist_ok=True)
        unfinished = f"{self._path}.{os.getpid()}.part"
        with open(unfinished, "wb") as file:
            np.savez(file, epoch=np.int64(self._current_epoch), **arrays)
            file.flush()
            os.fsync(file.fileno())
        if self.double_checkpoint and os.path.exists(self._path):
            os.replace(self._path, self._previous_path)
        os.replace(unfinished, self._path)

    def _newest_backup(self) -> dict[str, Any] | None:
        """The last backup that can be read, or `None` where there is none at all."""
        failure = None
        for path in (self._path, self._previous_path):
            if not os.path.exists(path):
                continue
            try:
                with np.load(path, allow_pickle=False) as file:
                    return {name: file[name] for name in file.files}
            except Exception as error:
                # Whatever a damaged archive raises, an older backup is better than none.
                failure = failure or OSError(
                    f"The backup {path} cannot be read: {error}. Delete it to start anew."
                )
                failure.__cause__ = error
        if failure is not None:
            raise failure
        return None
