"""`BackupAndRestore`: lets training that was interrupted go on where it was."""

from __future__ import annotations

import os
import shutil

from oxhorn import _native
from oxhorn.callbacks.callback import Callback, Logs, hooks_without
from oxhorn.callbacks.model_checkpoint import BatchClock


class BackupAndRestore(BatchClock, Callback):
    """Keeps a backup of a run of `fit`, with which the same call goes on after an interruption.

    It ends with the weights and the history that it would have had, bit for bit. The backup holds
    the weights, what the optimizer, seed generators, metrics and techniques keep, NumPy's and
    Python's random streams and the order of samples, what the callbacks remember, the history, and
    the position within the epoch. It is one file, `latest.safetensors`, with a checksum over all of
    it, and is replaced in a single step: the one before stays until the next is whole.

    What is not kept: what functions of one's own remember, what a `PyDataset` or a generator of
    one's own is in, beyond the batches that were taken of it, and what is printed.

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
        self._path = os.path.join(self.backup_dir, "latest.safetensors")
        self._previous_path = f"{self._path}.bkp"

    def on_train_begin(self, logs: Logs | None = None) -> None:
        if not self.model.built:
            raise ValueError(
                "To use the BackupAndRestore callback, you model must be built before you call "
                f"`fit()`. Model {self.model} is unbuilt. You can build it beforehand by calling "
                "it on a batch of data."
            )

    def _backup_path(self) -> str | None:
        """The last backup that can be read, or `None` where there is none at all."""
        failure = None
        for path in (self._path, self._previous_path):
            if not os.path.exists(path):
                continue
            try:
                _native.read_safetensors(path)
            except (OSError, ValueError) as error:
                failure = failure or OSError(
                    f"The backup {path} cannot be read: {error}. Delete it to start anew."
                )
                failure.__cause__ = error
                continue
            return path
        if failure is not None:
            raise failure
        return None

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if self.save_freq != "epoch" and self._is_due(batch, self.save_freq):
            self._back_up()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.save_freq == "epoch":
            self._back_up()

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

    def _back_up(self) -> None:
        """Has a backup written once all callbacks have been told of this batch or epoch."""
        if self.double_checkpoint and os.path.exists(self._path):
            copy = f"{self._previous_path}.{os.getpid()}.part"
            shutil.copyfile(self._path, copy)
            os.replace(copy, self._previous_path)
        self.model._wanted_backup = self._path
