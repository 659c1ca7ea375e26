"""Models that are written down by Keras and by Oxhorn, and must be the same.

`KERAS_BACKEND=jax python keras_models.py` writes what Keras makes of each to `recorded_models/`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "recorded_models"


def chain(keras: Any) -> Any:
    layers = keras.layers
    model = keras.models.Sequential(
        [
            layers.Input((5,), name="flowers"),
            layers.Dense(
                4,
                activation="relu",
                kernel_regularizer=keras.regularizers.L2(0.5),
                bias_constraint="non_neg",
                kernel_initializer=keras.initializers.HeNormal(seed=7),
            ),
            layers.BatchNormalization(momentum=0.5),
            layers.Dropout(0.5, seed=3),
            layers.Reshape((2, 2)),
            layers.SpatialDropout1D(0.25),
            layers.Flatten(),
            layers.Dense(3, activation="softmax", name="kind"),
        ],
        name="chain",
    )
    model.compile(
        keras.optimizers.SGD(
            keras.optimizers.schedules.ExponentialDecay(0.5, 10, 0.25), momentum=0.5, clipnorm=1.0
        ),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.25),
        metrics=["accuracy", keras.metrics.TopKCategoricalAccuracy(2)],
    )
    return model


def unbuilt(keras: Any) -> Any:
    layers = keras.layers
    return keras.models.Sequential([layers.Dense(2), layers.Dropout(0.25)], name="unbuilt")


def named_ends(keras: Any) -> Any:
    layers = keras.layers
    left = layers.Input((4,), name="left")
    right = layers.Input((3,), dtype="int32", name="right")
    x = layers.Concatenate()(
        [layers.Dense(2)(left), layers.Flatten()(layers.Embedding(9, 2)(right))]
    )
    ends = {"size": layers.Dense(1, name="size")(x), "kind": layers.Dense(2, name="kind")(x)}
    model = keras.models.Model({"left": left, "right": right}, ends, name="named_ends")
    model.compile(
        "adam",
        loss={"size": "mse", "kind": "mae"},
        loss_weights={"size": 1.0, "kind": 0.5},
        metrics={"size": ["mae"]},
    )
    return model


def shared(keras: Any) -> Any:
    layers = keras.layers
    first, second = layers.Input((4,), name="first"), layers.Input((4,), name="second")
    reader = layers.Dense(4, name="reader")
    deeper = reader(reader(first))
    joined = layers.Add(name="joined")([deeper, reader(second)])
    return keras.models.Model([first, second], [joined, deeper], name="shared")


def nested(keras: Any) -> Any:
    layers = keras.layers
    x = layers.Input((4,), name="x")
    inner = keras.models.Model(x, layers.Dense(3, name="within")(x), name="inner")
    chain = keras.models.Sequential(
        [layers.Input((3,)), layers.Dense(4, name="link")], name="links"
    )
    y = layers.Input((4,), name="y")
    z = chain(inner(y, training=False))
    return keras.models.Model(y, [inner(z), z], name="nested")


def modes(keras: Any) -> Any:
    layers = keras.layers
    x = layers.Input((4,), name="x")
    y = layers.BatchNormalization(name="frozen")(x, training=False)
    y = layers.Dropout(0.5, name="always")(y, training=True)
    y = layers.Dropout(0.5, name="usual")(y)
    return keras.models.Model(x, y, name="modes")


def functions(keras: Any) -> Any:
    layers, ops = keras.layers, keras.ops
    x = layers.Input((4,), name="x")
    y = ops.relu(x * 2.0 - 1.0) / 3.0
    y = ops.concatenate([y, x[:, 1:3], ops.mean(x, axis=1, keepdims=True)], axis=-1)
    y = ops.where(y > 0.0, ops.clip(y, 0.0, 1.0), -y)
    z = ops.reshape(y, (-1, 7, 1))
    z = ops.squeeze(ops.transpose(z, (0, 2, 1)), axis=1)
    z = ops.softmax(ops.power(z, 2.0)) + ops.expand_dims(ops.sum(z, axis=-1), 1)
    return keras.models.Model(
        x, [ops.einsum("ab,cb->ac", y, z), ops.logsumexp(z, axis=1)], name="ops"
    )


def begun_within(keras: Any) -> Any:
    layers = keras.layers
    x = layers.Input((4,), name="x")
    middle = layers.Dense(3, name="before")(x)
    y = layers.Dense(2, name="after")(middle)
    return keras.models.Model(middle, layers.ReLU(name="end")(y), name="begun_within")


def registered(keras: Any) -> Any:
    class Scale(keras.layers.Layer):
        def __init__(self, factor: float, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.factor = factor

        def build(self, input_shape: Any) -> None:
            self.offset = self.add_weight(shape=(input_shape[-1],), name="offset")

        def call(self, x: Any) -> Any:
            return x * self.factor + self.offset

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "factor": self.factor}

    # What a program defines itself has no module in files.
    Scale.__module__ = "__main__"
    Scale = keras.saving.register_keras_serializable("tests")(Scale)
    layers = keras.layers
    model = [layers.Input((3,), name="x"), Scale(2.5, name="scale")]
    return keras.models.Sequential(model, name="registered")


MODELS = {
    build.__name__: build
    for build in (
        *(chain, unbuilt, named_ends, shared, nested, modes, functions, begun_within),
        registered,
    )
}


def recorded(name: str) -> str:
    """What Keras has written."""
    return (FOLDER / f"{name}.json").read_text(encoding="utf-8")


def main() -> None:
    import keras

    FOLDER.mkdir(exist_ok=True)
    for name, build in MODELS.items():
        keras.backend.clear_session()
        text = json.dumps(json.loads(build(keras).to_json()), indent=1)
        (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
