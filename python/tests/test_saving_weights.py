"""Weights as files, in every format that there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import oxhorn as keras
from oxhorn import layers
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
    kept = [name for name in places if not name.startswith("oxhorn/")]
    assert sorted({name.rsplit("/", 1)[0] for name in kept}) == [
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


FORMATS = ["a.weights.h5", "a.npz", "a.safetensors"]


@pytest.mark.parametrize("name", FORMATS)
def test_weights_and_the_optimizer_come_back_in_every_format(tmp_path: Path, name: str) -> None:
    x, y = np.ones((4, 3), "float32"), np.ones((4, 2), "float32")
    written, read = chain(4, 2), chain(4, 2)
    for model in (written, read):
        model.compile("adam", "mse")
        model.train_on_batch(x, y)
    written.train_on_batch(x, 3 * y)
    written.save_weights(tmp_path / name)
    read.load_weights(tmp_path / name)
    assert same(written.get_weights(), read.get_weights())
    slots = [[variable.numpy() for variable in m.optimizer.variables] for m in (written, read)]
    assert same(*slots) and slots[0][0] == 2
    assert written.train_on_batch(x, y) == read.train_on_batch(x, y)


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_weights_are_the_same_bytes(tmp_path: Path, name: str) -> None:
    written, read = chain(4, 2), chain(4, 2)
    written.save_weights(tmp_path / name)
    read.load_weights(tmp_path / name)
    read.save_weights(tmp_path / f"again.{name}")
    again = (tmp_path / f"again.{name}").read_bytes()
    # HDF5 has the names of layers as well, which differ.
    assert name.endswith(".h5") or again == (tmp_path / name).read_bytes()
    assert len(again) > 4 * written.count_params()


def test_an_optimizer_that_has_seen_nothing_takes_no_state(tmp_path: Path) -> None:
    written, read = chain(2), chain(2)
    written.compile("adam", "mse")
    written.train_on_batch(np.ones((4, 3)), np.ones((4, 2)))
    written.save_weights(tmp_path / "a.weights.h5")
    read.compile("adam", "mse")
    said = "Skipping variable loading for optimizer '.*', because it has 2 variables whereas the "
    with pytest.warns(UserWarning, match=f"{said}saved optimizer has 6 variables"):
        read.load_weights(tmp_path / "a.weights.h5")
    assert same(written.get_weights(), read.get_weights())
    assert int(read.optimizer.iterations) == 0


@pytest.mark.parametrize("name", FORMATS)
def test_masks_go_on_where_they_were(tmp_path: Path, name: str) -> None:
    def dropping() -> Sequential:
        drop = layers.Dropout(0.5, name="drop")
        return Sequential([layers.Input((64,)), drop], name="dropping")

    x = np.ones((2, 64), "float32")
    written, read = dropping(), dropping()
    written(x, training=True)
    written.save_weights(tmp_path / name)
    read.load_weights(tmp_path / name)
    for _ in range(2):
        np.testing.assert_array_equal(written(x, training=True), read(x, training=True))


def test_objects_that_are_left_out_keep_what_they_have(tmp_path: Path) -> None:
    written, read = chain(4, 2), chain(4, 2)
    keras.saving.save_weights(
        written, tmp_path / "a.weights.h5", objects_to_skip=[written.layers[1]]
    )
    with pytest.raises(ValueError, match="but received 0 variables during loading"):
        read.load_weights(tmp_path / "a.weights.h5")
    before = read.layers[1].get_weights()
    read.load_weights(tmp_path / "a.weights.h5", objects_to_skip=[read.layers[1]])
    assert same(read.layers[1].get_weights(), before)
    assert same(read.layers[0].get_weights(), written.layers[0].get_weights())


def test_a_layer_may_keep_its_variables_in_a_way_of_its_own(tmp_path: Path) -> None:
    class Halved(layers.Dense):
        def save_own_variables(self, store: Any) -> None:
            store["half"] = self.kernel.numpy() / 2

        def load_own_variables(self, store: Any) -> None:
            self.kernel.assign(2 * store["half"])

    written, read = (Sequential([layers.Input((3,)), Halved(2)]) for _ in range(2))
    written.save_weights(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as file:
        assert file.files == ["layers/halved/vars/half"]
    read.load_weights(tmp_path / "a.npz")
    assert same(written.get_weights(), read.get_weights())

    class Stranger(layers.Dense):
        def save_assets(self, folder: str) -> None: ...

    with pytest.raises(NotImplementedError, match="`Stranger` has `save_assets`"):
        Sequential([layers.Input((3,)), Stranger(2)]).save_weights(tmp_path / "b.npz")


def test_other_endings_and_arguments_are_refused(tmp_path: Path) -> None:
    model = chain(2)
    for name in ("a.txt", "a.h5", "a.keras"):
        with pytest.raises(
            ValueError, match=rf"must end in `.weights.h5`. Received: filepath={name}"
        ):
            model.save_weights(name)
    with pytest.raises(ValueError, match="File format not supported: filepath=a.txt"):
        model.load_weights("a.txt")
    with pytest.raises(NotImplementedError, match="max_shard_size"):
        model.save_weights("a.npz", max_shard_size=1)
    with pytest.raises(ValueError, match="Invalid keyword arguments: {'other': True}"):
        model.load_weights("a.npz", other=True)
    with pytest.raises(ValueError, match="`by_name` only supports loading legacy '.h5'"):
        model.load_weights("a.npz", by_name=True)
    with pytest.raises(FileNotFoundError):
        model.load_weights(tmp_path / "nowhere.npz")


def test_files_with_code_in_them_are_not_read(tmp_path: Path) -> None:
    model = chain(2)
    objects = np.empty(1, dtype=object)
    np.savez(tmp_path / "a.npz", **{"layers/dense/vars/0": objects, "layers/dense/vars/1": objects})
    with pytest.raises(ValueError, match="Python objects"):
        model.load_weights(tmp_path / "a.npz")


@pytest.mark.parametrize("name", FORMATS)
def test_a_write_that_fails_leaves_the_file_before(tmp_path: Path, name: str) -> None:
    model, path = chain(2), tmp_path / name
    model.save_weights(path)
    before = path.read_bytes()
    folder = tmp_path / "folder.npz"
    folder.mkdir()
    with pytest.raises(OSError):
        model.save_weights(folder)
    with pytest.raises(OSError):
        model.save_weights(tmp_path / "nowhere" / name)
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([name, "folder.npz"])


@pytest.mark.parametrize("name", FORMATS)
def test_a_bit_that_is_flipped_is_told(tmp_path: Path, name: str) -> None:
    model, path = chain(2), tmp_path / name
    model.save_weights(path)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for bit in rng.integers(0, 8 * len(whole), 50):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(changed)
        with pytest.raises(ValueError, match=str(path)):
            model.load_weights(path)


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
