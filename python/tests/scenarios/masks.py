"""Masks: where they come from, how they travel, and what losses and metrics make of them."""

from __future__ import annotations

import math

import numpy as np

WORDS = np.array([[1, 2, 0, 0], [3, 0, 0, 0], [1, 1, 1, 2], [2, 3, 1, 0], [0, 0, 0, 0]], "int32")
STEPS = np.array([[[0, 0], [1, 1], [1, 2]], [[0, 1], [0, 0], [0, 0]]], "float32")


def _numbers(x):
    return np.round(np.asarray(x, "float64"), 3).tolist()


def _teller(keras):
    """A layer that gives its mask as numbers."""

    class Teller(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.supports_masking = True

        def call(self, x, mask=None):
            return x if mask is None else keras.ops.cast(mask, "float32")

    return Teller()


def _told(keras, *layers):
    """The mask that a chain of layers gives for the words."""
    inputs = x = keras.layers.Input((4,), dtype="int32")
    for layer in layers:
        x = layer(x)
    return _numbers(keras.models.Model(inputs, _teller(keras)(x)).predict(WORDS, verbose=0))


def _tagger(keras, **compiled):
    """A model that says two numbers of each word, its weights counted up."""
    inputs = keras.layers.Input((4,), dtype="int32")
    x = keras.layers.Embedding(5, 3, mask_zero=True)(inputs)
    model = keras.models.Model(inputs, keras.layers.Dense(2)(x))
    model.set_weights([np.arange(math.prod(w.shape)).reshape(w.shape) / 10 for w in model.weights])
    model.compile("sgd", "mse", **compiled)
    return model


TAGS = np.arange(40, dtype="float32").reshape(5, 4, 2) / 40
WEIGHTS = np.arange(20, dtype="float32").reshape(5, 4) / 20


def embedding_masks_zeros(keras):
    return _told(keras, keras.layers.Embedding(5, 3, mask_zero=True))


def dense_and_dropout_hand_masks_on(keras):
    layers = keras.layers
    chain = [layers.Embedding(5, 3, mask_zero=True), layers.Dense(2), layers.Dropout(0.5)]
    return _told(keras, *chain, layers.LayerNormalization(), layers.Activation("relu"))


def a_sequential_of_masks(keras):
    layers = keras.layers
    chain = [layers.Input((4,)), layers.Embedding(5, 3, mask_zero=True), layers.Dense(2)]
    model = keras.models.Sequential([*chain, _teller(keras)])
    return _numbers(model.predict(WORDS, verbose=0))


def masking(keras):
    inputs = keras.layers.Input((3, 2))
    outputs = keras.layers.Masking(1.0)(inputs)
    model = keras.models.Model(inputs, [outputs, _teller(keras)(outputs)])
    return [_numbers(x) for x in model.predict(STEPS, verbose=0)]


def masks_of_several_inputs(keras):
    layers = keras.layers
    inputs = layers.Input((3, 2))
    a, b = layers.Masking(0.0)(inputs), layers.Masking(1.0)(inputs)
    merges = [layers.Add(), layers.Concatenate(), layers.Multiply(), layers.Concatenate(axis=1)]
    joined = [merge([a, b]) for merge in merges] + [layers.Concatenate()([a, inputs])]
    outputs = [_teller(keras)(x) for x in joined]
    return [_numbers(x) for x in keras.models.Model(inputs, outputs).predict(STEPS, verbose=0)]


def the_mean_over_steps_that_count(keras):
    layers = keras.layers
    inputs = layers.Input((4,), dtype="int32", name="words")
    x = layers.Embedding(5, 3, mask_zero=True, name="table")(inputs)
    model = keras.models.Model(inputs, layers.GlobalAveragePooling1D(name="pool")(x))
    model.set_weights([np.arange(15).reshape(5, 3) / 10])
    return _numbers(model.predict(WORDS[:4], verbose=0)), [layer.name for layer in model.layers]


def softmax_of_what_counts(keras):
    mask = keras.ops.convert_to_tensor(np.array([[True, True, False], [False, False, False]]))
    x = np.array([[1, 2, 3], [1, 2, 3]], "float32")
    return _numbers(keras.layers.Softmax()(x, mask=mask))


def batches_normalized_by_what_counts(keras):
    layer = keras.layers.BatchNormalization()
    mask = keras.ops.convert_to_tensor(np.array([[True, False, True], [True, True, False]]))
    y = layer(STEPS, training=True, mask=mask)
    return _numbers(y), [_numbers(w) for w in layer.weights]


def a_layer_that_loses_the_mask_says_so(keras):
    inputs = keras.layers.Input((3, 2))
    keras.layers.Flatten(name="flat")(keras.layers.Masking()(inputs))


def a_layer_of_ones_own_with_a_rule_for_masks(keras):
    class Last(keras.layers.Layer):
        def call(self, x):
            return x[:, 1:]

        def compute_mask(self, inputs, mask=None):
            return None if mask is None else mask[:, 1:]

    layer = Last()
    return layer.supports_masking, _told(keras, keras.layers.Embedding(5, 3, mask_zero=True), layer)


def masks_of_two_arguments(keras):
    class Both(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.supports_masking = True

        def call(self, query, value, query_mask=None, value_mask=None):
            masks = [keras.ops.cast(it, "float32") for it in (query_mask, value_mask)]
            return masks[0] + 2 * masks[1]

    inputs = keras.layers.Input((3, 2))
    a, b = keras.layers.Masking(0.0)(inputs), keras.layers.Masking(1.0)(inputs)
    return _numbers(keras.models.Model(inputs, Both()(a, value=b)).predict(STEPS, verbose=0))


def losses_count_what_is_not_masked(keras):
    metrics = ["mae", keras.metrics.RootMeanSquaredError()]
    model = _tagger(keras, metrics=metrics, weighted_metrics=["mse"])
    return _numbers(model.evaluate(WORDS, TAGS, verbose=0))


def losses_count_weights_of_what_is_not_masked(keras):
    model = _tagger(keras, metrics=["mae"], weighted_metrics=["mse"])
    return _numbers(model.evaluate(WORDS, TAGS, sample_weight=WEIGHTS, verbose=0))


def training_on_what_is_not_masked(keras):
    model = _tagger(keras)
    history = model.fit(WORDS, TAGS, batch_size=2, epochs=4, shuffle=False, verbose=0)
    return _numbers(history.history["loss"]), [_numbers(w) for w in model.weights]


def a_sum_over_what_is_not_masked(keras):
    model = _tagger(keras)
    model.compile("sgd", keras.losses.MeanAbsoluteError(reduction="sum"))
    return _numbers(model.evaluate(WORDS, TAGS, verbose=0))


def labels_to_ignore_and_masks(keras):
    model = _tagger(keras)
    labels = np.array([[0, 1, 1, 1], [1, 0, 0, 1], [-1, 1, 0, 1], [0, 1, -1, 0], [1, 1, 1, 1]])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    model.compile("sgd", loss)
    return _numbers(model.evaluate(WORDS, labels, verbose=0))


def a_batch_of_nothing_but_masked_words(keras):
    return _numbers(_tagger(keras).evaluate(WORDS[4:], TAGS[4:], verbose=0))
