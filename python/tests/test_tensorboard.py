"""What `TensorBoard` writes: its bytes by definition, its numbers as TensorBoard reads them."""

from __future__ import annotations

import os
import struct
from types import SimpleNamespace

import numpy as np
import pytest

from oxhorn import callbacks
from oxhorn.callbacks.event_file import EventFile, crc32c, histogram_rows, masked_crc32c
from scenarios._stand_ins import Model, Optimizer, clock


class Sequential(Model):
    """A model of one layer with weights, which counts its steps."""

    def __init__(self) -> None:
        super().__init__(Optimizer(0.25))
        self.optimizer.iterations = 0
        kernel = SimpleNamespace(path="dense/kernel:0", numpy=lambda: np.arange(7.0))
        self.layers = [SimpleNamespace(weights=[kernel]), SimpleNamespace(weights=[])]

    def to_json(self) -> str:
        return '{"class_name": "Sequential"}'


def fit(callback, epochs: int = 3, steps: int = 4, model: Model | None = None) -> None:
    """What `fit` calls, with a loss that falls from batch to batch and validation."""
    model = model or Sequential()
    callback.set_params({"epochs": epochs, "steps": steps, "verbose": 0})
    callback.set_model(model)
    with clock() as now:
        callback.on_train_begin()
        for epoch in range(epochs):
            callback.on_epoch_begin(epoch)
            for batch in range(steps):
                callback.on_train_batch_begin(batch)
                now[0] += 0.5
                model.optimizer.iterations += 1
                callback.on_train_batch_end(batch, {"loss": 8.0 - model.optimizer.iterations})
            callback.on_test_begin()
            callback.on_test_end({"loss": float(epoch)})
            callback.on_epoch_end(epoch, {"loss": 0.5**epoch, "val_loss": 3.0 + epoch})
        callback.on_train_end()


def records(folder) -> list[bytes]:
    """The contents of the records of the only file in a folder, with their checksums checked."""
    (name,) = os.listdir(folder)
    content = (folder / name).read_bytes()
    found = []
    while content:
        length, check = struct.unpack("<QI", content[:12])
        assert check == masked_crc32c(content[:8])
        found.append(content[12 : 12 + length])
        assert struct.unpack("<I", content[12 + length : 16 + length])[0] == masked_crc32c(
            found[-1]
        )
        content = content[16 + length :]
    return found


def test_checksums_are_those_of_rfc_3720() -> None:
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E
    assert crc32c(b"123456789") == 0xE3069283


def test_a_file_begins_with_its_version(tmp_path) -> None:
    EventFile(str(tmp_path)).close()
    (first,) = records(tmp_path)
    assert first[:1] == b"\x09"
    assert first[9:] == b"\x1a\x0dbrain.Event:2"


def test_names_of_files_differ(tmp_path) -> None:
    for _ in range(3):
        EventFile(str(tmp_path)).close()
    assert len(os.listdir(tmp_path)) == 3


def test_a_scalar_is_one_record(tmp_path) -> None:
    with clock(1.5):
        file = EventFile(str(tmp_path))
        file.scalar("t", 2.0, 300)
        file.close()
    tensor = b"\x08\x01" + b"\x12\x00" + b"\x2a\x04" + struct.pack("<f", 2.0)
    metadata = b"\x0a\x09" + b"\x0a\x07scalars" + b"\x20\x01"
    value = b"\x0a\x01t" + b"\x42\x0a" + tensor + b"\x4a\x0d" + metadata
    summary = b"\x0a" + bytes([len(value)]) + value
    expected = b"\x09" + struct.pack("<d", 1.5) + b"\x10\xac\x02\x2a"
    assert records(tmp_path)[1] == expected + bytes([len(summary)]) + summary


@pytest.mark.parametrize("values", [[], [2.0, 2.0], [1.0, 2.0, 3.0, 3.0, 9.5], np.zeros((0, 3))])
def test_histograms_count_every_value_once(values) -> None:
    rows = histogram_rows(values, 4)
    values = np.ravel(values)
    assert rows.shape == ({0: 0, 1: 1}.get(len(set(values)), 4), 3)
    for left, right, count in rows:
        last = right == rows[-1, 1]
        assert count == sum(left <= v < right or (last and v == right) for v in values)


def test_settings_that_oxhorn_lacks_are_refused_by_name() -> None:
    settings = {"profile_batch": 2, "embeddings_freq": 1, "embeddings_metadata": "x"}
    for name, value in {**settings, "write_images": True}.items():
        with pytest.raises(NotImplementedError, match=f"`{name}`. Received: {name}={value}"):
            callbacks.TensorBoard(**{name: value})


def test_a_graph_that_cannot_be_written_is_a_warning(tmp_path) -> None:
    model = Sequential()
    model.to_json = lambda: (_ for _ in ()).throw(ValueError("no config"))
    with pytest.warns(
        UserWarning, match="Model failed to serialize as JSON. Ignoring... no config"
    ):
        callbacks.TensorBoard(tmp_path).set_model(model)


# As TensorBoard reads it.


def read(folder):
    """Tags and points of the curves in a folder, and everything else that TensorBoard found."""
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    accumulator = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    accumulator.Reload()
    found = {}
    for tag in accumulator.Tags()["tensors"]:
        events = accumulator.Tensors(tag)
        plugin = accumulator.SummaryMetadata(tag).plugin_data.plugin_name
        found[tag] = (plugin, [(e.step, e.tensor_proto) for e in events])
    return found


def curve(found, tag):
    from tensorboard.util.tensor_util import make_ndarray

    plugin, points = found[tag]
    assert plugin == "scalars"
    return [(step, float(make_ndarray(tensor))) for step, tensor in points]


def test_curves_of_epochs_are_read_back(tmp_path) -> None:
    fit(callbacks.TensorBoard(tmp_path))
    train, validation = read(tmp_path / "train"), read(tmp_path / "validation")
    assert set(train) == {"keras", "epoch_loss", "epoch_learning_rate"}
    assert curve(train, "epoch_loss") == [(0, 1.0), (1, 0.5), (2, 0.25)]
    assert curve(train, "epoch_learning_rate") == [(0, 0.25), (1, 0.25), (2, 0.25)]
    assert set(validation) == {"epoch_loss", "evaluation_loss_vs_iterations"}
    assert curve(validation, "epoch_loss") == [(0, 3.0), (1, 4.0), (2, 5.0)]
    assert curve(validation, "evaluation_loss_vs_iterations") == [(4, 0.0), (8, 1.0), (12, 2.0)]


@pytest.mark.parametrize(("update_freq", "steps"), [("batch", range(1, 13)), (5, (5, 10))])
def test_curves_of_batches_are_read_back(tmp_path, update_freq, steps) -> None:
    fit(callbacks.TensorBoard(tmp_path, update_freq=update_freq))
    train = read(tmp_path / "train")
    assert curve(train, "batch_loss") == [(step, 8.0 - step) for step in steps]
    assert len(curve(train, "epoch_loss")) == 3


def test_steps_per_second_are_read_back(tmp_path) -> None:
    fit(callbacks.TensorBoard(tmp_path, write_steps_per_second=True, update_freq=6))
    train = read(tmp_path / "train")
    assert curve(train, "batch_steps_per_second") == [(6, 2.0), (12, 2.0)]
    assert curve(train, "epoch_steps_per_second") == [(0, 2.0), (1, 2.0), (2, 2.0)]


def test_the_layers_are_read_back(tmp_path) -> None:
    fit(callbacks.TensorBoard(tmp_path))
    plugin, ((step, tensor),) = read(tmp_path / "train")["keras"]
    assert (plugin, step) == ("graph_keras_model", 0)
    assert tensor.string_val == [b'{"class_name": "Sequential"}']
    fit(callbacks.TensorBoard(tmp_path / "without", write_graph=False))
    assert "keras" not in read(tmp_path / "without" / "train")


def test_histograms_of_weights_are_read_back(tmp_path) -> None:
    from oxhorn.callbacks import event_file

    fit(callbacks.TensorBoard(tmp_path, histogram_freq=2))
    found = read(tmp_path / "train")
    from tensorboard.util.tensor_util import make_ndarray

    plugin, points = found["dense/kernel_0/histogram"]
    assert (plugin, [step for step, _ in points]) == ("histograms", [0, 2])
    rows = make_ndarray(points[0][1])
    np.testing.assert_array_equal(rows, event_file.histogram_rows(np.arange(7.0), 30))


def test_every_training_has_a_file_of_its_own(tmp_path) -> None:
    callback = callbacks.TensorBoard(tmp_path)
    fit(callback, epochs=1)
    fit(callback, epochs=1)
    assert len(os.listdir(tmp_path / "train")) == 2
