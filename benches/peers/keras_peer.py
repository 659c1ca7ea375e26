"""Keras on one of its back ends, or Oxhorn in its place: compiled, by `fit` on NumPy arrays."""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Callable
from types import ModuleType

import serve
from networks import Network

BACKENDS = ["jax", "tensorflow", "torch", "oxhorn"]


def set_threads(backend: str, threads: int) -> None:
    """Says how many threads there are, in the back end's own words."""
    if backend == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    elif backend == "torch":
        import torch

        torch.set_num_threads(threads)
    elif backend == "oxhorn":
        os.environ["OXHORN_THREADS"] = str(threads)
    else:
        serve.use_cores(threads)


def build(keras: ModuleType, network: Network):
    """The network as a model."""
    model = keras.Sequential([keras.Input((network.inputs,))])
    if network.dropout_of_inputs:
        model.add(keras.layers.Dropout(network.dropout_of_inputs))
    for units in network.hidden:
        model.add(keras.layers.Dense(units, activation="relu"))
        if network.dropout:
            model.add(keras.layers.Dropout(network.dropout))
    model.add(keras.layers.Dense(network.classes, activation="softmax"))
    return model


def fastest(backend: str, network: Network) -> dict[str, int | bool]:
    """What else `compile` must be told to train fastest."""
    if backend == "torch":
        return {"jit_compile": True}
    # Oxhorn makes its steps one after the other anyhow, the others with Python in between.
    return {} if backend == "oxhorn" else {"steps_per_execution": network.steps}


def training(
    keras: ModuleType, network: Network, settings: dict[str, int | bool]
) -> Callable[[], dict[str, float]]:
    """What trains a turn, and gives the seconds of a step."""
    model = build(keras, network)
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"], **settings)
    x, y = network.data()

    class Clock(keras.callbacks.Callback):
        """How long the last epoch took."""

        def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
            self.begun = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
            self.seconds = time.perf_counter() - self.begun

    clock = Clock()

    def turn() -> dict[str, float]:
        # The first epoch fills the caches, and what is made once in a call of `fit` is its.
        model.fit(x, y, batch_size=network.batch, epochs=2, verbose=0, callbacks=[clock])
        return {"step": clock.seconds / network.steps}

    return turn


def main() -> None:
    """Builds the network and serves."""
    asked = serve.asked(backend=BACKENDS)
    os.environ["KERAS_BACKEND"] = asked.backend
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    set_threads(asked.backend, asked.threads)
    keras = importlib.import_module("oxhorn" if asked.backend == "oxhorn" else "keras")
    network = serve.of(asked.network)
    settings = fastest(asked.backend, network)
    names = [keras.__name__, asked.backend]
    versions = {name: importlib.import_module(name).__version__ for name in names}
    serve.serve(versions, training(keras, network, settings))


if __name__ == "__main__":
    main()
