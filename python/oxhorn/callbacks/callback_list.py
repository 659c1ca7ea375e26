"""`CallbackList`: calls the hooks of many callbacks as if they were one."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from oxhorn import tree
from oxhorn.callbacks import resuming
from oxhorn.callbacks.callback import Callback, Logs, wanted_hooks
from oxhorn.callbacks.history import History
from oxhorn.callbacks.progbar_logger import ProgbarLogger

LOOPS = ("train", "test", "predict")


def plain_logs(logs: Logs | None) -> Logs:
    """Logs in alphabetical order, nested ones flattened, numbers of any kind as `float`."""
    plain: Logs = {}
    for name, value in sorted((logs or {}).items()):
        if isinstance(value, dict):
            plain.update(plain_logs(value))
            continue
        try:
            plain[name] = float(value)
        except (TypeError, ValueError):
            plain[name] = value
    return plain


class CallbackList(Callback):
    """Container of callbacks; the training loop talks to it alone.

    Args:
        callbacks: a callback, or callbacks nested in lists and tuples.
        add_history: whether a `History` is appended where there is none.
        add_progbar: whether a `ProgbarLogger` is appended where there is none.
        model: the model handed to every callback.
        params: settings of the loop handed to every callback.
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        super().__init__()
        self.callbacks: list[Any] = tree.flatten(callbacks) if callbacks else []
        self._open_loops = 0
        self._history = self._last_of(History)
        self._progbar = self._last_of(ProgbarLogger)
        if add_history and self._history is None:
            self._history = History()
            self.callbacks.append(self._history)
        if add_progbar and self._progbar is None:
            self._progbar = ProgbarLogger()
            self.callbacks.append(self._progbar)
        self.set_model(model)
        self.set_params(params)
        self._before = [resuming.plain_attributes(callback) for callback in self.callbacks]

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params
        if params:
            for callback in self.callbacks:
                callback.set_params(params)

    def set_model(self, model: Any) -> None:
        if model is None:
            return
        super().set_model(model)
        if self._history is not None:
            model.history = self._history
        for callback in self.callbacks:
            callback.set_model(model)

    def hooks(self) -> set[str]:
        """The hooks that at least one callback overrides; a loop need call no other.

        Callbacks may leave out hooks that they override but, as they are set up, do not need:
        a silent progress bar has nothing to do after a batch. So ask after `set_params`.
        """
        hooks = set().union(*(wanted_hooks(callback) for callback in self.callbacks))
        # What ends has begun: this list counts the loops that are open.
        return hooks | {f"on_{loop}_begin" for loop in LOOPS if f"on_{loop}_end" in hooks}

    # A run that is interrupted, and goes on ------------------------------------------------------

    def _backup(self) -> str | None:
        """The file of the backup from which training goes on, if there is one."""
        return backup_of(self.callbacks)

    def _state(self) -> dict[str, Any]:
        """What the callbacks have to remember."""
        kinds = json.dumps([type(callback).__name__ for callback in self.callbacks])
        state = {"kinds": np.frombuffer(kinds.encode(), dtype="uint8")}
        for number, (callback, before) in enumerate(zip(self.callbacks, self._before)):
            own = resuming.state_of(callback, before)
            state.update((f"{number}/{name}", array) for name, array in own.items())
        return state

    def _resume(self, state: dict[str, Any]) -> None:
        """Lets the callbacks go on as they were; in place of `on_train_begin`. Those that the run
        did not have begin.
        """
        kinds = json.loads(state["kinds"].tobytes())
        self._open_loops += 1
        self.model._take_numbers()
        for callback in self.callbacks:
            kind = type(callback).__name__
            if kind not in kinds:
                callback.on_train_begin({})
                continue
            # Of several of one class, the first goes on as the first.
            number = kinds.index(kind)
            kinds[number] = None
            scope = f"{number}/"
            kept = {k.removeprefix(scope): v for k, v in state.items() if k.startswith(scope)}
            resuming.go_on(callback, kept)

    def batch_interval(self) -> float:
        """Seconds that may pass between two calls of batch hooks before anyone could notice.

        Zero where a callback wants every batch. Otherwise only a progress bar is listening, and
        a loop may skip the hooks of all batches but the first within this time.
        """
        for callback in self.callbacks:
            bar = type(callback) is ProgbarLogger and callback.target is not None
            if not bar and any("_batch_" in hook for hook in wanted_hooks(callback)):
                return 0.0
        return ProgbarLogger.interval

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self._on_batch("on_batch_begin", batch, logs)

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._on_batch("on_batch_end", batch, logs)

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self._on_batch("on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._on_batch("on_train_batch_end", batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self._on_batch("on_test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._on_batch("on_test_batch_end", batch, logs)

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self._on_batch("on_predict_batch_begin", batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._on_batch("on_predict_batch_end", batch, logs)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        logs = plain_logs(logs)
        for callback in self.callbacks:
            callback.on_epoch_begin(epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = plain_logs(logs)
        for callback in self.callbacks:
            callback.on_epoch_end(epoch, logs)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._on_begin("on_train_begin", logs)

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._on_end("on_train_end", logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        self._on_begin("on_test_begin", logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        self._on_end("on_test_end", logs)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self._on_begin("on_predict_begin", logs)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        self._on_end("on_predict_end", logs)

    def _last_of(self, kind: type) -> Any:
        return next((c for c in reversed(self.callbacks) if isinstance(c, kind)), None)

    def _on_batch(self, hook: str, batch: int, logs: Logs | None) -> None:
        logs = plain_logs(logs)
        for callback in self.callbacks:
            getattr(callback, hook)(batch, logs=logs)

    def _on_begin(self, hook: str, logs: Logs | None) -> None:
        self._open_loops += 1
        logs = plain_logs(logs)
        for callback in self.callbacks:
            getattr(callback, hook)(logs)

    def _on_end(self, hook: str, logs: Logs | None) -> None:
        logs = plain_logs(logs)
        for callback in self.callbacks:
            getattr(callback, hook)(logs)
        self._open_loops -= 1
        if self._open_loops < 0:
            raise ValueError("`on_xxx_end` called without corresponding `on_xxx_begin`")


def backup_of(callbacks: Any) -> str | None:
    """The file from which a run with these callbacks goes on, if there is one."""
    found = (c._backup_path() for c in tree.flatten(callbacks) if hasattr(c, "_backup_path"))
    return next((path for path in found if path is not None), None)
