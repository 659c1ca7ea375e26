"""Layers: what models are made of."""

from __future__ import annotations

from typing import Any

from oxhorn._generated import layers as _generated
from oxhorn._generated.layers import *  # noqa: F403
from oxhorn._identifiers import Category, not_available
from oxhorn.layers.embedding import Embedding
from oxhorn.layers.encoding import CategoryEncoding, Discretization
from oxhorn.layers.input_layer import Input, InputLayer
from oxhorn.layers.input_spec import InputSpec
from oxhorn.layers.lambda_layer import Lambda
from oxhorn.layers.layer import Layer
from oxhorn.layers.masked import BatchNormalization, GlobalAveragePooling1D, Softmax
from oxhorn.layers.masking import Masking
from oxhorn.layers.merging import (
    add,
    average,
    concatenate,
    dot,
    maximum,
    minimum,
    multiply,
    subtract,
)
from oxhorn.layers.multi_sample_dropout import MultiSampleDropout
from oxhorn.layers.normalization import Normalization
from oxhorn.layers.wrapper import TimeDistributed, Wrapper

# Keras' second name of the class.
GlobalAvgPool1D = GlobalAveragePooling1D

# What Python adds to Rust's layers, or has in their place.
_OWN = {
    layer.__name__: layer
    for layer in (
        BatchNormalization,
        CategoryEncoding,
        Discretization,
        Embedding,
        GlobalAveragePooling1D,
        Lambda,
        Masking,
        MultiSampleDropout,
        Normalization,
        Softmax,
        TimeDistributed,
        Wrapper,
    )
}

__all__ = [
    "Input",
    "InputLayer",
    "InputSpec",
    "Layer",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "serialize",
    "subtract",
]
__all__ += sorted({*_generated.__all__, *_OWN})

_CATEGORY = Category("keras.layers", "layer", _generated, own=_OWN)


def serialize(layer: Layer) -> Any:
    """The dictionary of a layer."""
    return _CATEGORY.serialize(layer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The layer of a dictionary."""
    found = None
    if isinstance(config, dict) and "class_name" in config and "config" in config:
        found = _CATEGORY.deserialize(config, custom_objects)
    if not isinstance(found, Layer):
        raise ValueError(
            "`keras.layers.deserialize` was passed a `config` object that is not a "
            f"`keras.layers.Layer`. Received: {config}"
        )
    return found


def __getattr__(name: str) -> Any:
    raise not_available(__name__, name, _generated.MISSING)
