"""Calibration: numbers of torchmetrics and scikit-learn, and models that are calibrated."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import oxhorn as keras
from oxhorn import calibration, layers

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "calibration"


def cases(name: str) -> list:
    recorded = json.loads((GOLDEN / f"{name}.json").read_text())["cases"]
    return [pytest.param(case, id=case["name"]) for case in recorded]


def probabilities(case: dict) -> np.ndarray:
    tensor = case["probabilities"]
    return np.array(tensor["data"], tensor["dtype"]).reshape(tensor["shape"])


@pytest.mark.parametrize("case", cases("multiclass") + cases("binary"))
def test_numbers_are_those_of_torchmetrics_and_scikit_learn(case: dict) -> None:
    p, y, bins = probabilities(case), case["labels"], case["bins"]
    curve = calibration.reliability_curve(y, p, bins=bins)
    near = {"abs": 3e-7}
    assert curve.expected_error == pytest.approx(case["l1"], **near)
    assert curve.maximum_error == pytest.approx(case["max"], **near)
    assert curve.root_mean_square_error == pytest.approx(case["l2"], **near)
    assert calibration.expected_calibration_error(y, p, bins=bins) == curve.expected_error
    assert calibration.maximum_calibration_error(y, p, bins=bins) == curve.maximum_error
    assert calibration.brier_score(y, p) == pytest.approx(case["brier_auto"], **near)
    summed = calibration.brier_score(y, p, scale_by_half=False)
    assert summed == pytest.approx(case["brier_sum"], **near)
    assert 2 * calibration.brier_score(y, p, scale_by_half=True) == summed
    nll = calibration.negative_log_likelihood(y, p)
    assert nll == pytest.approx(case["log_loss"], abs=1e-6)
    metric = keras.metrics.ExpectedCalibrationError(bins=bins)
    metric.update_state(np.array(y), p)
    assert float(metric.result()) == pytest.approx(case["l1"], abs=1e-6)


@pytest.mark.parametrize("case", cases("multiclass") + cases("binary"))
def test_bins_of_equal_mass_are_those_of_scikit_learn(case: dict) -> None:
    p, y, known = probabilities(case), case["labels"], case["quantile"]
    curve = calibration.reliability_curve(y, p, bins=case["bins"], strategy="quantile")
    some = curve.count > 0
    np.testing.assert_allclose(curve.accuracy[some], known["frequency"], rtol=1e-12)
    np.testing.assert_allclose(curve.confidence[some], known["mean"], rtol=1e-12)
    assert np.isnan(curve.accuracy[~some]).all() and curve.count.sum() == len(y)


def test_labels_may_be_one_hot_and_probabilities_of_one_axis() -> None:
    p = np.array([[0.7, 0.3], [0.4, 0.6], [0.2, 0.8]])
    one_hot = np.eye(2)[[0, 1, 0]]
    for score in (calibration.negative_log_likelihood, calibration.brier_score):
        assert score(one_hot, p) == score([0, 1, 0], p)
        assert score([0, 1, 0], p[:, 1]) == pytest.approx(score([0, 1, 0], p), rel=1e-12)
        assert score([0, 1, 0], p[:, 1:]) == score([0, 1, 0], p[:, 1])


def test_what_is_no_probability_is_refused_with_what_was_received() -> None:
    for y, p, message in [
        ([0], [[2.0, -1.0]], "the probability 2 of sample 0 is not from 0 to 1"),
        ([0], [[0.5, 0.25]], "the probabilities of sample 0 sum to 0.75, not to 1"),
        ([0], [[np.nan, 0.5]], "the probability NaN of sample 0"),
        ([2], [[0.5, 0.5]], "the label 2 of sample 0 is out of range"),
        ([0, 1], [[0.5, 0.5]], "there are 1 rows of probabilities and 2 labels"),
        ([], np.zeros((0, 2)), r"nothing can be said of probabilities of shape \[0, 2\]"),
        ([0], np.zeros((1, 2, 2)), r"Received: an array of shape \(1, 2, 2\)"),
        ([0], [["a", "b"]], "dtype <U1"),
    ]:
        with pytest.raises(ValueError, match=message):
            calibration.expected_calibration_error(y, p)
    with pytest.raises(ValueError, match="Received: strategy='equal'"):
        calibration.reliability_curve([0], [[1.0, 0.0]], strategy="equal")
    for bins in (0, 1.5, True, None):
        with pytest.raises(ValueError, match=f"Received: bins={bins}"):
            calibration.reliability_curve([0], [[1.0, 0.0]], bins=bins)
    with pytest.raises(ValueError, match="Received: scale_by_half='half'"):
        calibration.brier_score([0], [[1.0, 0.0]], scale_by_half="half")


def drawn(samples: int = 5003, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and labels drawn by their softmax."""
    random = np.random.default_rng(812)
    z = 2 * random.standard_normal((samples, classes))
    return z, (z + random.gumbel(size=z.shape)).argmax(axis=1)


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_a_planted_temperature_is_found(factor: float) -> None:
    z, y = drawn()
    t = calibration.fit_temperature(y, factor * z, from_logits=True)
    assert t == pytest.approx(factor, rel=0.05)
    scaled = factor * z - (factor * z).max(axis=1, keepdims=True)
    p = np.exp(scaled) / np.exp(scaled).sum(axis=1, keepdims=True)
    assert calibration.fit_temperature(y, p) == pytest.approx(t, rel=1e-6)


def test_no_temperature_is_better_than_a_bound_where_all_are_right() -> None:
    p = np.array([[0.9, 0.1], [0.2, 0.8]])
    assert calibration.fit_temperature([0, 1], p) == 0.01
    assert calibration.fit_temperature([1, 0], p) == 100.0


def overconfident(build) -> tuple[keras.Model, np.ndarray, np.ndarray]:
    """A network that has been trained on few samples for too long, and many others."""
    keras.utils.set_random_seed(812)
    random = np.random.default_rng(812)
    x = random.standard_normal((600, 4)).astype("float32")
    y = (x[:, :3] + 1.5 * random.standard_normal((600, 3))).argmax(axis=1)
    model = build()
    loss = keras.losses.SparseCategoricalCrossentropy()
    model.compile(keras.optimizers.Adam(0.02), loss, metrics=["accuracy", "ece", "brier"])
    model.fit(x[:60], y[:60], epochs=60, verbose=0)
    return model, x[60:], y[60:]


def sequential() -> keras.Model:
    dense = layers.Dense(32, activation="relu"), layers.Dense(3, activation="softmax")
    return keras.Sequential([layers.Input((4,)), *dense])


def unsized() -> keras.Model:
    dense = layers.Dense(32, activation="relu"), layers.Dense(3, activation="softmax")
    return keras.Sequential(list(dense))


def functional() -> keras.Model:
    x = layers.Input((4,))
    hidden = layers.Dense(32, activation="relu")(x)
    return keras.Model(x, layers.Dense(3, activation="softmax")(hidden), name="net")


@pytest.mark.parametrize("build", [sequential, unsized, functional])
def test_a_temperature_mends_a_model_that_is_too_sure(build) -> None:
    model, x, y = overconfident(build)
    fit, test = (x[:270], y[:270]), (x[270:], y[270:])
    before = model.evaluate(*test, verbose=0, return_dict=True)
    weights = model.get_weights()
    calibrated = keras.calibration.calibrate(model, *fit)
    assert (calibrated is model) == isinstance(model, keras.Sequential)
    after = calibrated.evaluate(*test, verbose=0, return_dict=True)
    assert after["accuracy"] == before["accuracy"]
    assert after["ece"] < before["ece"] / 2
    assert after["loss"] < before["loss"] and after["brier"] < before["brier"]
    for a, b in zip(weights, calibrated.get_weights()):
        np.testing.assert_array_equal(a, b)
    layer = calibrated.layers[-1]
    assert isinstance(layer, layers.Temperature) and layer.temperature > 1.5
    again = keras.calibration.calibrate(calibrated, *fit)
    assert [type(it) for it in again.layers] == [type(it) for it in calibrated.layers]
    assert again.layers[-1].temperature == layer.temperature
    p = calibrated.predict(test[0], verbose=0)
    assert after["ece"] == pytest.approx(
        calibration.expected_calibration_error(test[1], p), abs=1e-6
    )
    assert after["loss"] == pytest.approx(calibration.negative_log_likelihood(test[1], p), rel=1e-5)


@pytest.mark.parametrize("build", [sequential, functional])
def test_the_temperature_is_kept_in_the_model(build) -> None:
    model, x, y = overconfident(build)
    calibrated = calibration.calibrate(model, x, y)
    again = keras.models.model_from_json(calibrated.to_json())
    again.set_weights(calibrated.get_weights())
    np.testing.assert_array_equal(again.predict(x, verbose=0), calibrated.predict(x, verbose=0))
    assert again.layers[-1].get_config() == calibrated.layers[-1].get_config()


def test_a_refused_calibration_leaves_the_model_as_it_was() -> None:
    model, x, y = overconfident(sequential)
    with pytest.raises(ValueError, match="there are 540 rows of probabilities and 539 labels"):
        calibration.calibrate(model, x, y[1:])
    assert len(model.layers) == 2
    calibration.calibrate(model, x, y)
    before = model.to_json(), model.predict(x, verbose=0)
    with pytest.raises(ValueError, match="the label 3 of sample 0 is out of range"):
        calibration.calibrate(model, x, np.full(540, 3))
    assert model.to_json() == before[0]
    np.testing.assert_array_equal(model.predict(x, verbose=0), before[1])
    with pytest.raises(ValueError, match="as arrays"):
        calibration.calibrate(model, iter([(x, y)]), None)


def test_models_without_a_single_known_output_are_refused() -> None:
    class Own(keras.Model):
        def call(self, x):
            return x

    x = layers.Input((4,))
    for model in (Own(), keras.Model(x, [x, layers.Dense(2)(x)])):
        with pytest.raises(ValueError, match="with one output can be calibrated"):
            calibration.calibrate(model, np.zeros((3, 4)), [0, 1, 0])


def test_logits_and_single_probabilities_are_calibrated_too() -> None:
    random = np.random.default_rng(812)
    x = random.standard_normal((400, 1)).astype("float32")
    y = (x[:, 0] + random.logistic(size=400) > 0).astype("int64")
    for activation, from_logits in (("sigmoid", False), (None, True)):
        output = layers.Dense(1, activation=activation, use_bias=False)
        model = keras.Sequential([layers.Input((1,)), output])
        model.set_weights([np.array([[4.0]])])
        calibration.calibrate(model, x, y, from_logits=from_logits)
        # The logit of yes is x, and not four times that.
        assert model.layers[-1].temperature == pytest.approx(4.0, rel=0.25)
        z = 4 * x / model.layers[-1].temperature
        p = model.predict(x, verbose=0)
        np.testing.assert_allclose(p, 1 / (1 + np.exp(-z)), atol=1e-4)
    with pytest.raises(ValueError, match="say that these are logits"):
        model = keras.Sequential([layers.Input((1,)), layers.Dense(3)])
        model.set_weights([np.array([[4.0, 3.0, 2.0]]), np.zeros(3)])
        calibration.calibrate(model, x, y)


@pytest.mark.parametrize("monitor", ["val_ece", "val_sparse_categorical_crossentropy"])
def test_training_stops_early_by_calibration(monitor: str) -> None:
    model, x, y = overconfident(sequential)
    metrics = ["ece", "sparse_categorical_crossentropy"]
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=metrics)
    stop = keras.callbacks.EarlyStopping(monitor, patience=4, restore_best_weights=True)
    keras.utils.set_random_seed(5)
    history = model.fit(
        *(x[:60], y[:60]), epochs=200, validation_data=(x[60:], y[60:]), callbacks=[stop], verbose=0
    ).history
    watched = history[monitor]
    best = int(np.argmin(watched))
    assert len(watched) == best + 5 < 200
    # The number is that of the whole validation data, of the model that is kept.
    p = model.predict(x[60:], verbose=0)
    measure = {
        "val_ece": calibration.expected_calibration_error,
        "val_sparse_categorical_crossentropy": calibration.negative_log_likelihood,
    }[monitor]
    assert watched[best] == pytest.approx(measure(y[60:], p), rel=1e-5)


def test_a_diagram_is_drawn() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    z, y = drawn(101, 2)
    p = 1 / (1 + np.exp(z[:, 0] - z[:, 1]))
    ax = calibration.plot_reliability(y, p, bins=5)
    curve = calibration.reliability_curve(y, p, bins=5)
    heights = [bar.get_height() for bar in ax.patches]
    np.testing.assert_allclose(heights, curve.accuracy[curve.count > 0])
    assert calibration.plot_reliability(y, p, strategy="quantile", ax=ax) is ax
