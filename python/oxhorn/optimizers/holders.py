"""Optimizers that hold others: one scales the loss, one has several for different weights."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

from oxhorn.optimizers.optimizer import (
    DYNAMIC_SCALE,
    STEP_COUNTER,
    Fixed,
    OptimizerVariable,
    RegistryOptimizer,
)


def _handed_on(name: str, unset: Any) -> property:
    """An attribute that the optimizer within is given as well."""

    def value(holder: Any) -> Any:
        return holder.__dict__.get(name, unset)

    def give(holder: Any, value: Any) -> None:
        holder.__dict__[name] = value
        if "inner_optimizer" in holder.__dict__:
            setattr(holder.inner_optimizer, name, value)

    return property(value, give)


class LossScaleOptimizer(RegistryOptimizer):
    """Scales the loss up as far as its gradients stay finite; a step with others is left out.

    Args:
        inner_optimizer: the optimizer that takes the steps.
        initial_scale: the factor of the loss at first.
        dynamic_growth_steps: after how many steps without overflow the factor is doubled.
        name: the optimizer's name.
    """

    _class = "keras.optimizers.LossScaleOptimizer"
    _fields = {
        "inner_optimizer": "optimizer",
        "initial_scale": "plain",
        "dynamic_growth_steps": "plain",
    }

    def __init__(
        self,
        inner_optimizer: Any,
        initial_scale: float = 32768.0,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        if not isinstance(inner_optimizer, RegistryOptimizer):
            raise ValueError(
                "Argument `inner_optimizer` must be an optimizer. "
                f"Received: inner_optimizer={inner_optimizer}"
            )
        self._configure(
            inner_optimizer=inner_optimizer,
            initial_scale=initial_scale,
            dynamic_growth_steps=dynamic_growth_steps,
        )

    @property
    def _rate(self) -> Any:
        inner = self.__dict__.get("inner_optimizer")
        return 0.001 if inner is None else inner._rate

    @_rate.setter
    def _rate(self, value: Any) -> None:
        if "inner_optimizer" in self.__dict__:
            self.inner_optimizer._rate = value

    _engine = _handed_on("_engine", None)
    _weights = _handed_on("_weights", list)

    @property
    def variables(self) -> list[Any]:
        """The state: what Keras counts here and nobody uses, the scale, and the inner one's."""
        if not self.built:
            return []
        engine = self._engine_now()
        count, rate = Fixed("iteration", np.int64(0)), Fixed("learning_rate", np.float32(0.0))
        own = [OptimizerVariable(engine, STEP_COUNTER, (), "int64")]
        own.append(OptimizerVariable(engine, DYNAMIC_SCALE, (), "float32"))
        return [count, rate, *own, *self.inner_optimizer.variables]

    def _settings(self) -> dict[str, Any]:
        inner = json.loads(self.inner_optimizer._envelope())
        return {
            "name": self.name,
            "inner_optimizer": inner,
            "initial_scale": float(self.initial_scale),
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    def get_config(self) -> dict[str, Any]:
        from oxhorn import optimizers

        return {**self._settings(), "inner_optimizer": optimizers.serialize(self.inner_optimizer)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        from oxhorn import optimizers

        config = dict(config)
        return cls(optimizers.deserialize(config.pop("inner_optimizer")), **config)


class OptimizerMap:
    """Which optimizer is for which weights.

    Args:
        default_optimizer: the one for weights that no entry is for.
        optimizer_map: optimizers by regular expressions, which match a weight's whole path.
    """

    def __init__(self, default_optimizer: Any, optimizer_map: dict[str, Any] | None = None) -> None:
        from oxhorn import optimizers

        self.default_optimizer = optimizers.get(default_optimizer)
        self.optimizer_map: dict[str, Any] = {}
        for key, optimizer in (optimizer_map or {}).items():
            self[key] = optimizer

    def __setitem__(self, key: str, optimizer: Any) -> None:
        from oxhorn import optimizers

        if key in self.optimizer_map:
            raise ValueError(f"{key} already exists in the OptimizerMap.")
        self.optimizer_map[key] = optimizers.get(optimizer)

    def __getitem__(self, path: str) -> Any:
        """The optimizer for the weight of this path."""
        found = [o for key, o in self.optimizer_map.items() if re.fullmatch(key, path)]
        if len(found) > 1:
            raise ValueError(
                f"Path '{path}' matches multiple optimizer specification keys: "
                f"{[k for k in self.optimizer_map if re.fullmatch(k, path)]}"
            )
        return found[0] if found else self.default_optimizer

    def __len__(self) -> int:
        return len(self.optimizer_map)

    def get_config(self) -> dict[str, Any]:
        from oxhorn import optimizers

        entries = self.optimizer_map.items()
        return {
            "default_optimizer": optimizers.serialize(self.default_optimizer),
            "optimizer_map": {key: optimizers.serialize(value) for key, value in entries},
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> OptimizerMap:
        from oxhorn import optimizers

        entries = (config.get("optimizer_map") or {}).items()
        return cls(
            optimizers.deserialize(config["default_optimizer"]),
            {key: optimizers.deserialize(value) for key, value in entries},
        )


class MultiOptimizer(RegistryOptimizer):
    """Hands each weight to the optimizer that a map has for its path.

    Args:
        optimizer_map: an `OptimizerMap`.
        loss_scale_factor: the factor by which the loss is scaled, and gradients are scaled back.
        name: the optimizer's name.
    """

    _class = "keras.optimizers.MultiOptimizer"

    def __init__(
        self, optimizer_map: Any, loss_scale_factor: float | None = None, name: str | None = None
    ) -> None:
        if not isinstance(optimizer_map, OptimizerMap):
            raise ValueError(
                "Argument `optimizer_map` must be an `OptimizerMap`. "
                f"Received: optimizer_map={optimizer_map}"
            )
        super().__init__(name=name, loss_scale_factor=loss_scale_factor)
        self.optimizer_map = optimizer_map

    @property
    def learning_rate(self) -> Any:
        """There is none: each optimizer of the map has its own."""
        raise AttributeError(
            "A MultiOptimizer has no learning rate of its own: ask the optimizers of its "
            "`optimizer_map`."
        )

    def _envelope_for(self, variables: list[Any]) -> str:
        """The envelope, with a key of its own for each weight."""
        entries = {
            re.escape(v.key): json.loads(self.optimizer_map[v.path]._envelope())
            for v in variables
            if self.optimizer_map[v.path] is not self.optimizer_map.default_optimizer
        }
        return self._written(entries)

    def _envelope(self) -> str:
        entries = self.optimizer_map.optimizer_map.items()
        return self._written({key: json.loads(value._envelope()) for key, value in entries})

    def _written(self, entries: dict[str, Any]) -> str:
        held = {
            "default_optimizer": json.loads(self.optimizer_map.default_optimizer._envelope()),
            "optimizer_map": entries,
        }
        config = {
            "optimizer_map": {
                "module": "keras.optimizers",
                "class_name": "OptimizerMap",
                "config": held,
                "registered_name": None,
            },
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }
        module, _, name = self._class.rpartition(".")
        return json.dumps({"module": module, "class_name": name, "config": config})

    def get_config(self) -> dict[str, Any]:
        return {
            "optimizer_map": self.optimizer_map.get_config(),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        config = dict(config)
        return cls(OptimizerMap.from_config(config.pop("optimizer_map")), **config)
