"""Regularizers that Keras lacks: written down and read, their moments, in models that fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import oxhorn as keras
from oxhorn import layers, losses, metrics
from oxhorn.optimizers import schedules

# Of each layer, how to make one whose every setting has another value than its default, and the
# shape of what it takes.
LAYERS: dict[str, tuple[Callable[[], Any], tuple[int, ...]]] = {
    "DropBlock1D": (
        lambda: layers.DropBlock1D(0.3, 2, data_format="channels_first", seed=7),
        (5, 7),
    ),
    "DropBlock2D": (
        lambda: layers.DropBlock2D(0.3, 2, data_format="channels_first", seed=7),
        (5, 3, 7),
    ),
    "DropConnect": (
        lambda: layers.DropConnect(
            3,
            0.3,
            activation="relu",
            use_bias=False,
            kernel_initializer="he_normal",
            bias_initializer="ones",
            kernel_regularizer="l2",
            bias_regularizer="l1",
            kernel_constraint="non_neg",
            bias_constraint="unit_norm",
            seed=7,
        ),
        (5,),
    ),
    "DropPath": (lambda: layers.DropPath(0.3, per="batch", seed=7), (5, 3)),
    "MultiSampleDropout": (
        lambda: layers.MultiSampleDropout(
            layers.Dense(3, activation="tanh"), rate=0.3, samples=2, seed=7
        ),
        (5,),
    ),
}
NAMES = sorted(LAYERS)
# The same of schedules.
SCHEDULES = {
    "ConstantSchedule": schedules.ConstantSchedule(0.3),
    "CosineSchedule": schedules.CosineSchedule(0.1, 0.5, 8, start=3),
    "CurriculumSchedule": schedules.CurriculumSchedule(0.5, gamma=0.01),
    "EarlySchedule": schedules.EarlySchedule(0.1, 5, fall="constant"),
    "LateSchedule": schedules.LateSchedule(0.1, 5),
    "LinearSchedule": schedules.LinearSchedule(0.1, 0.5, 8, start=3),
}


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).normal(size=shape).astype("float32")


def test_every_class_that_keras_lacks_is_here() -> None:
    def own(module: Any) -> list[str]:
        found = [getattr(module, name) for name in module.__all__]
        is_own = [getattr(it, "_class", "").startswith("oxhorn.") for it in found]
        return sorted(it.__name__ for it, own in zip(found, is_own) if own)

    # What calibrates regularizes nothing: see `test_calibration.py`.
    assert own(layers) == sorted([*NAMES, "Temperature"])
    assert own(schedules) == sorted(SCHEDULES)


@pytest.mark.parametrize("name", NAMES)
def test_the_dictionary_of_a_layer_says_everything(name: str) -> None:
    layer = LAYERS[name][0]()
    written = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
    assert written["module"] == "oxhorn.layers"
    assert written["class_name"] == name
    assert written["registered_name"] is None
    for read in (
        keras.saving.deserialize_keras_object(written),
        layers.deserialize(written),
        type(layer).from_config(layer.get_config()),
    ):
        assert type(read) is type(layer)
        assert read.get_config() == layer.get_config()


@pytest.mark.parametrize("name", sorted(SCHEDULES))
def test_the_dictionary_of_a_schedule_says_everything(name: str) -> None:
    schedule = SCHEDULES[name]
    written = json.loads(json.dumps(schedules.serialize(schedule)))
    assert written["module"] == "oxhorn.optimizers.schedules"
    for read in (
        keras.saving.deserialize_keras_object(written),
        schedules.deserialize(written),
        type(schedule).from_config(schedule.get_config()),
    ):
        assert type(read) is type(schedule)
        assert read.get_config() == schedule.get_config()


@pytest.mark.filterwarnings("ignore:.*it has no bias")
@pytest.mark.parametrize("name", NAMES)
def test_a_model_of_it_fits_and_predicts_without_noise(name: str) -> None:
    make, shape = LAYERS[name]
    layer = make()
    model = keras.Sequential([keras.Input(shape), layer, layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = normal(11, *shape), normal(11, 1)
    model.fit(x, y, epochs=2, batch_size=4, verbose=0)
    first = model.predict(x, verbose=0)
    np.testing.assert_array_equal(first, model.predict(x, verbose=0))
    # Read from its JSON, with its weights, it is the same model.
    copy = keras.models.model_from_json(model.to_json())
    copy.set_weights(model.get_weights())
    np.testing.assert_array_equal(copy.predict(x, verbose=0), first)


@pytest.mark.filterwarnings("ignore:.*it has no bias")
@pytest.mark.parametrize("name", NAMES)
def test_predictions_of_it_can_be_sampled(name: str) -> None:
    make, shape = LAYERS[name]
    model = keras.Sequential([keras.Input(shape), make(), layers.Flatten(), layers.Dense(1)])
    x = normal(11, *shape)
    before = model.get_weights()
    sampled = model.predict_mc(x, samples=41, seed=5)
    assert (np.asarray(sampled.std).max(axis=0) > 0).all()
    for was, now in zip(before, model.get_weights()):
        np.testing.assert_array_equal(was, now)
    # What is drawn for an input does not depend on how many others there are in its batch, where
    # all inputs of a sample have one mask.
    common = model.predict_mc(x, samples=7, seed=5, common_mask=True)
    fewer = model.predict_mc(x[:3], samples=7, seed=5, common_mask=True)
    np.testing.assert_allclose(np.asarray(common.mean)[:3], fewer.mean, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["DropBlock1D", "DropBlock2D", "DropPath"])
def test_inference_is_the_identity(name: str) -> None:
    make, shape = LAYERS[name]
    layer, x = make(), normal(11, *shape)
    np.testing.assert_array_equal(layer(x), x)
    assert not np.array_equal(layer(x, training=True), x)
    layer.rate = 0.0
    np.testing.assert_array_equal(layer(x, training=True), x)


@pytest.mark.parametrize(("per", "draws"), [("sample", 4001), ("batch", 1)])
def test_drop_path_drops_whole_samples_or_batches(per: str, draws: int) -> None:
    y = layers.DropPath(0.2, per=per, seed=1)(np.ones((4001, 3), "float32"), training=True)
    rows = y.min(axis=1)
    np.testing.assert_array_equal(rows, y.max(axis=1))
    kept = (rows > 0).mean()
    if draws == 1:
        assert kept in (0.0, 1.0)
    else:
        assert abs(kept - 0.8) < 4 * np.sqrt(0.2 * 0.8 / draws)
        np.testing.assert_allclose(rows[rows > 0], 1.25, rtol=1e-6)


@pytest.mark.parametrize("block_size", [1, 2, 3, 5])
def test_drop_block_drops_squares_as_often_as_it_should(block_size: int) -> None:
    h, w, rate, channels = 7, 5, 0.2, 4001
    layer = layers.DropBlock2D(rate, block_size, seed=5)
    y = layer(np.ones((1, h, w, channels), "float32"), training=True)
    assert abs(y.mean() - 1) < 1e-4
    corners = (h - block_size + 1) * (w - block_size + 1)
    gamma = rate * h * w / (block_size**2 * corners)

    def covering(extent: int) -> np.ndarray:
        blocks = np.ones(extent - block_size + 1)
        return np.convolve(blocks, np.ones(block_size))

    expected = 1 - (1 - gamma) ** np.outer(covering(h), covering(w))
    share = (y[0] == 0).mean(axis=-1)
    assert (abs(share - expected) < 4.5 * np.sqrt(expected * (1 - expected) / channels)).all()


def test_drop_connect_has_the_moments_of_its_paper() -> None:
    layer = layers.DropConnect(4001, 0.3, kernel_initializer="ones", seed=2)
    x = np.array([[1.0, -2.0, 3.0], [1.0, -2.0, 3.0]], "float32")
    np.testing.assert_allclose(layer(x), 2.0)
    y = layer(x, training=True)
    np.testing.assert_array_equal(y[0], y[1])
    variance = 0.3 / 0.7 * 14
    assert abs(y[0].mean() - 2) < 4 * np.sqrt(variance / 4001)
    assert abs(y[0].var() / variance - 1) < 0.1


@pytest.mark.parametrize("head", ["layer", "sequential"])
def test_the_loss_of_several_masks_is_the_mean_of_their_losses(head: str) -> None:
    x, y = normal(11, 13), normal(11, 1)

    def trained(wrap: Callable[[Any], list[Any]]) -> keras.Sequential:
        within = layers.Dense(1, kernel_initializer="ones")
        if head == "sequential":
            within = keras.Sequential([layers.Dense(3, kernel_initializer="ones"), within])
        model = keras.Sequential([keras.Input((13,)), *wrap(within)])
        model.compile(keras.optimizers.SGD(0.0), "mse", metrics=["mae"])
        return model

    # A layer of one mask draws, step by step, what one of several draws at once.
    single = trained(lambda within: [layers.Dropout(0.5, seed=9), within])
    each = [single.train_on_batch(x, y)[0] for _ in range(4)]
    several = trained(
        lambda within: [layers.MultiSampleDropout(within, rate=0.5, samples=4, seed=9)]
    )
    loss, mae = several.train_on_batch(x, y)
    assert loss == pytest.approx(np.mean(each), rel=1e-5)
    # Metrics are of the mean: its mean absolute error is less than theirs.
    several = trained(
        lambda within: [layers.MultiSampleDropout(within, rate=0.5, samples=4, seed=9)]
    )
    mean = several(x, training=True)
    assert mae == pytest.approx(abs(mean - y).mean(), rel=1e-5)
    assert loss > ((mean - y) ** 2).mean()


def test_functional_models_end_in_an_ensemble_too() -> None:
    x, y = normal(11, 13), normal(11, 1)
    inputs = keras.Input((13,))
    head = layers.Dense(1, kernel_initializer="ones")
    wrapped = layers.MultiSampleDropout(head, rate=0.5, samples=3, seed=9)
    model = keras.Model(inputs, wrapped(inputs))
    model.compile(keras.optimizers.SGD(0.0), "mse")
    dropout = layers.Dropout(0.5, seed=9)
    each = [((head(dropout(x, training=True)) - y) ** 2).mean() for _ in range(3)]
    assert model.train_on_batch(x, y) == pytest.approx(np.mean(each), rel=1e-5)


def test_the_rate_of_several_masks_can_be_turned() -> None:
    x = normal(11, 13)
    layer = layers.MultiSampleDropout(layers.Dense(1, bias_initializer="ones"), samples=3)
    noisy = layer(x, training=True)
    assert not np.allclose(noisy, layer(x))
    layer.rate = 1.0
    np.testing.assert_array_equal(layer(x, training=True), 1.0)
    layer.rate = 0.0
    np.testing.assert_allclose(layer(x, training=True), layer(x), rtol=1e-6)


@pytest.mark.parametrize("by", ["layer", "path"])
def test_the_rate_of_several_masks_follows_a_schedule(by: str) -> None:
    inputs = keras.Input((13,))
    head = layers.MultiSampleDropout(layers.Dense(1), rate=0.0, samples=3, seed=4, name="head")
    model = keras.Model(inputs, head(layers.Dropout(0.5, name="dropout")(inputs)))
    model.compile("sgd", "mse")
    number = head if by == "layer" else "head/rate"
    follow = keras.callbacks.RateScheduler(number, schedules.LinearSchedule(0.0, 0.5, 4))
    history = model.fit(
        normal(8, 13), normal(8, 1), batch_size=2, epochs=2, verbose=0, callbacks=[follow]
    )
    # The last steps of the epochs are the fourth and the eighth.
    np.testing.assert_allclose(history.history["head_rate"], [0.375, 0.5])
    assert head.rate == 0.5
    assert model.layers[1].rate == 0.5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.DropPath(1.5), "between 0 and 1. Received: rate=1.5"),
        (lambda: layers.DropPath(0.5, per="row"), 'expected one of "sample", "batch", got "row"'),
        (lambda: layers.DropBlock2D(0.5, 0), "`block_size` must be from 1 to the extent"),
        (lambda: layers.DropConnect(3, -0.5), "between 0 and 1. Received: rate=-0.5"),
        (lambda: layers.MultiSampleDropout(layers.Dense(3), samples=0), "`samples` must be 1 or"),
        (lambda: layers.MultiSampleDropout(layers.Dense(3), rate=2.0), "Received: rate=2"),
        (lambda: layers.MultiSampleDropout(0.5), "isn't a supported layer type"),
        (lambda: schedules.LinearSchedule(0.0, 1.0, 0), "Argument `steps` must be > 0"),
        (lambda: schedules.EarlySchedule(-0.1, 5), "`rate` must be 0 or more, got -0.1"),
        (
            lambda: losses.SparseCategoricalCrossentropy(label_smoothing=1.5),
            "`label_smoothing` must be from 0 to 1, got 1.5",
        ),
    ],
)
def test_what_is_out_of_range_is_refused_with_the_range(make: Callable, message: str) -> None:
    with pytest.raises(ValueError) as error:
        make()
    assert message in str(error.value)


def test_what_keras_refuses_without_need_is_taken() -> None:
    # Keras: `TypeError`, for a layer without weights.
    layer = layers.SpatialDropout1D(0.5, seed=3, trainable=False, name="s")
    assert not layer.trainable
    assert layer.get_config() == {"rate": 0.5, "seed": 3, "name": "s", "dtype": "float32"}
    # As Keras 2 wrote it.
    older = {"name": "s", "trainable": True, "dtype": "float32", "rate": 0.5, "noise_shape": None}
    for cls in (layers.SpatialDropout1D, layers.SpatialDropout2D, layers.SpatialDropout3D):
        assert cls.from_config({**older, "seed": None}).rate == 0.5
        with pytest.raises(ValueError, match="Unrecognized keyword arguments"):
            cls(0.5, colour="red")
    # Documented in Keras, and unknown there.
    assert isinstance(keras.regularizers.get("l1_l2"), keras.regularizers.L1L2)
    # Refused in Keras above 1.
    x = layers.GaussianNoise(3.0, seed=1)(np.zeros((101, 101), "float32"), training=True)
    assert abs(x.std() - 3.0) < 4 * 3.0 / np.sqrt(2 * 101**2)


def test_what_divides_by_zero_in_keras_does_not() -> None:
    x = np.ones((5, 3), "float32")
    with pytest.raises(ValueError, match="less than 1, where the noise would be infinite"):
        layers.GaussianDropout(1.0)
    np.testing.assert_array_equal(layers.AlphaDropout(1.0)(x, training=True), 0.0)
    np.testing.assert_array_equal(layers.Dropout(1.0)(x, training=True), 0.0)


def test_blocks_larger_than_the_image_are_refused_with_the_range() -> None:
    with pytest.raises(ValueError, match="`block_size` must be from 1 to 5, the least extent"):
        layers.DropBlock2D(0.1, 6)(np.ones((2, 7, 5, 3), "float32"))


def test_schedules_are_their_closed_forms() -> None:
    steps = np.arange(12)

    def numbers(schedule: Any) -> list[float]:
        return [float(schedule(step)) for step in steps]

    line = np.interp(steps, [3, 11], [0.1, 0.5])
    np.testing.assert_allclose(numbers(SCHEDULES["LinearSchedule"]), line, rtol=1e-6)
    wave = 0.3 - 0.2 * np.cos(np.pi * np.clip((steps - 3) / 8, 0, 1))
    np.testing.assert_allclose(numbers(SCHEDULES["CosineSchedule"]), wave, rtol=1e-6)
    early = np.concatenate([np.linspace(0.1, 0, 5), np.zeros(7)])
    np.testing.assert_allclose(numbers(schedules.EarlySchedule(0.1, 5)), early, atol=1e-8)
    at_once = np.concatenate([np.full(5, 0.1), np.zeros(7)])
    np.testing.assert_allclose(numbers(SCHEDULES["EarlySchedule"]), at_once, rtol=1e-6)
    late = np.concatenate([np.zeros(5), np.full(7, 0.1)])
    np.testing.assert_allclose(numbers(SCHEDULES["LateSchedule"]), late, rtol=1e-6)
    curriculum = 1 - ((1 - 0.5) * np.exp(-0.01 * steps) + 0.5)
    np.testing.assert_allclose(numbers(SCHEDULES["CurriculumSchedule"]), curriculum, atol=1e-7)
    np.testing.assert_allclose(numbers(SCHEDULES["ConstantSchedule"]), 0.3, rtol=1e-6)


@pytest.mark.parametrize("name", sorted(SCHEDULES))
def test_a_schedule_is_a_learning_rate(name: str) -> None:
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1, use_bias=False)])
    model.compile(keras.optimizers.SGD(SCHEDULES[name]), lambda y_true, y_pred: y_pred)
    x, start = np.ones((1, 1), "float32"), model.get_weights()[0][0, 0]
    taken = []
    for _ in range(7):
        model.train_on_batch(x, x)
        taken.append(model.get_weights()[0][0, 0])
    # The gradient is 1: each step is the learning rate.
    expected = start - np.cumsum([float(SCHEDULES[name](step)) for step in range(7)])
    np.testing.assert_allclose(taken, expected, atol=1e-5)


@pytest.mark.parametrize("from_logits", [False, True])
def test_sparse_labels_are_smoothed_like_one_hot_ones(from_logits: bool) -> None:
    logits = normal(11, 5)
    y_pred = logits if from_logits else keras.activations.softmax(logits)
    labels = np.arange(11) % 5
    hot = np.eye(5, dtype="float32")[labels]
    settings: dict[str, Any] = {"from_logits": from_logits, "label_smoothing": 0.2}
    expected = losses.CategoricalCrossentropy(**settings)(hot, y_pred)
    found = losses.SparseCategoricalCrossentropy(**settings)(labels, y_pred)
    assert float(found) == pytest.approx(float(expected), rel=1e-5)
    each = losses.sparse_categorical_crossentropy(labels, y_pred, **settings)
    assert np.mean(each) == pytest.approx(float(expected), rel=1e-5)
    metric = metrics.SparseCategoricalCrossentropy(**settings)
    metric.update_state(labels, y_pred)
    assert float(metric.result()) == pytest.approx(float(expected), rel=1e-5)
    loss = losses.SparseCategoricalCrossentropy(**settings)
    read = losses.deserialize(losses.serialize(loss))
    assert read.get_config() == loss.get_config()
    assert read.label_smoothing == 0.2


def test_what_is_not_used_is_not_written_down() -> None:
    for obj in (losses.SparseCategoricalCrossentropy(), metrics.SparseCategoricalCrossentropy()):
        assert "label_smoothing" not in obj.get_config()
