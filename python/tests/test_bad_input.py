"""What nobody should give: mistakes are refused as in Keras, and nothing ever crashes or hangs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER))

import mistakes  # noqa: E402
import oxhorn  # noqa: E402

RECORDED = json.loads(mistakes.RECORDED.read_text(encoding="utf-8"))

# Where Keras itself stumbles over a mistake, or hands it to JAX, the type tells where that was.
# Ours is a `ValueError` or `TypeError`, whichever the mistake is.
STUMBLES = {
    "IndexError",
    "KeyError",
    "NameError",
    "NotImplementedError",
    "OverflowError",
    "StopIteration",
    "ZeroDivisionError",
}

# Of these Keras says the other of `ValueError` and `TypeError`: JAX does so for shapes that do not
# fit and for text instead of numbers, and Python for text instead of integers.
OTHERWISE = """
layers.Masking("text")(X)
layers.RepeatVector("twice")
line().fit(((X, Y[:3]) for _ in range(2)))
line().train_on_batch(X, Y[:3])
compiled(loss={"no_such_output": "mse"}).fit(X, Y)
optimizers.schedules.ExponentialDecay("fast", 1, 1)(0)
losses.mean_squared_error(X, np.ones((6, 4)))
metrics.MeanIoU("two")
initializers.Zeros()("text")
layers.Masking("text")(X)
activations.relu("text")
ops.add(X, np.ones((6, 4)))
ops.add(X, "text")
ops.matmul(X, X)
ops.reshape(X, (4, 4))
ops.reshape(X, "text")
ops.transpose(X, (0, 0))
ops.concatenate([X, Y], axis=0)
ops.sum("text")
ops.one_hot(LABELS, "three")
ops.zeros((-1,))
ops.zeros("text")
ops.ones((2, "a"))
ops.arange("text")
random.uniform("text")
random.uniform((2,), minval="low")
utils.normalize("text")
float(keras.Input((3,)))
""".strip().splitlines()

# What we read and write is not what Keras does.
FILES = {
    'line().load_weights("no_such_file.npz")': "FileNotFoundError",
}


@pytest.mark.parametrize("expression", mistakes.EXPRESSIONS)
def test_a_mistake_raises_what_it_raises_in_keras(expression: str) -> None:
    recorded = RECORDED[expression]
    error = mistakes.raised(expression, oxhorn)
    if isinstance(error, (AttributeError, NotImplementedError)) and "available" in str(error):
        pytest.skip("a class that Oxhorn has not")
    if recorded is None:
        # Keras takes it; where we refuse it, it is as somebody's mistake.
        assert error is None or isinstance(error, (ValueError, TypeError)), repr(error)
        return
    assert error is not None, f"Keras raises {recorded[0]}"
    ours = [kind.__name__ for kind in type(error).__mro__]
    if expression in FILES:
        assert ours[0] == FILES[expression]
    elif recorded[0] in STUMBLES or expression in OTHERWISE:
        assert isinstance(error, (ValueError, TypeError)) or recorded[0] in ours, repr(error)
    else:
        assert recorded[0] in ours, repr(error)
    assert str(error)


def test_a_refused_call_changes_nothing() -> None:
    model = mistakes.Scene(oxhorn).line()
    model.fit(mistakes.X, mistakes.Y, verbose=0)
    before = [w.copy() for w in model.get_weights()]
    for arguments in (
        {"x": mistakes.X[:, :2], "y": mistakes.Y},
        {"x": mistakes.X, "y": mistakes.Y[:3]},
        {"x": mistakes.X, "y": mistakes.Y, "validation_data": (mistakes.X[:, :2], mistakes.Y)},
        {"x": mistakes.X, "y": mistakes.Y, "batch_size": 0},
        {"x": mistakes.X, "y": mistakes.Y, "callbacks": [3]},
    ):
        with pytest.raises(Exception):
            model.fit(**arguments, verbose=0)
        for a, b in zip(before, model.get_weights()):
            np.testing.assert_array_equal(a, b)
    assert int(model.optimizer.iterations) == 1


def test_a_weight_of_an_open_axis_is_refused() -> None:
    with pytest.raises(ValueError, match="`kernel` depends on an axis of the input that is open"):
        oxhorn.layers.Dense(2)(oxhorn.Input((None,)))


def test_what_no_memory_holds_is_an_error() -> None:
    program = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))\n"
        "import oxhorn\n"
        "for make in (\n"
        "    lambda: oxhorn.ops.zeros((10**11,)),\n"
        "    lambda: oxhorn.ops.ones((2**40, 2**40)),\n"
        "    lambda: oxhorn.initializers.GlorotUniform(1)((10**6, 10**6)),\n"
        "    lambda: oxhorn.initializers.Zeros()((2**62, 4)),\n"
        "    lambda: oxhorn.random.normal((10**11,), seed=1),\n"
        "    lambda: oxhorn.Sequential([oxhorn.Input((10**6,)), oxhorn.layers.Dense(10**6)]),\n"
        "):\n"
        "    try:\n"
        "        make()\n"
        "    except (ValueError, MemoryError) as error:\n"
        "        print(type(error).__name__)\n"
        "print(float(oxhorn.ops.sum(oxhorn.ops.ones((3,)))))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = done.stdout.split()
    assert len(lines) == 7 and lines[-1] == "3.0", done.stdout


# Where the package lies that is tested.
ROOT = Path(oxhorn.__file__).parent.parent

MODULES = [
    "",
    "activations",
    "backend",
    "callbacks",
    "constraints",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "random",
    "regularizers",
    "saving",
    "tree",
    "utils",
]


@pytest.mark.parametrize("module", MODULES)
def test_nasty_arguments_raise_ordinary_exceptions(module: str) -> None:
    """Run it longer by hand: `python fuzz.py ops 2 100`."""
    command = [sys.executable, str(FOLDER / "fuzz.py"), module, "1", "4"]
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, timeout=600, env=surroundings
    )
    last = [line for line in done.stderr.splitlines() if not line.startswith(" ")][-3:]
    assert done.returncode == 0, f"exit status {done.returncode} at {last}"
    outcome = json.loads(done.stdout.splitlines()[-1])
    assert outcome["failures"] == {}
    assert outcome["calls"] > 0 or module == "saving"
