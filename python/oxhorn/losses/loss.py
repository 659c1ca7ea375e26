"""`Loss`: what training makes small; the base of Rust's losses and of one's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from oxhorn import _native
from oxhorn._functions import run
from oxhorn._naming import auto_name, snake_case
from oxhorn._registry import RegistryObject, foreign

REDUCTIONS = ("sum", "mean", "mean_with_sample_weight", "sum_over_batch_size", "none", None)


class Loss:
    """How far predictions are from what is true.

    A subclass has the loss of each sample in `call(y_true, y_pred)`, written with `ops`.

    Args:
        name: the name in logs.
        reduction: how the losses of a batch become one: `"sum_over_batch_size"`, `"sum"`,
            `"mean"`, `"mean_with_sample_weight"`, `"none"` or `None`.
        dtype: the type of the elements; `float32` is the only one.
    """

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: Any = None,
    ) -> None:
        from oxhorn.layers.layer import dtype_policy

        if reduction not in REDUCTIONS:
            raise ValueError(
                "Invalid value for argument `reduction`. Expected one of "
                f"{set(REDUCTIONS)}. Received: reduction={reduction}"
            )
        self.name = name or auto_name(snake_case(type(self).__name__))
        self.reduction = reduction
        self.dtype = dtype_policy(dtype).compute_dtype

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        envelope = self._envelope()

        def write(y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
            return _native.apply_loss(envelope, y_true, y_pred, sample_weight)

        return run(envelope, write, y_true, y_pred, sample_weight)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each sample."""
        raise NotImplementedError(
            f"{type(self).__name__} has no `call(y_true, y_pred)`, which gives each sample's loss."
        )

    def _envelope(self) -> str:
        return foreign(self, {"name": self.name, "reduction": self.reduction})

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)


class RegistryLoss(RegistryObject, Loss):
    """A loss that Rust has."""

    _category = "losses"

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: Any = None,
    ) -> None:
        Loss.__init__(self, name, reduction, dtype)

    def _settings(self) -> dict[str, Any]:
        own = RegistryObject._settings(self)
        return {"name": self.name, "reduction": self.reduction, **own}

    def call(self, y_true: Any, y_pred: Any) -> Any:
        unreduced = json.loads(self._envelope())
        unreduced["config"]["reduction"] = "none"
        text = json.dumps(unreduced)
        return run(text, lambda t, p: _native.apply_loss(text, t, p, None), y_true, y_pred)

    def get_config(self) -> dict[str, Any]:
        return {**Loss.get_config(self), **RegistryObject.get_config(self)}


class LossFunctionWrapper(Loss):
    """A function of `y_true` and `y_pred` as a loss.

    Args:
        fn: gives the loss of each sample.
        reduction: how the losses of a batch become one.
        name: the name in logs.
        kwargs: further arguments of the function.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            name=name or getattr(fn, "__name__", None), reduction=reduction, dtype=dtype
        )
        self.fn = fn
        self._fn_kwargs = kwargs

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def get_config(self) -> dict[str, Any]:
        from oxhorn.saving import serialize_keras_object

        return {**super().get_config(), "fn": serialize_keras_object(self.fn), **self._fn_kwargs}
