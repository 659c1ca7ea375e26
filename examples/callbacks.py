"""Callbacks: when to slow down, when to stop, and what to write down meanwhile."""

# %% Few samples of a rule that is hard to see: a network of this size learns them by heart.
import numpy as np

import oxhorn as keras
from oxhorn import callbacks, layers

keras.utils.set_random_seed(7)
x = np.random.normal(size=(500, 20))
y = (x[:, 0] * x[:, 1] + x[:, 2] > 0).astype("float32")

model = keras.Sequential(
    [
        keras.Input((20,)),
        layers.Dense(128, activation="relu"),
        layers.Dropout(0.2),
        layers.Dense(128, activation="relu"),
        layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])


# %% A callback of one's own is told of each epoch, and may read and set what it likes.
class Widening(callbacks.Callback):
    """Writes down how far validation falls behind training."""

    def __init__(self):
        super().__init__()
        self.gaps = []

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        self.gaps.append(logs["val_loss"] - logs["loss"])
        print(f"epoch {epoch + 1}: gap {self.gaps[-1]:+.3f}")


# %% Slow down when validation stalls; stop when that does not help, at the best weights seen.
widening = Widening()
history = model.fit(
    x,
    y,
    epochs=40,
    validation_split=0.3,
    verbose=0,
    callbacks=[
        callbacks.ReduceLROnPlateau(factor=0.5, patience=2, verbose=1),
        callbacks.EarlyStopping(patience=5, restore_best_weights=True, verbose=1),
        widening,
    ],
)
rates = [round(float(rate), 5) for rate in history.history["learning_rate"]]
print("learning rates:", sorted(set(rates), reverse=True))
print("best validation loss:", round(min(history.history["val_loss"]), 3))
