"""Objects are found by name, dictionary and class, and written down, as in Keras 3.15.1."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import oxhorn as keras
from oxhorn.saving.registry import CustomObjectScope

# What `get` gives in Keras: the name of the class or function.
FOUND = [
    ("activations", None, "linear"),
    ("activations", "swish", "silu"),
    ("constraints", "max_norm", "MaxNorm"),
    ("constraints", "UnitNorm", "UnitNorm"),
    ("initializers", "one", "Ones"),
    ("initializers", "glorot_uniform", "GlorotUniform"),
    ("initializers", "uniform", "RandomUniform"),
    ("initializers", {"class_name": "HeNormal", "config": {"seed": 3}}, "HeNormal"),
    ("losses", "mse", "mean_squared_error"),
    ("losses", "KLD", "kl_divergence"),
    ("losses", "MeanSquaredError", "MeanSquaredError"),
    ("metrics", "mse", "MeanSquaredError"),
    ("metrics", "auc", "AUC"),
    ("metrics", "io_u", None),
    ("optimizers", "ADAM", "Adam"),
    ("optimizers", "rmsprop", "RMSprop"),
    ("optimizers", {"class_name": "Adam", "config": {"learning_rate": 0.5}}, "Adam"),
    ("regularizers", "l2", "L2"),
    ("regularizers", "orthogonal_regularizer", "OrthogonalRegularizer"),
    ("regularizers", {"class_name": "l2", "config": {"l2": 0.5}}, "L2"),
]
NOUNS = {
    "activations": "activation function",
    "constraints": "constraint",
    "initializers": "initializer",
    "losses": "loss",
    "metrics": "metric",
    "optimizers": "optimizer",
    "regularizers": "regularizer",
}


def named(found: Any) -> str:
    return getattr(found, "__name__", None) or type(found).__name__


@pytest.mark.parametrize(("category", "identifier", "expected"), FOUND)
def test_names_and_dictionaries_stand_for_what_they_do_in_keras(
    category: str, identifier: Any, expected: str | None
) -> None:
    get = getattr(keras, category).get
    if expected is None:
        # `IoU` has settings without defaults, so that its name alone makes none.
        with pytest.raises(TypeError, match="num_classes"):
            get(identifier)
    else:
        assert named(get(identifier)) == expected


@pytest.mark.parametrize("category", NOUNS)
@pytest.mark.parametrize("identifier", ["foo", "", 3, [], {"class_name": "foo", "config": {}}])
def test_what_names_nothing_is_refused_in_keras_words(category: str, identifier: Any) -> None:
    with pytest.raises(ValueError) as error:
        getattr(keras, category).get(identifier)
    expected = f"Could not interpret {NOUNS[category]} identifier: {identifier}"
    assert str(error.value) == expected


@pytest.mark.parametrize("category", ["losses", "metrics", "initializers", "regularizers"])
def test_a_dictionary_of_another_category_is_refused(category: str) -> None:
    with pytest.raises(ValueError, match="Could not interpret"):
        getattr(keras, category).get({"class_name": "MaxNorm", "config": {}})


def test_objects_stand_for_themselves_and_classes_for_their_defaults() -> None:
    penalty = keras.regularizers.L2(0.3)
    assert keras.regularizers.get(penalty) is penalty
    assert keras.regularizers.get(keras.regularizers.L2).l2 == 0.01
    optimizer = keras.optimizers.Adam()
    assert keras.optimizers.get(optimizer) is optimizer
    assert keras.losses.get(None) is None


def test_an_array_stands_for_the_initializer_that_gives_it() -> None:
    initializer = keras.initializers.get(np.arange(6.0).reshape(2, 3))
    np.testing.assert_array_equal(initializer((2, 3)), [[0, 1, 2], [3, 4, 5]])
    message = r"Expected `shape` to be \(2, 3\) for direct tensor as initializer. Received shape="
    with pytest.raises(ValueError, match=message):
        initializer((3, 2))


def test_objects_are_written_down_as_in_keras() -> None:
    assert keras.regularizers.serialize(keras.regularizers.L1L2(0.1, 0.2)) == {
        "module": "keras.regularizers",
        "class_name": "L1L2",
        "config": {"l1": 0.1, "l2": 0.2},
        "registered_name": None,
    }
    assert keras.losses.serialize(keras.losses.mean_squared_error) == {
        "module": "builtins",
        "class_name": "function",
        "config": "mean_squared_error",
        "registered_name": "function",
    }
    assert keras.activations.serialize(keras.activations.swish) == "silu"
    dense = keras.layers.serialize(keras.layers.Dense(3, "relu", kernel_regularizer="l2"))
    assert dense["config"]["activation"] == "relu"
    assert dense["config"]["kernel_initializer"]["class_name"] == "GlorotUniform"
    assert dense["config"]["kernel_regularizer"]["config"] == {"l2": 0.01}


def objects() -> list[tuple[str, Any]]:
    """One object of each class that needs no settings."""
    found = []
    modules = ["constraints", "initializers", "layers", "losses", "metrics", "optimizers"]
    for name in [*modules, "regularizers"]:
        module = getattr(keras, name)
        for class_name in module._generated.__all__:
            cls = getattr(module, class_name)
            try:
                found.append((name, cls() if isinstance(cls, type) else None))
            except (TypeError, ValueError):
                continue
    return [(name, it) for name, it in found if it is not None]


def test_what_is_written_down_is_read_as_the_same() -> None:
    def without_names(config: Any) -> Any:
        if not isinstance(config, dict):
            return config
        return {key: without_names(value) for key, value in config.items() if key != "name"}

    every = objects()
    assert len(every) > 100
    for category, it in every:
        module = getattr(keras, category)
        written = json.loads(json.dumps(module.serialize(it)))
        again = module.deserialize(written)
        assert type(again) is type(it)
        assert without_names(json.loads(json.dumps(module.serialize(again)))) == without_names(
            written
        )


class Halving(keras.regularizers.Regularizer):
    """A penalty of one's own."""

    def __init__(self, factor: float = 1.0) -> None:
        self.factor = factor

    def __call__(self, x: Any) -> Any:
        return self.factor * keras.ops.sum(x) / 2

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor}


def test_classes_of_ones_own_are_found_where_they_are_registered() -> None:
    written = keras.regularizers.serialize(Halving(3.0))
    assert written["registered_name"] == "Halving"
    with pytest.raises(TypeError, match="Could not locate class 'Halving'|Cannot deserialize"):
        keras.regularizers.deserialize(written)
    again = keras.regularizers.deserialize(written, {"Halving": Halving})
    assert again.factor == 3.0
    with CustomObjectScope({"Halving": Halving}):
        assert keras.regularizers.deserialize(written).factor == 3.0


def test_functions_of_ones_own_are_found_in_a_scope() -> None:
    def twice(x: Any) -> Any:
        return 2 * x

    written = keras.saving.objects.serialize_keras_object(twice)
    assert written["config"] == "twice"
    assert keras.activations.deserialize(written, {"twice": twice}) is twice
    with pytest.raises(NotImplementedError, match="A `lambda` cannot be written down"):
        keras.activations.serialize(lambda x: x)


def test_layers_that_are_none_are_refused_in_keras_words() -> None:
    for config in [None, 3, "Dense", {"config": {}}]:
        with pytest.raises(ValueError) as error:
            keras.layers.deserialize(config)
        assert str(error.value) == (
            "`keras.layers.deserialize` was passed a `config` object that is not a "
            f"`keras.layers.Layer`. Received: {config}"
        )


def test_names_that_are_missing_say_what_there_is() -> None:
    with pytest.raises(AttributeError, match="`TextVectorization` of Keras is not available"):
        _ = keras.layers.TextVectorization
    with pytest.raises(AttributeError) as error:
        _ = keras.layers.Dance
    assert str(error.value) == "module 'oxhorn.layers' has no attribute 'Dance'"
    assert not hasattr(keras.losses, "CTC")
    with pytest.raises(NotImplementedError, match="`ops.svd` of Keras is not available in Oxhorn"):
        keras.ops.svd(np.eye(2))
    with pytest.raises(NotImplementedError, match="`ops.image.resize` of Keras is not available"):
        keras.ops.image.resize(np.zeros((2, 2, 1)), (1, 1))


def test_parameters_that_keras_once_had_are_understood_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="Argument `alpha` is deprecated"):
        assert keras.layers.LeakyReLU(alpha=0.1).negative_slope == 0.1
    with pytest.warns(UserWarning, match="Argument `input_length` is deprecated"):
        keras.layers.Embedding(4, 3, input_length=5)
    keras.layers.LayerNormalization(rms_scaling=False)
    with pytest.raises(NotImplementedError, match="`rms_scaling` of `LayerNormalization`"):
        keras.layers.LayerNormalization(rms_scaling=True)
    with pytest.raises(NotImplementedError, match="`lora_rank` of `Dense`"):
        keras.layers.Dense(2, lora_rank=3)
