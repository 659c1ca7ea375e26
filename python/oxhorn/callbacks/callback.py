"""`Callback`: what may be done between the steps of training, evaluation and prediction."""

from __future__ import annotations

from typing import Any

Logs = dict[str, Any]


class Callback:
    """Base class of everything that is passed as `callbacks=`.

    Subclasses override the hooks they need; the training loop calls no others. `logs` maps the
    names of losses and metrics to numbers, in alphabetical order; what a callback writes into it
    is seen by the callbacks after it.

    Attributes:
        params: dict with `verbose`, `epochs` and `steps` of the running loop.
        model: the model that is being trained.
    """

    def __init__(self) -> None:
        self.params: dict[str, Any] | None = None
        self._model: Any = None

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params

    def set_model(self, model: Any) -> None:
        self._model = model

    @property
    def model(self) -> Any:
        return self._model

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """A backwards compatible alias of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """A backwards compatible alias of `on_train_batch_end`."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Called before an epoch; `epoch` counts from zero."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Called after an epoch and its validation, whose names begin with `val_`."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a training step, or before `steps_per_execution` of them."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a training step; `logs` holds the means of the epoch so far."""
        self.on_batch_end(batch, logs=logs)

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a step of `evaluate` or of the validation within `fit`."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a step of `evaluate` or of the validation within `fit`."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a step of `predict`."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a step of `predict`; `logs["outputs"]` are its outputs."""

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Called once before training."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Called once after training, with the logs of the last epoch."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Called before `evaluate` or the validation within `fit`."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Called after `evaluate` or the validation within `fit`."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Called before `predict`."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Called after `predict`."""

    def _hooks(self) -> set[str]:
        """The hooks that do something in this callback as it is set up now."""
        return overridden_hooks(self)


HOOKS = tuple(name for name in vars(Callback) if name.startswith("on_"))
ALIASES = {"on_batch_begin": "on_train_batch_begin", "on_batch_end": "on_train_batch_end"}


def wanted_hooks(callback: Any) -> set[str]:
    """The hooks that a loop must call for `callback`, which may be of any class."""
    if isinstance(callback, Callback):
        return callback._hooks()
    return overridden_hooks(callback)


def overridden_hooks(callback: Any) -> set[str]:
    """The hooks that differ from those of `Callback`, be it by class or by assignment.

    The two aliases appear as what they stand for, because the training loop knows only those.
    """
    hooks = set()
    for name in HOOKS:
        hook = getattr(callback, name, None)
        if hook is not None and getattr(hook, "__func__", hook) is not vars(Callback)[name]:
            hooks.add(ALIASES.get(name, name))
    return hooks


def hooks_without(callback: Callback, owner: type, idle: set[str]) -> set[str]:
    """The overridden hooks but those `idle` ones that are still the ones that `owner` wrote."""
    own = {n for n in idle if getattr(getattr(callback, n), "__func__", None) is vars(owner)[n]}
    return overridden_hooks(callback) - own
