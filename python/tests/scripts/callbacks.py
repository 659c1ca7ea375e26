"""Learning rates that change, patience that ends, and every hook told: prints all as JSON."""

import json
import sys

import keras
import numpy as np
from keras.callbacks import EarlyStopping, LearningRateScheduler, ReduceLROnPlateau

seed = int(sys.argv[1])
keras.utils.set_random_seed(seed)
rng = np.random.default_rng(seed)


class Diary(keras.callbacks.Callback):
    """Writes down each hook that is called: its name, its index and the names in its logs.

    The values of the logs stand apart, since the last digit of a number may differ.
    """

    def __init__(self):
        super().__init__()
        self.calls = []
        self.values = []

    def write(self, hook, index, logs):
        self.calls.append([hook, index, None if logs is None else list(logs)])
        self.values.append([np.asarray(value).tolist() for value in (logs or {}).values()])

    def on_epoch_begin(self, epoch, logs=None):
        self.write("on_epoch_begin", epoch, logs)

    def on_epoch_end(self, epoch, logs=None):
        self.write("on_epoch_end", epoch, logs)
        self.values.append([float(self.model.optimizer.learning_rate)])


def bound(kind):
    """A hook that is told nothing but its logs."""
    return lambda self, logs=None: self.write(kind, None, logs)


def counted(kind):
    """A hook that is told a batch and its logs."""
    return lambda self, batch, logs=None: self.write(kind, batch, logs)


for phase in ("train", "test", "predict"):
    for moment in ("begin", "end"):
        setattr(Diary, f"on_{phase}_{moment}", bound(f"on_{phase}_{moment}"))
        setattr(Diary, f"on_{phase}_batch_{moment}", counted(f"on_{phase}_batch_{moment}"))


class Warming(keras.optimizers.schedules.LearningRateSchedule):
    """Rises over the first steps, then falls with the root of the step."""

    def __init__(self, peak, steps):
        self.peak = peak
        self.steps = steps

    def __call__(self, step):
        step = keras.ops.cast(step, "float32") + 1.0
        return self.peak * keras.ops.minimum(step / self.steps, keras.ops.sqrt(self.steps / step))

    def get_config(self):
        return {"peak": self.peak, "steps": self.steps}


x = rng.normal(size=(90, 8)).astype("float32")
y = (x.sum(axis=1) + rng.normal(size=90) > 0).astype("float32")
held = slice(60, None)


def network():
    """A network of two layers, the same for each run."""
    return keras.Sequential(
        [
            keras.layers.Dense(12, activation="relu", input_shape=(8,)),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )


def told(rate, **fit):
    """What a run does at these rates, and what it tells the diary."""
    model, diary = network(), Diary()
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    callbacks = [*fit.pop("callbacks", []), diary]
    history = model.fit(
        x[:60],
        y[:60],
        batch_size=25,
        verbose=0,
        callbacks=callbacks,
        validation_data=(x[held], y[held]),
        **fit,
    )
    evaluate = model.evaluate(x[held], y[held], batch_size=20, verbose=0, callbacks=[diary])
    model.predict(x[held], batch_size=20, verbose=0, callbacks=[diary])
    return {
        "history": history.history,
        "epochs": history.epoch,
        "evaluate": evaluate,
        "calls": diary.calls,
        "values": diary.values,
    }


patience = EarlyStopping(monitor="val_loss", min_delta=0.02, patience=2, restore_best_weights=True)
result = {
    "ready schedule": told(keras.optimizers.schedules.ExponentialDecay(0.02, 3, 0.5), epochs=3),
    "own schedule": told(Warming(0.03, 4.0), epochs=3, validation_freq=2),
    "by callbacks": told(
        0.05,
        epochs=14,
        callbacks=[
            LearningRateScheduler(lambda epoch, lr: lr * 0.9 if epoch > 1 else lr),
            ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=1, min_delta=0.01),
            patience,
        ],
    ),
    "stopped": [patience.stopped_epoch, patience.best_epoch],
}
print(json.dumps(result))
