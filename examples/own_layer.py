"""A layer, a loss and a metric of one's own, in a model like any other."""

# %% A curve with noise that grows to the right.
import numpy as np

import oxhorn as keras
from oxhorn import ops

keras.utils.set_random_seed(7)
x = np.random.uniform(-1, 1, (1000, 1))
y = np.sin(3 * x) + np.random.normal(size=(1000, 1)) * 0.2 * (x + 1)


# %% Bumps of learned places and widths; while it trains, their heights are blurred.
class Bumps(keras.layers.Layer):
    """Gaussian features `exp(-((x - centre) / width)²)`."""

    def __init__(self, units, blur=0.0, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.blur = keras.layers.GaussianNoise(blur)

    def build(self, input_shape):
        ends = keras.initializers.RandomUniform(-1, 1)
        self.centre = self.add_weight(shape=(self.units,), initializer=ends, name="centre")
        self.width = self.add_weight(shape=(self.units,), initializer="ones", name="width")

    def call(self, inputs, training=False):
        heights = ops.exp(-ops.square((inputs - self.centre) / self.width))
        return self.blur(heights, training=training)


# %% What is paid for a forecast that is to lie above nine of ten values.
class Pinball(keras.losses.Loss):
    """`quantile · e` where the forecast is too low, `(quantile - 1) · e` where it is too high."""

    def __init__(self, quantile, name="pinball"):
        super().__init__(name=name)
        self.quantile = quantile

    def call(self, y_true, y_pred):
        e = y_true - y_pred
        return ops.mean(ops.maximum(self.quantile * e, (self.quantile - 1) * e), axis=-1)


def share_below(y_true, y_pred):
    """How many values lie below the forecast: 0.9 is wanted."""
    return ops.mean(ops.cast(y_true < y_pred, "float32"), axis=-1)


# %% The layer's weights train with all others.
model = keras.Sequential([keras.Input((1,)), Bumps(20, blur=0.02), keras.layers.Dense(1)])
model.compile(keras.optimizers.Adam(0.02), loss=Pinball(0.9), metrics=[share_below])
model.fit(x, y, epochs=8, verbose=2)
print([weight.path for weight in model.trainable_weights])
