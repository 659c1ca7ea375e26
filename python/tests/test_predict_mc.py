"""`predict_mc`: Monte Carlo dropout of models of every kind, and what its samples say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import oxhorn as keras
from oxhorn import layers


def sequential() -> Any:
    return keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(16, "relu"),
            layers.BatchNormalization(),
            layers.GaussianNoise(0.5),
            layers.Dropout(0.5),
            layers.Dense(3, "softmax"),
        ]
    )


def functional() -> Any:
    x = keras.Input((5,))
    y = layers.Dropout(0.5)(layers.Dense(16, "relu")(x))
    return keras.Model(x, layers.Dense(3, "softmax")(layers.BatchNormalization()(y, training=True)))


class OwnDropout(layers.Layer):
    """Drops with a seed of its own while training, or whenever it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.seed_generator = keras.random.SeedGenerator(7)

    def call(self, x: Any, training: bool = False) -> Any:
        return keras.random.dropout(x, 0.5, seed=self.seed_generator) if training else x


class AlwaysDropout(layers.Dropout):
    """The usual way to Monte Carlo dropout in Keras."""

    def call(self, x: Any, training: Any = None) -> Any:
        return super().call(x, training=True)


class Subclass(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.before, self.drop = layers.Dense(16, "relu"), AlwaysDropout(0.5)
        self.own, self.after = OwnDropout(), layers.Dense(3, "softmax")

    def call(self, x: Any) -> Any:
        return self.after(self.own(self.drop(self.before(x)), training=True))


MODELS = [sequential, functional, Subclass]


def inputs(rows: int = 7) -> np.ndarray:
    return np.random.default_rng(0).random((rows, 5)).astype("float32")


def kept(model: Any) -> dict[str, bytes]:
    """Everything that the model keeps, its seeds included, bit by bit."""
    engine = model._engine
    return {path: np.asarray(engine.value(path)).tobytes() for path, *_ in engine.variables()}


@pytest.mark.parametrize("make", MODELS)
def test_every_weight_statistic_and_seed_stays_what_it_was(make: Any) -> None:
    keras.utils.set_random_seed(1)
    model, x = make(), inputs()
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, np.arange(7) % 3, epochs=2, verbose=0)
    before = kept(model)
    assert any(path.endswith("seed_generator_state") for path in before)
    for settings in ({}, {"common_mask": True, "seed": 3, "batch_size": 2}, {"samples": 1}):
        y = model.predict_mc(x, **settings)
        assert y.samples.shape == (settings.get("samples", 50), 7, 3)
        assert kept(model) == before


@pytest.mark.parametrize("make", MODELS)
def test_a_seed_makes_samples_reproducible(make: Any) -> None:
    model, x = make(), inputs()

    def drawn(seed: int | None) -> bytes:
        return model.predict_mc(x, 5, seed=seed).samples.tobytes()

    assert drawn(1) == drawn(1) != drawn(2)
    keras.utils.set_random_seed(3)
    first = [drawn(None), drawn(None)]
    assert first[0] != first[1]
    keras.utils.set_random_seed(3)
    assert [drawn(None), drawn(None)] == first


def test_the_numbers_are_those_that_numpy_computes_from_the_samples() -> None:
    keras.utils.set_random_seed(2)
    model = sequential()
    y = model.predict_mc(inputs(), 40, seed=1)
    p = y.samples.astype("float64")

    def entropy(p: np.ndarray) -> np.ndarray:
        return -(p * np.log(p)).sum(-1)

    np.testing.assert_allclose(y.mean, p.mean(0), rtol=1e-12)
    np.testing.assert_allclose(y.std, p.std(0), rtol=1e-12)
    np.testing.assert_allclose(y.interval(0.9), np.quantile(p, [0.05, 0.95], 0), rtol=1e-12)
    np.testing.assert_array_equal(y.interval(), y.interval(0.95))
    np.testing.assert_allclose(y.predictive_entropy, entropy(p.mean(0)), rtol=1e-12)
    information = entropy(p.mean(0)) - entropy(p).mean(0)
    np.testing.assert_allclose(y.mutual_information, information, atol=1e-12)
    assert (y.mutual_information >= 0).all() and y.mutual_information.max() > 0.001
    classes = p.argmax(-1)
    votes = np.array([np.bincount(row).max() for row in classes.T])
    np.testing.assert_allclose(y.variation_ratio, 1 - votes / 40, atol=1e-12)
    assert repr(y) == "<McPrediction samples=(40, 7, 3)>"


def test_one_unit_of_sigmoid_is_an_event_and_other_numbers_have_no_entropy() -> None:
    keras.utils.set_random_seed(3)
    model = keras.Sequential([layers.Dropout(0.5), layers.Dense(1, "sigmoid")])
    y = model.predict_mc(inputs(), 30)
    p = y.mean[:, 0]
    expected = -p * np.log(p) - (1 - p) * np.log(1 - p)
    np.testing.assert_allclose(y.predictive_entropy, expected, rtol=1e-9)
    regression = keras.Sequential([layers.Dropout(0.5), layers.Dense(2)]).predict_mc(inputs())
    assert regression.mean.shape == regression.std.shape == (7, 2)
    with pytest.raises(ValueError, match="`mutual_information` needs probabilities"):
        _ = regression.mutual_information


@pytest.mark.parametrize("make", [sequential, lambda: Common()])
def test_a_common_mask_does_not_depend_on_batches(make: Any) -> None:
    keras.utils.set_random_seed(4)
    model, x = make(), np.concatenate([inputs(), inputs()])

    def drawn(batch_size: int) -> np.ndarray:
        return model.predict_mc(x, 9, batch_size, seed=1, common_mask=True).samples

    whole = drawn(14)
    np.testing.assert_array_equal(whole[:, :7], whole[:, 7:])
    for batch_size in (1, 3, 100):
        np.testing.assert_array_equal(drawn(batch_size), whole)
    assert (np.ptp(whole, axis=0) > 0).all()
    own = model.predict_mc(x, 9, seed=1).samples
    assert (own[:, :7] != own[:, 7:]).any()


class Common(keras.Model):
    """Drops whatever it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.drop, self.after = AlwaysDropout(0.5), layers.Dense(3)

    def call(self, x: Any) -> Any:
        return self.after(self.drop(x))


def test_several_outputs_have_samples_each_in_the_structure_of_the_outputs() -> None:
    x = keras.Input((5,))
    y = layers.Dropout(0.5)(x)
    ends = {"a": layers.Dense(2, "softmax")(y), "b": layers.Dense(1)(y)}
    y = keras.Model(x, ends).predict_mc(inputs(), 4)
    assert {name: it.samples.shape for name, it in y.items()} == {"a": (4, 7, 2), "b": (4, 7, 1)}
    model = keras.Model(x, list(ends.values()))
    assert [it.mean.shape for it in model.predict_mc(inputs(), 4)] == [(7, 2), (7, 1)]


def test_what_gives_batches_is_sampled_batch_by_batch() -> None:
    model, x = sequential(), inputs(6)
    y = model.predict_mc((x[i : i + 2] for i in range(0, 6, 2)), 3, seed=1)
    np.testing.assert_array_equal(y.samples, model.predict_mc(x, 3, 2, seed=1).samples)


def test_what_cannot_be_sampled_is_refused() -> None:
    plain = keras.Sequential([layers.Dense(2)])
    with pytest.raises(ValueError, match="nothing in the model drops"):
        plain.predict_mc(inputs())
    model = sequential()
    with pytest.raises(ValueError, match="`samples` must be between 1 and 65536, got 0"):
        model.predict_mc(inputs(), 0)
    with pytest.raises(TypeError, match="`samples` must be an integer"):
        model.predict_mc(inputs(), 2.5)
    with pytest.raises(ValueError, match="`seed` must not be negative"):
        model.predict_mc(inputs(), seed=-1)
    with pytest.raises(ValueError, match="`batch_size` must be a positive integer"):
        model.predict_mc(inputs(), batch_size=-1)
    with pytest.raises(ValueError, match="`level` must be between 0 and 1, got 2"):
        model.predict_mc(inputs()).interval(2)
