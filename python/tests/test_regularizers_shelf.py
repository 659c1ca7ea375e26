"""Regularizers that Keras lacks: written down and read, their moments, in models that fit."""

from __future__ import annotations

import json

import numpy as np
import pytest

import oxhorn as keras
from oxhorn import layers

# Of each layer, one whose every setting has another value than its default, and what it takes.
LAYERS = [
    (layers.DropPath(0.3, per="batch", seed=7), (5, 3)),
]


@pytest.mark.parametrize("layer", [layer for layer, _ in LAYERS], ids=lambda it: it.name)
def test_a_dictionary_says_everything(layer: layers.Layer) -> None:
    written = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
    assert written["module"] == "oxhorn.layers"
    assert written["registered_name"] is None
    for read in (
        keras.saving.deserialize_keras_object(written),
        layers.deserialize(written),
        type(layer).from_config(layer.get_config()),
    ):
        assert type(read) is type(layer)
        assert read.get_config() == layer.get_config()


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=lambda it: getattr(it, "name", ""))
def test_inference_is_the_identity(layer: layers.Layer, shape: tuple) -> None:
    x = np.random.default_rng(3).normal(size=shape).astype("float32")
    np.testing.assert_array_equal(layer(x), x)
    assert not np.array_equal(layer(x, training=True), x)
