"""Models and objects as dictionaries: as Keras writes them, and back."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import keras_models  # noqa: E402
import oxhorn as keras  # noqa: E402
from oxhorn import layers, ops  # noqa: E402
from oxhorn.models import Model, Sequential, model_from_json  # noqa: E402
from oxhorn.saving import deserialize_keras_object, serialize_keras_object  # noqa: E402


def normal(value: Any) -> Any:
    """A dictionary of a model without what Keras 3.15 says although nobody has said it."""
    if isinstance(value, (list, tuple)):
        return [normal(item) for item in value]
    if isinstance(value, float) and math.isfinite(value):
        return float(np.float32(value))
    if not isinstance(value, dict):
        return value
    found = {key: normal(item) for key, item in value.items()}
    # The compiler is ours in any case.
    found.pop("jit_compile", None)
    if found.get("class_name") in ("Dropout", "SpatialDropout1D"):
        for node in found.get("inbound_nodes", ()):
            if node["kwargs"].get("training") is False:
                del node["kwargs"]["training"]
    for node in found.get("inbound_nodes", ()):
        node["kwargs"].pop("mask", None)
    return found


@pytest.fixture(autouse=True)
def new_session() -> None:
    keras.utils.clear_session()


@pytest.mark.parametrize("name", keras_models.MODELS)
def test_a_model_is_written_as_keras_writes_it(name: str) -> None:
    ours = json.loads(keras_models.MODELS[name](keras).to_json())
    assert normal(ours) == normal(json.loads(keras_models.recorded(name)))


@pytest.mark.parametrize("name", keras_models.MODELS)
def test_what_keras_has_written_is_read_and_written_again(name: str) -> None:
    keras_models.MODELS[name](keras)
    recorded = keras_models.recorded(name)
    assert normal(json.loads(model_from_json(recorded).to_json())) == normal(json.loads(recorded))


@pytest.mark.parametrize("name", sorted(set(keras_models.MODELS) - {"unbuilt"}))
def test_a_model_that_is_read_computes_what_the_written_one_does(name: str) -> None:
    model = keras_models.MODELS[name](keras)
    again = model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    rng = np.random.default_rng(0)
    inputs = keras.tree.map_structure(
        lambda x: rng.integers(0, 9, (6, *x.shape[1:])).astype(x.dtype), model.input
    )
    ours, theirs = model.predict(inputs, verbose=0), again.predict(inputs, verbose=0)
    if name != "modes":  # Noise that is always on differs from call to call.
        keras.tree.map_structure(np.testing.assert_array_equal, ours, theirs)


PROGRAM = """
import json, sys, keras
sys.path.insert(0, sys.argv[1])
import keras_models
found = {}
for name, text in json.load(sys.stdin).items():
    keras_models.MODELS[name](keras)
    found[name] = keras.models.model_from_json(text).to_json()
print(json.dumps(found))
"""


def test_keras_reads_what_we_write() -> None:
    missing = [name for name in ("keras", "jax") if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed")
    written = {name: build(keras).to_json() for name, build in keras_models.MODELS.items()}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(Path(__file__).parent)],
        input=json.dumps(written),
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for name, text in json.loads(done.stdout.splitlines()[-1]).items():
        assert normal(json.loads(text)) == normal(json.loads(written[name])), name


def test_noise_of_older_files_is_not_switched_off_by_what_they_say() -> None:
    model = model_from_json(keras_models.recorded("modes"))
    calls = {layer.name: layer._inbound_nodes[0].kwargs for layer in model.layers[1:]}
    assert calls == {"frozen": {"training": False}, "always": {"training": True}, "usual": {}}


def test_calls_as_keras_2_wrote_them_are_read() -> None:
    dense = {"name": "d", "trainable": True, "dtype": "float32", "units": 2}
    config = {
        "name": "older",
        "layers": [
            {
                "class_name": "InputLayer",
                "config": {"batch_input_shape": [None, 3], "dtype": "float32", "name": "x"},
                "name": "x",
                "inbound_nodes": [],
            },
            {
                "class_name": "Dense",
                "config": dense,
                "name": "d",
                "inbound_nodes": [[["x", 0, 0, {}]]],
            },
        ],
        "input_layers": [["x", 0, 0]],
        "output_layers": [["d", 0, 0]],
    }
    text = json.dumps({"class_name": "Functional", "config": config})
    model = model_from_json(text)
    assert model.predict(np.ones((2, 3)), verbose=0)[0].shape == (2, 2)


@pytest.mark.parametrize(
    ("obj", "written"),
    [
        (None, None),
        ("relu", "relu"),
        (np.float32(0.5), 0.5),
        ((1, [2, None]), (1, [2, None])),
        (b"ab", {"class_name": "__bytes__", "config": {"value": "ab"}}),
        (
            np.array([[1, 2]], "int32"),
            {"class_name": "__numpy__", "config": {"value": [[1, 2]], "dtype": "int32"}},
        ),
        (
            slice(1, None),
            {"class_name": "__slice__", "config": {"start": 1, "stop": None, "step": None}},
        ),
        (
            keras.regularizers.L1(0.5),
            {
                "module": "keras.regularizers",
                "class_name": "L1",
                "config": {"l1": 0.5},
                "registered_name": None,
            },
        ),
    ],
    ids=lambda it: type(it).__name__,
)
def test_values_are_written_as_keras_writes_them(obj: Any, written: Any) -> None:
    assert serialize_keras_object(obj) == written


def test_values_come_back() -> None:
    value = {"a": [1, b"x"], "b": slice(2, 3), "c": Ellipsis, "d": np.arange(3)}
    again = deserialize_keras_object(json.loads(json.dumps(serialize_keras_object(value))))
    np.testing.assert_array_equal(again.pop("d"), value.pop("d"))
    assert again == value


def test_lambdas_are_neither_written_nor_read() -> None:
    with pytest.raises(NotImplementedError, match="`lambda` cannot be written down"):
        serialize_keras_object(lambda x: x)
    config = {"class_name": "__lambda__", "config": {"value": ["4wAAAA==", None, None]}}
    for safe_mode in (True, False):
        with pytest.raises(ValueError, match="arbitrary code execution"):
            deserialize_keras_object(config, safe_mode=safe_mode)


@pytest.mark.parametrize(
    "config",
    [
        {"module": "os", "class_name": "system", "config": {"command": "true"}},
        {"module": "subprocess", "class_name": "Popen", "config": {"args": ["true"]}},
        {"module": "builtins", "class_name": "function", "config": "eval"},
        {"module": "keras.saving", "class_name": "load_model", "config": {"filepath": "x"}},
        {"module": "keras.utils", "class_name": "get_file", "config": {"origin": "x"}},
        {"module": "oxhorn.run", "class_name": "main", "config": {}},
    ],
    ids=lambda config: f"{config['module']}.{config['class_name']}",
)
def test_files_do_not_choose_what_is_run(config: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="Could not locate"):
        deserialize_keras_object({**config, "registered_name": None})


def test_custom_objects_are_found_by_name_for_one_call_or_in_a_scope() -> None:
    class Twice(layers.Layer):
        def call(self, x: Any) -> Any:
            return x * 2.0

    text = Sequential([layers.Input((3,)), Twice()]).to_json()
    with pytest.raises(TypeError, match="Could not locate class 'Twice'"):
        model_from_json(text)
    assert type(model_from_json(text, {"Twice": Twice}).layers[0]) is Twice
    with keras.saving.custom_object_scope({"Twice": Twice}):
        assert type(model_from_json(text).layers[0]) is Twice


def test_a_layer_without_a_config_of_its_own_is_written_by_what_it_was_given() -> None:
    class Power(layers.Layer):
        def __init__(self, exponent: float, scale: float = 1.0) -> None:
            super().__init__()
            self.exponent, self.scale = exponent, scale

        def call(self, x: Any) -> Any:
            return ops.power(x, self.exponent) * self.scale

    again = deserialize_keras_object(
        serialize_keras_object(Power(3.0, scale=0.5)), custom_objects={"Power": Power}
    )
    assert (again.exponent, again.scale) == (3.0, 0.5)


def test_a_model_of_ones_own_is_written_by_what_it_was_given() -> None:
    class Net(Model):
        def __init__(self, units: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.dense = layers.Dense(units)

        def call(self, x: Any) -> Any:
            return self.dense(x)

    model = Net(3, name="net")
    model.build((None, 2))
    again = model_from_json(model.to_json(), {"Net": Net})
    assert again.name == "net" and again.dense.units == 3
    assert [w.shape for w in again.weights] == [(2, 3), (3,)]


def test_the_editor_of_files_is_refused_with_what_works_instead() -> None:
    with pytest.raises(NotImplementedError, match="Load the model with `load_model`, change it"):
        keras.saving.KerasFileEditor("x.keras")
