"""Scenarios of `callbacks`: what they print, warn of, refuse and do to a model."""

from __future__ import annotations

import os

import numpy as np

from scenarios._stand_ins import Model, Optimizer, Recorder, epochs


def _losses(*values, name="loss"):
    return [{name: value} for value in values]


def _early(keras, values, **settings):
    settings = {"monitor": "loss", "verbose": 1, **settings}
    stopping = keras.callbacks.EarlyStopping(**settings)
    model = epochs(stopping, _losses(*values))
    best = None if stopping.best is None else float(stopping.best)
    return model.weights, stopping.stopped_epoch, stopping.wait, best, stopping.best_epoch


def early_stopping_waits_for_patience(keras):
    falls_then_rises = [0.5, 0.4, 0.41, 0.42, 0.39, 0.5, 0.6, 0.7]
    return [_early(keras, falls_then_rises, patience=p) for p in range(5)]


def early_stopping_never_stops_after_the_first_epoch(keras):
    return _early(keras, [float("nan"), float("nan"), 1.0], patience=0)


def early_stopping_restores_the_best_weights(keras):
    values = [0.5, 0.4, 0.41, 0.42]
    return [_early(keras, values, patience=p, restore_best_weights=True) for p in (1, 2, 5)]


def early_stopping_restores_the_first_weights_if_nothing_improves(keras):
    settings = {"patience": 1, "restore_best_weights": True, "baseline": 0.1}
    return _early(keras, [0.5, 0.5, 0.5, 0.5], **settings)


def early_stopping_wants_a_difference(keras):
    values = [1.0, 0.9, 0.8, 0.7, 0.6, 0.5]
    deltas = (0, 0.05, -0.15, 0.15, 0.5)
    return [_early(keras, values, min_delta=d, patience=1) for d in deltas]


def early_stopping_goes_by_its_mode(keras):
    values = [1.0, 2.0, 3.0, 2.0, 1.0]
    return [_early(keras, values, mode=mode, patience=1) for mode in ("min", "max", "auto")]


def early_stopping_goes_by_its_baseline(keras):
    values = [1.0, 0.9, 0.8, 0.2, 0.3]
    return [_early(keras, values, baseline=b, patience=2) for b in (0.95, 0.5, 0.25)]


def early_stopping_starts_from_an_epoch(keras):
    values = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    settings = {"patience": 1, "restore_best_weights": True}
    return [_early(keras, values, start_from_epoch=e, **settings) for e in (0, 2, 5, 9)]


def early_stopping_warns_of_an_unknown_metric(keras):
    return epochs(keras.callbacks.EarlyStopping("loss"), [{"b": 1, "a": 2}, {}]).weights


def early_stopping_warns_of_an_unknown_mode(keras):
    return keras.callbacks.EarlyStopping(mode="best").mode


def early_stopping_refuses_a_metric_without_direction(keras):
    epochs(keras.callbacks.EarlyStopping("val_shoe_size"), _losses(1.0, name="val_shoe_size"))


def early_stopping_begins_anew_with_every_training(keras):
    stopping = keras.callbacks.EarlyStopping("loss", patience=1)
    first = epochs(stopping, _losses(1.0, 2.0, 3.0)).weights
    return first, epochs(stopping, _losses(5.0, 4.0, 6.0, 7.0)).weights, stopping.best


def _rates(keras, values, verbose=1, **settings):
    plateau = keras.callbacks.ReduceLROnPlateau(monitor="loss", verbose=verbose, **settings)
    logs = _losses(*values)
    model = epochs(plateau, logs)
    return (
        [log["learning_rate"] for log in logs],
        float(model.optimizer.learning_rate),
        plateau.wait,
    )


def reduce_lr_on_plateau_lowers_the_rate(keras):
    return [_rates(keras, [1.0] * 6, patience=p, factor=0.5) for p in (0, 1, 2, 7)]


def reduce_lr_on_plateau_cools_down(keras):
    return [_rates(keras, [1.0] * 9, patience=1, cooldown=c) for c in (0, 1, 3)]


def reduce_lr_on_plateau_ends_at_a_least_rate(keras):
    return _rates(keras, [1.0] * 6, patience=1, min_lr=0.003)


def reduce_lr_on_plateau_wants_a_difference(keras):
    return [_rates(keras, [1, 0.9, 0.8, 0.7], patience=1, min_delta=d) for d in (0.01, 0.2)]


def reduce_lr_on_plateau_refuses_to_raise_the_rate(keras):
    keras.callbacks.ReduceLROnPlateau(factor=1.5)


def reduce_lr_on_plateau_warns_of_an_unknown_metric(keras):
    epochs(keras.callbacks.ReduceLROnPlateau("val_loss"), _losses(1.0))


def learning_rate_scheduler_sets_the_rate(keras):
    schedules = [
        lambda epoch: 0.1 / (epoch + 1),
        lambda epoch, rate: rate * 0.5,
        lambda epoch, rate: np.float32(rate / 3),
    ]
    results = []
    for schedule in schedules:
        logs = [{"loss": 1.0}, {"loss": 2.0}, {}]
        callback = keras.callbacks.LearningRateScheduler(schedule, verbose=1)
        results.append((float(epochs(callback, logs).optimizer.learning_rate), logs[:2]))
    return results


def learning_rate_scheduler_refuses_what_is_no_float(keras):
    epochs(keras.callbacks.LearningRateScheduler(lambda epoch: 1), _losses(1.0))


def learning_rate_scheduler_refuses_an_optimizer_without_rate(keras):
    callback = keras.callbacks.LearningRateScheduler(lambda epoch: 1.0)
    epochs(callback, _losses(1.0), Model(optimizer=object()))


class _Optimizers:
    def __init__(self):
        self.optimizers = [Optimizer(0.1, "sgd"), Optimizer(0.01, "adam")]


def learning_rates_of_several_optimizers_have_names(keras):
    logs = _losses(1.0, 1.0, 1.0)
    epochs(
        keras.callbacks.LearningRateScheduler(lambda e: 0.5 / (1 + e), 1),
        logs,
        Model(_Optimizers()),
    )
    plateau = keras.callbacks.ReduceLROnPlateau("loss", patience=1, verbose=1)
    more = _losses(1.0, 1.0, 1.0)
    epochs(plateau, more, Model(_Optimizers()))
    return logs, more


def _checkpoint(keras, logs, filepath="ck.keras", **settings):
    callback = keras.callbacks.ModelCheckpoint(filepath, **{"verbose": 1, **settings})
    epochs(callback, logs)
    return sorted(os.listdir("."))


def model_checkpoint_saves_every_epoch(keras):
    return _checkpoint(keras, _losses(11.0, 10.0))


def model_checkpoint_fills_in_the_path(keras):
    logs = [{"loss": 11.0, "val_loss": 1 / 3}, {"loss": 10.0, "val_loss": 0.25}]
    path = "deep/{epoch:02d}-{val_loss:.2f}.keras"
    return _checkpoint(keras, logs, path), sorted(os.listdir("deep"))


def model_checkpoint_saves_the_best(keras):
    logs = _losses(11.0, 10.0, 10.5, 9.87654321, float("nan"))
    return _checkpoint(keras, logs, save_best_only=True, monitor="loss")


def model_checkpoint_saves_what_is_better_than_a_threshold(keras):
    settings = {"monitor": "acc", "mode": "max", "initial_value_threshold": 0.5}
    return _checkpoint(keras, _losses(0.4, 0.6, 0.5, name="acc"), save_best_only=True, **settings)


def model_checkpoint_saves_where_the_metric_is_missing(keras):
    return _checkpoint(keras, _losses(1.0), save_best_only=True)


def model_checkpoint_saves_where_the_metric_is_no_scalar(keras):
    logs = [{"val_loss": np.array([1.0, 2.0])}]
    return _checkpoint(keras, logs, save_best_only=True)


def model_checkpoint_saves_weights(keras):
    return _checkpoint(keras, _losses(1.0), "w.weights.h5", save_weights_only=True)


def model_checkpoint_is_silent_by_default(keras):
    return _checkpoint(keras, _losses(1.0), verbose=0)


def model_checkpoint_counts_batches(keras):
    callback = keras.callbacks.ModelCheckpoint("{epoch}-{batch}.keras", save_freq=4)
    callback.set_model(Model())
    for epoch in range(3):
        callback.on_epoch_begin(epoch)
        for batch in [(0, 1, 2, 3, 4, 5, 6), (1, 3, 5), (0, 1)][epoch]:
            callback.on_train_batch_end(batch, {"loss": 1.0})
        callback.on_epoch_end(epoch, {"loss": 1.0})


def model_checkpoint_refuses_an_unknown_name(keras):
    _checkpoint(keras, _losses(1.0), "{val_acc}.keras")


def model_checkpoint_refuses_other_endings_of_models(keras):
    keras.callbacks.ModelCheckpoint("model.npy")


def model_checkpoint_refuses_other_frequencies(keras):
    keras.callbacks.ModelCheckpoint("x.keras", save_freq="batch")


def model_checkpoint_refuses_a_directory(keras):
    os.mkdir("ck.keras")
    _checkpoint(keras, _losses(1.0))


def csv_logger_writes_a_table(keras):
    logs = [{"loss": 1.5, "a": 0.25}, {"a": 1, "loss": 2.0, "val_loss": 3.0}, {"loss": "x,y"}]
    epochs(keras.callbacks.CSVLogger("log.csv"), logs)
    return open("log.csv", newline="").read()


def csv_logger_continues_a_table(keras):
    for append in (True, True, False):
        logs = [{"loss": 1.5, "val_loss": np.array([1, 2])}, {"loss": np.array(2.5)}]
        epochs(keras.callbacks.CSVLogger("log.tsv", separator=";", append=append), logs)
        print(open("log.tsv", newline="").read())


def csv_logger_of_no_logs(keras):
    epochs(keras.callbacks.CSVLogger("log.csv"), [{}, {"loss": 1}])
    return open("log.csv", newline="").read()


def terminate_on_nan_stops(keras):
    callback, model = keras.callbacks.TerminateOnNaN(), Model()
    callback.set_model(model)
    stops = []
    for batch, loss in enumerate([1.0, None, float("nan"), float("inf"), -float("inf")]):
        callback.on_train_batch_end(batch, {} if loss is None else {"loss": loss})
        stops.append(model.stop_training)
        model.stop_training = False
    return stops


def terminate_on_nan_raises(keras):
    keras.callbacks.TerminateOnNaN(raise_error=True).on_batch_end(7, {"loss": float("nan")})


def callback_list_calls_every_hook(keras):
    model = Model()
    single = Recorder(keras)
    several = keras.callbacks.CallbackList([single, Recorder(keras)], model=model, epochs=3)
    several.on_train_begin()
    several.on_epoch_begin(0)
    several.on_train_batch_begin(0, {"size": 7})
    several.on_train_batch_end(0, {"loss": np.float32(0.5), "b": {"d": 1, "c": "text"}, "a": True})
    several.on_test_begin()
    several.on_test_batch_begin(3)
    several.on_test_batch_end(3, {"loss": np.array(2)})
    several.on_test_end({"loss": 1})
    several.on_epoch_end(0, {"b": 1, "a": 2})
    several.on_train_end({"loss": 1})
    several.on_predict_begin()
    several.on_predict_batch_begin(0)
    several.on_predict_batch_end(0, {"outputs": [1]})
    several.on_predict_end()
    return len(several.callbacks), single.params, single.model is model


def callback_list_knows_its_old_names_of_hooks(keras):
    class Old(keras.callbacks.Callback):
        def on_batch_begin(self, batch, logs=None):
            print("begin", batch, logs)

        def on_batch_end(self, batch, logs=None):
            print("end", batch, logs)

    several = keras.callbacks.CallbackList([Old()])
    several.on_train_begin()
    several.on_train_batch_begin(1, {"b": 1, "a": 2})
    several.on_train_batch_end(2)
    several.on_batch_begin(3)
    several.on_batch_end(4)


def callback_list_refuses_an_end_without_begin(keras):
    keras.callbacks.CallbackList([]).on_test_end()


def callback_list_adds_what_is_missing(keras):
    model = Model()
    history = keras.callbacks.History()
    given = keras.callbacks.CallbackList([history], add_history=True, model=model)
    settings = {"verbose": 0, "epochs": 1, "steps": 1}
    added = keras.callbacks.CallbackList(None, add_history=True, add_progbar=True, **settings)
    return (
        len(given.callbacks),
        model.history is history,
        [type(c).__name__ for c in added.callbacks],
    )


def history_keeps_everything(keras):
    history, model = keras.callbacks.History(), Model()
    epochs(history, [{"loss": 1.0, "a": 2}, {"loss": 0.5, "val_loss": 3.0}], model)
    epochs(history, [{"loss": 0.25}], model)
    return history.history, history.epoch, model.history is history


def lambda_callback_calls_functions(keras):
    callback = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: print("epoch begins", epoch, logs),
        on_epoch_end=lambda epoch, logs: print("epoch ends", epoch, logs),
        on_train_begin=lambda logs: print("train begins", logs),
        on_train_end=lambda logs: print("train ends", logs),
        on_train_batch_begin=lambda batch, logs: print("batch begins", batch, logs),
        on_train_batch_end=lambda batch, logs: print("batch ends", batch, logs),
        on_test_begin=lambda logs: print("test begins", logs),
        colour="blue",
    )
    several = keras.callbacks.CallbackList([callback, Recorder(keras)])
    several.on_train_begin()
    several.on_epoch_begin(0)
    several.on_train_batch_begin(0)
    several.on_train_batch_end(0, {"loss": 1})
    several.on_test_begin()
    several.on_epoch_end(0, {"loss": 1})
    several.on_train_end()
    return callback.colour


def backup_and_restore_refuses_an_empty_folder(keras):
    keras.callbacks.BackupAndRestore("")


def backup_and_restore_refuses_other_frequencies(keras):
    keras.callbacks.BackupAndRestore("backup", save_freq="batch")


class _Weight:
    """A variable of which averages can be kept, in either package."""

    def __init__(self, value):
        self.value = value

    def assign(self, value):
        self.value = float(np.asarray(value))

    def __array__(self, *_, **__):
        return np.asarray(self.value)


class _Averaging(Optimizer):
    def __init__(self, weight, use_ema=True):
        super().__init__()
        self.use_ema = use_ema
        self.weight = weight
        self.average = _Weight(100.0)
        if use_ema:
            self._trainable_variables = [weight]
            self._model_variables_moving_average = [self.average]

    def _swap_with_averages(self):
        self.weight.value, self.average.value = self.average.value, self.weight.value


class _AveragingModel(Model):
    def __init__(self, use_ema=True):
        self.weight = _Weight(1.0)
        super().__init__(_Averaging(self.weight, use_ema))

    def get_weights(self):
        return [np.asarray(self.weight)]

    def set_weights(self, weights):
        self.weight.assign(weights[0])

    def state(self):
        return self.weight.value, self.optimizer.average.value


def _swaps(keras, swap_on_epoch):
    model = _AveragingModel()
    callback = keras.callbacks.SwapEMAWeights(swap_on_epoch)
    callback.set_params({"epochs": 2})
    callback.set_model(model)
    for epoch in range(2):
        callback.on_epoch_begin(epoch)
        yield model.state()
        callback.on_test_begin()
        yield model.state()
        callback.on_test_end()
        yield model.state()
        callback.on_epoch_end(epoch)
        yield model.state()
    callback.on_predict_begin()
    yield model.state()


def swap_ema_weights_around_evaluation(keras):
    return list(_swaps(keras, False))


def swap_ema_weights_on_epochs(keras):
    return list(_swaps(keras, True))


def swap_ema_weights_refuses_an_optimizer_without_averages(keras):
    callback = keras.callbacks.SwapEMAWeights()
    callback.set_model(_AveragingModel(use_ema=False))
    callback.on_test_begin()
