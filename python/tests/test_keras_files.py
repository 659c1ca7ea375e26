"""Models saved by real Keras and loaded here, and saved here and loaded by real Keras."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import keras_files  # noqa: E402
import oxhorn  # noqa: E402
from oxhorn import layers  # noqa: E402
from oxhorn.models import Model, Sequential, load_model  # noqa: E402

MISSING = [name for name in ("keras", "jax") if importlib.util.find_spec(name) is None]
with_keras = pytest.mark.skipif(bool(MISSING), reason=f"{' and '.join(MISSING)} not installed")

FILES = [f"{name}.keras" for name in keras_files.SHAPES]
FILES += [f"{name}.h5" for name in keras_files.LEGACY]
# How far two libraries may be apart that sum in another order.
PREDICTION, TRAINED = 1e-6, 1e-5


@pytest.fixture(scope="module", autouse=True)
def known() -> Any:
    """The classes and functions of the models, registered for this module alone."""
    before = dict(oxhorn.saving.get_custom_objects())
    keras_files.register(oxhorn)
    yield
    oxhorn.saving.get_custom_objects().clear()
    oxhorn.saving.get_custom_objects().update(before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which both have saved all models, and each has loaded those of the other."""
    folder = tmp_path_factory.mktemp("files")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        keras_files.write(oxhorn, folder / "oxhorn")
        command = [sys.executable, str(HERE / "keras_files.py"), str(folder)]
        environment = {**os.environ, "KERAS_BACKEND": "jax"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"
        keras_files.read(oxhorn, folder / "keras")
    return folder


@with_keras
@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("saver", ["keras", "oxhorn"])
def test_a_model_goes_on_in_the_other_library(folder: Path, saver: str, file: str) -> None:
    name = file.partition(".")[0]
    before = np.load(folder / saver / f"{name}.npz")
    after = np.load(folder / saver / f"{file}.loaded.npz")
    assert sorted(before.files) == sorted(after.files)
    assert before["losses"].shape == (keras_files.STEPS,)
    for fact in before.files:
        limit = PREDICTION if fact.startswith("prediction") else TRAINED
        # What optimizers keep may be large.
        relative = 1e-5 if fact.startswith("slot") else 0.0
        np.testing.assert_allclose(
            after[fact].astype("f8"), before[fact].astype("f8"), relative, limit, err_msg=fact
        )


@with_keras
@pytest.mark.parametrize("name", keras_files.SHAPES)
def test_weights_of_keras_are_taken(folder: Path, name: str) -> None:
    whole = load_model(folder / "keras" / f"{name}.keras")
    model = keras_files.made(oxhorn, name)
    model.load_weights(folder / "keras" / f"{name}.weights.h5")
    pairs = [(whole.get_weights(), model.get_weights())]
    slots = [[v.numpy() for v in it.optimizer.variables] for it in (whole, model)]
    for ours, theirs in [*pairs, slots]:
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs):
            np.testing.assert_array_equal(one, other)


@with_keras
@pytest.mark.parametrize("name", keras_files.SHAPES)
def test_a_file_of_keras_and_ours_have_the_same_parts(folder: Path, name: str) -> None:
    parts = []
    for saver in ("keras", "oxhorn"):
        with zipfile.ZipFile(folder / saver / f"{name}.keras") as archive:
            assert archive.namelist()[:3] == ["metadata.json", "config.json", "model.weights.h5"]
            config = json.loads(archive.read("config.json"))
            assert all(info.compress_type == zipfile.ZIP_STORED for info in archive.infolist())
        found = oxhorn._native.read_keras(str(folder / saver / f"{name}.keras"))
        places = {path: attributes for path, attributes in found["groups"].items()}
        shapes = {path: array.shape for path, array in found["tensors"].items()}
        parts.append((sorted(config), places, shapes))
    assert parts[0] == parts[1]


# Without Keras -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", keras_files.SHAPES)
def test_a_model_that_is_loaded_is_saved_to_the_same_bytes(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datetime

    from oxhorn.saving import archive

    monkeypatch.setattr(archive, "now", lambda: datetime.datetime(2026, 1, 2, 3, 4, 5))
    first, second = tmp_path / "first.keras", tmp_path / "second.keras"
    model = keras_files.made(oxhorn, name)
    model.save(first)
    again = load_model(first)
    again._fresh = model._fresh
    again.save(second)
    assert first.read_bytes() == second.read_bytes()
    x = keras_files.data(name, model)[0]
    for one, other in zip(keras_files.predicted(name, model), keras_files.predicted(name, again)):
        np.testing.assert_array_equal(one, other)
    # Noise goes on where it was, and so does training.
    assert keras_files.train(name, model) == keras_files.train(name, again)
    assert type(again) is type(model) and x is not None


def test_a_file_object_serves_as_well(tmp_path: Path) -> None:
    import io

    model = keras_files.made(oxhorn, "plain")
    file = io.BytesIO()
    model.save(file)
    again = load_model(io.BytesIO(file.getvalue()))
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])
    assert load_model(io.BytesIO(file.getvalue()), compile=False).compiled is False


def dropping(version: str | None, own: bool = False, training: bool = False) -> Any:
    """A functional model of a file, in which a call of a dropout says `training: false`."""
    from oxhorn.saving.file_scope import FileScope

    x = layers.Input((100,), name="x")
    config = oxhorn.saving.serialize_keras_object(Model(x, layers.Dropout(0.5, name="d")(x)))
    node = config["config"]["layers"][1]["inbound_nodes"][0]
    node["kwargs"] = {"training": training}
    with FileScope(version, own, 0):
        return oxhorn.saving.deserialize_keras_object(config)


@pytest.mark.parametrize(
    ("version", "own", "drops"),
    [
        *(("3.15.1", False, True), ("3.8.0", False, True), (None, False, True)),
        *(("2.15.0", False, True), ("3.16.0", False, False), ("4.0.0", False, False)),
        ("3.15.1", True, False),
    ],
)
def test_training_false_counts_where_somebody_has_said_it(
    version: str | None, own: bool, drops: bool
) -> None:
    x = np.ones((3, 100), "float32")
    assert (np.asarray(dropping(version, own)(x, training=True)) == 0).any() == drops
    assert not (np.asarray(dropping(version, own)(x, training=False)) == 0).any()
    always = dropping(version, own, training=True)
    assert (np.asarray(always(x, training=False)) == 0).any()


def test_a_call_without_noise_is_saved_as_one(tmp_path: Path) -> None:
    x = layers.Input((100,))
    model = Model(x, layers.Dropout(0.5)(x, training=False))
    model.save(tmp_path / "a.keras")
    ones = np.ones((3, 100), "float32")
    for it in (model, load_model(tmp_path / "a.keras")):
        np.testing.assert_array_equal(it(ones, training=True), ones)


def test_a_layer_of_two_models_stays_one(tmp_path: Path) -> None:
    shared = layers.Dense(3, name="shared")
    one, two = layers.Input((3,)), layers.Input((3,))
    left, right = (
        Model(one, shared(one), name="left"),
        Model(two, shared(shared(two)), name="right"),
    )
    x = layers.Input((3,))
    model = Model(x, right(left(x)))
    model.save(tmp_path / "a.keras")
    again = load_model(tmp_path / "a.keras")
    inner = [again.get_layer(name).get_layer("shared") for name in ("left", "right")]
    assert inner[0] is inner[1] and len(again.weights) == 2
    ones = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(again.predict(ones, verbose=0), model.predict(ones, verbose=0))


def test_techniques_are_kept_where_keras_does_not_look(tmp_path: Path) -> None:
    model = Sequential([layers.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse", techniques=[oxhorn.techniques.Mixup(0.2)])
    x, y = np.random.rand(8, 3), np.random.rand(8, 1)
    model.train_on_batch(x, y)
    model.save(tmp_path / "a.keras")
    with zipfile.ZipFile(tmp_path / "a.keras") as archive:
        assert "techniques" not in json.loads(archive.read("config.json"))["compile_config"]
    again = load_model(tmp_path / "a.keras")
    losses = [[it.train_on_batch(x, y) for _ in range(3)] for it in (model, again)]
    assert losses[0] == losses[1]


# Legacy files ------------------------------------------------------------------------------------


def older(path: Path) -> list[np.ndarray]:
    """A file as Keras 2 wrote it, and its weights."""
    rng = np.random.default_rng(0)
    kernel, bias = rng.normal(size=(3, 2)).astype("f4"), rng.normal(size=2).astype("f4")
    dense = {
        **{"name": "d", "trainable": True, "batch_input_shape": [None, 3], "dtype": "float32"},
        **{"units": 2, "activation": "tanh", "use_bias": True},
        "kernel_initializer": {"class_name": "GlorotUniform", "config": {"seed": None}},
        "bias_initializer": {"class_name": "Zeros", "config": {}},
    }
    noise = {"name": "n", "trainable": True, "dtype": "float32", "rate": 0.5, "noise_shape": None}
    config = {"name": "old", "layers": [{"class_name": "Dense", "config": dense}]}
    config["layers"].append({"class_name": "Dropout", "config": {**noise, "seed": None}})
    training = {
        "loss": "mse",
        "metrics": ["mae"],
        "loss_weights": None,
        "optimizer_config": {"class_name": "Adam", "config": {"learning_rate": 0.25}},
    }
    text = {"class_name": "Sequential", "config": config}
    root = {"keras_version": "2.11.0", "backend": "tensorflow", "model_config": json.dumps(text)}
    groups = {
        "": {**root, "training_config": json.dumps(training)},
        "model_weights": {"layer_names": ["d", "n"], "keras_version": "2.11.0"},
        "model_weights/d": {"weight_names": ["d/kernel:0", "d/bias:0"]},
        "model_weights/n": {"weight_names": np.zeros(0)},
    }
    arrays = {"model_weights/d/d/kernel:0": kernel, "model_weights/d/d/bias:0": bias}
    oxhorn._native.write_h5(str(path), groups, arrays)
    return [kernel, bias]


def test_a_file_of_keras_2_is_read(tmp_path: Path) -> None:
    kernel, bias = older(tmp_path / "old.h5")
    model = load_model(tmp_path / "old.h5")
    x = np.random.default_rng(1).normal(size=(5, 3)).astype("f4")
    found = model.predict(x, verbose=0)
    np.testing.assert_allclose(found, np.tanh(x @ kernel + bias), atol=1e-6)
    assert model.compiled and float(model.optimizer.learning_rate) == 0.25
    other = Sequential([layers.Input((3,)), layers.Dense(2, name="other")])
    other.load_weights(tmp_path / "old.h5")
    np.testing.assert_array_equal(other.get_weights()[0], kernel)
    other.layers[0].kernel.assign(0 * kernel)
    other.load_weights(tmp_path / "old.h5", by_name=True)
    assert not other.get_weights()[0].any()


@pytest.mark.parametrize(
    ("units", "bias", "by_name", "said"),
    [
        (3, True, False, r"Shape mismatch in layer #0 \(named d\)for weight d.*/kernel. Weight "),
        (2, False, False, r"Weight count mismatch for layer #0 \(named d in the current model, d "),
        (2, False, True, r"Weight count mismatch for layer #0 \(named d\). Layer expects 1 weight"),
    ],
)
def test_legacy_weights_that_do_not_fit_are_told_in_keras_words(
    tmp_path: Path, units: int, bias: bool, by_name: bool, said: str
) -> None:
    older(tmp_path / "old.h5")
    model = Sequential([layers.Input((3,)), layers.Dense(units, use_bias=bias, name="d")])
    more = {"by_name": True} if by_name else {}
    with pytest.raises(ValueError, match=said.replace("d.*/", ".*d/")):
        model.load_weights(tmp_path / "old.h5", **more)
    if units == 3 or by_name:
        with pytest.warns(UserWarning, match="^Skipping loading"):
            model.load_weights(tmp_path / "old.h5", skip_mismatch=True, **more)
    deeper = Sequential([layers.Input((3,)), layers.Dense(2), layers.Dense(2)])
    with pytest.raises(ValueError, match="Model expected 2 layers, found 1 saved layers"):
        deeper.load_weights(tmp_path / "old.h5")


def test_paths_and_arguments_are_refused_in_keras_words(tmp_path: Path) -> None:
    model = Sequential([layers.Input((3,)), layers.Dense(1)])
    for refused, said in (
        (lambda: model.save("x.foo"), "Invalid filepath extension for saving."),
        (lambda: model.save("x.keras", bla=1), r"argument\(s\) are not supported: \['bla'\]"),
        (lambda: model.save("x", save_format="tf"), "`save_format` argument is deprecated"),
        (lambda: load_model(tmp_path / "no.keras"), "File not found: filepath="),
        (lambda: load_model(tmp_path / "no.txt"), "File format not supported: filepath="),
    ):
        with pytest.raises(ValueError, match=said):
            refused()
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "no.h5")
    with pytest.raises(NotImplementedError, match="as one file"):
        model.save(tmp_path / "folder", zipped=False)
    with pytest.warns(UserWarning, match="a model that has not yet been built"):
        Sequential([layers.Dense(1)]).save(tmp_path / "unbuilt.keras")
    assert not load_model(tmp_path / "unbuilt.keras").built
    (tmp_path / "bad.keras").write_bytes(b"no zip")
    with pytest.raises(ValueError, match="bad.keras"):
        load_model(tmp_path / "bad.keras")
