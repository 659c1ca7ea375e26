"""`RateScheduler`: lets a rate follow a schedule, step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from oxhorn.callbacks.callback import Callback, Logs


class RateScheduler(Callback):
    """Sets a number of the model, such as the rate of a dropout, before every step of training.

    Steps are counted from zero as the optimizer counts them: over all epochs, and on from where the
    last `fit` ended. The logs of an epoch get the number as its last step had it, as
    `dropout_rate`; the layer's attribute has it from then on. A schedule of Oxhorn is computed
    without Python; a function is called before every step. Keras has no such callback.

    Args:
        numbers: a layer, for its `rate`, or if it has only one number for that; a technique
            likewise; the path of a number, such as `"dropout/rate"` or
            `"techniques/mixup/alpha"`; or a list of these.
        schedule: a schedule of `optimizers.schedules`, or a function of the step that returns the
            rate.
    """

    def __init__(self, numbers: Any, schedule: Callable[[int], float]) -> None:
        super().__init__()
        if not callable(schedule):
            raise TypeError(
                "`schedule` must be a schedule or a function of the step. "
                f"Received: schedule={schedule}"
            )
        self.numbers = list(numbers) if isinstance(numbers, (list, tuple)) else [numbers]
        self.schedule = schedule
        self._owners: list[tuple[str, Any, str]] = []

    def _for_rust(self) -> dict[str, Any]:
        """What sets the numbers: their paths in the engine, their names in the logs, and the
        schedule's envelope or a function.
        """
        from oxhorn.optimizers.schedules.schedule import RegistrySchedule

        found = [self._find(number) for number in self.numbers]
        self._owners = [(path, owner, name) for path, owner, name, _ in found]
        native = type(self.schedule).__call__ is RegistrySchedule.__call__
        return {
            "numbers": [(path, log_name) for path, _, _, log_name in found],
            "schedule": self.schedule._envelope() if native else self._rate,
        }

    def _rate(self, step: int) -> float:
        """The function's rate of this step."""
        rate = self.schedule(step)
        try:
            return float(rate)
        except (TypeError, ValueError):
            raise ValueError(
                f"The output of the `schedule` function should be a float. Got: {rate}"
            ) from None

    def _find(self, number: Any) -> tuple[str, Any, str, str]:
        """The path in the engine, who has the number, by which name, and its name in the logs."""
        if isinstance(number, str):
            return self._at(number)
        from oxhorn.techniques.technique import RegistryTechnique

        numbers = getattr(number, "_numbers", None)
        if numbers is None:
            if not isinstance(number, RegistryTechnique):
                raise TypeError(
                    "`numbers` must be layers, techniques or paths of numbers. "
                    f"Received: numbers={number}"
                )
            numbers = self.model._numbers_of(number)
        names = list(numbers.values())
        if "rate" not in names and len(names) != 1:
            raise ValueError(
                f"{type(number).__name__} has not one number to schedule, but {names}. Give the "
                "path of one of them, such as 'dropout/rate'."
            )
        name = "rate" if "rate" in names else names[0]
        path = next(path for path, known in numbers.items() if known == name)
        owner = getattr(number, "name", None)
        log_name = f"{owner}_{name}" if owner else path.replace("/", "_")
        return path, number, name, log_name

    def _at(self, path: str) -> tuple[str, Any, str, str]:
        """The same for a path."""
        owner, _, name = path.partition("/")
        layer, log_name = self._layer(owner), path.replace("/", "_")
        if layer is not None and name in layer._numbers.values():
            return f"{layer._key}/{name}", layer, name, log_name
        if layer is not None and "/" in name:
            # The strength of a regularizer, which no attribute of a layer shows.
            return f"{layer._key}/{name}", None, name, log_name
        if path not in dict(self.model._engine.numbers()):
            raise ValueError(f"There is no number '{path}' to schedule. There are: {self._known()}")
        return path, self.model._technique_at(path), path.rpartition("/")[2], log_name

    def _layer(self, name: str) -> Any:
        """The layer of this name, wherever in the model it is."""
        layers = self.model._flatten_layers(include_self=False)
        return next((layer for layer in layers if layer.name == name), None)

    def _known(self) -> list[str]:
        """The paths of all numbers."""
        layers = self.model._flatten_layers(include_self=False)
        own = [f"{layer.name}/{name}" for layer in layers for name in layer._numbers.values()]
        paths = [path for path, _ in self.model._engine.numbers()]
        return own + [path for path in paths if path.startswith(("optimizer/", "techniques/"))]

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._show()

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._show()

    def _show(self) -> None:
        """Gives attributes the values that the numbers have by now."""
        values = dict(self.model._engine.numbers())
        for path, owner, name in self._owners:
            if owner is not None and path in values:
                setattr(owner, name, values[path])
