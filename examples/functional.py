"""A model with two inputs that look through the same layer: how alike are two signals?"""

# %% Pairs of waves: the target is how far the second lags behind the first.
import numpy as np

import oxhorn as keras
from oxhorn import layers

keras.utils.set_random_seed(7)
time = np.linspace(0, 2 * np.pi, 24)
start = np.random.uniform(0, 2 * np.pi, (1000, 1))
lag = np.random.uniform(0, 1, (1000, 1))
first = np.sin(time + start)
second = np.sin(time + start - lag) + 0.05 * np.random.normal(size=(1000, 24))

# %% One layer, called twice, has one kernel: it learns from both signals.
one = keras.Input((24,), name="first")
other = keras.Input((24,), name="second")
features = layers.Dense(16, activation="tanh", name="features")
both = layers.Concatenate()([features(one), features(other)])
hidden = layers.Dense(32, activation="relu")(both)
answer = layers.Dense(1, name="lag")(hidden)
model = keras.Model(inputs=[one, other], outputs=answer)
model.summary()

# %% Inputs are given by name, or in their order.
model.compile(keras.optimizers.Adam(0.01), loss="mse", metrics=["mae"])
signals = {"first": first, "second": second}
model.fit(signals, lag, epochs=8, validation_split=0.2, verbose=2)
guesses = model.predict([first[-3:], second[-3:]], verbose=0)
for truth, guess in np.hstack([lag[-3:], guesses]):
    print(f"lag {truth:.2f}, guessed {guess:.2f}")
