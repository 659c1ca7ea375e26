"""Objects that people write: right numbers and gradients, traced once, clear refusals."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest

import oxhorn
from oxhorn import (
    callbacks,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    ops,
    optimizers,
    random,
    regularizers,
)

X = np.random.RandomState(3).uniform(-1, 1, (7, 3)).astype("float32")
Y = (X @ np.array([[1.0], [-2.0], [0.5]]) + 0.25).astype("float32")


def trained(model: Any, rate: float = 0.1, loss: Any = "mse", **kwargs: Any) -> Any:
    """The model after one step of plain descent on everything."""
    model.compile(optimizers.SGD(rate), loss)
    model.train_on_batch(X, Y, **kwargs)
    return model


class Linear(oxhorn.Layer):
    """`x W + b`, and how often its `call` has run."""

    def __init__(self, units: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.calls = 0

    def build(self, input_shape: Any) -> None:
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="ones", name="w")
        self.b = self.add_weight(shape=(self.units,), initializer="zeros")

    def call(self, x: Any) -> Any:
        self.calls += 1
        return ops.matmul(x, self.w) + self.b

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


def test_a_layer_of_ones_own_has_the_gradients_of_least_squares() -> None:
    layer = Linear()
    model = trained(oxhorn.Sequential([layers.Input((3,)), layer]))
    error = X @ np.ones((3, 1)) - Y
    np.testing.assert_allclose(layer.w.numpy(), 1 - 0.1 * 2 * X.T @ error / 7, rtol=1e-5)
    np.testing.assert_allclose(layer.b.numpy(), -0.1 * 2 * error.mean(0), rtol=1e-5)
    assert [v.path for v in model.trainable_variables][0].endswith("/w")


def test_a_call_is_traced_once_for_each_kind_of_step_and_shape() -> None:
    layer = Linear()
    model = oxhorn.Sequential([layers.Input((3,)), layer])
    model.compile("sgd", "mse")
    model.fit(X, Y, batch_size=7, epochs=3, verbose=0)
    traced = layer.calls
    model.fit(X, Y, batch_size=7, epochs=50, verbose=0)
    model.train_on_batch(X, Y)
    assert layer.calls == traced
    model.predict(X, verbose=0)
    traced = layer.calls
    for _ in range(5):
        model.predict(X, verbose=0)
    assert layer.calls == traced


def test_own_settings_make_an_equal_layer() -> None:
    layer = Linear(units=4, name="mine", trainable=False)
    copy = Linear.from_config(layer.get_config())
    assert (copy.units, copy.name, copy.trainable) == (4, "mine", False)


class Noisy(oxhorn.Layer):
    """Adds 1, and in training 10 more."""

    def call(self, x: Any, training: bool = False) -> Any:
        return x + 11.0 if training else x + 1.0


def test_training_reaches_own_layers_through_models_and_layers() -> None:
    class Outer(oxhorn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.inner = Noisy()

        def call(self, x: Any) -> Any:
            return self.inner(x)

    class Whole(oxhorn.Model):
        def __init__(self) -> None:
            super().__init__()
            self.outer = Outer()

        def call(self, x: Any) -> Any:
            return self.outer(x)

    for model in (Whole(), oxhorn.Sequential([layers.Input((3,)), Outer()])):
        model.compile("sgd", "mse")
        np.testing.assert_allclose(model.predict(X, verbose=0), X + 1, rtol=1e-6)
        np.testing.assert_allclose(model(X, training=True), X + 11, rtol=1e-6)
        np.testing.assert_allclose(model(X), X + 1, rtol=1e-6)


def test_added_losses_are_trained_and_reported() -> None:
    class Penalized(Linear):
        def call(self, x: Any) -> Any:
            self.add_loss(3.0 * ops.sum(ops.square(self.w)))
            return super().call(x)

    layer = Penalized()
    model = oxhorn.Sequential([layers.Input((3,)), layer])
    model.compile(optimizers.SGD(0.1), "mse")
    error = X @ np.ones((3, 1)) - Y
    loss = model.train_on_batch(X, Y)
    assert loss == pytest.approx((error**2).mean() + 9.0, rel=1e-5)
    expected = 1 - 0.1 * (2 * X.T @ error / 7 + 6.0)
    np.testing.assert_allclose(layer.w.numpy(), expected, rtol=1e-5)


def test_nested_layers_give_their_weights_to_the_outer_one() -> None:
    class Block(oxhorn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.stack = [layers.Dense(4), layers.Dense(2)]
            self.by_name = {"last": layers.Dense(1)}

        def call(self, x: Any) -> Any:
            for layer in self.stack:
                x = layer(x)
            return self.by_name["last"](x)

    block = Block()
    model = oxhorn.Sequential([layers.Input((3,)), block])
    assert len(block.trainable_weights) == 6
    assert model.count_params() == 3 * 4 + 4 + 4 * 2 + 2 + 2 + 1
    before = [w.copy() for w in model.get_weights()]
    trained(model)
    assert all((a != b).any() for a, b in zip(before, model.get_weights()))


def test_a_state_that_a_call_assigns_is_kept_from_step_to_step() -> None:
    class Counting(oxhorn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.count = self.add_weight(shape=(), initializer="zeros", trainable=False)
            self.mean = self.add_weight(shape=(3,), initializer="zeros", trainable=False)

        def call(self, x: Any, training: bool = False) -> Any:
            if training:
                self.count.assign_add(1.0)
                self.mean.assign(0.9 * self.mean + 0.1 * ops.mean(x, axis=0))
            return x

    layer = Counting()
    model = oxhorn.Sequential([layers.Input((3,)), layer, layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, Y, batch_size=3, epochs=2, shuffle=False, verbose=0)
    assert float(layer.count.numpy()) == 6
    mean = np.zeros(3)
    for _ in range(2):
        for batch in (X[:3], X[3:6], X[6:]):
            mean = 0.9 * mean + 0.1 * batch.mean(0)
    np.testing.assert_allclose(layer.mean.numpy(), mean, rtol=1e-5)
    model.predict(X, verbose=0)
    model.evaluate(X, Y, verbose=0)
    assert float(layer.count.numpy()) == 6


def test_own_seed_generators_draw_anew_in_each_step_and_alike_for_a_seed() -> None:
    class Shaken(oxhorn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.seeds = random.SeedGenerator(5)

        def call(self, x: Any) -> Any:
            return x + random.uniform(ops.shape(x), seed=self.seeds)

    found = []
    for _ in range(2):
        model = oxhorn.Sequential([layers.Input((3,)), Shaken()])
        found.append([model.predict(X, verbose=0) for _ in range(2)])
    np.testing.assert_array_equal(found[0], found[1])
    assert (found[0][0] != found[0][1]).all()


class Asymmetric(losses.Loss):
    """Twice the error above, once below."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        error = y_pred - y_true
        return ops.mean(ops.where(error > 0, 2 * error, -error), axis=-1)


def asymmetric(y_true: Any, y_pred: Any) -> Any:
    error = y_pred - y_true
    return ops.mean(ops.where(error > 0, 2 * error, -error), axis=-1)


def test_own_losses_have_the_right_value_and_gradient() -> None:
    for loss in (Asymmetric(), asymmetric, lambda t, p: asymmetric(t, p)):
        layer = Linear()
        model = oxhorn.Sequential([layers.Input((3,)), layer])
        model.compile(optimizers.SGD(0.1), loss)
        error = X @ np.ones((3, 1)) - Y
        value = model.train_on_batch(X, Y)
        assert value == pytest.approx(np.where(error > 0, 2 * error, -error).mean(), rel=1e-5)
        slope = np.where(error > 0, 2.0, -1.0)
        np.testing.assert_allclose(layer.w.numpy(), 1 - 0.1 * X.T @ slope / 7, rtol=1e-5)


def test_own_losses_take_weights_and_reductions() -> None:
    w = np.linspace(0, 3, 7).astype("float32")
    error = (X @ np.ones((3, 1)) - Y)[:, 0]
    each = np.where(error > 0, 2 * error, -error)
    for reduction, expected in (
        ("sum", (w * each).sum()),
        ("sum_over_batch_size", (w * each).mean()),
        ("mean_with_sample_weight", (w * each).sum() / w.sum()),
    ):
        model = oxhorn.Sequential([layers.Input((3,)), Linear()])
        model.compile("sgd", Asymmetric(reduction=reduction))
        value = model.test_on_batch(X, Y, sample_weight=w)
        assert value == pytest.approx(expected, rel=1e-5), reduction


class Largest(metrics.Metric):
    """The largest error of all batches."""

    def __init__(self, name: str = "largest") -> None:
        super().__init__(name=name)
        self.value = self.add_variable((), "zeros", name="value")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.value.assign(ops.maximum(self.value, ops.max(ops.abs(y_true - y_pred))))

    def result(self) -> Any:
        return self.value


def test_own_metrics_are_kept_over_batches_and_reset_each_epoch() -> None:
    seen = []

    class Watch(callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            seen.append(logs["largest"])

    model = oxhorn.Sequential([layers.Input((3,)), Linear()])
    model.compile(optimizers.SGD(0.0), "mse", metrics=[Largest()])
    y = Y.copy()
    model.fit(X, y, batch_size=2, epochs=2, verbose=0, callbacks=[Watch()])
    largest = np.abs(X @ np.ones((3, 1)) - Y).max()
    np.testing.assert_allclose(seen, [largest] * 2, rtol=1e-5)
    first = np.abs(X[:1] @ np.ones((3, 1)) - Y[:1]).max()
    assert first < largest
    assert model.evaluate(X[:1], Y[:1], verbose=0)[1] == pytest.approx(first, rel=1e-5)
    alone = Largest()
    alone.update_state(np.array([1.0, 5.0]), np.array([2.0, 2.0]))
    alone.update_state(np.array([0.0]), np.array([1.0]))
    assert float(alone.result()) == 3
    alone.reset_state()
    assert float(alone.result()) == 0


def test_functions_as_metrics_are_means_over_samples() -> None:
    def within(y_true: Any, y_pred: Any) -> Any:
        return ops.cast(ops.abs(y_true - y_pred) < 0.5, "float32")

    model = oxhorn.Sequential([layers.Input((3,)), Linear()])
    model.compile("sgd", "mse", metrics=[within], weighted_metrics=[within])
    w = np.linspace(0, 3, 7)
    found = model.evaluate(X, Y, sample_weight=w, batch_size=2, verbose=0, return_dict=True)
    close = (np.abs(X @ np.ones((3, 1)) - Y) < 0.5)[:, 0]
    assert found["within"] == pytest.approx(close.mean(), rel=1e-5)
    assert found["weighted_within"] == pytest.approx((w * close).sum() / w.sum(), rel=1e-5)


def test_own_regularizers_constraints_and_initializers_do_their_work() -> None:
    class Cubic(regularizers.Regularizer):
        def __init__(self, strength: float) -> None:
            self.strength = strength

        def __call__(self, w: Any) -> Any:
            return self.strength * ops.sum(w * w * w)

    class Short(constraints.Constraint):
        def __call__(self, w: Any) -> Any:
            return ops.clip(w, -0.5, 0.5)

    class Ramp(initializers.Initializer):
        def __call__(self, shape: Any, dtype: Any = None) -> Any:
            return np.linspace(0, 0.4, int(np.prod(shape))).reshape(shape)

    first = np.linspace(0, 0.4, 3).reshape(3, 1)
    layer = layers.Dense(1, kernel_initializer=Ramp(), kernel_regularizer=Cubic(2.0))
    model = oxhorn.Sequential([layers.Input((3,)), layer])
    np.testing.assert_allclose(layer.kernel.numpy(), first, rtol=1e-6)
    trained(model)
    slope = 2 * X.T @ (X @ first - Y) / 7 + 2.0 * 3 * first**2
    np.testing.assert_allclose(layer.kernel.numpy(), first - 0.1 * slope, rtol=1e-4)
    layer = layers.Dense(1, kernel_initializer=Ramp(), kernel_constraint=Short())
    trained(oxhorn.Sequential([layers.Input((3,)), layer]), rate=10.0)
    assert np.abs(layer.kernel.numpy()).max() == pytest.approx(0.5)


def test_functions_may_be_regularizers_constraints_initializers_and_activations() -> None:
    layer = layers.Dense(
        1,
        activation=lambda x: x * x,
        kernel_initializer=lambda shape, dtype=None: np.full(shape, 0.5, dtype),
        kernel_regularizer=lambda w: ops.sum(w),
        kernel_constraint=lambda w: ops.maximum(w, 0.0),
        use_bias=False,
    )
    model = oxhorn.Sequential([layers.Input((3,)), layer])
    y = X @ np.full((3, 1), 0.5)
    np.testing.assert_allclose(model.predict(X, verbose=0), y**2, rtol=1e-5, atol=1e-7)
    trained(model)
    slope = X.T @ (2 * (y**2 - Y) / 7 * 2 * y) + 1.0
    expected = np.maximum(0.5 - 0.1 * slope, 0.0)
    np.testing.assert_allclose(layer.kernel.numpy(), expected, rtol=1e-4)


def test_methods_may_be_activations_losses_and_metrics() -> None:
    class Tools:
        def __init__(self) -> None:
            self.factor = 3.0

        def activation(self, x: Any) -> Any:
            return x * self.factor

        def loss(self, y_true: Any, y_pred: Any) -> Any:
            return ops.mean(ops.abs(y_true - y_pred), axis=-1) * self.factor

        def metric(self, y_true: Any, y_pred: Any) -> Any:
            return ops.abs(y_true - y_pred)

    tools = Tools()
    model = oxhorn.Sequential(
        [layers.Input((3,)), layers.Dense(1, tools.activation, kernel_initializer="ones")]
    )
    model.compile("sgd", tools.loss, metrics=[tools.metric])
    gc.collect()
    error = np.abs(3 * X @ np.ones((3, 1)) - Y).mean()
    found = model.evaluate(X, Y, verbose=0)
    np.testing.assert_allclose(found, [3 * error, error], rtol=1e-5)


def test_own_schedules_set_each_step() -> None:
    class Halving(optimizers.schedules.LearningRateSchedule):
        def __call__(self, step: Any) -> Any:
            return 0.1 / (1.0 + ops.cast(step, "float32"))

    layer = Linear()
    model = oxhorn.Sequential([layers.Input((3,)), layer])
    model.compile(optimizers.SGD(Halving()), "mse")
    w, b = np.ones((3, 1)), np.zeros(1)
    for step in range(3):
        error = X @ w + b - Y
        w, b = w - 0.1 / (1 + step) * 2 * X.T @ error / 7, b - 0.1 / (1 + step) * 2 * error.mean(0)
        model.train_on_batch(X, Y)
    np.testing.assert_allclose(layer.w.numpy(), w, rtol=1e-5)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.1 / 4)


def test_models_of_ones_own_give_structures_and_hold_models() -> None:
    class Inner(oxhorn.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = layers.Dense(2)

        def call(self, x: Any) -> Any:
            return self.dense(x)

    class Outer(oxhorn.Model):
        def __init__(self) -> None:
            super().__init__()
            self.inner = Inner()
            self.last = layers.Dense(1)

        def call(self, x: Any) -> Any:
            h = self.inner(x)
            return {"wide": h, "narrow": self.last(h)}

    model = Outer()
    model.compile("adam", {"wide": "mse", "narrow": "mae"})
    targets = {"wide": X[:, :2], "narrow": Y}
    history = model.fit(X, targets, epochs=3, verbose=0).history
    assert set(history) == {"loss", "wide_loss", "narrow_loss"}
    assert history["loss"][-1] < history["loss"][0]
    found = model.predict(X, verbose=0)
    assert {name: value.shape for name, value in found.items()} == {
        "wide": (7, 2),
        "narrow": (7, 1),
    }
    assert len(model.trainable_variables) == 4

    class Pair(oxhorn.Model):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = layers.Dense(1), layers.Dense(2)

        def call(self, inputs: Any) -> Any:
            first, second = inputs
            return [self.a(first), self.b(second)]

    pair = Pair()
    pair.compile("sgd", ["mse", "mse"])
    pair.fit([X, X[:, :2]], [Y, X[:, :2]], verbose=0)
    one, two = pair.predict([X, X[:, :2]], verbose=0)
    assert (one.shape, two.shape) == ((7, 1), (7, 2))


def test_own_callbacks_are_told_what_they_ask_for() -> None:
    said = []

    class Told(callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            said.append((batch, sorted(logs)))

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            logs["mine"] = 7.0

    model = oxhorn.Sequential([layers.Input((3,)), Linear()])
    model.compile("sgd", "mse")
    history = model.fit(X, Y, batch_size=4, verbose=0, callbacks=[Told()])
    assert said == [(0, ["loss"]), (1, ["loss"])]
    assert history.history["mine"] == [7.0]


def refused(call: Any) -> pytest.ExceptionInfo:
    """What is raised when this is the `call` of a layer that a model is made of."""

    class Own(oxhorn.Layer):
        def call(self, x: Any) -> Any:
            return call(x)

    model = oxhorn.Sequential([Own()])
    model.compile("sgd", "mse")
    with pytest.raises(Exception) as caught:
        model.fit(X, X, verbose=0)
    return caught


def branches(x: Any) -> Any:
    if ops.sum(x) > 0:
        return x
    return -x


UNTRACEABLE = {
    "if": (branches, TypeError, "ops.where"),
    "and": (lambda x: x if (ops.sum(x) > 0 and True) else -x, TypeError, "ops.logical_and"),
    "float": (lambda x: x * float(ops.sum(x)), TypeError, "Python number"),
    "int": (lambda x: x * int(ops.sum(x)), TypeError, "Python number"),
    "index": (lambda x: [1, 2][ops.argmax(x[0])] * x, TypeError, "Python number"),
    "asarray": (lambda x: np.asarray(x), TypeError, "no value while a model is traced"),
    "numpy function": (lambda x: np.exp(x), TypeError, ""),
    "scalar's length": (lambda x: len(ops.sum(x)) * x, TypeError, "no length"),
    "iterating over a scalar": (lambda x: sum(ops.sum(x)), TypeError, "cannot be iterated"),
    "no tensor": (lambda x: "text", (TypeError, ValueError), ""),
    "a mistake of one's own": (lambda x: x.no_such_thing, AttributeError, "no_such_thing"),
    "a division of one's own": (lambda x: x * (1 // 0), ZeroDivisionError, ""),
}


@pytest.mark.parametrize("what", UNTRACEABLE)
def test_what_cannot_be_traced_is_refused_with_the_reason(what: str) -> None:
    call, kind, words = UNTRACEABLE[what]
    caught = refused(call)
    assert isinstance(caught.value, kind), repr(caught.value)
    assert words in str(caught.value)


def test_a_tensor_kept_from_one_call_is_refused_in_the_next() -> None:
    kept: list[Any] = []

    class Keeps(oxhorn.Layer):
        def call(self, x: Any) -> Any:
            kept.append(x)
            return x + kept[0]

    with pytest.raises(RuntimeError, match="used outside of the call in which it was made"):
        oxhorn.Sequential([layers.Input((3,)), Keeps()])


def test_open_axes_have_no_length_in_symbolic_calls() -> None:
    x = oxhorn.Input((3,))
    with pytest.raises(TypeError, match="no length"):
        len(x)
    with pytest.raises(TypeError, match="iterated"):
        list(x)
    with pytest.raises(TypeError, match="boolean"):
        bool(x)
    with pytest.raises((TypeError, ValueError)):
        np.asarray(x)
    with pytest.raises(TypeError):
        float(x)


def test_an_error_in_a_call_leaves_the_model_usable() -> None:
    class Fails(oxhorn.Layer):
        fails = True

        def call(self, x: Any) -> Any:
            if self.fails:
                raise KeyError("not today")
            return x * 2.0

    layer = Fails()
    model = oxhorn.Sequential([layer])
    model.compile("sgd", "mse")
    for _ in range(2):
        with pytest.raises(KeyError, match="not today"):
            model.predict(X, verbose=0)
    layer.fails = False
    np.testing.assert_allclose(model.predict(X, verbose=0), 2 * X)
