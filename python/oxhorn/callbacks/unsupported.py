"""Callbacks of Keras that Oxhorn lacks: they refuse to be made, by name, and say what to do."""

from __future__ import annotations

from typing import Any

from oxhorn.callbacks.callback import Callback


class RemoteMonitor(Callback):
    """Keras' callback that sends logs to a server; not available."""

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: dict[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        raise NotImplementedError(
            f"`RemoteMonitor` is not available in Oxhorn. Received: root={root}. To send logs to "
            "a server, pass `LambdaCallback(on_epoch_end=...)` a function that posts them."
        )


class OrbaxCheckpoint(Callback):
    """Keras' callback that saves in Orbax' format; not available."""

    def __init__(
        self,
        directory: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
        max_to_keep: int = 1,
        save_on_background: bool = True,
        save_weights_only: bool = False,
    ) -> None:
        raise NotImplementedError(
            f"`OrbaxCheckpoint` is not available in Oxhorn. Received: directory={directory}. "
            "`ModelCheckpoint` saves models, and `BackupAndRestore` what resuming needs."
        )
