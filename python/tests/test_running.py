"""Models while they run: interrupted, called from callbacks, shared, in threads, and let go."""

from __future__ import annotations

import gc
import os
import resource
import signal
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import oxhorn
from oxhorn import callbacks, layers, optimizers

X = np.random.RandomState(3).uniform(-1, 1, (64, 3)).astype("float32")
Y = (X @ np.array([[1.0], [-2.0], [0.5]]) + 0.25).astype("float32")


def line(**kwargs: Any) -> Any:
    """A small regression, ready to train."""
    oxhorn.utils.set_random_seed(1)
    model = oxhorn.Sequential(
        [layers.Input((3,)), layers.Dense(8, "tanh"), layers.Dropout(0.1), layers.Dense(1)]
    )
    model.compile(**{"optimizer": optimizers.SGD(0.05), "loss": "mse", **kwargs})
    return model


def trains(model: Any) -> None:
    """Asserts that the model can be trained, measured and asked as if nothing had been."""
    before = model.get_weights()
    history = model.fit(X, Y, epochs=2, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert any((a != b).any() for a, b in zip(before, model.get_weights()))
    assert np.isfinite(model.evaluate(X, Y, verbose=0))
    assert model.predict(X, verbose=0).shape == (64, 1)


class At(callbacks.Callback):
    """Does something in one of the hooks."""

    def __init__(self, hook: str, work: Any) -> None:
        super().__init__()
        self.work = work
        setattr(self, hook, self.run)

    def run(self, *args: Any, **kwargs: Any) -> None:
        self.work(self.model)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Lets the signal interrupt, which a process that was started in the background ignores."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_ends_training_and_leaves_the_model_usable() -> None:
    for steps in (1, None):
        model = line()
        timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            model.fit(X, Y, epochs=10**6, batch_size=8, verbose=0, steps_per_epoch=steps)
        assert time.monotonic() - began < 30
        timer.join()
        trains(model)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_ends_evaluation_and_prediction() -> None:
    def batches() -> Any:
        while True:
            yield X, Y

    model = line()
    for run in (model.evaluate, model.predict):
        timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            run(batches(), verbose=0)
        timer.join()
    trains(model)


HOOKS = [
    "on_train_begin",
    "on_epoch_begin",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_begin",
    "on_test_batch_end",
    "on_test_end",
    "on_epoch_end",
    "on_train_end",
]


@pytest.mark.parametrize("hook", HOOKS)
def test_an_exception_in_a_callback_comes_out_and_leaves_the_model_usable(hook: str) -> None:
    class Own(Exception):
        pass

    def fails(model: Any) -> None:
        raise Own("from a callback")

    model = line()
    with pytest.raises(Own, match="from a callback"):
        model.fit(X, Y, validation_data=(X, Y), verbose=0, callbacks=[At(hook, fails)])
    trains(model)


def test_an_exception_in_data_comes_out_and_leaves_the_model_usable() -> None:
    def batches() -> Any:
        for _ in range(3):
            yield X, Y
        raise LookupError("no more of this")

    model = line()
    with pytest.raises(LookupError, match="no more of this"):
        model.fit(batches(), steps_per_epoch=5, verbose=0)
    trains(model)


@pytest.mark.parametrize("hook", HOOKS)
def test_callbacks_may_use_the_model_while_it_trains(hook: str) -> None:
    seen: list[Any] = []

    def uses(model: Any) -> None:
        seen.append(model.predict(X, verbose=0))
        seen.append(model(X[:2]))
        weights = model.get_weights()
        model.set_weights(weights)
        seen.append(model.layers[0].get_weights())

    plain, used = line(), line()
    expected = plain.fit(X, Y, epochs=2, validation_data=(X, Y), shuffle=False, verbose=0)
    found = used.fit(
        X,
        Y,
        epochs=2,
        validation_data=(X, Y),
        shuffle=False,
        verbose=0,
        callbacks=[At(hook, uses)],
    )
    assert seen
    # What is only looked at changes nothing, draws nothing, and counts nothing.
    assert found.history == expected.history


@pytest.mark.parametrize("hook", ["on_epoch_begin", "on_epoch_end", "on_train_end"])
def test_callbacks_may_evaluate_the_model_while_it_trains(hook: str) -> None:
    seen: list[float] = []
    model = line()
    evaluates = At(hook, lambda it: seen.append(it.evaluate(X, Y, verbose=0)))
    history = model.fit(X, Y, epochs=2, shuffle=False, verbose=0, callbacks=[evaluates])
    assert np.isfinite(seen).all()
    expected = line().fit(X, Y, epochs=2, shuffle=False, verbose=0)
    assert history.history == expected.history


def test_weights_that_a_callback_sets_are_trained_further() -> None:
    model = line()
    first = model.get_weights()
    model.fit(
        X,
        Y,
        epochs=3,
        verbose=0,
        callbacks=[At("on_train_batch_end", lambda it: it.set_weights(first))],
    )
    for a, b in zip(first, model.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_callbacks_may_compile_anew() -> None:
    model = line()
    model.fit(
        X,
        Y,
        epochs=3,
        verbose=0,
        callbacks=[At("on_epoch_end", lambda it: it.compile("adam", "mae"))],
    )
    assert type(model.optimizer).__name__ == "Adam"
    trains(model)


def test_callbacks_stop_training_within_an_epoch() -> None:
    steps: list[int] = []

    def stops(model: Any) -> None:
        steps.append(1)
        model.stop_training = len(steps) == 3

    line().fit(X, Y, batch_size=8, epochs=5, verbose=0, callbacks=[At("on_train_batch_end", stops)])
    assert len(steps) == 3


def test_a_rate_takes_effect_in_the_next_step() -> None:
    class Scaled(oxhorn.Layer):
        def call(self, x: Any, training: bool = False) -> Any:
            return x

    dropout = layers.Dropout(0.5, seed=1)
    model = oxhorn.Sequential([layers.Input((3,)), dropout])
    noisy = np.asarray(model(X, training=True))
    assert (noisy == 0).any()
    dropout.rate = 0.0
    np.testing.assert_allclose(model(X, training=True), X)
    model.compile(optimizers.SGD(0.0), "mse")
    assert model.train_on_batch(X, X) == 0.0
    dropout.rate = 0.9
    assert model.train_on_batch(X, X) > 0.0


def test_a_learning_rate_of_zero_stops_all_change_at_once() -> None:
    model = line()
    model.fit(X, Y, verbose=0)
    model.optimizer.learning_rate = 0.0
    before = model.get_weights()
    model.fit(X, Y, verbose=0)
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)
    rates: list[float] = []

    def turns(it: Any) -> None:
        it.optimizer.learning_rate = 0.5
        rates.append(float(it.optimizer.learning_rate))

    model.fit(X, Y, verbose=0, callbacks=[At("on_epoch_begin", turns)])
    assert rates == [0.5]
    assert any((a != b).any() for a, b in zip(before, model.get_weights()))


def in_threads(*works: Any) -> list[BaseException]:
    """Runs all at once; what they raised."""
    raised: list[BaseException] = []

    def run(work: Any) -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive(), "a thread hangs"
    return raised


def test_models_train_in_threads_at_once_and_as_they_do_alone() -> None:
    models = [line() for _ in range(3)]
    alone = line().fit(X, Y, epochs=20, batch_size=8, shuffle=False, verbose=0).history["loss"]
    found: dict[int, list[float]] = {}

    def work(index: int) -> None:
        history = models[index].fit(X, Y, epochs=20, batch_size=8, shuffle=False, verbose=0)
        found[index] = history.history["loss"]

    assert in_threads(*(lambda i=i: work(i) for i in range(3))) == []
    assert [found[i] for i in range(3)] == [alone] * 3


def test_using_a_model_that_trains_in_another_thread_is_refused_or_waits() -> None:
    model = line()
    begun = threading.Event()
    refusals: list[str] = []

    def train() -> None:
        model.fit(
            X,
            Y,
            epochs=200,
            batch_size=8,
            verbose=0,
            callbacks=[At("on_epoch_end", lambda _: begun.set())],
        )

    def use() -> None:
        begun.wait(60)
        for _ in range(50):
            for work in (model.get_weights, lambda: model.predict(X, verbose=0)):
                try:
                    work()
                except RuntimeError as error:
                    refusals.append(str(error))

    assert in_threads(train, use) == []
    assert all("another thread" in words for words in refusals), refusals[:3]
    trains(model)


def test_models_that_share_a_layer_in_two_threads_never_crash() -> None:
    shared = layers.Dense(4)
    models = []
    for _ in range(2):
        models.append(oxhorn.Sequential([layers.Input((3,)), shared, layers.Dense(1)]))
        models[-1].compile("sgd", "mse")
    # Not the targets of `trains`, which would find nothing left to learn.
    raised = in_threads(
        *(lambda m=m: m.fit(X, Y**2, epochs=100, batch_size=4, verbose=0) for m in models)
    )
    assert all(isinstance(error, RuntimeError) for error in raised), raised
    for model in models:
        trains(model)


def test_progress_goes_where_python_prints(capsys: pytest.CaptureFixture[str]) -> None:
    model = line()
    model.fit(X, Y, epochs=2, verbose=2)
    model.evaluate(X, Y, verbose=2)
    model.predict(X, verbose=1)
    printed = capsys.readouterr().out
    assert "Epoch 1/2" in printed and "Epoch 2/2" in printed and "loss: " in printed
    model.fit(X, Y, verbose=0)
    model.evaluate(X, Y, verbose=0)
    model.predict(X, verbose=0)
    assert capsys.readouterr().out == ""


def test_a_closed_standard_output_is_an_error_and_no_crash(monkeypatch: Any) -> None:
    class Closed:
        def write(self, text: str) -> int:
            raise OSError("nobody reads this")

        def flush(self) -> None:
            pass

        def isatty(self) -> bool:
            return False

    model = line()
    with monkeypatch.context() as patched:
        patched.setattr("sys.stdout", Closed())
        with pytest.raises(OSError, match="nobody reads this"):
            model.fit(X, Y, verbose=2)
    trains(model)


def test_a_model_is_let_go_with_its_last_reference() -> None:
    class Own(oxhorn.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, x: Any) -> Any:
            return self.dense(x)

    def functional() -> Any:
        x = layers.Input((3,))
        model = oxhorn.Model(x, layers.Dense(1)(layers.Dense(2)(x)))
        model.compile("adam", lambda t, p: (t - p) ** 2, metrics=[lambda t, p: t - p])
        return model

    def own() -> Any:
        model = Own()
        model.compile("adam", "mse", metrics=["mae"])
        return model

    for make in (line, functional, own):
        model = make()
        model.fit(X, Y, verbose=0, validation_data=(X, Y))
        model.predict(X, verbose=0)
        model(X)
        model.optimizer.learning_rate = 0.5
        gone = [weakref.ref(model), weakref.ref(model.layers[0]), weakref.ref(model.optimizer)]
        del model
        gc.collect()
        assert [it() for it in gone] == [None] * 3, make


def test_memory_of_many_models_in_a_loop_stays_bounded() -> None:
    def resident() -> int:
        with open("/proc/self/statm", encoding="utf-8") as file:
            return int(file.read().split()[1]) * resource.getpagesize()

    def rounds(count: int) -> None:
        for _ in range(count):
            model = oxhorn.Sequential([layers.Input((64,)), layers.Dense(512), layers.Dense(1)])
            model.compile("adam", "mse")
            model.train_on_batch(np.ones((4, 64)), np.ones(4))
            model(np.ones((4, 64), "float32"))
        gc.collect()

    rounds(30)
    before = resident()
    rounds(200)
    # Each of them has some 130 kB of weights, and as much again in both slots of Adam.
    assert resident() - before < 200 * 20_000


def test_a_layer_that_outlives_its_model_keeps_its_weights() -> None:
    model = line()
    model.fit(X, Y, verbose=0)
    layer, expected = model.layers[0], model.layers[0].get_weights()
    del model
    gc.collect()
    for a, b in zip(expected, layer.get_weights()):
        np.testing.assert_array_equal(a, b)
    other = oxhorn.Sequential([layers.Input((3,)), layer, layers.Dense(1)])
    other.compile("sgd", "mse")
    trains(other)


def test_changing_the_data_after_a_fit_changes_nothing() -> None:
    x = X.copy()
    model = line()
    model.fit(x, Y, verbose=0)
    predicted = model.predict(x, verbose=0)
    copy = predicted.copy()
    x[:] = 0
    model.predict(x, verbose=0)
    np.testing.assert_array_equal(predicted, copy)
    weights = model.get_weights()
    weights[0][:] = 0
    assert (model.get_weights()[0] != 0).any()
