"""`fit(clean_train_eval=True)`: training data measured as `evaluate` measures them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import oxhorn as keras

# A prime number, which no batch size divides.
SAMPLES = 23


def network() -> Any:
    """All that makes training differ from measuring, and penalties."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(7, "relu", kernel_regularizer="l2", activity_regularizer="l1"),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Dense(3, "softmax"),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def two_ends() -> Any:
    """Two inputs and two outputs."""
    layers = keras.layers
    a, b = keras.Input((5,), name="a"), keras.Input((2,), name="b")
    x = layers.Dropout(0.5)(layers.concatenate([a, b]))
    ends = [layers.Dense(3, "softmax", name="kind")(x), layers.Dense(1, name="size")(x)]
    model = keras.Model([a, b], ends)
    losses = {"kind": "sparse_categorical_crossentropy", "size": "mse"}
    model.compile("adam", losses, metrics={"size": ["mae"]})
    return model


def data(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    x, y = random.random((SAMPLES, 5)), random.integers(0, 3, SAMPLES)
    return x.astype("float32"), y, random.random(SAMPLES)


def clean(logs: dict[str, list[float]]) -> dict[str, float]:
    """The last clean numbers that have a name of `evaluate`."""
    ours = ("clean_gap", "clean_penalty")
    names = [name for name in logs if name.startswith("clean_") and name not in ours]
    return {name.removeprefix("clean_"): logs[name][-1] for name in names}


def test_the_clean_numbers_are_those_of_evaluate_to_the_bit() -> None:
    keras.utils.set_random_seed(1)
    model, (x, y, weights) = network(), data()
    for _ in range(2):
        settings = {"validation_split": 0.2, "sample_weight": weights, "clean_train_eval": True}
        history = model.fit(x, y, 5, 1, verbose=0, **settings).history
        expected = model.evaluate(
            x[:18], y[:18], 5, verbose=0, sample_weight=weights[:18], return_dict=True
        )
        assert clean(history) == expected
        assert history["clean_gap"] == [history["val_loss"][0] - history["clean_loss"][0]]
        assert 0 < history["clean_penalty"][0] < history["clean_loss"][0]


def test_several_inputs_and_outputs_are_measured_one_by_one() -> None:
    keras.utils.set_random_seed(2)
    model, (x, y, weights) = two_ends(), data()
    given = ({"a": x, "b": x[:, :2]}, {"kind": y, "size": weights})
    history = model.fit(*given, batch_size=4, verbose=0, clean_train_eval=True).history
    expected = model.evaluate(*given, batch_size=4, verbose=0, return_dict=True)
    assert clean(history) == expected
    assert set(expected) == {"loss", "kind_loss", "size_loss", "size_mae"}


@pytest.mark.parametrize("class_weight", [None, {0: 5.0, 1: 0.1}])
def test_nothing_else_changes_and_classes_weigh_alike(class_weight: Any) -> None:
    def run(**settings: Any) -> tuple[dict[str, list[float]], list[np.ndarray]]:
        keras.utils.set_random_seed(3)
        model, (x, y, _) = network(), data()
        settings |= {"validation_data": (x[:7], y[:7]), "class_weight": class_weight}
        history = model.fit(x, y, 5, 3, verbose=0, **settings).history
        measured = model.evaluate(x, y, 5, verbose=0, return_dict=True)
        if "clean_loss" in history:
            assert clean(history) == measured
        return history, model.get_weights()

    (plain, plain_weights), (ours, our_weights) = run(), run(clean_train_eval=True)
    assert {name: ours[name] for name in plain} == plain
    added = {"clean_accuracy", "clean_gap", "clean_loss", "clean_penalty"}
    assert ours.keys() - plain.keys() == added
    for a, b in zip(plain_weights, our_weights):
        np.testing.assert_array_equal(a, b)


class Hooks(keras.callbacks.Callback):
    """Notes what it is told, and measures for itself."""

    def __init__(self, x: np.ndarray, y: np.ndarray) -> None:
        super().__init__()
        self.data, self.told = (x, y), []

    def on_test_begin(self, logs: Any = None) -> None:
        self.told.append("test")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.told.append("epoch")
        measured = self.model.evaluate(*self.data, batch_size=5, verbose=0, return_dict=True)
        assert {name: logs[f"clean_{name}"] for name in measured} == measured


def test_callbacks_see_its_numbers_and_are_told_of_no_test() -> None:
    keras.utils.set_random_seed(4)
    model, (x, y, _) = network(), data()
    hooks = Hooks(x, y)
    model.fit(x, y, 5, 2, verbose=0, callbacks=[hooks], clean_train_eval=True)
    assert hooks.told == ["epoch", "epoch"]


@pytest.mark.parametrize("name", ["clean_loss", "clean_accuracy", "clean_gap"])
def test_training_can_stop_early_by_it(name: str) -> None:
    keras.utils.set_random_seed(5)
    model, (x, y, _) = network(), data()
    # No epoch can be that much better than the first.
    stopping = keras.callbacks.EarlyStopping(name, min_delta=100, patience=2)
    settings = {"validation_split": 0.3, "callbacks": [stopping], "clean_train_eval": True}
    history = model.fit(x, y, epochs=50, verbose=0, **settings)
    assert len(history.epoch) == 3


def test_its_numbers_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    keras.utils.set_random_seed(6)
    model, (x, y, _) = network(), data()
    history = model.fit(x, y, verbose=2, clean_train_eval=True).history
    assert f" - clean_loss: {history['clean_loss'][0]:.4f} - " in capsys.readouterr().out


def test_what_is_read_once_cannot_be_measured_again() -> None:
    x, y, _ = data()
    batches = ((x, y) for _ in range(3))
    with pytest.raises(ValueError, match="`clean_train_eval` needs arrays.*Received: x=<generator"):
        network().fit(batches, steps_per_epoch=1, verbose=0, clean_train_eval=True)


def test_steps_of_an_epoch_do_not_limit_what_is_measured() -> None:
    keras.utils.set_random_seed(7)
    model, (x, y, _) = network(), data()
    history = model.fit(x, y, 5, 3, 0, steps_per_epoch=2, clean_train_eval=True).history
    assert clean(history) == model.evaluate(x, y, 5, 0, return_dict=True)
