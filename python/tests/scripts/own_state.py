"""A layer and a metric of one's own that keep a state: prints their curves as JSON."""

import json
import sys

import keras
import numpy as np
from keras import ops

seed = int(sys.argv[1])
keras.utils.set_random_seed(seed)
rng = np.random.default_rng(seed)


class Centred(keras.layers.Layer):
    """Subtracts the mean: of the batch while it trains, else what was seen lately."""

    def __init__(self, momentum=0.9, **kwargs):
        super().__init__(**kwargs)
        self.momentum = momentum

    def build(self, input_shape):
        self.mean = self.add_weight(
            name="mean", shape=(input_shape[-1],), initializer="zeros", trainable=False
        )

    def call(self, inputs, training=False):
        if not training:
            return inputs - self.mean
        mean = ops.mean(inputs, axis=0)
        self.mean.assign(self.momentum * self.mean + (1 - self.momentum) * mean)
        return inputs - mean


class Largest(keras.metrics.Metric):
    """The largest error of an epoch."""

    def __init__(self, name="largest", **kwargs):
        super().__init__(name=name, **kwargs)
        self.largest = self.add_variable(shape=(), initializer="zeros", name="largest")

    def update_state(self, y_true, y_pred, sample_weight=None):
        error = ops.max(ops.abs(ops.cast(y_true, "float32") - y_pred))
        self.largest.assign(ops.maximum(self.largest, error))

    def result(self):
        return self.largest.value


x = rng.normal(loc=3, size=(101, 5)).astype("float32")
y = np.tanh(x[:, :1] - 3)

model = keras.Sequential(
    [keras.Input((5,)), Centred(), keras.layers.Dense(8, "tanh"), keras.layers.Dense(1)]
)
model.compile("sgd", loss=keras.losses.Huber(), metrics=[Largest()])
history = model.fit(x, y, epochs=4, batch_size=16, validation_split=0.3, verbose=0)
result = {
    "history": history.history,
    "evaluate": model.evaluate(x, y, verbose=0),
    "mean": model.layers[0].mean.numpy().tolist(),
    "trainable": [len(model.trainable_weights), len(model.non_trainable_weights)],
}
print(json.dumps(result))
