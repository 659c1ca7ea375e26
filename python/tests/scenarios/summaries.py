"""Scenarios of `model.summary()`: every kind of model, at several widths."""

from __future__ import annotations

import contextlib
import os

import numpy as np


@contextlib.contextmanager
def _columns(count):
    """A terminal of this width, whatever the one that runs the test is."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(count)
    try:
        yield
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before


def _show(model, columns=80, **settings):
    with _columns(columns):
        model.summary(**settings)


def _chain(keras, *more):
    keras.utils.clear_session()
    layers = keras.layers
    head = [layers.Input((25,)), layers.Dense(64, activation="relu"), layers.Dropout(0.4)]
    return keras.models.Sequential([*head, layers.Dense(5), *more])


def _branches(keras):
    keras.utils.clear_session()
    layers = keras.layers
    a, b = layers.Input((4,), name="a"), layers.Input((4,), name="a_longer_name_of_an_input")
    dense = layers.Dense(3, name="shared_by_both")
    x, y = dense(a), dense(b)
    z = layers.Concatenate()([x, y, layers.Dropout(0.5)(x)])
    z = keras.ops.relu(z * 2.0)[:, 1:5]
    return keras.models.Model({"a": a, "a_longer_name_of_an_input": b}, [z, x])


def _nested(keras):
    keras.utils.clear_session()
    layers = keras.layers
    i = layers.Input((3,))
    inner = keras.models.Model(i, layers.Dense(2)(i), name="inner")
    links = keras.models.Sequential(
        [layers.Input((2,)), layers.BatchNormalization(), layers.Dense(4)]
    )
    x = layers.Input((3,))
    return keras.models.Model(x, layers.Dense(1)(links(inner(x))), name="outer")


def chain(keras):
    _show(_chain(keras))


def chain_that_is_not_built(keras):
    keras.utils.clear_session()
    layers = keras.layers
    kinds = [layers.Dense(2), layers.Dropout(0.5), layers.Flatten(), layers.Activation("relu")]
    _show(keras.models.Sequential(kinds))


def chain_without_layers(keras):
    keras.utils.clear_session()
    _show(keras.models.Sequential(name="empty"))


def chain_after_training(keras):
    model = _chain(keras)
    model.compile("adam", "mse")
    _show(model)
    model.fit(np.zeros((40, 25)), np.zeros((40, 5)), verbose=0)
    # One count more or less in 32 bits does not show among kilobytes.
    _show(model)


def chain_with_frozen_layers(keras):
    model = _chain(keras, keras.layers.BatchNormalization(), keras.layers.Dense(2))
    model.layers[0].trainable = False
    _show(model, show_trainable=True)
    model.trainable = False
    _show(model, show_trainable=True, columns=120)


def chain_with_many_parameters(keras):
    keras.utils.clear_session()
    layers = keras.layers
    chain = [layers.Input((999,)), layers.Dense(2048), layers.Dense(1, use_bias=False)]
    _show(keras.models.Sequential(chain, name="large"))


def functional_chain(keras):
    keras.utils.clear_session()
    layers = keras.layers
    x = layers.Input((None, 3))
    _show(keras.models.Model(x, layers.Dense(2, name="a[b]c")(layers.Dense(7)(x)), name="[bold]"))


def functional_graph(keras):
    _show(_branches(keras))


def functional_graph_at_widths(keras):
    for columns in (60, 97, 113, 200):
        _show(_branches(keras), columns)


def functional_graph_with_trainable(keras):
    _show(_branches(keras), 130, show_trainable=True)


def several_outputs(keras):
    keras.utils.clear_session()
    layers = keras.layers
    x = layers.Input((4,), name="x")
    two = keras.models.Model(x, {"p": layers.Dense(2)(x), "q": layers.Dense(3)(x)}, name="two")
    y = layers.Input((4,), name="y")
    both = two(y)
    _show(two)
    _show(keras.models.Model(y, layers.Add()([both["p"], layers.Dense(2)(both["q"])]), name="over"))


def models_within_models(keras):
    model = _nested(keras)
    _show(model)
    _show(model, expand_nested=True)
    _show(model, 100, expand_nested=True, show_trainable=True)


def model_of_its_own_class(keras):
    keras.utils.clear_session()

    class Net(keras.models.Model):
        def __init__(self):
            super().__init__()
            layers = keras.layers
            self.first = layers.Dense(4)
            self.noise = layers.Dropout(0.5)
            self.more = [layers.Dense(2), layers.Dense(1)]

        def call(self, x):
            x = self.noise(self.first(x))
            for layer in self.more:
                x = layer(x)
            return x

    model = Net()
    _show(model)
    model(np.zeros((7, 3), dtype="float32"))
    _show(model)


def widths(keras):
    for settings in ({"line_length": 50}, {"line_length": 120}, {"positions": [0.3, 0.7, 0.9]}):
        _show(_chain(keras), **settings)
    _show(_chain(keras), 120)
    _show(_chain(keras), line_length=100, positions=[0.2, 0.5, 1.0])


def too_narrow(keras):
    _show(_chain(keras), line_length=14)


def print_function(keras):
    lines = []
    _show(_chain(keras), print_fn=lines.append)
    return lines


def range_of_layers(keras):
    _show(_chain(keras), layer_range=("dropout", "dense_1"))
    _show(_chain(keras), layer_range=("dense_1", "dropout"))
    _show(_chain(keras), layer_range=("d.*", "d.*t"))


def range_of_unknown_layers(keras):
    _show(_chain(keras), layer_range=("nobody", "dense"))


def range_of_three_layers(keras):
    _show(_chain(keras), layer_range=("a", "b", "c"))


def range_of_numbers(keras):
    _show(_chain(keras), layer_range=(0, 1))
