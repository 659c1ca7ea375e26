"""The linter: planted mistakes are found in models of every kind; sound models are left alone."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import keras_models
import oxhorn as keras
from oxhorn import layers, regularizers
from oxhorn.lint import LintWarning


def said(model: Any, samples: int | None = None) -> list[tuple[str, str]]:
    """Rules and layers of what is said of a model."""
    return [(warning.rule, warning.layer) for warning in model.lint(samples)]


def chain(*parts: Any) -> Any:
    return keras.Sequential([keras.Input((5,)), *parts])


class OwnBlock(layers.Layer):
    """A layer that calls others in a way that only it knows."""

    def __init__(self) -> None:
        super().__init__(name="block")
        self.first = layers.Dropout(0.5, seed=3, name="first")
        self.second = layers.Dropout(0.85, seed=3, name="second")
        self.dense = layers.Dense(5, name="dense")

    def call(self, x: Any) -> Any:
        return self.second(self.dense(self.first(x)))


class OwnModel(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.block = OwnBlock()
        self.drop = layers.Dropout(0.5, name="drop")
        self.normal = layers.BatchNormalization()
        self.end = layers.Dense(3)

    def call(self, x: Any) -> Any:
        return self.end(self.normal(self.drop(self.block(x))))


def branches() -> Any:
    """One branch drops before it normalizes, the other the other way round."""
    x = keras.Input((5,))
    left = layers.Dropout(0.5, name="left")(layers.Dense(4)(x))
    left = layers.BatchNormalization(name="left_normal")(layers.ReLU()(left))
    right = layers.BatchNormalization()(layers.Dense(4)(x))
    right = layers.Dropout(0.5, name="right")(right)
    return keras.Model(x, layers.Dense(1)(layers.Add()([left, right])))


def nested() -> Any:
    """A model within a model whose ends are looked through."""
    inner = keras.Sequential(
        [keras.Input((5,)), layers.Dense(4), layers.Dropout(0.5, name="drop")], name="inner"
    )
    x = keras.Input((5,))
    y = layers.BatchNormalization(name="normal")(inner(x))
    return keras.Model(x, layers.Dense(1)(y))


def nested_last() -> Any:
    x = keras.Input((4,))
    y = layers.Softmax()(layers.Dropout(0.5, name="drop")(layers.Dense(3)(x)))
    inner = keras.Model(x, y, name="inner")
    return chain(layers.Dense(4), inner)


PLANTED: list[tuple[Callable[[], Any], list[tuple[str, str]]]] = [
    (
        lambda: chain(
            layers.Dropout(0.5, seed=42, name="one"),
            layers.Dense(4),
            layers.Dropout(0.5, seed=42, name="two"),
            layers.Dense(4),
            layers.GaussianNoise(0.5, seed=42, name="three"),
            layers.Dense(1),
        ),
        [("same_seed", "two"), ("same_seed", "three")],
    ),
    (
        lambda: chain(layers.Dense(3, "softmax"), layers.Dropout(0.5, name="last")),
        [("after_output", "last")],
    ),
    (branches, [("before_batch_normalization", "left")]),
    (nested, [("before_batch_normalization", "inner/drop")]),
    (nested_last, [("after_output", "inner/drop")]),
    (
        lambda: chain(layers.GaussianDropout(0.9, name="much"), layers.Dense(1)),
        [("high_rate", "much")],
    ),
    (
        lambda: chain(
            layers.Dense(4, use_bias=False, bias_constraint="max_norm", name="no_bias"),
            layers.Dense(4, kernel_regularizer=regularizers.L1L2(), name="zero"),
            layers.Dense(4, kernel_constraint="non_neg", trainable=False, name="frozen"),
            layers.Dense(4, activity_regularizer=regularizers.L2(0), name="activity"),
            layers.ActivityRegularization(name="nothing"),
        ),
        [("no_effect", name) for name in ("no_bias", "zero", "frozen", "activity", "nothing")],
    ),
    (OwnModel, [("same_seed", "block/second"), ("high_rate", "block/second")]),
]


@pytest.mark.parametrize(("make", "expected"), PLANTED)
def test_a_planted_mistake_is_found_and_named(make: Any, expected: list[tuple[str, str]]) -> None:
    model = make()
    assert said(model) == expected
    for warning in model.lint():
        assert warning.layer in str(warning) and warning.reason in str(warning)
        assert warning.help in str(warning) and f"[{warning.rule}]" in str(warning)


def test_few_samples_are_told_when_their_number_is_known() -> None:
    def make() -> Any:
        return chain(layers.Dropout(0.5), layers.Dense(4), layers.Dropout(0.5, name="hidden"), end)

    end = layers.Dense(1)
    few = [("few_samples", "hidden")]
    assert [said(make(), n) for n in (None, 100, 500, 501)] == [[], few, few, []]
    model = make()
    model.compile("sgd", "mse")
    x, y = np.zeros((23, 5), "float32"), np.zeros(23, "float32")
    with pytest.warns(LintWarning, match="`hidden`: its rate is 0.5, and there are 23 samples"):
        model.fit(x, y, verbose=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(x, y, verbose=0)  # Once is enough.


def twice() -> Any:
    one, two = layers.Dropout(0.9, seed=1), layers.Dropout(0.5, seed=1)
    return chain(one, layers.Dense(4), two, layers.Dense(1))


def test_compile_warns_once_at_the_line_that_calls_it() -> None:
    model = twice()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        line = inspect.currentframe().f_lineno + 1
        model.compile("sgd", "mse")
        model.compile("sgd", "mse")
    assert [(it.category, it.message.rule) for it in caught] == [
        (LintWarning, "high_rate"),
        (LintWarning, "same_seed"),
    ]
    assert {(it.filename, it.lineno) for it in caught} == {(__file__, line)}


@pytest.mark.parametrize(
    ("allow", "left"),
    [
        ("all", []),
        (["same_seed", "high_rate"], []),
        ("same_seed", ["high_rate"]),
        (None, ["high_rate", "same_seed"]),
    ],
)
def test_rules_can_be_silenced_one_by_one(allow: Any, left: list[str]) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        twice().compile("sgd", "mse", allow=allow)
    assert [it.message.rule for it in caught] == left


def test_a_filter_silences_all_of_it() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", category=LintWarning)
        twice().compile("sgd", "mse")


def test_a_rule_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="the linter has no rule `taste`"):
        twice().compile("sgd", "mse", allow=["taste"])


def test_seeds_that_nobody_gave_or_that_differ_are_no_mistake() -> None:
    keras.utils.set_random_seed(1)
    generator = keras.random.SeedGenerator(7)
    model = chain(
        layers.Dropout(0.5),
        layers.Dense(4),
        layers.Dropout(0.5),
        layers.Dense(4),
        layers.Dropout(0.5, seed=1),
        layers.Dense(4),
        layers.Dropout(0.5, seed=generator),
        layers.Dense(1),
    )
    assert said(model) == []
    generated = layers.Dropout(0.5, seed=generator, name="generated")
    model = chain(layers.Dropout(0.5, seed=7), layers.Dense(4), generated, layers.Dense(1))
    assert said(model) == [("same_seed", "generated")]


def test_a_layer_that_is_called_twice_is_one_layer() -> None:
    drop, x = layers.Dropout(0.5, seed=1), keras.Input((5,))
    y = layers.Dense(5)(drop(layers.Dense(5)(drop(x))))
    assert said(keras.Model(x, y)) == []


RECORDED = [
    value
    for name, value in vars(keras_models).items()
    if inspect.isfunction(value) and list(inspect.signature(value).parameters) == ["keras"]
]


@pytest.mark.parametrize("make", RECORDED, ids=lambda make: make.__name__)
def test_sound_models_are_left_alone(make: Any) -> None:
    # Two of them end with dropout.
    expected = ["after_output"] if make.__name__ in ("unbuilt", "modes") else []
    assert [rule for rule, _ in said(make(keras))] == expected
