"""Data of every kind: a fit on them gives what Keras recorded, and what the plain arrays give."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER))

import oxhorn  # noqa: E402
import record_fits  # noqa: E402
from fits.data_kinds import (  # noqa: E402
    classifier,
    fitted,
    line,
    several,
    table,
    two_in_two_out,
)
from test_same_curves import differences  # noqa: E402

CASES = [(file, name) for file in record_fits.files() for name in record_fits.fits(file)]


@pytest.mark.parametrize(("file", "name"), CASES, ids=[f"{f}-{n}" for f, n in CASES])
def test_a_fit_gives_what_it_gives_in_keras(file: str, name: str) -> None:
    path = FOLDER / "recorded" / f"fits_{file}.json"
    recorded = json.loads(path.read_text(encoding="utf-8"))[name]
    found = record_fits.outcome(record_fits.fits(file)[name], oxhorn)
    assert found.get("raises") == recorded.get("raises"), found.get("because")
    differ = differences(name, found.get("gives"), recorded.get("gives"))
    assert not differ, "\n".join(differ[:10])


X, Y = table()


def predicted(x: Any) -> np.ndarray:
    return line(oxhorn).predict(x, verbose=0)


def once(*args: Any, **kwargs: Any) -> Any:
    """The loss of one epoch on these data, and the weights after it."""
    model = line(oxhorn)
    history = model.fit(*args, **{"verbose": 0, "shuffle": False, "batch_size": 4, **kwargs})
    return [history.history["loss"], *(w.tolist() for w in model.get_weights())]


class Arrayed:
    """What can only become an array."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.values if dtype is None else self.values.astype(dtype)


class Exchanged:
    """What only DLPack can take."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def __dlpack__(self, **kwargs: Any) -> Any:
        return self.values.__dlpack__(**kwargs)

    def __dlpack_device__(self) -> Any:
        return self.values.__dlpack_device__()


class Sparse:
    """As SciPy's matrices: no array, but it can be made one."""

    shape = X.shape

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def toarray(self) -> np.ndarray:
        return self.values


def pandas_frame(values: np.ndarray) -> Any:
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame(values) if values.ndim == 2 else pandas.Series(values)


def polars_frame(values: np.ndarray) -> Any:
    polars = pytest.importorskip("polars")
    return polars.DataFrame(values) if values.ndim == 2 else polars.Series(values)


KINDS = {
    "objects with __array__": Arrayed,
    "objects with __dlpack__": Exchanged,
    "pandas": pandas_frame,
    "polars": polars_frame,
    "lists": lambda values: values.tolist(),
    "arrays in foreign byte order": lambda values: values.astype(">f4"),
    "arrays that begin anywhere": lambda values: np.frombuffer(
        b"." + values.tobytes(), "float32", offset=1
    ).reshape(values.shape),
    "arrays that cannot be written": lambda values: np.broadcast_to(values, values.shape),
    "memory that is mapped": lambda values: np.asarray(memoryview(values)),
    "variables": lambda values: oxhorn.Variable(values),
}


@pytest.mark.parametrize("kind", KINDS)
def test_is_taken_like_the_array_it_can_be_made(kind: str) -> None:
    make = KINDS[kind]
    assert once(make(X), make(Y)) == once(X, Y)
    assert once(make(X), make(Y), sample_weight=make(np.ones(13, "float32"))) == once(X, Y)
    np.testing.assert_array_equal(predicted(make(X)), predicted(X))
    model = line(oxhorn)
    assert model.evaluate(make(X), make(Y), verbose=0) == model.evaluate(X, Y, verbose=0)
    assert model.train_on_batch(make(X), make(Y)) == line(oxhorn).train_on_batch(X, Y)
    validated = once(X, Y, validation_data=(make(X), make(Y)))
    assert validated == once(X, Y)


def test_sparse_matrices_become_arrays() -> None:
    assert once(Sparse(X), Y) == once(X, Y)
    np.testing.assert_array_equal(predicted(Sparse(X)), predicted(X))


def test_columns_of_a_table_by_name_are_inputs() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": X[:, 0], "b": X[:, 1]})
    inputs = {name: oxhorn.Input((1,), name=name) for name in ("a", "b")}
    both = oxhorn.layers.Concatenate()(list(inputs.values()))
    model = oxhorn.Model(inputs, oxhorn.layers.Dense(1, kernel_initializer="ones")(both))
    found = model.predict({"a": frame["a"], "b": frame["b"]}, verbose=0)
    np.testing.assert_allclose(found[:, 0], X[:, 0] + X[:, 1], rtol=1e-6)


def test_lists_of_lists_are_one_input() -> None:
    model = line(oxhorn)
    found = model.predict([[0.5, 1, 2], [1, 2, 3]], verbose=0)
    np.testing.assert_array_equal(
        found, model.predict(np.array([[0.5, 1, 2], [1, 2, 3]]), verbose=0)
    )


@pytest.mark.parametrize("wrap", [list, tuple])
def test_batches_of_lists_and_tuples_are_alike(wrap: Any) -> None:
    parts = [wrap([X[at : at + 4], Y[at : at + 4]]) for at in (0, 4, 8, 12)]
    assert once(iter(parts), batch_size=None) == once(X, Y)


def test_iterables_of_batches_are_taken_anew_each_epoch() -> None:
    class Batches:
        passes = 0

        def __len__(self) -> int:
            return 4

        def __iter__(self) -> Any:
            self.passes += 1
            return ((X[at : at + 4], Y[at : at + 4]) for at in (0, 4, 8, 12))

    batches = Batches()
    assert once(batches, epochs=3, batch_size=None) == once(X, Y, epochs=3)
    assert batches.passes == 3


def test_class_weights_go_with_generators() -> None:
    labels = np.arange(13) % 3
    weights = {0: 0.5, 2: 3.0}

    def loss(*args: Any, **kwargs: Any) -> Any:
        model = classifier(oxhorn, 3, loss="sparse_categorical_crossentropy")
        return model.fit(*args, shuffle=False, verbose=0, **kwargs).history["loss"]

    batches = ((X[at : at + 4], labels[at : at + 4]) for at in (0, 4, 8, 12))
    expected = loss(X, labels, batch_size=4, class_weight=weights)
    assert loss(batches, class_weight=weights) == expected


def test_weights_by_name_are_weights_by_position() -> None:
    a, b, p, q = several()
    w = np.linspace(0.0, 2.0, 13)
    by_name = two_in_two_out(oxhorn, loss={"p": "mse", "q": "mae"})
    found = fitted(by_name, [a, b], {"p": p, "q": q}, sample_weight={"p": w, "q": w * 3})
    assert found == fitted(two_in_two_out(oxhorn), [a, b], [p, q], sample_weight=[w, w * 3])


@pytest.mark.parametrize("settings", [(3, False), (1, True), (2, True), (0, False)])
def test_workers_make_the_same_batches_in_the_same_order(settings: tuple[int, bool]) -> None:
    workers, processes = settings
    data = Slices(workers=workers, use_multiprocessing=processes, max_queue_size=2)
    assert once(data, epochs=2, batch_size=None) == once(X, Y, epochs=2)


def test_what_a_worker_raises_comes_out() -> None:
    class Fails(Slices):
        def __getitem__(self, index: int) -> Any:
            if index == 2:
                raise LookupError("no batch 2")
            return super().__getitem__(index)

    with pytest.raises(LookupError, match="no batch 2"):
        once(Fails(workers=2), batch_size=None)


class Slices(oxhorn.utils.PyDataset):
    """The table in batches of 4."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> Any:
        return X[index * 4 : index * 4 + 4], Y[index * 4 : index * 4 + 4]


def test_data_that_run_out_before_their_steps_are_warned_of() -> None:
    with pytest.warns(UserWarning, match="Your input ran out of data"):
        once(((X, Y) for _ in range(2)), steps_per_epoch=3, batch_size=None)


def test_evaluating_in_a_callback_leaves_the_totals_of_the_epoch_alone() -> None:
    for hook in ("on_epoch_begin", "on_train_batch_begin", "on_train_batch_end", "on_epoch_end"):
        model = line(oxhorn)
        callback = oxhorn.callbacks.LambdaCallback(
            **{hook: lambda *_, logs=None, model=model: model.evaluate(X[:5], Y[:5], verbose=0)}
        )
        model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0, callbacks=[callback])
        expected = line(oxhorn).fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0)
        assert model.history.history == expected.history, hook


def test_validation_follows_the_epochs_that_are_listed() -> None:
    for epochs in ([2, 3], (2, 3), {3, 2}, np.array([2, 3]), range(2, 4)):
        model = line(oxhorn)
        history = model.fit(
            X, Y, epochs=4, verbose=0, validation_data=(X, Y), validation_freq=epochs
        )
        assert len(history.history["val_loss"]) == 2
