"""Optimizers that hold others, and weights that do not decay, against losses of Keras 3.15.1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import oxhorn as keras
from oxhorn import optimizers


def losses_of(optimizer: Callable[[Any], Any]) -> list[float]:
    """The losses of three epochs of a small network."""
    keras.utils.set_random_seed(3)
    x = np.random.random((64, 6)).astype("float32")
    keras.utils.set_random_seed(5)
    layers = [keras.layers.Dense(4, activation="tanh", name="a"), keras.layers.Dense(1, name="b")]
    model = keras.Sequential([keras.Input((6,)), *layers])
    model.compile(optimizer(model), "mse")
    return model.fit(x, x[:, :1] * 2, epochs=3, verbose=0).history["loss"]


def without_decay(optimizer: Any, **what: Any) -> Any:
    optimizer.exclude_from_weight_decay(**what)
    return optimizer


def by_path(default: Any, **others: Any) -> Any:
    entries = {f".*/{name}/.*": optimizer for name, optimizer in others.items()}
    return optimizers.MultiOptimizer(optimizers.OptimizerMap(default, entries))


@pytest.mark.parametrize(
    ("optimizer", "recorded"),
    [
        (
            lambda model: without_decay(
                optimizers.AdamW(0.01, weight_decay=0.5), var_names=["bias"]
            ),
            [1.503519058227539, 1.3082319498062134, 1.1478173732757568],
        ),
        (
            lambda model: without_decay(
                optimizers.SGD(0.05, weight_decay=0.5), var_list=[model.layers[0].kernel]
            ),
            [1.3823003768920898, 0.8804515600204468, 0.6218339204788208],
        ),
        (
            lambda model: by_path(optimizers.SGD(0.05), b=optimizers.Adam(0.01)),
            [1.485724925994873, 1.226898431777954, 1.028200626373291],
        ),
        (
            lambda model: optimizers.LossScaleOptimizer(optimizers.Adam(0.01)),
            [1.5042482614517212, 1.3092354536056519, 1.1456553936004639],
        ),
    ],
    ids=["names that do not decay", "weights that do not decay", "several", "a scaled loss"],
)
def test_the_losses_are_those_of_keras(
    optimizer: Callable[[Any], Any], recorded: list[float]
) -> None:
    assert losses_of(optimizer) == pytest.approx(recorded, rel=1e-5)


def test_an_optimizer_that_holds_another_is_read_back() -> None:
    for optimizer in (
        optimizers.LossScaleOptimizer(optimizers.Adam(0.01), initial_scale=64.0),
        by_path(optimizers.SGD(0.05), b=optimizers.Adam(0.01)),
    ):
        again = optimizers.deserialize(optimizers.serialize(optimizer))
        assert type(again) is type(optimizer)
        assert again.get_config() == optimizer.get_config()
