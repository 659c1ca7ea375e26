"""A layer, a loss class, a loss function and a metric of one's own: prints their curves as JSON."""

import json
import sys

import keras
import numpy as np
from keras import ops

seed = int(sys.argv[1])
keras.utils.set_random_seed(seed)
rng = np.random.default_rng(seed)


class Blurred(keras.layers.Layer):
    """A dense layer whose input gets normal noise while it trains."""

    def __init__(self, units, blur=0.1, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.blur = blur
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape):
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], self.units),
            initializer="glorot_uniform",
            regularizer=keras.regularizers.L2(0.01),
        )
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")

    def call(self, inputs, training=False):
        if training:
            noise = keras.random.normal(ops.shape(inputs), seed=self.seed_generator)
            inputs = inputs + self.blur * noise
        return ops.relu(ops.matmul(inputs, self.kernel) + self.bias)

    def get_config(self):
        return {**super().get_config(), "units": self.units, "blur": self.blur}


class Pinball(keras.losses.Loss):
    """What a forecast of a quantile costs."""

    def __init__(self, quantile=0.5, name="pinball", **kwargs):
        super().__init__(name=name, **kwargs)
        self.quantile = quantile

    def call(self, y_true, y_pred):
        error = y_true - y_pred
        return ops.mean(ops.maximum(self.quantile * error, (self.quantile - 1) * error), axis=-1)


def log_distance(y_true, y_pred):
    """A loss that is a function."""
    return ops.mean(ops.log1p(ops.square(y_true - y_pred)), axis=-1)


def share_above(y_true, y_pred):
    """A metric that is a function: how often the forecast was too high."""
    return ops.mean(ops.cast(y_pred > y_true, "float32"), axis=-1)


x = rng.normal(size=(131, 6)).astype("float32")
y = (x[:, :1] * x[:, 1:2] + x[:, 2:3]).astype("float32")

result = {}
for loss in (Pinball(0.8), log_distance):
    model = keras.Sequential([keras.Input((6,)), Blurred(17), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), loss=loss, metrics=[share_above, "mae"])
    history = model.fit(x, y, epochs=4, batch_size=25, validation_data=(x[:30], y[:30]), verbose=0)
    result[getattr(loss, "name", "log_distance")] = {
        "history": history.history,
        "evaluate": model.evaluate(x, y, verbose=0),
        "predict": model.predict(x[:3], verbose=0).tolist(),
        "weights": [[weight.name, list(weight.shape)] for weight in model.weights],
        "config": model.layers[0].get_config()["units"],
        "losses": len(model.losses),
    }
print(json.dumps(result))
