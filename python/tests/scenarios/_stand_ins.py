"""Stand-ins: a clock that is wound by hand, a model and an optimizer that callbacks can talk to."""

from __future__ import annotations

import contextlib
import time

import numpy as np


class Optimizer:
    """An optimizer whose rate is in single precision, as those of Keras are."""

    def __init__(self, rate=0.1, name="sgd"):
        self.name = name
        self.learning_rate = rate

    @property
    def learning_rate(self):
        return self._rate

    @learning_rate.setter
    def learning_rate(self, rate):
        self._rate = np.float32(rate)


class Model:
    """A model that says what is done to it."""

    def __init__(self, optimizer=None):
        self.optimizer = optimizer or Optimizer()
        self.stop_training = False
        self.built = True
        self.metrics = []
        self.weights = 0

    def get_weights(self):
        return [self.weights]

    def set_weights(self, weights):
        print("weights set to", weights)
        self.weights = weights[0]

    def save(self, filepath, overwrite=True):
        self._write(filepath, overwrite)

    def save_weights(self, filepath, overwrite=True):
        self._write(filepath, overwrite)

    def _write(self, filepath, overwrite):
        with open(filepath, "w") as file:
            file.write(f"{self.weights} {overwrite}")
        print("written", filepath, overwrite)


@contextlib.contextmanager
def clock(start=1000.0):
    """Replaces `time.time`; the list that is returned holds the time."""
    real, now = time.time, [start]
    time.time = lambda: now[0]
    try:
        yield now
    finally:
        time.time = real


def epochs(callback, logs, model=None, verbose=0):
    """Runs a callback through epochs that end with the given logs, and returns the model."""
    model = model or Model()
    callback.set_params({"verbose": verbose, "epochs": len(logs), "steps": 1})
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, log in enumerate(logs):
        model.weights = epoch
        callback.on_epoch_begin(epoch, {})
        callback.on_epoch_end(epoch, log)
        if model.stop_training:
            print("stopped after", epoch)
            break
    callback.on_train_end()
    return model


class Recorder:
    """Makes a callback of `keras` that prints its hooks, so that nothing runs in threads."""

    def __new__(cls, keras, skip=()):
        def hook(name):
            return lambda self, *args, **settings: print(name, args, settings)

        names = [n for n in dir(keras.callbacks.Callback) if n.startswith("on_")]
        names = [n for n in names if "on_batch" not in n and n not in skip]
        return type("Recorder", (keras.callbacks.Callback,), {n: hook(n) for n in names})()
