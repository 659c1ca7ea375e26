"""Callbacks where Oxhorn says more than Keras, or differs from it on purpose."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from oxhorn import callbacks
from oxhorn.callbacks.callback import HOOKS
from scenarios._stand_ins import Model, Optimizer, clock, epochs

BATCH_HOOKS = {hook for hook in HOOKS if "_batch_" in hook}


def test_hooks_are_those_that_some_callback_overrides() -> None:
    class Mine(callbacks.Callback):
        def on_batch_end(self, batch, logs=None):
            pass

    functions = callbacks.LambdaCallback(on_test_begin=print)
    assert callbacks.CallbackList([]).hooks() == set()
    assert callbacks.CallbackList([callbacks.Callback()]).hooks() == set()
    assert callbacks.CallbackList([Mine(), functions]).hooks() == {
        "on_train_batch_end",
        "on_test_begin",
    }


def test_hooks_of_strangers_are_those_that_they_have() -> None:
    stranger = SimpleNamespace(
        set_params=print, set_model=print, on_epoch_end=print, on_train_end=print
    )
    # What ends has begun: the list counts loops.
    wanted = {"on_epoch_end", "on_train_begin", "on_train_end"}
    assert callbacks.CallbackList([stranger]).hooks() == wanted


@pytest.mark.parametrize(
    ("verbose", "steps", "wanted"),
    [(0, 3, False), (0, None, False), (2, 3, False), (2, None, True), (1, 3, True)],
)
def test_hooks_of_a_progress_bar_depend_on_what_it_shows(verbose, steps, wanted) -> None:
    settings = {"verbose": verbose, "epochs": 1, "steps": steps}
    several = callbacks.CallbackList([], add_progbar=True, **settings)
    assert bool(several.hooks() & BATCH_HOOKS) is wanted


def test_hooks_of_batches_are_named_by_callbacks_that_count_batches(tmp_path) -> None:
    pairs = [
        (callbacks.ModelCheckpoint("x.keras"), callbacks.ModelCheckpoint("x.keras", save_freq=3)),
        (
            callbacks.BackupAndRestore(tmp_path),
            callbacks.BackupAndRestore(tmp_path, save_freq=3),
        ),
        (callbacks.TensorBoard(tmp_path), callbacks.TensorBoard(tmp_path, update_freq="batch")),
    ]
    for by_epoch, by_batch in pairs:
        assert not callbacks.CallbackList(by_epoch).hooks() & BATCH_HOOKS
        assert "on_train_batch_end" in callbacks.CallbackList(by_batch).hooks()


def test_hooks_that_a_subclass_overrides_are_never_left_out() -> None:
    class Mine(callbacks.ModelCheckpoint):
        def on_train_batch_end(self, batch, logs=None):
            pass

    assert "on_train_batch_end" in callbacks.CallbackList(Mine("x.keras")).hooks()


def test_batches_may_be_skipped_only_while_nothing_but_a_bar_listens() -> None:
    settings = {"verbose": 1, "epochs": 1, "steps": 3}
    bar = callbacks.CallbackList([callbacks.History()], add_progbar=True, **settings)
    every = callbacks.CallbackList([callbacks.TerminateOnNaN()], add_progbar=True, **settings)
    settings["steps"] = None
    unknown = callbacks.CallbackList([], add_progbar=True, **settings)
    assert [c.batch_interval() for c in (bar, every, unknown)] == [0.05, 0.0, 0.0]


def test_skipped_batches_change_nothing_that_a_bar_shows(capsys) -> None:
    shown = []
    for skips in (False, True):
        with clock() as now:
            settings = {"verbose": 1, "epochs": 1, "steps": 100}
            several = callbacks.CallbackList([], add_progbar=True, model=Model(), **settings)
            several.on_train_begin()
            several.on_epoch_begin(0)
            last = 0.0
            for batch in range(100):
                now[0] += 0.013
                if batch == 0 or not skips or now[0] - last >= several.batch_interval():
                    several.on_train_batch_end(batch, {"loss": batch / 7})
                    last = now[0]
            several.on_epoch_end(0, {"loss": 0.5})
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1] != ""


@pytest.mark.parametrize(("direction", "stops_at"), [("up", 2), ("down", 1)])
def test_monitors_ask_the_metric_for_its_direction(direction, stops_at) -> None:
    model = Model()
    metric = SimpleNamespace(name="score", _direction=direction)
    model.metrics = [SimpleNamespace(name="loss"), SimpleNamespace(name="all", metrics=[metric])]
    stopping = callbacks.EarlyStopping(monitor="val_score")
    epochs(stopping, [{"val_score": v} for v in (1.0, 2.0, 1.5, 1.0)], model)
    assert stopping.stopped_epoch == stops_at


def test_checkpoints_of_weights_may_be_npz(tmp_path) -> None:
    path = tmp_path / "deep" / "w{epoch}.npz"
    epochs(callbacks.ModelCheckpoint(path, save_weights_only=True), [{"loss": 1.0}] * 2)
    assert sorted(os.listdir(tmp_path / "deep")) == ["w1.npz", "w2.npz"]


def test_checkpoints_of_weights_refuse_other_endings() -> None:
    with pytest.raises(ValueError, match=r"must end in `.weights.h5` .* Received: filepath=w.h5"):
        callbacks.ModelCheckpoint("w.h5", save_weights_only=True)


def test_unknown_arguments_are_refused_by_name() -> None:
    with pytest.raises(TypeError, match="epsilon"):
        callbacks.ReduceLROnPlateau(epsilon=0.1)


def test_callbacks_that_do_not_exist_refuse_to_be_made_by_name() -> None:
    for make in (callbacks.RemoteMonitor, lambda: callbacks.OrbaxCheckpoint("folder")):
        with pytest.raises(NotImplementedError, match="RemoteMonitor|OrbaxCheckpoint"):
            make()


def test_weights_return_after_a_prediction_with_averages() -> None:
    class Averaging(Optimizer):
        use_ema = True
        swaps = 0

        def _swap_with_averages(self):
            self.swaps += 1

    model = Model(Averaging())
    callback = callbacks.SwapEMAWeights()
    callback.set_model(model)
    callback.on_predict_begin()
    assert model.optimizer.swaps == 1
    callback.on_predict_end()
    assert model.optimizer.swaps == 2


def test_backup_needs_a_built_model(tmp_path) -> None:
    callback, model = callbacks.BackupAndRestore(tmp_path), Model()
    model.built = False
    callback.set_model(model)
    with pytest.raises(ValueError, match="you model must be built before you call `fit\\(\\)`"):
        callback.on_train_begin()
