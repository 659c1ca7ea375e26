"""`CallbackList`: calls the hooks of many callbacks as if they were one."""

from __future__ import annotations

from typing import Any

from oxhorn import tree
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

    def resumed_epoch(self) -> int | None:
        """The epoch with which training goes on that was interrupted, if a callback knows of it."""
        known = [callback._resumed_epoch() for callback in self.callbacks if _may_resume(callback)]
        return max((epoch for epoch in known if epoch is not None), default=None)

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


def _may_resume(callback: Any) -> bool:
    return hasattr(callback, "_resumed_epoch")
