"""The generators behind Keras on JAX: Python's random, NumPy's global one, threefry, keras.random."""

import random as python_random

import jax
import keras
import numpy as np

from .common import array, clear, fresh, normal, write

SEEDS = [0, 1, 42, 812, 1337, 2**31 - 1, 2**31, 2**32 - 1, 2**40 + 7, 123456789012345678901234567890, -5]
STATES = [
    (0, 0),
    (1, 0),
    (812, 0),
    (812, 1),
    (812, 2),
    (33636388, 0),
    (33636388, 1000),
    (999_999_999, 7),
    (2**32 - 1, 2**32 - 1),
]


def python():
    for seed in SEEDS:
        python_random.seed(seed)
        state = python_random.getstate()[1]
        randint = [python_random.randint(1, 10**9) for _ in range(20)]
        uniform = [python_random.random() for _ in range(3)]
        bits = [python_random.getrandbits(32) for _ in range(3)]
        small = [python_random.randint(0, 9) for _ in range(10)]
        yield {
            "name": f"seed {seed}",
            "seed": str(seed),
            "state_head": list(state[:4]),
            "state_tail": list(state[-2:]),
            "randint_1_1e9": randint,
            "random": uniform,
            "getrandbits_32": bits,
            "randint_0_9": small,
        }


def threefry():
    for state in STATES:
        key = np.array(state, "uint32")
        for n in [1, 2, 13]:
            yield {
                "name": f"{list(state)}, {n}",
                "seed_state": list(state),
                "bits": array(jax.random.bits(key, (n,), "uint32")),
            }


def drawn(title, function, kwargs, shapes=((1,), (7,), (3, 5))):
    """With an integer seed (always the same numbers), and with a SeedGenerator (its state moves on)."""
    for seed in [812, 0, 999_999_999]:
        for shape in shapes if seed == 812 else shapes[1:2]:
            out = function(shape, seed=seed, **kwargs)
            yield {
                "name": f"{title}, seed {seed}, shape {list(shape)}",
                "kwargs": kwargs,
                "seed_state": [seed, 0],
                "shape": list(shape),
                "values": array(out),
            }
    generator = keras.random.SeedGenerator(33636388)
    for i in range(3):
        state = [int(v) for v in np.asarray(generator.state.value)]
        yield {
            "name": f"{title}, SeedGenerator, call {i}",
            "kwargs": kwargs,
            "seed_state": state,
            "shape": [4, 2],
            "values": array(function((4, 2), seed=generator, **kwargs)),
        }


def distribution(name, variants, shapes=((1,), (7,), (3, 5))):
    for kwargs in variants:
        yield from drawn(
            ", ".join([name, *(f"{k} {v}" for k, v in kwargs.items())]), getattr(keras.random, name), kwargs, shapes
        )


def dropout():
    x = normal((3, 5), "dropout x")
    for rate in [0.0, 0.1, 0.4, 0.5, 0.9, 0.999, 1.0]:
        generator = keras.random.SeedGenerator(426286787)
        for _ in range(2):
            state = [int(v) for v in np.asarray(generator.state.value)]
            y = keras.random.dropout(x, rate, seed=generator)
            yield {
                "name": f"rate {rate}, state {state}",
                "rate": rate,
                "noise_shape": None,
                "seed_state": state,
                "inputs": array(x),
                "outputs": array(y),
            }
    for noise_shape in [(None, 1), (1, None), (3, 1), (1, 1)]:
        y = keras.random.dropout(x, 0.5, noise_shape=noise_shape, seed=3)
        yield {
            "name": f"noise_shape {noise_shape}",
            "rate": 0.5,
            "noise_shape": list(noise_shape),
            "seed_state": [3, 0],
            "inputs": array(x),
            "outputs": array(y),
        }


def numpy_legacy():
    def sequence(title, seed, *calls):
        """A call is (function, args); shuffle is given an arange and records what becomes of it."""
        np.random.seed(seed)
        out = []
        for function, args in calls:
            if function == "shuffle":
                value = np.arange(args)
                np.random.shuffle(value)
                args = [args]
            elif function == "randint":
                low, high, size = args
                value = np.random.randint(low, high, size=size)
            elif function in ("random", "standard_normal"):
                value = getattr(np.random, function)(args)
            else:
                value = getattr(np.random, function)(*args)
            out.append({"call": function, "args": list(args), "result": array(value)})
        return {"name": title, "seed": seed, "calls": out}

    for seed in [0, 1, 812, 2**32 - 1]:
        yield sequence(f"random, seed {seed}", seed, ("random", [3]), ("random", [2, 3]), ("random", []))
        yield sequence(f"randint, seed {seed}", seed, ("randint", [0, 5, [7, 1]]), ("randint", [0, 5, [4]]))
        yield sequence(
            f"permutation, seed {seed}", seed, ("permutation", [7]), ("permutation", [33]), ("permutation", [1])
        )
        yield sequence(f"standard_normal, seed {seed}", seed, ("standard_normal", [5]), ("standard_normal", [2, 2]))
    yield sequence(
        "randint of other ranges",
        812,
        ("randint", [0, 1, [3]]),
        ("randint", [0, 2, [9]]),
        ("randint", [-3, 4, [5]]),
        ("randint", [0, 10, [11]]),
        ("randint", [0, 1000, [5]]),
        ("randint", [0, 2**31, [3]]),
        ("randint", [0, 2**32, [3]]),
        ("randint", [0, 2**40, [3]]),
        ("randint", [0, 256, [5]]),
    )
    yield sequence("shuffle", 812, ("shuffle", 5), ("shuffle", 12), ("shuffle", 1), ("shuffle", 0))
    yield sequence(
        "uniform and normal",
        812,
        ("uniform", [-1.0, 2.0, 3]),
        ("normal", [1.0, 0.5, 3]),
        ("rand", [2, 2]),
        ("randn", [3]),
        ("choice", [6, 4]),
    )
    yield sequence(
        "mixed: an odd number of normals keeps one back",
        812,
        ("standard_normal", [3]),
        ("random", [2]),
        ("randint", [0, 5, [3]]),
        ("standard_normal", [2]),
        ("permutation", [6]),
        ("random", [1]),
        ("standard_normal", [1]),
    )
    yield sequence(
        "the tutorial's data, in small",
        812,
        ("random", [4, 5]),
        ("randint", [0, 5, [4, 1]]),
        ("random", [2, 5]),
        ("randint", [0, 5, [2, 1]]),
    )
    yield sequence("random long enough to refill the state", 812, ("random", [320]), ("randint", [0, 5, [2]]))
    yield sequence("permutation of 200", 812, ("permutation", [200]))


def set_random_seed():
    """What it seeds: Python's generator, NumPy's, and the global SeedGenerator, which takes its seed from Python's."""
    for seed in [812, 0, 5]:
        fresh()
        keras.utils.set_random_seed(seed)
        a = [python_random.randint(1, 10**9) for _ in range(2)]
        b = np.random.random(3)
        keras.utils.set_random_seed(seed)
        calls = []
        for _ in range(3):
            value = keras.random.uniform((3,))
            state = keras.src.random.seed_generator.global_seed_generator().state.value
            calls.append({"values": array(value), "global_state_after": [int(v) for v in np.asarray(state)]})
        keras.utils.set_random_seed(seed)
        layers = [
            keras.layers.Dropout(0.5),
            keras.layers.Dropout(0.0),
            keras.layers.Dense(2),
            keras.layers.Dropout(0.5, seed=3),
        ]
        layers[2].build((None, 3))
        yield {
            "name": f"seed {seed}",
            "seed": seed,
            "python_randint_1_1e9": a,
            "numpy_random": array(b),
            "keras_random_uniform_without_seed": calls,
            "dropout_then_dropout_0_then_dense_then_dropout_seed_3": {
                "dropout_state": [int(v) for v in np.asarray(layers[0].seed_generator.state.value)],
                "dense_kernel": array(layers[2].kernel.value),
                "kernel_initializer_seed": layers[2].kernel_initializer.seed,
                "next_python_randint_1_1e9": python_random.randint(1, 10**9),
            },
        }


def record():
    clear("random")
    files = {
        "python": python(),
        "threefry": threefry(),
        "dropout": dropout(),
        "numpy_legacy": numpy_legacy(),
        "set_random_seed": set_random_seed(),
        "uniform": distribution("uniform", [{}, {"minval": -0.5, "maxval": 2.0}, {"minval": 3.0, "maxval": 3.0}]),
        "normal": distribution("normal", [{}, {"mean": -2.0, "stddev": 0.5}], ((1,), (301,), (3, 5))),
        "truncated_normal": distribution(
            "truncated_normal", [{}, {"mean": -2.0, "stddev": 0.5}], ((1,), (301,), (3, 5))
        ),
        "randint": distribution("randint", [{"minval": 0, "maxval": 10}, {"minval": -5, "maxval": 1000}]),
    }
    for name, cases in files.items():
        fresh()
        write("random", name, list(cases))
