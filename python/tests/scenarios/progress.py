"""Scenarios of progress bars: every character that `fit`, `evaluate` and `predict` show."""

from __future__ import annotations

import numpy as np

from scenarios._stand_ins import Model, Recorder, clock


def _fit(keras, verbose, steps, count, seconds, metrics, test=False):
    with clock() as now:
        settings = {"verbose": verbose, "epochs": 2, "steps": steps}
        several = keras.callbacks.CallbackList([Recorder(keras)], True, True, Model(), **settings)
        several.callbacks = several.callbacks[1:]
        several.on_train_begin()
        for epoch in range(2):
            several.on_epoch_begin(epoch)
            for batch in range(count):
                now[0] += seconds if batch else 3 * seconds
                several.on_train_batch_begin(batch)
                several.on_train_batch_end(batch, {k: v / (batch + 1) for k, v in metrics.items()})
            if test:
                several.on_test_begin()
                several.on_test_batch_begin(0)
                several.on_test_batch_end(0, {"loss": 9.0})
                several.on_test_end({"loss": 9.0})
            several.on_epoch_end(epoch, {**metrics, **{f"val_{k}": -v for k, v in metrics.items()}})
        several.on_train_end()


def progress_of_fit_as_a_bar(keras):
    _fit(keras, 1, 3, 3, 0.7, {"loss": 1.7223, "accuracy": 0.0625})


def progress_of_fit_by_default(keras):
    _fit(keras, "auto", 12, 12, 0.021, {"loss": 1e-4, "mae": 0.001}, test=True)


def progress_of_fit_as_lines(keras):
    _fit(keras, 2, 4, 4, 0.059, {"loss": 1.6467, "tiny": 0.0005}, test=True)


def progress_of_fit_without_known_steps(keras):
    _fit(keras, 1, None, 3, 61.5, {"loss": 1.7223})
    _fit(keras, 2, None, 3, 0.0001, {"loss": 1.7223})


def progress_of_fit_in_silence(keras):
    _fit(keras, 0, 3, 3, 0.7, {"loss": 1.7223})


def progress_of_one_epoch_of_many_steps(keras):
    _fit(keras, 1, 1000, 7, 20.0, {"loss": 12345.678})
    _fit(keras, 1, 100, 2, 5.0, {"loss": float("nan")})


def progress_of_evaluate_and_predict(keras):
    for verbose in (1, 2):
        with clock() as now:
            settings = {"verbose": verbose, "epochs": 1, "steps": 3}
            several = keras.callbacks.CallbackList(
                [Recorder(keras)], False, True, Model(), **settings
            )
            several.callbacks = several.callbacks[1:]
            several.on_test_begin()
            for batch in range(3):
                now[0] += 0.0361
                several.on_test_batch_begin(batch)
                several.on_test_batch_end(batch, {"loss": 1.5944, "accuracy": 0.22})
            several.on_test_end({"loss": 1.5, "accuracy": 0.2})
            several.on_predict_begin()
            for batch in range(3):
                now[0] += 0.0361
                several.on_predict_batch_begin(batch)
                several.on_predict_batch_end(batch, {"outputs": np.ones(3)})
            several.on_predict_end({"outputs": np.ones(3)})


def progbar_averages_what_is_stateless(keras):
    with clock() as now:
        for settings in ({}, {"stateful_metrics": ["b"]}, {"stateless_metrics": ["b"]}):
            bar = keras.utils.Progbar(6, width=11, interval=0, unit_name="file", **settings)
            for step in (1, 3, 4, 6):
                now[0] += 2.0
                bar.update(step, [("a", step), ("b", step / 2)])
            bar = keras.utils.Progbar(None, verbose=1, **settings)
            bar.add(2, [("a", 1.0)])
            now[0] += 1.0
            bar.add(3, [("a", np.array([2.0, 4.0]))])
            bar.update(0, finalize=True)


def progbar_with_a_target_of_zero(keras):
    with clock():
        for verbose in (0, 1, 2):
            keras.utils.Progbar(0, verbose=verbose).update(0, [("loss", 0.5)])


def progbar_refuses_two_lists(keras):
    keras.utils.Progbar(3, stateful_metrics=["a"], stateless_metrics=["b"])
