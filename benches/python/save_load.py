"""How long Keras takes to save and load a model of dense layers: the medians of both, in seconds.

python save_load.py [--rounds 7] [--units 2500]
"""

from __future__ import annotations

import argparse
import os
import pathlib
import statistics
import tempfile
from time import perf_counter

os.environ.setdefault("KERAS_BACKEND", "jax")


def main() -> None:
    """Measures as the arguments say, and prints two numbers."""
    parser = argparse.ArgumentParser(description="Saving and loading under Keras.")
    parser.add_argument("--rounds", type=int, default=7, help="of each (7)")
    parser.add_argument("--units", type=int, default=2500, help="of each of four layers (2500)")
    asked = parser.parse_args()
    if asked.rounds < 1 or asked.units < 1:
        parser.error("rounds and units must be at least 1")
    import keras

    layers = [keras.layers.Dense(asked.units) for _ in range(4)]
    model = keras.Sequential([keras.Input((asked.units,)), *layers])
    save, load = [], []
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.keras"
        # The first round compiles what initializers need.
        for _ in range(asked.rounds + 1):
            start = perf_counter()
            model.save(path)
            save.append(perf_counter() - start)
            start = perf_counter()
            keras.models.load_model(path)
            load.append(perf_counter() - start)
    print(statistics.median(save[1:]), statistics.median(load[1:]))


if __name__ == "__main__":
    main()
