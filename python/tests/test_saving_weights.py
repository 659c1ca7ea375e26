"""Weights as `.npz` files, and training that goes on where it was interrupted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import oxhorn as keras
from oxhorn import callbacks, layers
from oxhorn.models import Model, Sequential


def chain(*units: int, **settings: Any) -> Sequential:
    return Sequential([layers.Input((3,)), *(layers.Dense(n, **settings) for n in units)])


def same(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b))


def test_weights_come_back_whatever_the_layers_are_called(tmp_path: Path) -> None:
    written, read = chain(4, 2), chain(4, 2)
    assert not same(written.get_weights(), read.get_weights())
    written.save_weights(tmp_path / "a.weights.npz")
    read.load_weights(str(tmp_path / "a.weights.npz"))
    assert same(written.get_weights(), read.get_weights())


def test_entries_are_named_by_attributes_and_classes_as_in_keras(tmp_path: Path) -> None:
    class Net(Model):
        def __init__(self) -> None:
            super().__init__()
            self.blocks = [layers.Dense(2), layers.Dense(2), [layers.Dense(2)]]
            self.norm = layers.BatchNormalization()
            self.inner = Sequential([layers.Input((2,)), layers.Dense(2), layers.Dense(3)])
            self._hidden = layers.Dense(1)
            self.out = self.scale = layers.Dense(2)

        def build(self, input_shape: Any) -> None:
            self.offset = self.add_weight(shape=(1,), name="offset")
            super().build(input_shape)

        def call(self, x: Any) -> Any:
            for block in (*self.blocks[:2], *self.blocks[2]):
                x = block(x)
            return self._hidden(self.inner(self.scale(self.norm(x)))) + self.offset

    model = Net()
    model(np.ones((2, 3), "float32"))
    model.save_weights(tmp_path / "own.npz")
    with np.load(tmp_path / "own.npz") as file:
        assert sorted(file.files) == [
            *(f"blocks/container/dense/vars/{n}" for n in range(2)),
            *(f"blocks/dense/vars/{n}" for n in range(2)),
            *(f"blocks/dense_1/vars/{n}" for n in range(2)),
            *(f"inner/layers/dense/vars/{n}" for n in range(2)),
            *(f"inner/layers/dense_1/vars/{n}" for n in range(2)),
            # As recorded from Keras 3.15.1: it comes to `layers` before all other attributes, and
            # those that it has already been to are counted among them.
            *(f"layers/batch_normalization/vars/{n}" for n in range(4)),
            *(f"layers/dense_3/vars/{n}" for n in range(2)),
            *(f"layers/dense_4/vars/{n}" for n in range(2)),
            "vars/0",
        ]


def test_entries_of_a_functional_model_count_each_class(tmp_path: Path) -> None:
    x = layers.Input((3,))
    y = layers.Dense(2, name="zebra")(x)
    z = layers.BatchNormalization()(layers.Dense(2, name="ant")(y))
    model = Model(x, layers.Dropout(0.5)(z))
    model.save_weights(tmp_path / "m.npz")
    with np.load(tmp_path / "m.npz") as file:
        places = {name: file[name] for name in file.files}
    assert sorted({name.rsplit("/", 1)[0] for name in places}) == [
        "layers/batch_normalization/vars",
        "layers/dense/vars",
        "layers/dense_1/vars",
    ]
    kernel = model.get_layer("ant").kernel.numpy()
    np.testing.assert_array_equal(places["layers/dense_1/vars/0"], kernel)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (
            lambda: chain(4, 5),
            "The shape of the target variable and the shape of the target value in "
            r"`variable.assign\(value\)` must match. variable.shape=\(4, 5\), Received: "
            r"value.shape=\(4, 2\). Target variable: <Variable path=",
        ),
        (
            lambda: chain(4, 2, use_bias=False),
            "A total of 2 objects could not be loaded. Example error message for object "
            "<Dense name=dense_2, built=True>:\n\nLayer 'dense_2' expected 1 variables, but "
            r"received 2 variables during loading. Expected: \['kernel'\]",
        ),
        (
            lambda: chain(4, 2, 2),
            "Layer 'dense_4' expected 2 variables, but received 0 variables during loading. "
            r"Expected: \['kernel', 'bias'\]\n\nList of objects that could not be loaded:\n"
            r"\[<Dense name=dense_4, built=True>\]",
        ),
    ],
    ids=["shape", "count", "absent"],
)
def test_weights_that_do_not_fit_are_told_in_keras_words(
    tmp_path: Path, other: Any, said: str
) -> None:
    keras.utils.clear_session()
    written = chain(4, 2)
    written.save_weights(tmp_path / "a.npz")
    model = other()
    before = model.get_weights()
    with pytest.raises(ValueError, match=said):
        model.load_weights(tmp_path / "a.npz")
    assert same(model.get_weights(), before), "nothing is taken where something does not fit"
    with pytest.warns(UserWarning, match=said):
        model.load_weights(tmp_path / "a.npz", skip_mismatch=True)
    fits = model.layers[0].get_weights()[0].shape == (3, 4) and model.layers[0].use_bias
    assert same(model.layers[0].get_weights(), written.layers[0].get_weights()) == fits


def test_an_unbuilt_model_takes_no_weights(tmp_path: Path) -> None:
    chain(2).save_weights(tmp_path / "a.npz")
    with pytest.raises(ValueError, match="has not yet been built"):
        Sequential([layers.Dense(2)]).load_weights(tmp_path / "a.npz")


@pytest.mark.parametrize("name", ["a.h5", "a.weights.h5", "a.keras", "a.hdf5"])
def test_files_that_cannot_be_are_refused_with_what_can(name: str) -> None:
    model = chain(2)
    for method in (model.save_weights, model.load_weights):
        with pytest.raises(NotImplementedError, match=r"`\.npz` files.*model\.weights\.npz"):
            method(name)


def test_other_endings_and_arguments_are_refused(tmp_path: Path) -> None:
    model = chain(2)
    with pytest.raises(ValueError, match=r"must end in `.npz`. Received: filepath=a.txt"):
        model.save_weights("a.txt")
    with pytest.raises(NotImplementedError, match="max_shard_size"):
        model.save_weights("a.npz", max_shard_size=1)
    with pytest.raises(ValueError, match="Invalid keyword arguments: {'by_name': True}"):
        model.load_weights("a.npz", by_name=True)
    with pytest.raises(FileNotFoundError):
        model.load_weights(tmp_path / "nowhere.npz")


def test_files_with_code_in_them_are_not_read(tmp_path: Path) -> None:
    model = chain(2)
    objects = np.empty(1, dtype=object)
    np.savez(tmp_path / "a.npz", **{"layers/dense/vars/0": objects, "layers/dense/vars/1": objects})
    with pytest.raises(ValueError, match="allow_pickle=False"):
        model.load_weights(tmp_path / "a.npz")


def test_a_write_that_fails_leaves_the_file_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, path = chain(2), tmp_path / "a.npz"
    model.save_weights(path)
    before = path.read_bytes()

    def fail(file: Any, **arrays: Any) -> None:
        file.write(b"half of it")
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(OSError, match="no space left"):
        model.save_weights(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"]


@pytest.mark.parametrize(("answers", "replaced"), [(["y"], True), (["what", "n"], False)])
def test_a_person_is_asked_before_a_file_is_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: list[str], replaced: bool
) -> None:
    model, path = chain(2), tmp_path / "a.npz"
    path.write_bytes(b"something else")
    monkeypatch.setattr("builtins.input", lambda _: answers.pop(0))
    model.save_weights(path, overwrite=False)
    assert (path.read_bytes() != b"something else") == replaced
    assert answers == []


def test_the_functions_of_saving_are_the_methods(tmp_path: Path) -> None:
    written, read = chain(2), chain(2)
    keras.saving.save_weights(written, tmp_path / "a.npz")
    keras.saving.load_weights(read, tmp_path / "a.npz")
    assert same(written.get_weights(), read.get_weights())


# Interrupted training ----------------------------------------------------------------------------


class Interrupt(callbacks.Callback):
    """What happens to the process after an epoch."""

    def __init__(self, epoch: int) -> None:
        super().__init__()
        self.epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if epoch == self.epoch:
            raise KeyboardInterrupt


def trained(optimizer: Any, *more: Any, epochs: int = 5, shuffle: bool = True) -> Any:
    """A model after training, and the history of it."""
    keras.utils.set_random_seed(7)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(53, 3)).astype("float32")
    y = (x @ np.array([[1.0], [2.0], [-1.0]])).astype("float32")
    model = Sequential(
        [
            *(layers.Input((3,)), layers.Dense(8, activation="relu"), layers.Dropout(0.3)),
            *(layers.BatchNormalization(), layers.Dense(1)),
        ]
    )
    model.compile(optimizer(), "mse", metrics=["mae"])
    settings = dict(epochs=epochs, verbose=0, shuffle=shuffle, validation_split=0.2)
    return model, model.fit(x, y, callbacks=list(more), **settings).history


OPTIMIZERS = {
    "adam": lambda: keras.optimizers.Adam(0.01),
    "sgd": lambda: keras.optimizers.SGD(0.05, momentum=0.9),
    "schedule": lambda: keras.optimizers.RMSprop(
        keras.optimizers.schedules.ExponentialDecay(0.01, 3, 0.5)
    ),
    "ema": lambda: keras.optimizers.AdamW(0.01, use_ema=True, gradient_accumulation_steps=3),
}


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=list(OPTIMIZERS))
def test_training_that_was_interrupted_ends_as_if_it_had_not_been(
    tmp_path: Path, optimizer: Any, shuffle: bool
) -> None:
    whole, history = trained(optimizer, shuffle=shuffle)
    folder = str(tmp_path / "backup")
    with pytest.raises(KeyboardInterrupt):
        trained(optimizer, callbacks.BackupAndRestore(folder), Interrupt(2), shuffle=shuffle)
    resumed, rest = trained(optimizer, callbacks.BackupAndRestore(folder), shuffle=shuffle)
    # Callbacks run in order: the third epoch was backed up before it was interrupted.
    assert rest == {name: values[3:] for name, values in history.items()}
    assert same(resumed.get_weights(), whole.get_weights())
    assert not Path(folder).exists()


def test_a_turned_learning_rate_is_resumed(tmp_path: Path) -> None:
    folder = str(tmp_path / "backup")
    halve = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    with pytest.raises(KeyboardInterrupt):
        trained(OPTIMIZERS["adam"], halve, callbacks.BackupAndRestore(folder), Interrupt(1))
    resumed, _ = trained(OPTIMIZERS["adam"], callbacks.BackupAndRestore(folder), epochs=3)
    assert float(resumed.optimizer.learning_rate) == np.float32(0.01 / 4)


def test_the_backup_of_another_model_is_refused(tmp_path: Path) -> None:
    folder = str(tmp_path / "backup")
    with pytest.raises(KeyboardInterrupt):
        trained(OPTIMIZERS["adam"], callbacks.BackupAndRestore(folder), Interrupt(1))
    with pytest.raises(ValueError, match="variables of the optimizer, but its backup has"):
        trained(OPTIMIZERS["sgd"], callbacks.BackupAndRestore(folder))
