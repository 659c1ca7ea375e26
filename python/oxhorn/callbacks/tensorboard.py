"""`TensorBoard`: writes metrics where TensorBoard finds them."""

from __future__ import annotations

import os
import time
import warnings
from typing import Any

from oxhorn.callbacks.callback import Callback, Logs, hooks_without
from oxhorn.callbacks.event_file import EventFile
from oxhorn.callbacks.learning_rates import log_learning_rates


class TensorBoard(Callback):
    """Logs for TensorBoard, in the folders `train` and `validation` of `log_dir`.

    Args:
        log_dir: the folder that is passed to `tensorboard --logdir`.
        histogram_freq: number of epochs between two histograms of the weights, 0 for none.
        write_graph: whether the model's layers are written, for the page "Graphs".
        write_images: not available.
        write_steps_per_second: whether the number of steps per second is a curve as well.
        update_freq: `"epoch"`, `"batch"`, or a number of batches between two points.
        profile_batch: not available.
        embeddings_freq: not available.
        embeddings_metadata: not available.
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: int = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:
        super().__init__()
        _refuse("write_images", write_images, False)
        _refuse("profile_batch", profile_batch, 0)
        _refuse("embeddings_freq", embeddings_freq, 0)
        _refuse("embeddings_metadata", embeddings_metadata, None)
        self.log_dir = str(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = 1 if update_freq == "batch" else update_freq
        self._global_train_batch = 0
        self._iterations_before_epoch = 0
        self._batch_start_time = 0.0
        self._epoch_start_time = 0.0
        self._files: dict[str, EventFile] = {}

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        self._files = {}
        if self.write_graph and type(model).__name__ in ("Functional", "Sequential"):
            self._write_layers()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._global_train_batch = 0
        self._file("train")

    def on_train_end(self, logs: Logs | None = None) -> None:
        for file in self._files.values():
            file.close()
        self._files = {}

    def on_test_begin(self, logs: Logs | None = None) -> None:
        self._file("validation")

    def on_test_end(self, logs: Logs | None = None) -> None:
        if getattr(self.model.optimizer, "iterations", None) is not None:
            step = _as_int(self.model.optimizer.iterations)
            for name, value in (logs or {}).items():
                self._file("validation").scalar(f"evaluation_{name}_vs_iterations", value, step)
        self._file("validation").flush()

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self._global_train_batch += 1
        self._batch_start_time = time.time()

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        step = self._global_train_batch
        if self.update_freq == "epoch" or step % self.update_freq != 0:
            return
        if self.write_steps_per_second:
            seconds = time.time() - self._batch_start_time
            self._file("train").scalar("batch_steps_per_second", 1.0 / seconds, step)
        for name, value in (logs or {}).items():
            self._file("train").scalar(f"batch_{name}", value, step)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        if self.write_steps_per_second:
            self._iterations_before_epoch = _as_int(self.model.optimizer.iterations)
            self._epoch_start_time = time.time()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if logs:
            self._write_epoch(epoch, logs)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            for layer in self.model.layers:
                for weight in layer.weights:
                    tag = f"{weight.path.replace(':', '_')}/histogram"
                    self._file("train").histogram(tag, weight.numpy(), epoch)
        for file in self._files.values():
            file.flush()

    def _hooks(self) -> set[str]:
        idle = set()
        if self.update_freq == "epoch":
            idle = {"on_train_batch_begin", "on_train_batch_end"}
        return hooks_without(self, TensorBoard, idle)

    def _file(self, folder: str) -> EventFile:
        if folder not in self._files:
            self._files[folder] = EventFile(os.path.join(self.log_dir, folder))
        return self._files[folder]

    def _write_layers(self) -> None:
        try:
            config = self.model.to_json()
        except (NotImplementedError, TypeError, ValueError) as error:
            warnings.warn(f"Model failed to serialize as JSON. Ignoring... {error}", stacklevel=2)
            return
        self._file("train").text("keras", config, 0, plugin="graph_keras_model", content=b"1")

    def _write_epoch(self, epoch: int, logs: Logs) -> None:
        train = {name: value for name, value in logs.items() if not name.startswith("val_")}
        optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
        if optimizer is not None:
            log_learning_rates(optimizer, train)
        if self.write_steps_per_second:
            steps = _as_int(self.model.optimizer.iterations) - self._iterations_before_epoch
            train["steps_per_second"] = steps / (time.time() - self._epoch_start_time)
        for name, value in train.items():
            self._file("train").scalar(f"epoch_{name}", value, epoch)
        for name, value in logs.items():
            if name.startswith("val_"):
                tag = f"epoch_{name.removeprefix('val_')}"
                self._file("validation").scalar(tag, value, epoch)


def _refuse(name: str, value: Any, default: Any) -> None:
    if value != default:
        raise NotImplementedError(
            f"`TensorBoard` of Oxhorn does not support `{name}`. Received: {name}={value}. "
            f"Leave it at {default}."
        )


def _as_int(variable: Any) -> int:
    return int(variable.numpy() if hasattr(variable, "numpy") else variable)
