"""Files of models that Keras has written, what they predict, and what they become in three further steps."""

import io
import json
import pathlib
import zipfile

import keras
import numpy as np
from keras import layers, optimizers

from .common import HERE, array, clear, fresh, normal, write

DATE = "2026-11-23@07:59:42"


def mlp():
    return [
        layers.Input((6,)),
        layers.Dense(8, activation="relu"),
        layers.Dropout(0.3, seed=7),
        layers.Dense(7, activation="tanh"),
        layers.Dense(3, activation="softmax"),
    ]


def normalized():
    return [
        layers.Input((6,)),
        layers.Dense(8, use_bias=False, activation="elu"),
        layers.BatchNormalization(),
        layers.GaussianNoise(0.1, seed=3),
        layers.PReLU(),
        layers.LayerNormalization(),
        layers.Dense(3, activation="softmax"),
    ]


def images():
    return [
        layers.Input((4, 4, 3)),
        layers.ZeroPadding2D(),
        layers.SpatialDropout2D(0.2, seed=5),
        layers.GroupNormalization(3),
        layers.GlobalAveragePooling2D(),
        layers.Dense(3, activation="softmax"),
    ]


def decay():
    return optimizers.schedules.ExponentialDecay(0.1, 3, 0.9)


CASES = [
    ("adam.keras", mlp, lambda: optimizers.Adam(0.01)),
    ("scheduled.keras", normalized, lambda: optimizers.SGD(decay(), momentum=0.9)),
    ("averaged.keras", mlp, lambda: optimizers.AdamW(0.01, use_ema=True, amsgrad=True)),
    ("scaled.keras", mlp, lambda: optimizers.LossScaleOptimizer(optimizers.SGD(0.1))),
    ("images.keras", images, lambda: optimizers.RMSprop(0.01, centered=True, momentum=0.5)),
    ("legacy.h5", mlp, lambda: optimizers.Adam(0.01)),
    ("adam.weights.h5", mlp, lambda: optimizers.Adam(0.01)),
]


def data(layers_, name):
    shape = (12, *layers_[0].shape[1:])
    x = normal(shape, "files", name).astype("float32")
    return x, np.eye(3, dtype="float32")[np.arange(12) % 3]


def timeless(path):
    """Writes an archive anew without the time at which it was written."""
    written, plain = zipfile.ZipFile(path), io.BytesIO()
    with zipfile.ZipFile(plain, "w") as archive:
        for name in written.namelist():
            content = written.read(name)
            if name == "metadata.json":
                content = json.dumps({**json.loads(content), "date_saved": DATE}).encode()
            if name == "config.json":
                content = json.dumps(unshared(json.loads(content))).encode()
            archive.writestr(zipfile.ZipInfo(name), content)
    path.write_bytes(plain.getvalue())


def unshared(v):
    """A config whose shared objects are numbered, and not named by where they lay in memory."""
    known = {}

    def walk(v):
        if isinstance(v, dict):
            return {k: known.setdefault(w, len(known)) if k == "shared_object_id" else walk(w) for k, w in v.items()}
        return [walk(w) for w in v] if isinstance(v, list) else v

    return walk(v)


def record():
    clear("files")
    folder, cases = pathlib.Path(HERE, "files"), []
    for name, make, optimizer in CASES:
        fresh()
        keras.utils.set_random_seed(len(name))
        model = keras.Sequential(make())
        model.compile(optimizer(), "categorical_crossentropy", metrics=["accuracy"])
        x, y = data(make(), name)
        model.fit(x, y, batch_size=5, epochs=2, verbose=0)
        path = folder / name
        if name.endswith(".weights.h5"):
            model.save_weights(path)
        else:
            model.save(path)
        case = {"name": name, "x": array(x), "y": array(y)}
        case["predictions"] = array(model.predict(x, verbose=0))
        if name.endswith(".keras"):
            timeless(path)
            # What Keras makes of the file, whose generators begin anew.
            again = keras.saving.load_model(path)
            case["losses"] = [float(again.train_on_batch(x, y)[0]) for _ in range(3)]
            case["after"] = array(again.predict_on_batch(x))
        cases.append(case)
    write("files", "files", cases)
