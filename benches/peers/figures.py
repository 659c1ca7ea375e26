"""The figures of the table, each a function that measures it and gives its rows."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

from child import Turns
from networks import MLP
from peers import COMPILED, EAGER, FROM_PYTHON, KERAS_JAX, KERAS_TENSORFLOW, OXHORN, Measured, Setup
from table import Row, digits, share, times
from whole import script

# What each network's bars are, by who has one.
STEP_BARS = {
    "tutorial": {
        OXHORN: "≤ 13 µs",
        FROM_PYTHON: "≤ 1.10 ×",
        KERAS_JAX: "≥ 10 ×",
        COMPILED: "≥ 30 ×",
    },
    "mlp": {
        OXHORN: "≤ 6.5 ms",
        FROM_PYTHON: "≤ 1.10 ×",
        KERAS_JAX: "≥ 1.6 ×",
        KERAS_TENSORFLOW: "≥ 3 ×",
        EAGER: "≥ 3 ×",
        COMPILED: "≥ 3 ×",
    },
}


def steps(work: str, name: str, turns: Measured, ours: Turns, others: list[str]) -> list[Row]:
    """A step of Oxhorn, and those of the others against it."""
    bars = STEP_BARS[name]
    rows = [times(work, OXHORN, ours, bar=bars[OXHORN])]
    return rows + [times("", it, turns[it, "step"], ours, bars.get(it, "")) for it in others]


def tutorial(setup: Setup) -> list[Row]:
    """A step of the tutorial's network on one thread."""
    others = setup.training("tutorial", 1)
    turns = setup.measured({OXHORN: setup.bench("tutorial", 1), **others})
    ours = turns[OXHORN, "1 thread"]
    return steps("tutorial step, 1 thread", "tutorial", turns, ours, list(others))


def mlp(setup: Setup) -> list[Row]:
    """A step of the large network on two threads, the second one's worth, and the peak's share."""
    others = setup.training("mlp", 2)
    own = {OXHORN: setup.bench("mlp", 1, 2), "peak": setup.peak(2)}
    turns = setup.measured({**own, **others})
    ours, alone = turns[OXHORN, "2 threads"], turns[OXHORN, "1 thread"]
    peak = turns["peak", "gigaflop"]
    limit = Turns([MLP.flops / 1e9 * seconds for seconds in peak.seconds])
    of_peak = f"its products at the peak of 2 cores, {digits(1 / peak.best)} GFLOP/s"
    return [
        *steps("MLP step, 2 threads", "mlp", turns, ours, list(others)),
        times("", f"{OXHORN}, 1 thread", alone, ours, "≥ 1.8 ×"),
        share("", of_peak, limit, ours, "≥ 70 %"),
    ]


def dropout(setup: Setup) -> list[Row]:
    """What dropout adds to the step of the large network, and to its memory."""
    rivals = [name for name in [EAGER, KERAS_JAX] if name not in setup.without]
    with_it, without = (setup.training(name, 2) for name in ["mlp", "mlp-plain"])
    commands = {OXHORN: setup.bench("dropout", 2)}
    for rival in rivals:
        commands |= {rival: with_it[rival], f"{rival}, without": without[rival]}
    turns = setup.measured(commands)
    work = "MLP step with dropout, against without"
    rows = [times(work, OXHORN, turns[OXHORN, "with"], turns[OXHORN, "without"], "≤ 1.05 ×")]
    for rival in rivals:
        rows.append(times("", rival, turns[rival, "step"], turns[f"{rival}, without", "step"]))
    memory = [setup.program("release", "oxhorn-bench"), "memory"]
    said = subprocess.run(memory, capture_output=True, text=True, check=True).stdout
    bits = f"{float(said.split()[0]):.2f} bits"
    return [*rows, Row("memory of dropout, an element", OXHORN, bits, bits, bar="≤ 1 bit")]


def adam(setup: Setup) -> list[Row]:
    """Adam's update of three million weights, against a stream of the bytes it must move."""
    rival = "PyTorch, fused, which reads a gradient besides"
    commands = {
        OXHORN: setup.bench("adam", 2),
        rival: setup.peer("torch_adam.py", "--threads", "2"),
    }
    turns = setup.measured(commands)
    stream = turns[OXHORN, "stream"]
    return [
        times(
            "Adam, 3 million weights, 2 threads", OXHORN, turns[OXHORN, "update"], stream, "≤ 1.3 ×"
        ),
        times("", rival, turns[rival, "step"], stream),
        times("", "the same bytes as a stream", stream),
    ]


def predict(setup: Setup) -> list[Row]:
    """A prediction of one sample by the tutorial's network, from Rust; peers from Python."""
    frameworks = ["PyTorch", "JAX", "Keras", "ONNX Runtime"]
    asked = ["predict_peer.py", "tutorial", "--threads", "1", "--framework"]
    commands = {it: setup.peer(*asked, it) for it in frameworks}
    turns = setup.measured({OXHORN: setup.bench("predict", 1), **commands})
    ours = turns[OXHORN, "predict"]
    return [
        times("predict, batch 1, tutorial network", OXHORN, ours, bar="≤ 2 µs"),
        times("", f"{OXHORN}, the program alone", turns[OXHORN, "program"], ours),
        *(times("", f"{it}, from Python", turns[it, "step"], ours) for it in frameworks),
    ]


def depth(setup: Setup) -> list[Row]:
    """A step of 100 layers of 64 units, a layer, against networks of 1 and of 10 layers."""
    turns = setup.measured({OXHORN: setup.bench("depth", 1)})
    one, ten, hundred = (
        Turns([seconds / layers for seconds in turns[OXHORN, str(layers)].seconds])
        for layers in [1, 10, 100]
    )
    return [
        times("step of 100 layers, a layer, against 1", OXHORN, hundred, one, "≤ 1.10 ×"),
        times("", f"{OXHORN}, against 10", hundred, ten, "≤ 1.10 ×"),
    ]


def compiling(setup: Setup) -> list[Row]:
    """From `compile` to a program that can run; JAX compiles what trains an epoch."""
    networks = [("tutorial", "tutorial", "≤ 2 ms"), ("100 layers", "deep", "≤ 50 ms")]
    commands = {
        f"JAX, {name}": setup.peer("jax_compile.py", network, "--threads", "2")
        for name, network, _ in networks
    }
    turns = setup.measured({OXHORN: setup.bench("compile", 1), **commands})
    rows = []
    for name, _, bar in networks:
        whole = turns[OXHORN, name]
        rows.append(times(f"trace, plan, load: {name}", OXHORN, whole, bar=bar))
        rows += [
            times("", f"{OXHORN}, {part} of it", turns[OXHORN, f"{name}, {part}"], whole)
            for part in ["trace", "plan"]
        ]
        rows.append(times("", "JAX", turns[f"JAX, {name}", "compile"], whole))
    return rows


FIGURES: dict[str, Callable[[Setup], list[Row]]] = {
    "tutorial": tutorial,
    "mlp": mlp,
    "dropout": dropout,
    "adam": adam,
    "predict": predict,
    "depth": depth,
    "compile": compiling,
    "script": script,
}
