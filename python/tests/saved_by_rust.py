"""Lets real Keras go on with models that the Rust crate has saved.

    python saved_by_rust.py FOLDER

loads each model of the folder, lets its noise begin where `FOLDER/noise.json` says, and prints, as
JSON, what it predicts, what it loses in steps of training, and what it then predicts.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

# Files of weights alone, which the model called "adam" has.
WEIGHTS = ("adam.weights.h5", "converted.weights.h5")


def generators(model: Any) -> list[Any]:
    """The random streams of a model's layers."""
    return [generator for layer in model.layers for generator in layer._seed_generators]


def becomes(model: Any, described: dict[str, Any]) -> dict[str, Any]:
    """What the model makes of the samples that its description holds."""
    x, y = (np.array(described[name], "float32") for name in ("x", "y"))
    prediction = np.asarray(model.predict_on_batch(x))
    losses = [float(np.ravel(model.train_on_batch(x, y))[0]) for _ in described["losses"]]
    after = np.asarray(model.predict_on_batch(x))
    return {"prediction": prediction.tolist(), "losses": losses, "after": after.tolist()}


def main() -> None:
    os.environ.update(KERAS_BACKEND="jax", JAX_PLATFORMS="cpu")
    os.environ["XLA_FLAGS"] = "--xla_backend_optimization_level=0"
    os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"
    import keras

    warnings.simplefilter("ignore")
    folder = Path(sys.argv[1])
    noise = json.loads((folder / "noise.json").read_text())
    found = {}
    for name, states in noise.items():
        described = json.loads((folder / f"{name}.json").read_text())
        model = keras.models.load_model(folder / f"{name}.keras")
        for generator, state in zip(generators(model), states, strict=True):
            generator.state.assign(np.array(state, "uint32"))
        found[name] = becomes(model, described)
    x = np.array(described["x"], "float32")
    for file in WEIGHTS:
        model = keras.models.load_model(folder / "adam.keras")
        model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
        model.load_weights(folder / file)
        found[file] = {"prediction": np.asarray(model.predict_on_batch(x)).tolist()}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
