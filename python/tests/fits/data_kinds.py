"""Fits on data of every kind that Keras takes: what each gives in numbers."""

from __future__ import annotations

from typing import Any

import numpy as np


def table(rows: int = 13) -> tuple[np.ndarray, np.ndarray]:
    """Some samples and their targets, the same every time."""
    numbers = np.random.RandomState(7)
    x = numbers.uniform(-1.0, 1.0, (rows, 3)).astype("float32")
    return x, (x @ np.array([1.0, -2.0, 0.5], "float32") + 0.25).astype("float32")


def line(keras: Any, **compile_arguments: Any) -> Any:
    """A small regression."""
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [keras.layers.Input((3,)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(1)]
    )
    given = {"optimizer": keras.optimizers.SGD(0.1), "loss": "mse", "metrics": ["mae"]}
    model.compile(**{**given, **compile_arguments})
    return model


def fitted(model: Any, *args: Any, **kwargs: Any) -> list[Any]:
    """The history of a fit, and the weights it ends with."""
    history = model.fit(*args, **{"verbose": 0, **kwargs})
    return [history.history, history.epoch, [w.tolist() for w in model.get_weights()]]


def float64(keras: Any) -> Any:
    x, y = table()
    return fitted(line(keras), x.astype("float64"), y.astype("float64"), epochs=2, batch_size=4)


def float16(keras: Any) -> Any:
    x, y = table()
    return fitted(line(keras), x.astype("float16"), y.astype("float16"), epochs=2, batch_size=4)


def integers(keras: Any) -> Any:
    x, y = table()
    found = []
    for kind in ("int8", "int32", "int64", "uint8", "bool"):
        given = np.abs(x * 3).astype(kind)
        found.append(fitted(line(keras), given, y.astype(kind), epochs=1, batch_size=5))
    return found


def not_contiguous(keras: Any) -> Any:
    x, y = table(26)
    found = [fitted(line(keras), x[::2], y[::2], batch_size=4)]
    found.append(fitted(line(keras), np.asfortranarray(x), y[::-1], batch_size=4))
    wide = np.concatenate([x, x], axis=1)
    found.append(fitted(line(keras), wide[:, 1:4], y, batch_size=4))
    found.append(fitted(line(keras), x.T.copy().T, np.broadcast_to(y[:1], y.shape), batch_size=4))
    return found


def targets_of_other_shapes(keras: Any) -> Any:
    x, y = table()
    return [fitted(line(keras), x, y[:, None]), fitted(line(keras), x, y)]


def one_input_in_a_list(keras: Any) -> Any:
    x, y = table()
    return [fitted(line(keras), [x], y), fitted(line(keras), [x], [y])]


def batch_sizes(keras: Any) -> Any:
    x, y = table()
    return [fitted(line(keras), x, y, batch_size=n, epochs=2) for n in (1, 5, 13, 100)]


def orders(keras: Any) -> Any:
    x, y = table()
    found = []
    for order in (False, True, "batch"):
        found.append(fitted(line(keras), x, y, batch_size=4, epochs=2, shuffle=order))
    return found


def initial_epoch(keras: Any) -> Any:
    x, y = table()
    model = line(keras)
    return [fitted(model, x, y, epochs=3, initial_epoch=1), fitted(model, x, y, epochs=2)]


def no_epoch_left(keras: Any) -> Any:
    x, y = table()
    return fitted(line(keras), x, y, epochs=1, initial_epoch=1)


def steps_per_epoch_of_arrays(keras: Any) -> Any:
    x, y = table()
    model = line(keras)
    return fitted(model, x, y, batch_size=3, steps_per_epoch=2, epochs=4, shuffle=False)


def steps_without_batch_size(keras: Any) -> Any:
    x, y = table()
    return fitted(line(keras), x, y, steps_per_epoch=3, epochs=2, shuffle=False)


def sample_weights(keras: Any) -> Any:
    x, y = table()
    w = np.linspace(0.0, 2.0, 13)
    model = line(keras, weighted_metrics=["mse"])
    return [
        fitted(model, x, y, sample_weight=w, batch_size=4, epochs=2),
        fitted(model, x, y, sample_weight=w[:, None], batch_size=4),
        fitted(model, x, y, sample_weight=(w * 2).astype("int64"), batch_size=4),
        model.evaluate(x, y, sample_weight=w, verbose=0),
        model.evaluate(x, y, verbose=0, return_dict=True),
    ]


def sample_weights_as_lists(keras: Any) -> Any:
    x, y = table()
    w = np.linspace(0.0, 2.0, 13)
    return fitted(line(keras), x, y, sample_weight=[w], batch_size=4, epochs=2)


def classifier(keras: Any, units: int, **given: Any) -> Any:
    keras.utils.set_random_seed(5)
    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(units, "softmax")])
    model.compile(keras.optimizers.SGD(0.5), weighted_metrics=["accuracy"], **given)
    return model


def class_weights(keras: Any) -> Any:
    x, _ = table()
    labels = np.arange(13) % 3
    weights = {0: 0.5, 1: 2.0, 2: 3.0}
    sparse = "sparse_categorical_crossentropy"
    one_hot = np.eye(3, dtype="float32")[labels]
    return [
        fitted(classifier(keras, 3, loss=sparse), x, labels, class_weight=weights, epochs=2),
        fitted(classifier(keras, 3, loss=sparse), x, labels[:, None], class_weight={1: 4}),
        fitted(
            classifier(keras, 3, loss="categorical_crossentropy"), x, one_hot, class_weight=weights
        ),
        fitted(
            classifier(keras, 3, loss=sparse), x, labels.astype("float32"), class_weight=weights
        ),
    ]


def validation_data(keras: Any) -> Any:
    x, y = table()
    w = np.linspace(0.0, 2.0, 5)
    model = line(keras, weighted_metrics=["mse"])
    return [
        fitted(model, x, y, validation_data=(x[:5], y[:5]), batch_size=4, epochs=2),
        fitted(model, x, y, validation_data=[x[:5], y[:5]], batch_size=4),
        fitted(model, x, y, validation_data=(x[:5], y[:5], w), batch_size=4),
        fitted(model, x, y, validation_data=(x[:5], y[:5]), validation_batch_size=2),
        fitted(model, x, y, validation_data=(x, y), validation_steps=1, validation_batch_size=3),
    ]


def validation_split(keras: Any) -> Any:
    x, y = table()
    model = line(keras)
    w = np.linspace(0.0, 2.0, 13)
    return [
        fitted(model, x, y, validation_split=0.3, batch_size=4, epochs=2),
        fitted(model, x, y, validation_split=0.1, sample_weight=w, shuffle=False),
    ]


def validation_freq(keras: Any) -> Any:
    x, y = table()
    model = line(keras)
    return [
        fitted(model, x, y, validation_data=(x, y), validation_freq=2, epochs=5),
        fitted(model, x, y, validation_data=(x, y), validation_freq=[1, 4], epochs=5),
    ]


def generator(x: np.ndarray, y: np.ndarray, passes: int | None = None) -> Any:
    at = 0
    while passes is None or at < passes * 3:
        begin = (at % 3) * 4
        yield x[begin : begin + 4], y[begin : begin + 4]
        at += 1


def endless_generator(keras: Any) -> Any:
    x, y = table()
    return fitted(line(keras), generator(x, y), steps_per_epoch=2, epochs=4)


def finite_generator(keras: Any) -> Any:
    x, y = table()
    return [
        fitted(line(keras), generator(x, y, 1), epochs=1),
        fitted(line(keras), generator(x, y, 2), epochs=2),
        fitted(line(keras), generator(x, y, 1), epochs=3, steps_per_epoch=2),
    ]


def generators_for_validation(keras: Any) -> Any:
    x, y = table()
    return fitted(line(keras), x, y, epochs=2, validation_data=generator(x, y), validation_steps=2)


def generators_for_evaluation_and_prediction(keras: Any) -> Any:
    x, y = table()
    model = line(keras)
    return [
        model.evaluate(generator(x, y), steps=2, verbose=0),
        model.evaluate(generator(x, y, 1), verbose=0),
        model.predict(generator(x, y, 1), verbose=0).tolist(),
        model.predict(generator(x, y), steps=2, verbose=0).tolist(),
        model.predict(((part,) for part in (x[:3], x[3:5])), verbose=0).tolist(),
    ]


def generators_of_weights(keras: Any) -> Any:
    x, y = table()
    w = np.linspace(0.0, 2.0, 13)

    def batches() -> Any:
        while True:
            for at in (0, 5, 9):
                yield x[at : at + 4], y[at : at + 4], w[at : at + 4]

    return fitted(line(keras), batches(), steps_per_epoch=3, epochs=2)


def batches_of_other_sizes(keras: Any) -> Any:
    x, y = table()

    def batches() -> Any:
        for at, rows in ((0, 4), (4, 2), (6, 4), (10, 3)):
            yield x[at : at + rows], y[at : at + rows]

    model = line(keras)
    return [fitted(model, batches()), model.evaluate(batches(), verbose=0)]


class Rows:
    """What a `PyDataset` of some rows has, whichever package its base is of."""

    def begin(self, rows: int) -> None:
        self.data = table()
        self.rows = rows
        self.ends = 0

    def __len__(self) -> int:
        return -(-13 // self.rows)

    def __getitem__(self, index: int) -> Any:
        x, y = self.data
        at = index * self.rows
        return x[at : at + self.rows] * (1 + self.ends), y[at : at + self.rows]

    def on_epoch_end(self) -> None:
        self.ends += 1


def py_dataset(keras: Any) -> Any:
    class Data(Rows, keras.utils.PyDataset):
        def __init__(self, rows: int) -> None:
            super().__init__()
            self.begin(rows)

    model = line(keras)
    data = Data(4)
    found = [fitted(model, data, epochs=3, shuffle=False), data.ends]
    found.append(fitted(model, Data(4), epochs=2, validation_data=Data(5), shuffle=False))
    data = Data(4)
    model = line(keras)
    found.append([fitted(model, data, epochs=2), data.ends])
    found.append([fitted(model, data, epochs=1), data.ends])
    found.append(model.evaluate(Data(3), verbose=0))
    found.append(model.predict(Data(6), verbose=0).tolist())
    data = Data(4)
    found.append(fitted(model, data, epochs=3, steps_per_epoch=3, shuffle=False))
    return found


def py_dataset_without_end(keras: Any) -> Any:
    x, y = table()

    class Data(keras.utils.PyDataset):
        @property
        def num_batches(self) -> None:
            return None

        def __getitem__(self, index: int) -> Any:
            at = index % 3
            return x[at : at + 4], y[at : at + 4]

    return fitted(line(keras), Data(), epochs=2, steps_per_epoch=4)


def two_in_two_out(keras: Any, **given: Any) -> Any:
    keras.utils.set_random_seed(11)
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    h = keras.layers.Concatenate(name="both")([a, b])
    p = keras.layers.Dense(1, name="p")(h)
    q = keras.layers.Dense(2, name="q")(h)
    model = keras.Model([a, b], [p, q])
    base = {"optimizer": keras.optimizers.SGD(0.1), "loss": ["mse", "mae"]}
    model.compile(**{**base, **given})
    return model


def several() -> tuple[Any, ...]:
    x, y = table()
    return x, x[:, :2] * 2, y, np.stack([y, -y], axis=1)


def several_as_lists_and_dictionaries(keras: Any) -> Any:
    a, b, p, q = several()
    found = []
    for x in ([a, b], (a, b), {"a": a, "b": b}, {"b": b, "a": a}):
        for y in ([p, q], (p, q)):
            found.append(fitted(two_in_two_out(keras), x, y, batch_size=4))
    return found


def targets_by_name(keras: Any) -> Any:
    a, b, p, q = several()
    model = two_in_two_out(keras, loss={"p": "mse", "q": "mae"}, metrics={"q": ["mse"]})
    return fitted(model, {"a": a, "b": b}, {"p": p, "q": q}, batch_size=4, epochs=2)


def weights_by_output(keras: Any) -> Any:
    a, b, p, q = several()
    w = np.linspace(0.0, 2.0, 13)
    model = two_in_two_out(keras)
    return fitted(model, [a, b], [p, q], sample_weight=[w, w * 2], batch_size=4)


def weights_for_all_outputs(keras: Any) -> Any:
    a, b, p, q = several()
    return fitted(two_in_two_out(keras), [a, b], [p, q], sample_weight=np.linspace(0.0, 2.0, 13))


def loss_weights_by_name(keras: Any) -> Any:
    a, b, p, q = several()
    model = two_in_two_out(keras, loss={"p": "mse", "q": "mae"}, loss_weights={"p": 0.5, "q": 2.0})
    return fitted(model, [a, b], {"p": p, "q": q}, batch_size=4)


def several_in_batches(keras: Any) -> Any:
    a, b, p, q = several()

    def batches(as_names: bool) -> Any:
        while True:
            for at in (0, 4, 8):
                part = slice(at, at + 4)
                if as_names:
                    yield {"a": a[part], "b": b[part]}, {"p": p[part], "q": q[part]}
                else:
                    yield (a[part], b[part]), (p[part], q[part])

    model = two_in_two_out(keras, loss={"p": "mse", "q": "mae"})
    found = [fitted(two_in_two_out(keras), batches(False), steps_per_epoch=3)]
    found.append(fitted(model, batches(True), steps_per_epoch=3))
    found.append([y.tolist() for y in model.predict(batches(True), steps=2, verbose=0)])
    return found


def steps_on_batches(keras: Any) -> Any:
    x, y = table()
    w = np.linspace(0.0, 2.0, 13)
    model = line(keras, weighted_metrics=["mse"])
    found = [model.train_on_batch(x, y), model.train_on_batch(x[:4], y[:4], return_dict=True)]
    found.append(model.train_on_batch(x, y, sample_weight=w))
    found.append(model.test_on_batch(x, y))
    found.append(model.test_on_batch(x, y, sample_weight=w, return_dict=True))
    found.append(model.predict_on_batch(x).tolist())
    return found


def class_weights_on_batches(keras: Any) -> Any:
    x, _ = table()
    labels = np.arange(13) % 3
    model = classifier(keras, 3, loss="sparse_categorical_crossentropy")
    return [model.train_on_batch(x, labels, class_weight={0: 2.0}) for _ in range(2)]


def not_a_number(keras: Any) -> Any:
    x, y = table()
    x = x.copy()
    x[5, 1] = np.nan
    model = line(keras)
    return [str(v) for v in model.fit(x, y, verbose=0, epochs=2).history["loss"]]


def no_loss_in_the_data(keras: Any) -> Any:
    """A model that adds its loss itself needs no targets."""

    class Own(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            self.add_loss(keras.ops.mean(keras.ops.square(x)))
            return x

    x, _ = table()
    keras.utils.set_random_seed(2)
    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2), Own()])
    model.compile(keras.optimizers.SGD(0.1))
    return [fitted(model, x, epochs=2), model.evaluate(x, verbose=0)]


def metrics_of_several_outputs(keras: Any) -> Any:
    a, b, p, q = several()
    model = two_in_two_out(keras, metrics=[["mae"], ["mse", "mae"]], loss_weights=[1.0, 0.25])
    return [fitted(model, [a, b], [p, q]), model.evaluate([a, b], [p, q], verbose=0)]


def one_loss_for_one_of_two(keras: Any) -> Any:
    a, b, p, q = several()
    model = two_in_two_out(keras, loss=["mse", None])
    return fitted(model, [a, b], [p, q])


def outputs_by_name(keras: Any) -> Any:
    x, y = table()
    keras.utils.set_random_seed(11)
    a = keras.Input((3,), name="a")
    u = keras.layers.Dense(1, name="u")(a)
    v = keras.layers.Dense(1, name="v")(a)
    model = keras.Model({"a": a}, {"second": v, "first": u})
    model.compile(keras.optimizers.SGD(0.1), loss={"first": "mse", "second": "mae"})
    found = [fitted(model, {"a": x}, {"first": y, "second": y}, epochs=2)]
    predicted = model.predict({"a": x}, verbose=0)
    return [*found, {name: predicted[name].tolist() for name in ("first", "second")}]


def predictions(keras: Any) -> Any:
    x, _ = table()
    model = line(keras)
    return [model.predict(x, batch_size=n, verbose=0).tolist() for n in (1, 4, 13, 64)] + [
        model.predict(x, batch_size=4, steps=2, verbose=0).tolist(),
    ]


def evaluations(keras: Any) -> Any:
    x, y = table()
    model = line(keras)
    return [
        model.evaluate(x, y, batch_size=5, verbose=0),
        model.evaluate(x, y, batch_size=5, steps=2, verbose=0),
        model.evaluate(x, y, verbose=0, return_dict=True),
    ]


def twice(keras: Any) -> Any:
    x, y = table()
    model = line(keras, optimizer=keras.optimizers.Adam(0.01))
    first = fitted(model, x, y, epochs=2, shuffle=False)
    again = fitted(model, x, y, epochs=2, shuffle=False)
    model.compile(keras.optimizers.Adam(0.01), "mse")
    found = [first, again, fitted(model, x, y, epochs=2, shuffle=False)]
    model.compile(keras.optimizers.SGD(0.01), metrics=[])
    return [*found, fitted(model, x, y, epochs=2, shuffle=False)]


def frozen(keras: Any) -> Any:
    x, y = table()
    model = line(keras)
    model.layers[0].trainable = False
    model.compile(keras.optimizers.SGD(0.1), "mse")
    first = fitted(model, x, y, epochs=2)
    model.layers[0].trainable = True
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return [first, fitted(model, x, y, epochs=2)]


def turned_rates(keras: Any) -> Any:
    x, y = table()
    model = line(keras)
    found = [model.train_on_batch(x, y)]
    model.optimizer.learning_rate = 0.5
    found.append(model.train_on_batch(x, y))
    model.optimizer.learning_rate.assign(0.01)
    found.append(model.train_on_batch(x, y))
    return [*found, fitted(model, x, y)]


def shared_layers(keras: Any) -> Any:
    x, y = table()
    keras.utils.set_random_seed(8)
    shared = keras.layers.Dense(4, "tanh")
    models = []
    for _ in range(2):
        models.append(keras.Sequential([keras.Input((3,)), shared, keras.layers.Dense(1)]))
        models[-1].compile(keras.optimizers.SGD(0.1), "mse")
    found = []
    for _ in range(2):
        for model in models:
            found.append(fitted(model, x, y, shuffle=False))
    return found


def adversaries(keras: Any) -> Any:
    """Two models of shared layers, each of which freezes what the other trains."""
    x, _ = table()
    keras.utils.set_random_seed(9)
    maker = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)], name="maker")
    judge = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, "sigmoid")], name="judge")
    judge.compile(keras.optimizers.SGD(0.5), "binary_crossentropy")
    judge.trainable = False
    noise = keras.Input((2,))
    both = keras.Model(noise, judge(maker(noise)))
    both.compile(keras.optimizers.SGD(0.5), "binary_crossentropy")
    seeds = x[:, :2]
    found = []
    for _ in range(3):
        made = maker.predict(seeds, verbose=0)
        found.append(judge.train_on_batch(np.concatenate([x, made]), np.repeat([1.0, 0.0], 13)))
        found.append(both.train_on_batch(seeds, np.ones(13)))
    return [found, [w.tolist() for w in maker.get_weights() + judge.get_weights()]]


def steps_of_arrays_for_validation(keras: Any) -> Any:
    x, y = table()
    return fitted(
        line(keras),
        x,
        y,
        epochs=3,
        validation_data=(x, y),
        validation_steps=2,
        validation_batch_size=3,
        shuffle=False,
    )


def hooks_of_a_py_dataset(keras: Any) -> Any:
    said: list[str] = []
    x, y = table()

    class Data(keras.utils.PyDataset):
        def __len__(self) -> int:
            return 2

        def __getitem__(self, index: int) -> Any:
            said.append(str(index))
            return x[index * 4 : index * 4 + 4], y[index * 4 : index * 4 + 4]

        def on_epoch_begin(self) -> None:
            said.append("begin")

        def on_epoch_end(self) -> None:
            said.append("end")

    model = line(keras)
    found = []
    for use in (model.fit, model.fit, model.evaluate, model.predict):
        use(Data(), verbose=0)
        found.append(" ".join(said))
        said.clear()
    return found


def no_epochs(keras: Any) -> Any:
    x, y = table()
    return [fitted(line(keras), x, y, epochs=n) for n in (0, -1)]


def class_weights_of_a_py_dataset(keras: Any) -> Any:
    x, _ = table()
    labels = np.arange(13) % 3

    class Data(keras.utils.PyDataset):
        def __len__(self) -> int:
            return 3

        def __getitem__(self, index: int) -> Any:
            return x[index * 4 : index * 4 + 4], labels[index * 4 : index * 4 + 4]

    model = classifier(keras, 3, loss="sparse_categorical_crossentropy")
    return fitted(model, Data(), shuffle=False, class_weight={0: 0.5, 2: 3.0})


def one_hot_labels_of_two_classes(keras: Any) -> Any:
    x, _ = table()
    labels = (np.arange(13) % 2).astype("int32")
    keras.utils.set_random_seed(5)
    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy", "AUC"])
    return [
        fitted(model, x, labels, class_weight={0: 1, 1: 5}, epochs=2),
        fitted(model, x, labels.astype("bool")),
        fitted(model, x, labels[:, None].astype("uint8")),
    ]


def steps_with_a_batch_size(keras: Any) -> Any:
    x, y = table()
    model = line(keras)
    return [
        fitted(model, x, y, batch_size=2, steps_per_epoch=3, epochs=3),
        model.evaluate(x, y, steps=2, batch_size=4, verbose=0),
        model.evaluate(x, y, steps=2, verbose=0),
        model.predict(x, steps=2, verbose=0).tolist(),
    ]


def one_sample(keras: Any) -> Any:
    x, y = table(1)
    model = line(keras)
    return [fitted(model, x, y), model.predict(x, verbose=0).tolist()]


def more_than_two_axes(keras: Any) -> Any:
    numbers = np.random.RandomState(1).uniform(-1, 1, (7, 5, 3))
    keras.utils.set_random_seed(4)
    model = keras.Sequential([keras.Input((5, 3)), keras.layers.Dense(2)])
    model.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"], weighted_metrics=["mae"])
    y = numbers[:, :, :2]
    w = np.linspace(0, 1, 35).reshape(7, 5)
    return [
        fitted(model, numbers, y, batch_size=3),
        fitted(model, numbers, y, sample_weight=w, batch_size=3),
    ]


def steps_in_one(keras: Any) -> Any:
    """What callbacks are told where several steps are one to them."""
    x, y = table()
    found: list[Any] = []

    class Told(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            found.append(["begin", batch])

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            found.append(["end", batch, logs["loss"]])

        def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
            found.append(["test", batch])

        def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
            found.append(["predict", batch])

    told = [Told()]
    for together in (2, 3, 100):
        model = line(keras, steps_per_execution=together)
        found.append(fitted(model, x, y, batch_size=3, callbacks=told, shuffle=False))
        found.append(model.evaluate(x, y, batch_size=3, verbose=0, callbacks=told))
        found.append(model.predict(x, batch_size=3, verbose=0, callbacks=told).tolist())
    return found


def outputs_in_callbacks(keras: Any) -> Any:
    x, _ = table()
    found: list[Any] = []

    class Told(keras.callbacks.Callback):
        def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
            found.append([batch, np.asarray(logs["outputs"]).tolist()])

    line(keras).predict(x, batch_size=5, verbose=0, callbacks=[Told()])
    return found


def stopping(keras: Any) -> Any:
    """How many steps there are until a callback stops a loop."""
    x, y = table()
    found: list[Any] = []

    class Stops(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            found.append(["train", batch])
            self.model.stop_training = batch == 1

        def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
            found.append(["test", batch])
            self.model.stop_evaluating = batch == 1

        def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
            found.append(["predict", batch])
            self.model.stop_predicting = batch == 1

    model, stops = line(keras), [Stops()]
    found.append(fitted(model, x, y, batch_size=3, epochs=3, callbacks=stops, shuffle=False))
    found.append(model.evaluate(x, y, batch_size=3, verbose=0, callbacks=stops))
    found.append(model.predict(x, batch_size=3, verbose=0, callbacks=stops).tolist())
    return found


def backups(keras: Any) -> Any:
    """Training that was cut short goes on with the epoch after the last."""
    import tempfile

    x, y = table()
    with tempfile.TemporaryDirectory() as folder:

        class Cut(keras.callbacks.Callback):
            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                if epoch == 2:
                    raise KeyError("cut")

        kept = keras.callbacks.BackupAndRestore(folder + "/backup")
        model = line(keras, optimizer=keras.optimizers.Adam(0.01))
        try:
            fitted(model, x, y, epochs=5, shuffle=False, callbacks=[kept, Cut()])
        except KeyError:
            pass
        model = line(keras, optimizer=keras.optimizers.Adam(0.01))
        kept = keras.callbacks.BackupAndRestore(folder + "/backup")
        history, epochs, weights = fitted(model, x, y, epochs=5, shuffle=False, callbacks=[kept])
    # Keras has forgotten what was before.
    return [{name: values[-2:] for name, values in history.items()}, epochs[-2:], weights]
