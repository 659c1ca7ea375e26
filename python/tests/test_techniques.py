"""Techniques, which regularize training from outside of the network, and scheduled rates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import oxhorn as keras
from oxhorn import callbacks, layers, techniques
from oxhorn.optimizers import schedules

ROWS, WIDTH, CLASSES = 17, 9, 5


def data() -> tuple[np.ndarray, np.ndarray]:
    stream = np.random.default_rng(812)
    x = stream.random((ROWS, WIDTH), "float32")
    return x, np.eye(CLASSES, dtype="float32")[stream.integers(0, CLASSES, ROWS)]


def classifier(rate: float = 0.3) -> Any:
    """A small classifier; what it draws is always the same."""
    keras.utils.set_random_seed(812)
    return keras.Sequential(
        [
            keras.Input((WIDTH,)),
            layers.Dense(7, activation="relu"),
            layers.Dropout(rate, name="dropout"),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )


def trained(given: list[Any], epochs: int = 2, rate: float = 0.3, **fit: Any) -> tuple[Any, Any]:
    """The weights and the history of the classifier after training with these techniques."""
    model = classifier(rate)
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"], techniques=given)
    x, y = data()
    history = model.fit(x, y, batch_size=8, epochs=epochs, verbose=0, shuffle=False, **fit)
    return model, history.history


def same(one: Any, other: Any) -> bool:
    pairs = zip(one.get_weights(), other.get_weights())
    return all(np.array_equal(a, b) for a, b in pairs)


ALL = [
    techniques.Mixup(0.4, seed=1),
    techniques.CutMix(image_shape=(3, 3), seed=1),
    techniques.Cutout(2, image_shape=(3, 3, 1), seed=1),
    techniques.RDrop(),
    techniques.SAM(),
    techniques.SWA(),
    techniques.GradientNoise(seed=1),
    techniques.JacobianPenalty(seed=1),
]


@pytest.mark.parametrize("technique", ALL, ids=lambda it: type(it).__name__)
def test_every_technique_changes_what_is_learnt_and_nothing_else(technique: Any) -> None:
    model, history = trained([technique])
    plain, known = trained([])
    assert not same(model, plain)
    assert history.keys() == known.keys()
    assert np.isfinite(history["loss"]).all()
    x, y = data()
    weights = model.get_weights()
    plain.set_weights(weights)
    assert model.evaluate(x, y, verbose=0) == plain.evaluate(x, y, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(weights, model.get_weights()))


@pytest.mark.parametrize("technique", ALL, ids=lambda it: type(it).__name__)
def test_a_technique_comes_back_from_its_dictionary(technique: Any) -> None:
    config = techniques.serialize(technique)
    assert config["module"] == "oxhorn.techniques"
    again = techniques.deserialize(config)
    assert again.get_config() == technique.get_config()


def test_strengths_of_0_change_no_bit() -> None:
    none = [
        techniques.Mixup(0.0),
        techniques.Cutout(0, image_shape=(3, 3)),
        techniques.SAM(rho=0.0),
        techniques.GradientNoise(eta=0.0),
        techniques.JacobianPenalty(strength=0.0),
    ]
    assert same(trained(none)[0], trained([])[0])


def test_mixed_losses_are_those_of_both_targets() -> None:
    # Without noise, a step of size 0 shows the loss of the mixed samples alone.
    x, y = data()
    model = classifier(0.0)
    sgd = keras.optimizers.SGD(0.0)
    model.compile(sgd, "categorical_crossentropy", techniques=[techniques.Mixup(1.0, seed=5)])
    mixed = [model.train_on_batch(x, y) for _ in range(3)]
    model.compile(
        sgd, "sparse_categorical_crossentropy", techniques=[techniques.Mixup(1.0, seed=5)]
    )
    labels = y.argmax(1)
    assert np.allclose(mixed, [model.train_on_batch(x, labels) for _ in range(3)], rtol=1e-5)
    assert len(set(mixed)) == 3


def test_sam_is_the_algorithm_of_its_paper() -> None:
    stream = np.random.default_rng(5)
    x, y = stream.normal(size=(6, 3)), stream.normal(size=(6, 1))
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1, use_bias=False)])
    model.compile(keras.optimizers.SGD(0.1), "mse", techniques=[techniques.SAM(rho=0.5)])
    w = model.get_weights()[0].astype("float64")

    def slope(w: np.ndarray) -> np.ndarray:
        return 2.0 * x.T @ (x @ w - y) / len(x)

    g = slope(w)
    expected = w - 0.1 * slope(w + 0.5 * g / np.linalg.norm(g))
    model.train_on_batch(x, y)
    assert np.allclose(model.get_weights()[0], expected, atol=1e-6)


def test_swa_ends_with_the_mean_of_epochs() -> None:
    seen: list[list[np.ndarray]] = []

    class Watch(callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            seen.append(self.model.get_weights())

    model, _ = trained([techniques.SWA(start_epoch=1)], epochs=4, callbacks=[Watch()])
    for number, weight in enumerate(model.get_weights()):
        mean = np.mean([weights[number] for weights in seen[1:]], axis=0)
        assert np.allclose(weight, mean, atol=1e-7)


def test_swa_measures_batch_normalization_anew() -> None:
    keras.utils.set_random_seed(812)
    model = keras.Sequential([keras.Input((WIDTH,)), layers.BatchNormalization(), layers.Dense(1)])
    model.compile("sgd", "mse", techniques=[techniques.SWA()])
    x, _ = data()
    model.fit(x, x[:, :1], batch_size=8, epochs=1, verbose=0)
    normalization = model.layers[0]
    batches = [x[:8], x[8:16], x[16:]]
    mean = np.mean([batch.mean(0) for batch in batches], axis=0)
    variance = np.mean([batch.var(0) for batch in batches], axis=0)
    assert np.allclose(normalization.moving_mean.numpy(), mean, atol=1e-6)
    assert np.allclose(normalization.moving_variance.numpy(), variance, atol=1e-6)
    assert normalization.momentum == 0.99


def test_a_strength_is_turned_where_it_stands() -> None:
    technique = techniques.Mixup(0.4, seed=1)

    class Silence(callbacks.Callback):
        def on_train_begin(self, logs: Any = None) -> None:
            technique.alpha = 0.0

    model, _ = trained([technique], callbacks=[Silence()])
    assert same(model, trained([])[0])
    technique.alpha = -1.0
    x, y = data()
    with pytest.raises(ValueError, match="`alpha` of `Mixup` must be a number of 0 or more"):
        model.fit(x, y, verbose=0)


def test_what_makes_no_sense_is_refused() -> None:
    model = classifier()
    mixes = [techniques.Mixup(0.2), techniques.CutMix(image_shape=(3, 3))]
    with pytest.raises(ValueError, match="`Mixup` and `CutMix` both mix the samples of a batch"):
        model.compile("sgd", "mse", techniques=mixes)
    with pytest.raises(ValueError, match="Expected `techniques` argument to be a list or tuple"):
        model.compile("sgd", "mse", techniques=techniques.SAM())
    with pytest.raises(ValueError, match="Could not interpret technique identifier: mixdown"):
        model.compile("sgd", "mse", techniques=["mixdown"])
    with pytest.raises(ValueError, match="`rho` of `SAM` must be a number of 0 or more, got -1"):
        techniques.SAM(rho=-1.0)
    with pytest.raises(ValueError, match="`image_shape` must be"):
        techniques.Cutout(3, image_shape=(3,))
    x, y = data()
    model.compile("sgd", "mse", techniques=[techniques.RDrop()])
    with pytest.raises(ValueError, match="`RDrop` needs probabilities of classes"):
        model.fit(x, y, verbose=0)
    embedding = keras.Sequential([keras.Input((3,), dtype="int32"), layers.Embedding(5, 2)])
    embedding.compile("sgd", "mse", techniques=[techniques.Mixup(0.2)])
    with pytest.raises(ValueError, match="`Mixup` needs inputs of real numbers, got i32"):
        embedding.fit(np.ones((2, 3), "int32"), np.ones((2, 3, 2)), verbose=0)


def test_a_model_is_compiled_as_another_was() -> None:
    model, _ = trained([techniques.Mixup(0.4, seed=1), techniques.SAM()])
    config = model.get_compile_config()
    assert [it["class_name"] for it in config["techniques"]] == ["Mixup", "SAM"]
    other = classifier()
    other.compile_from_config(config)
    assert other.get_compile_config() == config
    assert "techniques" not in trained([])[0].get_compile_config()
    again = classifier()
    again.compile("sgd", "mse", techniques=["sam", config["techniques"][0]])
    assert len(again.get_compile_config()["techniques"]) == 2


def test_functional_models_with_several_outputs_have_techniques() -> None:
    keras.utils.set_random_seed(812)
    x, y = data()
    entry = keras.Input((WIDTH,))
    hidden = layers.Dropout(0.4)(layers.Dense(6, activation="relu")(entry))
    outputs = [layers.Dense(CLASSES, activation="softmax")(hidden), layers.Dense(1)(hidden)]
    model = keras.Model(entry, outputs)
    given = [techniques.Mixup(0.4), techniques.SAM(), techniques.JacobianPenalty()]
    model.compile("adam", ["categorical_crossentropy", "mse"], techniques=given)
    history = model.fit(x, [y, x[:, :1]], epochs=2, batch_size=8, verbose=0).history
    assert np.isfinite(history["loss"]).all()


def test_training_that_was_interrupted_goes_on_with_the_same_random_numbers(tmp_path: Path) -> None:
    given = [techniques.Mixup(0.4, seed=1), techniques.GradientNoise(seed=2)]

    class Interrupted(Exception):
        pass

    class Interrupt(callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 2:
                raise Interrupted

    whole, _ = trained(given, epochs=4)
    backup = callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)
    with pytest.raises(Interrupted):
        trained(given, epochs=4, callbacks=[backup, Interrupt()])
    resumed, _ = trained(given, epochs=4, callbacks=[callbacks.BackupAndRestore(tmp_path)])
    assert same(whole, resumed)


# Rates -------------------------------------------------------------------------------------------


def test_a_rate_follows_a_schedule_without_python() -> None:
    fading = schedules.PolynomialDecay(0.6, 5, end_learning_rate=0.0)
    model, history = trained([], callbacks=[callbacks.RateScheduler("dropout/rate", fading)])
    assert np.allclose(history["dropout_rate"], [0.6 * 3 / 5, 0.0])
    assert model.get_layer("dropout").rate == 0.0
    by_function = callbacks.RateScheduler("dropout/rate", lambda step: 0.6 * max(0, 5 - step) / 5)
    assert same(model, trained([], callbacks=[by_function])[0])


def test_a_constant_rate_is_the_rate_to_the_bit() -> None:
    constant = schedules.PolynomialDecay(0.1, 1, end_learning_rate=0.1)
    scheduled, _ = trained([], callbacks=[callbacks.RateScheduler("dropout/rate", constant)])
    assert same(scheduled, trained([], rate=0.1)[0])
    assert not same(scheduled, trained([])[0])


def test_a_function_is_asked_for_every_step_and_steps_go_on() -> None:
    asked = []

    def rate(step: int) -> np.float32:
        asked.append(step)
        return np.float32(step / 100)

    model = classifier()
    dropout = model.get_layer("dropout")
    model.compile("adam", "categorical_crossentropy", steps_per_execution=2)
    x, y = data()
    scheduler = callbacks.RateScheduler(dropout, rate)
    for _ in range(2):
        model.fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=[scheduler])
    assert asked == list(range(12))
    assert np.isclose(dropout.rate, 0.11)
    assert np.allclose(model.history.history["dropout_rate"], [0.08, 0.11])


def test_several_layers_and_techniques_follow_schedules() -> None:
    keras.utils.set_random_seed(812)
    drops = [layers.Dropout(0.5), layers.SpatialDropout1D(0.0), layers.GaussianNoise(0.5)]
    model = keras.Sequential([keras.Input((3, 3)), *drops, layers.Flatten(), layers.Dense(1)])
    mixup = techniques.Mixup(0.2)
    model.compile("sgd", "mse", techniques=[mixup])
    x = np.ones((4, 3, 3), "float32")
    listen = [
        callbacks.RateScheduler(drops, lambda step: 0.25),
        callbacks.RateScheduler(mixup, lambda step: 0.75),
        callbacks.RateScheduler("optimizer/learning_rate", lambda step: 0.125),
    ]
    history = model.fit(x, x[:, 0, :1], verbose=0, callbacks=listen).history
    assert [drops[0].rate, drops[1].rate, drops[2].stddev, mixup.alpha] == [0.25] * 3 + [0.75]
    names = [f"{drops[0].name}_rate", f"{drops[2].name}_stddev", "techniques_mixup_alpha"]
    assert [history[name] for name in names] == [[0.25], [0.25], [0.75]]
    assert history["optimizer_learning_rate"] == [0.125]


def test_numbers_without_a_rate_of_their_own_follow_schedules_by_their_paths() -> None:
    keras.utils.set_random_seed(812)
    hidden = layers.Dense(3, kernel_regularizer="l2", name="hidden")
    model = keras.Sequential([keras.Input((3,)), hidden, layers.BatchNormalization(name="norm")])
    model.compile("sgd", "mse")
    x = np.random.default_rng(5).random((5, 3), "float32")
    momentum = callbacks.RateScheduler("norm/momentum", lambda step: 0.0)
    strength = callbacks.RateScheduler("hidden/kernel_regularizer/l2", lambda step: 1.0)
    kernel = hidden.get_weights()[0]
    history = model.fit(x, x, verbose=0, callbacks=[momentum, strength]).history
    assert history["hidden_kernel_regularizer_l2"] == [1.0]
    assert history["loss"][0] > (kernel**2).sum()
    norm = model.get_layer("norm")
    assert np.allclose(norm.moving_mean.numpy(), (x @ kernel).mean(0), atol=1e-6)
    assert norm.momentum == 0.0


def test_schedules_of_ones_own_are_called() -> None:
    class Halves(schedules.LearningRateSchedule):
        def __call__(self, step: Any) -> Any:
            return 0.5 / (1.0 + step)

    _, history = trained([], callbacks=[callbacks.RateScheduler("dropout/rate", Halves())])
    assert np.allclose(history["dropout_rate"], [0.5 / 3, 0.5 / 6])


def test_rates_that_cannot_be_are_refused() -> None:
    def fits(numbers: Any, schedule: Any) -> None:
        trained([], callbacks=[callbacks.RateScheduler(numbers, schedule)])

    with pytest.raises(ValueError, match="at step 2 of a schedule: Invalid value received for"):
        fits("dropout/rate", lambda step: float(step) * 0.6)
    with pytest.raises(
        ValueError, match="There is no number 'dropout/date' to schedule. There are: "
    ):
        fits("dropout/date", lambda step: 0.5)
    with pytest.raises(ValueError, match="The output of the `schedule` function should be a float"):
        fits("dropout/rate", lambda step: "much")
    with pytest.raises(ZeroDivisionError):
        fits("dropout/rate", lambda step: 0.5 / (1 - step))
    with pytest.raises(TypeError, match="`schedule` must be a schedule or a function"):
        callbacks.RateScheduler("dropout/rate", 0.5)
    with pytest.raises(TypeError, match="must be layers, techniques or paths of numbers"):
        fits(3, lambda step: 0.5)
    with pytest.raises(ValueError, match="has not one number to schedule"):
        fits(layers.Dense(1), lambda step: 0.5)
