"""Losses, metrics, activations and merging layers as functions give what Keras' do."""

from __future__ import annotations

import numpy as np
import pytest

import oxhorn as keras

P = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.3, 0.4, 0.3]], "float32")
ONE_HOT = np.eye(3, dtype="float32")[[0, 1, 1]]
NUMBERS = np.array([0, 1, 1])


def test_losses_are_one_number_for_each_sample() -> None:
    expected = -np.log(P[np.arange(3), NUMBERS])
    losses = keras.losses
    close(losses.categorical_crossentropy(ONE_HOT, P), expected)
    close(losses.sparse_categorical_crossentropy(NUMBERS, P), expected)
    close(losses.sparse_categorical_crossentropy(NUMBERS, np.log(P), from_logits=True), expected)
    close(losses.mean_squared_error(ONE_HOT, P), ((ONE_HOT - P) ** 2).mean(-1))
    close(losses.huber(ONE_HOT, P, delta=0.1), huber(ONE_HOT - P, 0.1))
    assert keras.metrics.mean_squared_error is losses.mean_squared_error


def huber(error: np.ndarray, delta: float) -> np.ndarray:
    far = delta * (np.abs(error) - delta / 2)
    return np.where(np.abs(error) <= delta, error**2 / 2, far).mean(-1)


def test_functions_of_losses_take_the_settings_of_their_class_and_refuse_others() -> None:
    smooth = keras.losses.binary_crossentropy(ONE_HOT, P, label_smoothing=0.2)
    y = ONE_HOT * 0.8 + 0.1
    close(smooth, -(y * np.log(P) + (1 - y) * np.log(1 - P)).mean(-1))
    with pytest.raises(NotImplementedError, match="`ref_labels` of `Circle`"):
        keras.losses.circle(NUMBERS, P, ref_labels=NUMBERS)


def test_accuracies_are_0_or_1_for_each_sample() -> None:
    metrics = keras.metrics
    close(metrics.categorical_accuracy(ONE_HOT, P), [1, 0, 1])
    close(metrics.sparse_categorical_accuracy(NUMBERS, P), [1, 0, 1])
    close(metrics.sparse_categorical_accuracy(NUMBERS[:, None], P), [1, 0, 1])
    close(metrics.binary_accuracy(ONE_HOT, P, threshold=0.35), [[1, 1, 1], [1, 0, 0], [1, 1, 1]])
    close(metrics.binary_accuracy(np.array([1.0, 0.0]), np.array([[0.9], [0.8]])), [[1], [0]])


def test_the_true_class_is_looked_for_among_the_most_probable_ones() -> None:
    metrics = keras.metrics
    close(metrics.top_k_categorical_accuracy(ONE_HOT, P, k=2), [1, 1, 1])
    close(metrics.sparse_top_k_categorical_accuracy(NUMBERS, P, k=1), [1, 0, 1])
    ids = np.argsort(-P, axis=-1)
    sorted_ids = metrics.sparse_top_k_categorical_accuracy(NUMBERS, ids, k=1, from_sorted_ids=True)
    close(sorted_ids, [1, 0, 1])


def test_correlations_are_those_of_numpy() -> None:
    a, b = np.random.default_rng(5).normal(size=(2, 4, 7)).astype("float32")
    rows = [np.corrcoef(x, y)[0, 1] for x, y in zip(a, b)]
    close(keras.metrics.pearson_correlation(a, b), rows, 1e-4)
    columns = [np.corrcoef(x, y)[0, 1] for x, y in zip(a.T, b.T)]
    close(keras.metrics.pearson_correlation(a, b, axis=0), columns, 1e-4)
    agreement = [
        2 * np.cov(x, y, ddof=0)[0, 1] / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)
        for x, y in zip(a, b)
    ]
    close(keras.metrics.concordance_correlation(a, b), agreement, 1e-4)


def test_merging_layers_are_functions_too() -> None:
    a, b = np.arange(6.0).reshape(3, 2), np.arange(6.0)[::-1].reshape(3, 2)
    layers = keras.layers
    close(layers.add([a, b]), a + b)
    close(layers.subtract([a, b]), a - b)
    close(layers.multiply([a, b]), a * b)
    close(layers.average([a, b]), (a + b) / 2)
    close(layers.maximum([a, b]), np.maximum(a, b))
    close(layers.minimum([a, b]), np.minimum(a, b))
    close(layers.concatenate([a, b]), np.concatenate([a, b], axis=-1))
    close(layers.dot([a, b]), (a * b).sum(-1, keepdims=True))
    symbol = layers.add([keras.Input((2,)), keras.Input((2,))])
    assert symbol.shape == (None, 2)


def test_activations_take_their_settings() -> None:
    x = np.linspace(-2, 2, 9, dtype="float32")
    activations = keras.activations
    close(activations.relu(x, max_value=1.0), np.clip(x, 0, 1))
    close(activations.leaky_relu(x, 0.1), np.where(x > 0, x, 0.1 * x))
    close(activations.threshold(x, 0.5, -1.0), np.where(x > 0.5, x, -1))
    close(activations.softmax(x.reshape(3, 3), axis=0).sum(0), [1, 1, 1])
    assert activations.swish is activations.silu


def test_functions_are_found_in_the_modules_of_ops_too() -> None:
    assert keras.ops.nn.relu is keras.ops.relu
    assert keras.ops.numpy.sum is keras.ops.sum
    assert "relu" in dir(keras.ops.nn) and not hasattr(keras.ops.nn, "sum")


def close(got: object, expected: object, tolerance: float = 1e-6) -> None:
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)
    assert np.shape(got) == np.shape(expected)
