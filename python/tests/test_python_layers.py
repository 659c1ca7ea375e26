"""What recordings of layers and masks leave out: batches, learning again, files, and refusals.

Numbers that are written here are Keras 3.15.1's, on TensorFlow where JAX loses the mask.
"""

from __future__ import annotations

import numpy as np
import pytest

import oxhorn as keras
from oxhorn import layers

WORDS = np.array([[1, 2, 0, 0], [3, 0, 0, 0], [1, 1, 1, 2], [2, 3, 1, 0]], "int32")
NUMBERS = ((np.arange(1009) * 37) % 1009 / 100).astype("float32")


def test_metrics_that_are_means_leave_out_what_is_masked_while_training() -> None:
    inputs = keras.Input((4,), dtype="int32")
    x = layers.Embedding(5, 1, mask_zero=True, embeddings_initializer="ones")(inputs)
    model = keras.Model(inputs, x)
    model.compile(keras.optimizers.SGD(0.0), "mse", metrics=["mae"])
    y = np.where(WORDS[..., None] == 0, 100.0, 3.0)
    history = model.fit(WORDS, y, batch_size=3, epochs=1, verbose=0)
    # The order of samples is drawn, and with it the order in which they are added up.
    assert history.history["loss"] == pytest.approx([4.0], rel=1e-6)
    assert history.history["mae"] == pytest.approx([2.0], rel=1e-6)


def test_a_mask_reaches_the_layers_of_a_model_within_a_model() -> None:
    inner = keras.Sequential([keras.Input((4, 2)), layers.GlobalAveragePooling1D()])
    inputs = keras.Input((4,), dtype="int32")
    x = layers.Embedding(5, 2, mask_zero=True, name="table")(inputs)
    with pytest.warns(UserWarning, match="does not support masking"):
        outputs = inner(x)
    model = keras.Model(inputs, outputs)
    model.get_layer("table").set_weights([np.arange(10).reshape(5, 2)])
    assert model.predict(WORDS, verbose=0).tolist() == [[3, 4], [6, 7], [2.5, 3.5], [4, 5]]


def test_a_mask_stays_with_an_input_that_is_reshaped_to_fit() -> None:
    class Outer(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            inputs = keras.Input((3, 1))
            self.masking = layers.Masking()
            pooled = layers.GlobalAveragePooling1D()(inputs)
            self.inner = keras.Sequential([inputs, layers.GlobalAveragePooling1D()])
            self.same = keras.Model(inputs, pooled)

        def call(self, x):
            x = self.masking(x)
            return self.inner(x) + self.same(x)

    with pytest.warns(UserWarning, match="does not support masking"):
        y = Outer().predict(np.array([[[0.0], [2.0], [4.0]]]), verbose=0)
    assert y.tolist() == [[6.0]]


def test_a_layer_that_loses_a_mask_says_so_once() -> None:
    flatten = layers.Flatten()
    masked = layers.Masking()(keras.Input((3, 2)))
    with pytest.warns(UserWarning) as said:
        model = keras.Sequential([keras.Input((3, 2)), layers.Masking(), flatten])
        model.predict(np.ones((2, 3, 2)), verbose=0)
        flatten(masked)
    assert len([it for it in said if "destroy the mask" in str(it.message)]) == 1


def test_normalization_learns_the_same_from_batches_as_from_all() -> None:
    x = NUMBERS[:33].reshape(11, 3)

    class Data(keras.utils.PyDataset):
        num_batches = 2

        def __len__(self) -> int:
            return 2

        def __getitem__(self, index: int) -> tuple[np.ndarray, None]:
            return (x[:4], None) if index == 0 else (x[4:], None)

    for data in ([x[:4], x[4:]], (part for part in (x[:1], x[1:10], x[10:])), Data()):
        layer = layers.Normalization()
        layer.adapt(data)
        np.testing.assert_allclose(layer.mean[0], x.mean(axis=0), rtol=1e-6)
        np.testing.assert_allclose(layer.variance[0], x.var(axis=0), rtol=1e-6)


def test_a_model_knows_what_normalization_learns_later() -> None:
    layer = layers.Normalization(axis=None)
    model = keras.Sequential([keras.Input((3,)), layer])
    x = np.array([[1.0, 3.0, 5.0]], "float32")
    np.testing.assert_array_equal(model.predict(x, verbose=0), x)
    for scale in (1.0, 10.0):
        layer.adapt(scale * x)
        expected = (x - 3.0 * scale) / (np.sqrt(8.0 / 3.0) * scale)
        np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-6)
        np.testing.assert_allclose(layer(x), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("data", "said"),
    [([], "received an empty iterable"), ([3], "element of type int"), (7, "Unsupported data")],
)
def test_normalization_learns_from_arrays_and_batches_only(data: object, said: str) -> None:
    with pytest.raises((TypeError, ValueError), match=said):
        layers.Normalization().adapt(data)


def test_normalization_with_numbers_of_its_own_learns_none() -> None:
    with pytest.raises(ValueError, match="Leave out `mean` and `variance`"):
        layers.Normalization(mean=1.0, variance=2.0).adapt(np.ones((2, 2)))


def test_batches_of_another_width_are_refused() -> None:
    with pytest.raises(ValueError, match="incompatible shape. Expected .*, got .2, 4"):
        layers.Normalization().adapt([np.ones((2, 3)), np.ones((2, 4))])


@pytest.mark.parametrize(
    ("bins", "epsilon", "expected"),
    [
        (4, 0.01, [2.49, 4.99, 7.49]),
        (7, 0.1, [1.4186, 2.8471, 4.2757, 5.7043, 7.1329, 8.5614]),
        (1, 0.01, []),
    ],
)
def test_intervals_are_learned_as_in_keras(bins: int, epsilon: float, expected: list) -> None:
    layer = layers.Discretization(num_bins=bins, epsilon=epsilon)
    layer.adapt(NUMBERS)
    np.testing.assert_allclose(layer.bin_boundaries, expected, atol=5e-5)


def test_intervals_are_learned_from_batches_as_in_keras() -> None:
    parts = [NUMBERS[:100], NUMBERS[100:333], NUMBERS[333:]]
    for steps, expected in ((None, [2.5237, 5.04, 7.53]), (2, [2.3957, 4.9596, 7.4898])):
        layer = layers.Discretization(num_bins=4)
        layer.adapt(parts, steps=steps)
        np.testing.assert_allclose(layer.bin_boundaries, expected, atol=5e-5)


def test_intervals_that_are_learned_again_hold_at_once() -> None:
    layer = layers.Discretization(num_bins=2)
    with pytest.raises(ValueError, match="call `adapt"):
        layer(NUMBERS)
    for scale in (1.0, 10.0):
        layer.adapt(scale * NUMBERS)
        assert layer(np.array([4.0, 6.0, 49.0, 51.0], "float32")).tolist() == (
            [0, 1, 1, 1] if scale == 1.0 else [0, 0, 0, 1]
        )


@keras.saving.register_keras_serializable()
def twice(x):
    return 2 * x


def own_layers() -> list[layers.Layer]:
    adapted = layers.Discretization(num_bins=3)
    adapted.adapt(NUMBERS)
    return [
        adapted,
        layers.CategoryEncoding(4, output_mode="count"),
        layers.Discretization([0.0, 1.0], output_mode="one_hot"),
        layers.Embedding(5, 2, mask_zero=True, name="table"),
        layers.Lambda(twice, output_shape=(3,), arguments={}),
        layers.Masking(2.0),
        layers.Normalization(mean=[1.0, 2.0], variance=[1.0, 4.0]),
        layers.Normalization(axis=None),
        layers.TimeDistributed(layers.Dense(2, activation="relu", name="each")),
    ]


@pytest.mark.parametrize("layer", own_layers(), ids=lambda it: it.name)
def test_layers_are_written_down_and_read(layer: layers.Layer) -> None:
    written = layers.serialize(layer)
    again = layers.deserialize(written)
    assert type(again) is type(layer)
    assert layers.serialize(again) == written
    assert again.supports_masking == layer.supports_masking


def test_a_lambda_is_not_written_down() -> None:
    with pytest.raises(NotImplementedError, match="register_keras_serializable"):
        layers.Lambda(lambda x: x).get_config()
    config = {"function": {"class_name": "__lambda__", "config": {}}, "arguments": {}}
    with pytest.raises(NotImplementedError, match="byte code"):
        layers.Lambda.from_config(config)


@pytest.mark.parametrize("name", ["CategoryEncoding", "Discretization"])
def test_sparse_results_are_refused(name: str) -> None:
    with pytest.raises(NotImplementedError, match=f"`sparse` of `{name}`"):
        getattr(layers, name)(3 if name == "CategoryEncoding" else [0.0], sparse=True)


def test_a_model_with_masks_is_written_down_and_read() -> None:
    inputs = keras.Input((4,), dtype="int32")
    x = layers.Embedding(5, 2, mask_zero=True)(inputs)
    model = keras.Model(inputs, layers.GlobalAveragePooling1D()(x))
    again = keras.models.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(WORDS, verbose=0), model.predict(WORDS, verbose=0))


def test_samples_without_steps_go_through_a_layer_for_every_step() -> None:
    layer = layers.TimeDistributed(layers.Dense(4))
    assert layer(np.zeros((2, 1, 3), "float32")).shape == (2, 1, 4)
    assert layer(np.zeros((5, 7, 3), "float32")).shape == (5, 7, 4)
