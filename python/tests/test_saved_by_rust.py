"""Models that the Rust crate has saved go on here, and in real Keras, as they do there.

`cargo test` lets the crate write them, and says where in `OXHORN_SAVED_BY_RUST`.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import saved_by_rust  # noqa: E402
from oxhorn.models import load_model  # noqa: E402

FOLDER = Path(os.environ.get("OXHORN_SAVED_BY_RUST", "."))
NAMES = sorted(path.stem for path in FOLDER.glob("*.keras"))
MISSING = [name for name in ("keras", "jax") if importlib.util.find_spec(name) is None]
with_keras = pytest.mark.skipif(bool(MISSING), reason=f"{' and '.join(MISSING)} not installed")
pytestmark = pytest.mark.skipif(
    "OXHORN_SAVED_BY_RUST" not in os.environ, reason="only `cargo test` has such files"
)


def described(name: str) -> dict[str, Any]:
    """What becomes of a model in Rust."""
    return json.loads((FOLDER / f"{name}.json").read_text())


@pytest.fixture(scope="module")
def in_keras() -> dict[str, Any]:
    """What becomes of all models in real Keras, whose noise begins where it was saved."""
    noise = {
        name: [
            np.asarray(generator.state).tolist()
            for generator in saved_by_rust.generators(load_model(FOLDER / f"{name}.keras"))
        ]
        for name in NAMES
    }
    (FOLDER / "noise.json").write_text(json.dumps(noise))
    command = [sys.executable, str(HERE / "saved_by_rust.py"), str(FOLDER)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return json.loads(done.stdout.splitlines()[-1])


def test_there_is_a_model_for_every_optimizer() -> None:
    assert len(NAMES) == 14


@pytest.mark.parametrize("name", NAMES)
def test_python_goes_on_with_the_same_bits(name: str) -> None:
    expected = described(name)
    found = saved_by_rust.becomes(load_model(FOLDER / f"{name}.keras"), expected)
    for fact in found:
        np.testing.assert_array_equal(
            np.array(found[fact], "f4"), np.array(expected[fact], "f4"), err_msg=fact
        )


@with_keras
@pytest.mark.parametrize("name", NAMES)
def test_keras_goes_on_with_the_same_numbers(in_keras: dict[str, Any], name: str) -> None:
    expected, found = described(name), in_keras[name]
    for fact, limit in (("prediction", 1e-6), ("losses", 1e-5), ("after", 1e-5)):
        np.testing.assert_allclose(found[fact], expected[fact], 0, limit, err_msg=fact)


@with_keras
@pytest.mark.parametrize("file", saved_by_rust.WEIGHTS)
def test_keras_takes_the_weights(in_keras: dict[str, Any], file: str) -> None:
    expected = described("adam")["prediction"]
    np.testing.assert_allclose(in_keras[file]["prediction"], expected, 0, 1e-6)
