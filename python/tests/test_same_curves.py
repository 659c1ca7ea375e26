"""Whole scripts give the curves of real Keras: the same files, once under each, compared."""

from __future__ import annotations

import importlib.util
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
SCRIPTS = sorted(path.name for path in (HERE / "scripts").glob("*.py"))
SEEDS = ["1", "23", "812"]
# Sums of the same terms in another order: the difference of one step grows while a model trains.
RELATIVE = 1e-4
# What is nearly zero is the difference of larger numbers, and has their rounding.
ABSOLUTE = 1e-6

MISSING = [name for name in ("keras", "jax") if importlib.util.find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"{' and '.join(MISSING)} not installed")


def run(*arguments: str) -> str:
    """What a Python process prints; where it fails, so does the test, with its words."""
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=HERE)
    assert done.returncode == 0, f"{' '.join(arguments)}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def real() -> dict[tuple[str, str], str]:
    """What each script prints under real Keras, by script and seed."""
    output = run("real_keras.py", ",".join(SEEDS), *(f"scripts/{name}" for name in SCRIPTS))
    lines = [json.loads(line) for line in output.splitlines()]
    return {(Path(script).name, seed): printed for script, seed, printed in lines}


def differences(where: str, ours: Any, keras: Any) -> list[str]:
    """Where two results differ: floats by more than rounding, all else at all."""
    differ = [f"{where}: {ours!r} instead of {keras!r}"]
    if type(ours) is not type(keras):
        return differ
    if isinstance(keras, float):
        close = math.isclose(ours, keras, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
        return [] if close else differ
    if isinstance(keras, dict):
        # The order of names is part of what scripts print.
        if list(ours) != list(keras):
            return differ
        pairs = [(f"{where}[{key!r}]", ours[key], keras[key]) for key in keras]
    elif isinstance(keras, list):
        if len(ours) != len(keras):
            return differ
        pairs = [(f"{where}[{index}]", ours[index], it) for index, it in enumerate(keras)]
    else:
        return [] if ours == keras else differ
    return [line for pair in pairs for line in differences(*pair)]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_prints_what_it_prints_under_keras(
    script: str, seed: str, real: dict[tuple[str, str], str]
) -> None:
    ours = json.loads(run("-m", "oxhorn.run", f"scripts/{script}", seed))
    found = differences("result", ours, json.loads(real[script, seed]))
    assert not found, "\n".join(found[:20])


def test_differences_are_found() -> None:
    assert differences("r", {"a": [1.0, 0.0]}, {"a": [1.00001, 1e-9]}) == []
    assert differences("r", {"a": [1.0]}, {"a": [1.001]}) == ["r['a'][0]: 1.0 instead of 1.001"]
    assert differences("r", {"a": 1, "b": 2}, {"b": 2, "a": 1}) != []
    assert differences("r", [1], [1.0]) != []
    assert differences("r", [1], [1, 2]) != []
    assert differences("r", math.nan, 1.0) != []
