"""Models of ten shapes, saved by one of Keras and Oxhorn and loaded by the other.

    KERAS_BACKEND=jax python keras_files.py FOLDER

saves what Keras makes of each to `FOLDER/keras`, loads what lies in `FOLDER/oxhorn`, and writes
beside both what their models predict, and what three steps of training make of them.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROWS = 6
STEPS = 3
# Classes and functions of a program's own, under the names by which they are registered.
own: dict[str, Any] = {}


def register(keras: Any) -> None:
    """Registers what the models have of their own; anew for each Keras, whose classes they are."""

    @keras.saving.register_keras_serializable("files")
    class Scale(keras.layers.Layer):
        def __init__(self, factor: float, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.factor = factor
            self.drop = keras.layers.Dropout(0.25)

        def build(self, input_shape: Any) -> None:
            self.offset = self.add_weight(shape=(input_shape[-1],), name="offset")
            self.count = self.add_weight(
                shape=(), initializer="zeros", trainable=False, name="count"
            )

        def call(self, x: Any, training: Any = None) -> Any:
            return self.drop(x * self.factor + self.offset, training=training)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "factor": self.factor}

    @keras.saving.register_keras_serializable("files")
    class Blocks(keras.Model):
        def __init__(self, units: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units
            self.blocks = [keras.layers.Dense(units, activation="relu") for _ in range(2)]
            self.drop = keras.layers.Dropout(0.5)
            self.heads = {"last": keras.layers.Dense(2), "norm": keras.layers.LayerNormalization()}
            self._hidden = keras.layers.Dense(units)

        def call(self, x: Any, training: Any = None) -> Any:
            for block in self.blocks:
                x = self.drop(block(x), training=training)
            return self.heads["last"](self.heads["norm"](self._hidden(x)))

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "units": self.units}

    @keras.saving.register_keras_serializable("files")
    def cubed(y_true: Any, y_pred: Any) -> Any:
        return keras.ops.mean(keras.ops.abs(y_true - y_pred) ** 3, axis=-1)

    own.update(Scale=Scale, Blocks=Blocks, cubed=cubed)


def plain(keras: Any) -> Any:
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((5,)),
            layers.Dense(7, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    return model


def normalized(keras: Any) -> Any:
    layers = keras.layers
    rate = keras.optimizers.schedules.ExponentialDecay(0.05, 2, 0.5)
    model = keras.Sequential(
        [
            layers.Input((4,)),
            layers.Dense(5, kernel_constraint=keras.constraints.MaxNorm(2.0)),
            layers.BatchNormalization(momentum=0.5),
            layers.Activation("tanh"),
            layers.GaussianDropout(0.25),
            layers.Dense(1),
        ],
        name="normalized",
    )
    model.compile(keras.optimizers.SGD(rate, momentum=0.9, nesterov=True), "mse")
    return model


def ends(keras: Any) -> Any:
    layers = keras.layers
    left = layers.Input((4,), name="left")
    right = layers.Input((3,), dtype="int32", name="right")
    words = layers.Flatten()(layers.Embedding(9, 2)(right))
    x = layers.Dropout(0.4)(layers.Concatenate()([layers.Dense(3)(left), words]))
    outputs = [layers.Dense(1, name="size")(x), layers.Dense(2, name="kind")(x)]
    model = keras.Model([left, right], outputs)
    model.compile(
        keras.optimizers.AdamW(0.02, weight_decay=0.1),
        loss={"size": "mae", "kind": keras.losses.LogCosh()},
        loss_weights={"size": 1.0, "kind": 0.5},
    )
    return model


def shared(keras: Any) -> Any:
    layers = keras.layers
    one, two = layers.Input((4,), name="one"), layers.Input((4,), name="two")
    reader, drop = layers.Dense(4, name="reader"), layers.Dropout(0.3)
    deeper = drop(reader(reader(one)))
    joined = layers.Add()([deeper, drop(reader(two))])
    model = keras.Model([one, two], layers.Dense(2)(joined))
    model.compile(keras.optimizers.RMSprop(0.01, centered=True, momentum=0.5), "mse")
    return model


def nested(keras: Any) -> Any:
    layers = keras.layers
    x = layers.Input((4,), name="x")
    inner = keras.Model(x, layers.Dropout(0.5)(layers.Dense(3)(x)), name="inner")
    links = keras.Sequential([layers.Input((3,)), layers.Dense(4), layers.Dropout(0.2)])
    y = layers.Input((4,), name="y")
    model = keras.Model(y, layers.Dense(1)(inner(links(inner(y)))))
    model.compile(keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.5), "mse")
    return model


def blocks(keras: Any) -> Any:
    model = own["Blocks"](4, name="blocks")
    model.build((None, 3))
    model.compile(keras.optimizers.Nadam(0.01), "mse")
    return model


def registered(keras: Any) -> Any:
    layers = keras.layers
    model = keras.Sequential([layers.Input((3,)), own["Scale"](1.5), layers.Dense(2)])
    model.compile(keras.optimizers.Adagrad(0.1), own["cubed"])
    return model


def penalized(keras: Any) -> Any:
    layers = keras.layers
    x = layers.Input((6,))
    y = layers.Dense(6, kernel_regularizer=keras.regularizers.L2(0.1))(x)
    y = layers.LayerNormalization()(layers.Add()([x, layers.GaussianNoise(0.1)(y)]))
    y = layers.Dense(2, activity_regularizer="l1", bias_constraint="non_neg")(y)
    model = keras.Model(x, y)
    model.compile(keras.optimizers.Adam(0.01, amsgrad=True, clipnorm=1.0), "mse")
    return model


def functions(keras: Any) -> Any:
    layers, ops = keras.layers, keras.ops
    x = layers.Input((4,), name="x")
    y = ops.relu(x * 2.0 - 1.0) / 3.0
    y = ops.concatenate([y, x[:, 1:3], ops.mean(x, axis=1, keepdims=True)], axis=-1)
    y = layers.AlphaDropout(0.2)(y)
    model = keras.Model(x, layers.Dense(2)(ops.where(y > 0.0, y, -y)))
    model.compile(keras.optimizers.Lion(0.01, gradient_accumulation_steps=2), "mse")
    return model


def sequences(keras: Any) -> Any:
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((5, 3)),
            layers.TimeDistributed(layers.Dense(4, activation="gelu")),
            layers.SpatialDropout1D(0.5),
            layers.GlobalAveragePooling1D(),
            layers.Dense(2),
        ]
    )
    inner = keras.optimizers.Adam(0.01)
    model.compile(keras.optimizers.LossScaleOptimizer(inner, initial_scale=4.0), "mse")
    return model


SHAPES: dict[str, Callable[[Any], Any]] = {
    build.__name__: build
    for build in (
        *(plain, normalized, ends, shared, nested, blocks, registered, penalized, functions),
        sequences,
    )
}


# Those that are saved in the legacy format as well.
LEGACY = ("plain", "nested")


def data(name: str, model: Any) -> tuple[Any, Any]:
    """Samples that a model can be trained on."""
    rng = np.random.default_rng(len(name))
    inputs = model.inputs if getattr(model, "inputs", None) else None
    shapes = [(tuple(x.shape), str(x.dtype)) for x in inputs] if inputs else [((None, 3), "f")]
    x = [
        rng.integers(0, 9, (ROWS, *shape[1:])).astype("int32")
        if "int" in dtype
        else rng.normal(size=(ROWS, *shape[1:])).astype("float32")
        for shape, dtype in shapes
    ]
    if name == "plain":
        return x[0], rng.integers(0, 3, ROWS)
    widths = {"ends": [1, 2], "normalized": [1], "nested": [1]}.get(name, [2])
    y = [rng.normal(size=(ROWS, width)).astype("float32") for width in widths]
    return (x[0] if len(x) == 1 else x), (y[0] if len(y) == 1 else y)


def seed(model: Any) -> None:
    """Lets all random streams begin where they begin in the other library."""
    layers = [model, *(it for it in model._flatten_layers() if it is not model)]
    generators = [generator for layer in layers for generator in layer._seed_generators]
    for number, generator in enumerate(generators):
        generator.state.assign(np.array([100 + number, 0], dtype="uint32"))


def train(name: str, model: Any, steps: int = STEPS) -> list[float]:
    """The losses of so many steps."""
    x, y = data(name, model)
    losses = []
    for _ in range(steps):
        loss = model.train_on_batch(x, y)
        losses.append(float(np.ravel(loss)[0]))
    return losses


def predicted(name: str, model: Any) -> list[np.ndarray]:
    """What the model gives for its samples."""
    outputs = model.predict_on_batch(data(name, model)[0])
    return [np.asarray(y) for y in (outputs if isinstance(outputs, list) else [outputs])]


def facts(name: str, model: Any) -> dict[str, np.ndarray]:
    """What a loaded model predicts, and what training makes of it with its noise on."""
    found = {f"prediction/{i}": y for i, y in enumerate(predicted(name, model))}
    seed(model)
    found["losses"] = np.array(train(name, model))
    found.update((f"weight/{i}", w) for i, w in enumerate(model.get_weights()))
    slots = [np.asarray(v) for v in model.optimizer.variables]
    found.update((f"slot/{i}", slot) for i, slot in enumerate(slots))
    return found


def made(keras: Any, name: str) -> Any:
    """A model that has been trained a little, so that its optimizer has something to keep."""
    keras.utils.set_random_seed(len(name))
    keras.utils.clear_session()
    model = SHAPES[name](keras)
    train(name, model, 2)
    return model


def write(keras: Any, folder: Path) -> None:
    """Saves every model in every format, and then what becomes of it."""
    folder.mkdir(exist_ok=True)
    for name in SHAPES:
        model = made(keras, name)
        model.save(folder / f"{name}.keras")
        model.save_weights(folder / f"{name}.weights.h5")
        np.savez(folder / f"{name}.npz", **facts(name, model))
        if name in LEGACY:
            # Keras forgets the optimizer in what it writes after a file of this kind.
            model = made(keras, name)
            model.save(folder / f"{name}.h5")


def read(keras: Any, folder: Path) -> None:
    """Loads every model, and writes what becomes of it."""
    legacy = [folder / f"{name}.h5" for name in LEGACY]
    for path in [*sorted(folder.glob("*.keras")), *legacy]:
        model = keras.models.load_model(path)
        np.savez(f"{path}.loaded.npz", **facts(path.stem, model))


def main() -> None:
    os.environ["JAX_PLATFORMS"] = "cpu"
    import jax
    import keras

    warnings.simplefilter("ignore")
    folder = Path(sys.argv[1])
    kept = os.environ.get("JAX_COMPILATION_CACHE_DIR", str(folder / "jax"))
    jax.config.update("jax_compilation_cache_dir", kept)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    register(keras)
    write(keras, folder / "keras")
    read(keras, folder / "oxhorn")


if __name__ == "__main__":
    main()
