"""`Metric`: a number by which people judge predictions; the base of Rust's and of one's own."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from oxhorn import _native
from oxhorn._naming import auto_name, snake_case
from oxhorn._registry import RegistryObject, foreign
from oxhorn._tensor import Tensor, as_array, as_traced
from oxhorn._variables import Variable

_keys = itertools.count(1)


# The type that Keras writes for metrics that count pairs of classes.
COUNTS = "int32"


class Metric:
    """A number by which people judge predictions.

    A subclass makes variables with `add_variable` in its `__init__`, changes them in
    `update_state(y_true, y_pred, sample_weight=None)` and gives the number in `result()`, both
    written with `ops`.

    Args:
        dtype: the type of the elements; `float32` is the only one.
        name: the name in logs.
    """

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        from oxhorn.layers.layer import dtype_policy

        self.name = name or auto_name(snake_case(type(self).__name__))
        self._dtype_policy = dtype_policy(dtype)
        self._dtype = self._dtype_policy.compute_dtype
        self._metrics: list[Metric] = []
        self._variables: list[Variable] = []
        self._key = f"metrics/{self.name}-{next(_keys)}"

    @property
    def dtype(self) -> str:
        return self._dtype

    @property
    def variables(self) -> list[Variable]:
        return self._variables + [v for metric in self._metrics for v in metric.variables]

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Variable) and hasattr(self, "_variables"):
            if all(value is not known for known in self._variables):
                self._variables.append(value)
        elif isinstance(value, Metric) and hasattr(self, "_metrics"):
            self._metrics.append(value)
        object.__setattr__(self, name, value)

    def add_variable(
        self,
        shape: Any,
        initializer: Any,
        dtype: Any = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """Makes a variable, which `reset_state` sets back to zeros."""
        from oxhorn import initializers

        variable = Variable(
            initializer=initializers.get(initializer),
            shape=tuple(shape),
            dtype=dtype or self.dtype,
            trainable=False,
            name=name,
            key=f"{self._key}/{name or 'variable'}-{next(_keys)}",
        )
        self._variables.append(variable)
        return variable

    def add_weight(
        self, shape: Any = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> Variable:
        """Makes a variable; the older name of `add_variable`."""
        return self.add_variable(
            shape=shape, initializer=initializer or "zeros", dtype=dtype, name=name
        )

    def reset_state(self) -> None:
        """Begins anew."""
        for variable in self.variables:
            variable.assign(np.zeros(variable.shape, dtype=variable.dtype))

    def update_state(self, *args: Any, **kwargs: Any) -> Any:
        """Adds a batch."""
        raise NotImplementedError(f"{type(self).__name__} has no `update_state()`.")

    def result(self) -> Any:
        """The metric of all batches so far."""
        raise NotImplementedError(f"{type(self).__name__} has no `result()`.")

    def stateless_reset_state(self) -> list[np.ndarray]:
        """The values of the variables after a reset, which does not happen."""
        return [np.zeros(v.shape, dtype=v.dtype) for v in self.variables]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.update_state(*args, **kwargs)
        return self.result()

    def _envelope(self) -> str:
        settings = {"name": self.name, "kind": "own", "direction": getattr(self, "_direction", "")}
        return foreign(self, settings)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


class RegistryMetric(RegistryObject, Metric):
    """A metric that Rust has."""

    _category = "metrics"

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        Metric.__init__(self, dtype=dtype, name=name)
        self._engine: Any = None

    def _settings(self) -> dict[str, Any]:
        return {"name": self.name, **RegistryObject._settings(self)}

    def get_config(self) -> dict[str, Any]:
        config = {**Metric.get_config(self), **RegistryObject.get_config(self)}
        if type(self).__name__.endswith("IoU"):
            config["dtype"] = COUNTS
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        given = {key: value for key, value in config.items() if (key, value) != ("dtype", COUNTS)}
        return super().from_config(given)

    def _running(self) -> Any:
        """What keeps the totals and runs the metric on arrays."""
        if self._engine is None:
            reference = weakref.ref(self)
            self._engine = _native.Engine(lambda x, _: reference()._traced(x), 1)
        return self._engine

    def _traced(self, tensors: list[Tensor]) -> list[Tensor]:
        envelope = self._envelope()
        if len(tensors) < 2:
            return [_native.result_metric(envelope, self.name)]
        y_true, y_pred, *weight = tensors
        _native.update_metric(envelope, self.name, y_true, y_pred, *(weight or [None]))
        return []

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch."""
        given = [y_true, y_pred] + ([] if sample_weight is None else [sample_weight])
        if _native.tracing():
            self._traced([as_traced(x) for x in given])
        else:
            self._running().call([as_array(x) for x in given], True)

    def result(self) -> Any:
        """The metric of all batches so far."""
        if _native.tracing():
            return self._traced([])[0]
        return self._running().call([], False)[0]

    def reset_state(self) -> None:
        """Begins anew."""
        if self._engine is not None:
            self._engine.reset_metrics()

    @property
    def variables(self) -> list[Variable]:
        """None that Python keeps: the totals are Rust's."""
        return []


class MeanMetricWrapper(Metric):
    """The mean of what a function of `y_true` and `y_pred` gives.

    Args:
        fn: gives one value or several for each sample.
        name: the name in logs.
        kwargs: further arguments of the function.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name or getattr(fn, "__name__", None), dtype=dtype)
        self._fn = fn
        self._fn_kwargs = kwargs

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """What the mean is taken of."""
        values = self._fn(as_traced(y_true, "float32"), as_traced(y_pred), **self._fn_kwargs)
        return as_traced(values, "float32")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch."""
        from oxhorn.metrics import Mean

        if not hasattr(self, "_mean"):
            object.__setattr__(self, "_mean", Mean(name=self.name))
        values = self._fn(as_array(y_true, "float32"), as_array(y_pred), **self._fn_kwargs)
        self._mean.update_state(values, sample_weight)

    def result(self) -> Any:
        """The mean over all batches so far."""
        mean = getattr(self, "_mean", None)
        return np.float32(0.0) if mean is None else mean.result()

    def reset_state(self) -> None:
        """Begins anew."""
        if hasattr(self, "_mean"):
            self._mean.reset_state()

    def _envelope(self) -> str:
        settings = {"name": self.name, "kind": "mean", "direction": getattr(self, "_direction", "")}
        return foreign(self, settings)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": self.dtype, "fn": self._fn, **self._fn_kwargs}
