"""Calls everything that the package offers with arguments that nobody should give it.

    python fuzz.py MODULE SEED CALLS

calls every public callable of `oxhorn.MODULE` so often with arguments drawn from a pool of nasty
values. Whatever ordinary exception comes is fine; what is not is told on the last line, as JSON,
and a crash or a call without end shows in how the process ends: the last line of the standard
error names the call.
"""

from __future__ import annotations

import faulthandler
import importlib
import inspect
import json
import os
import random
import resource
import sys
import tempfile
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

# Seconds that one call may take on a busy machine, and bytes that all of them may.
PATIENCE = 60
MEMORY = 8 << 30

# What a function may say: it is the caller's mistake, or something that Oxhorn has not.
ORDINARY = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    MemoryError,
    NameError,
    OSError,
    RuntimeError,
    StopIteration,
    SyntaxError,
    TypeError,
    ValueError,
)

# These write files or go to the network, or change the process for all later calls.
LEFT_OUT = {
    "clear_session",
    "get_file",
    "load_data",
    "set_backend",
    "set_keras_home",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "set_max_epochs",
    "set_max_steps_per_epoch",
}


def pool(oxhorn: Any) -> list[Any]:
    """Values that are wrong nearly everywhere."""
    numbers = [None, True, False, -1, 0, 1, 2, 3, 7, 10**9, 2**31, 2**63, 2**64, 10**30, -(2**63)]
    floats = [0.0, -0.5, 0.5, 1.0, 1e308, 1e-308, float("nan"), float("inf"), -float("inf"), 1j]
    texts = ["", "abc", "relu", "mean", "float32", "int32", "same", "valid", "\x00", "é" * 50, b""]
    holders = [[], {}, (), set(), [[]], [None], (1, 2), (0, 0), (-1, 3), [1, [2, 3]], {"a": 1}]
    more = [(None, 3), (2**40, 2**40), (10**10,), [0.5, "x"], range(3), slice(None), Ellipsis]
    objects = [object(), lambda x: x, lambda: 1 / 0, int, np.float32, dict, ValueError("x"), print]
    arrays = [
        np.array(1.5),
        np.array([]),
        np.zeros((0, 3), "float32"),
        np.zeros((2, 0), "int32"),
        np.ones(3, "float32"),
        np.arange(6).reshape(2, 3),
        np.arange(6, dtype="float32").reshape(3, 2),
        np.ones((2, 3, 4, 3), "float32"),
        np.full((2, 3), np.nan, "float32"),
        np.array([True, False]),
        np.ones(2, "complex64"),
        np.array(["a", "b"]),
        np.array([object(), None]),
        np.array([1, 2], dtype=">i4"),
        np.ones(2, "float16"),
        np.array([2**63], "uint64"),
        np.array(["2020-01-01"], "datetime64[D]"),
        np.zeros(2, [("a", "i4"), ("b", "f4")]),
        np.arange(24, dtype="float64").reshape(2, 3, 4)[:, ::-1, ::2],
    ]
    own = [
        oxhorn.KerasTensor((None, 3)),
        oxhorn.Input((3,)),
        oxhorn.Variable(np.ones(3, "float32")),
        oxhorn.layers.Dense(2),
        oxhorn.losses.MeanSquaredError(),
        oxhorn.Sequential(),
        oxhorn.DTypePolicy("float32"),
    ]
    return [*numbers, *floats, *texts, *holders, *more, *objects, *arrays, *own]


def callables(module: Any) -> list[tuple[str, Any]]:
    """What the module offers that can be called."""
    names = getattr(module, "__all__", None) or [n for n in dir(module) if not n.startswith("_")]
    found = [(name, getattr(module, name)) for name in names if name not in LEFT_OUT]
    own = [(name, it) for name, it in found if callable(it)]
    return [(n, it) for n, it in own if getattr(it, "__module__", "").startswith("oxhorn")]


def drawn(function: Any, values: list[Any], numbers: random.Random) -> tuple[list, dict]:
    """Arguments for a function: as many as it takes, some by name, now and then too many."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    required = [p for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    count = numbers.choice([len(required), len(required), numbers.randint(0, len(named) + 1)])
    args = [numbers.choice(values) for _ in range(count)]
    others = [name for name in named[count:] if numbers.random() < 0.3]
    if numbers.random() < 0.02:
        others.append("no_such_argument")
    return args, {name: numbers.choice(values) for name in others}


def attempts(
    oxhorn: Any, name: str, target: Any, values: list[Any], numbers: random.Random
) -> Iterator[tuple[str, Any, list, dict]]:
    """Calls to make: of the target, and of what it gives."""
    made: list[Any] = []

    def kept(*args: Any, **kwargs: Any) -> None:
        made.append(target(*args, **kwargs))

    args, kwargs = drawn(target, values, numbers)
    yield name, kept, args, kwargs
    if not isinstance(target, type) or not made:
        return
    instance = made[0]
    yield f"{name}().get_config", getattr(instance, "get_config", repr), [], {}
    methods = [m for m in dir(instance) if not m.startswith("_") and m not in LEFT_OUT]
    methods = [m for m in methods if callable(getattr(type(instance), m, None))]
    for method in ["__call__", *numbers.sample(methods, min(3, len(methods)))]:
        function = getattr(instance, method, None)
        if function is not None:
            args, kwargs = drawn(function, values, numbers)
            yield f"{name}().{method}", function, args, kwargs
    yield f"repr({name}())", repr, [instance], {}


def shown(value: Any) -> str:
    """A value on one line, whatever it is."""
    try:
        return repr(value).replace("\n", " ")[:60]
    except Exception as error:
        return f"<{type(value).__name__} whose repr raises {type(error).__name__}>"


def main() -> None:
    module_name, seed, calls = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import oxhorn

    module = importlib.import_module(f"oxhorn.{module_name}") if module_name else oxhorn
    numbers = random.Random(seed)
    failures: dict[str, str] = {}
    made = 0
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        os.chdir(folder)
        sys.stdout = open(os.devnull, "w", encoding="utf-8")
        for name, target in callables(module):
            for _ in range(calls):
                # Values that a call has changed are no other call's.
                values = pool(oxhorn)
                for what, function, args, kwargs in attempts(oxhorn, name, target, values, numbers):
                    said = ", ".join(
                        [*map(shown, args), *(f"{k}={shown(v)}" for k, v in kwargs.items())]
                    )
                    print(f"{what}({said})", file=sys.stderr, flush=True)
                    faulthandler.dump_traceback_later(PATIENCE, exit=True)
                    made += 1
                    try:
                        function(*args, **kwargs)
                    except ORDINARY:
                        pass
                    except BaseException as error:
                        failures.setdefault(
                            f"{type(error).__name__}: {error}"[:200], f"{what}({said})"
                        )
                    faulthandler.cancel_dump_traceback_later()
        os.chdir("/")
    sys.stdout = sys.__stdout__
    print(json.dumps({"calls": made, "failures": failures}))


if __name__ == "__main__":
    main()
