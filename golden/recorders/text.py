"""What Keras prints, writes and complains of, to the letter."""

import contextlib
import io
import os
import tempfile
import warnings

import keras
import numpy as np
from keras import callbacks, layers, optimizers

from .common import clear, envelope, fresh, number, plain, write
from .training import VX, VY, X, Y, small


class Clock:
    """Stands in for the time module of the progress bar."""

    def __init__(self):
        self.now = 1000.0

    def time(self):
        return self.now


@contextlib.contextmanager
def clock():
    from keras.src.utils import progbar

    original, progbar.time = progbar.time, Clock()
    try:
        yield progbar.time
    finally:
        progbar.time = original


@contextlib.contextmanager
def columns(n):
    """The width of the terminal, as shutil and rich find it."""
    os.environ["COLUMNS"] = str(n)
    try:
        yield
    finally:
        del os.environ["COLUMNS"]


def compiled(build=small, seed=812, optimizer=lambda: optimizers.Adam(0.1)):
    fresh()
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(build())
    model.compile(optimizer=optimizer(), loss="categorical_crossentropy", metrics=["accuracy"])
    return model


def summaries():
    def tutorial():
        return keras.Sequential(
            [
                layers.Input((25,)),
                layers.Dense(64, activation="relu"),
                layers.Dropout(0.4),
                layers.Dense(64, activation="relu"),
                layers.Dropout(0.4),
                layers.Dense(5, activation="softmax"),
            ]
        )

    def fitted():
        model = compiled()
        model.fit(X, Y, epochs=1, verbose=0)
        return model

    def compiled_only():
        return compiled()

    def unbuilt():
        return keras.Sequential(
            [layers.Dense(3), layers.Dropout(0.5), layers.Dense(2, name="head")], name="unbuilt_model"
        )

    def long_names():
        return keras.Sequential(
            [
                layers.Input((7,)),
                layers.Dense(9, name="a_very_long_layer_name_that_does_not_fit_its_column"),
                layers.Activation("relu", name="another_quite_long_name"),
                layers.Reshape((3, 3)),
                layers.Flatten(),
                layers.Rescaling(0.5),
            ],
            name="names",
        )

    def large():
        return keras.Sequential(
            [layers.Input((5000,)), layers.Dense(3000), layers.Dense(2000), layers.Dense(1, use_bias=False)]
        )

    def frozen():
        return keras.Sequential([layers.Input((None, 4)), layers.Dense(3, trainable=False), layers.Dense(2)])

    def empty():
        return keras.Sequential()

    cases = [
        (f, n, {}) for f in (tutorial, unbuilt, compiled_only, fitted, long_names, large, frozen, empty) for n in (80,)
    ]
    cases += [
        (tutorial, 120, {}),
        (tutorial, 60, {}),
        (long_names, 120, {}),
        (tutorial, 80, {"line_length": 60}),
        (long_names, 80, {"line_length": 50}),
        (frozen, 80, {"show_trainable": True}),
        (tutorial, 80, {"positions": [0.3, 0.6, 1.0]}),
    ]
    for make, width, arguments in cases:
        fresh()
        model, lines = make(), []
        with columns(width):
            model.summary(print_fn=lines.append, **arguments)
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                model.summary(**arguments)
        assert printed.getvalue() == lines[0], "printing to a file gives the same text"
        yield {
            "name": ", ".join([make.__name__, f"{width} columns", *(f"{k} {v}" for k, v in arguments.items())]),
            "model": model.name,
            "layers": make.__name__ if arguments or width != 80 else plain(envelope(model)["config"]["layers"]),
            "columns": width,
            "arguments": arguments,
            "printed": lines[0],
        }


def bars():
    """keras.utils.Progbar itself. An update is [seconds since the start, current, values, finalize]."""

    def bar(title, target, updates, **kwargs):
        printed = io.StringIO()
        with clock() as now, contextlib.redirect_stdout(printed):
            start = now.now
            progress = keras.utils.Progbar(target, **kwargs)
            for seconds, current, values, finalize in updates:
                now.now = start + seconds
                progress.update(current, values, finalize=finalize)
        return {
            "name": title,
            "target": target,
            "arguments": {k: sorted(v) if isinstance(v, set) else v for k, v in kwargs.items()},
            "updates": plain(updates),
            "printed": printed.getvalue(),
        }

    logs = lambda loss, accuracy: [("accuracy", accuracy), ("loss", loss)]
    stateful = {"stateless_metrics": set()}
    steps = [
        [0.2, 1, logs(1.5, 0.25), False],
        [0.22, 2, logs(1.4, 0.5), False],
        [0.3, 3, logs(0.0005, 0.0), False],
        [0.5, 7, logs(12345.678, 1.0), False],
        [1.7, 12, logs(0.75, 0.75), True],
    ]
    yield bar("verbose 1", 12, steps, **stateful)
    yield bar("verbose 2", 12, steps, verbose=2, **stateful)
    yield bar("verbose 0", 12, steps, verbose=0, **stateful)
    yield bar("averages", 12, steps)
    yield bar("unknown target", None, [[0.2, 1, logs(1.5, 0.25), False], [0.3, 2, logs(1.25, 0.5), False]], **stateful)
    yield bar("one step", 1, [[0.0001, 1, logs(1.5, 0.25), True]], **stateful)
    yield bar(
        "minutes and hours left",
        1000,
        [[5.0, 1, [], False], [10.0, 2, [], False], [70.0, 400, [], False], [3700.0, 1000, [], True]],
        **stateful,
    )
    yield bar("microseconds a step", 10000, [[0.06, 5000, [], False], [0.12, 10000, [], True]], **stateful)
    yield bar("seconds a step", 3, [[2.4, 1, [], False], [4.8, 2, [], False], [7.3, 3, [], True]], **stateful)
    yield bar(
        "width 10, unit epoch, interval 1",
        4,
        [[0.5, 1, [], False], [1.5, 2, [], False], [2.0, 3, [], False], [2.5, 4, [], True]],
        width=10,
        unit_name="epoch",
        interval=1,
        **stateful,
    )
    yield bar(
        "a shorter line is padded",
        9,
        [[0.2, 1, [("loss", 123456.5)], False], [0.4, 2, [("loss", 1.5)], False], [0.6, 9, [("loss", 1.5)], True]],
        **stateful,
    )
    yield bar(
        "negative and not finite",
        2,
        [[0.2, 1, [("loss", -0.5)], False], [0.4, 2, [("loss", float("nan"))], True]],
        **stateful,
    )
    yield bar("negative, verbose 2", 2, [[0.4, 2, [("loss", -0.5)], True]], verbose=2, **stateful)


class Tick(keras.callbacks.Callback):
    """Moves the clock on before each batch.

    Without a callback of a user's that has on_*_batch_end, Keras on JAX hands the ends of batches to a pool of threads, and
    which of them the progress bar shows is then a matter of luck: so there are three that do nothing."""

    def __init__(self, now, seconds):
        super().__init__()
        self.now, self.seconds = now, seconds

    def begin(self, batch, logs=None):
        self.now.now += self.seconds

    def end(self, batch, logs=None):
        pass

    on_train_batch_begin = on_test_batch_begin = on_predict_batch_begin = begin
    on_train_batch_end = on_test_batch_end = on_predict_batch_end = end


def progress():
    """fit, evaluate and predict, with the clock standing still or moved by a tenth of a second before every batch."""
    for ticking in (False, True):
        for verbose in ("auto", 1, 2, 0):

            def printed(call):
                out = io.StringIO()
                with clock() as now, contextlib.redirect_stdout(out):
                    call(verbose=verbose, callbacks=[Tick(now, 0.1 if ticking else 0.0)])
                return out.getvalue()

            if verbose in ("auto", 0) and ticking:
                continue
            model = compiled()
            yield {
                "name": f"verbose {verbose}, " + ("0.1 s a batch" if ticking else "no time passes"),
                "verbose": verbose,
                "seconds_a_batch": 0.1 if ticking else 0.0,
                "model": "compiled(), Adam(0.1)",
                "seed": 812,
                "batch_size": 5,
                "fit_2_epochs": printed(lambda **k: model.fit(X, Y, epochs=2, batch_size=5, **k)),
                "fit_1_epoch_with_validation": printed(
                    lambda **k: model.fit(X, Y, epochs=1, batch_size=5, validation_data=(VX, VY), **k)
                ),
                "evaluate": printed(lambda **k: model.evaluate(X, Y, batch_size=5, **k)),
                "predict": printed(lambda **k: model.predict(X, batch_size=5, **k)),
            }


def called():
    """What callbacks with verbose=1 print, and the file of CSVLogger. fit is verbose=0."""
    nan = np.where(np.arange(13)[:, None] == 11, np.float32("nan"), X)
    cases = [
        ("EarlyStopping", callbacks.EarlyStopping, {"patience": 1, "verbose": 1}, 12),
        (
            "EarlyStopping restores",
            callbacks.EarlyStopping,
            {"patience": 1, "verbose": 1, "restore_best_weights": True},
            12,
        ),
        (
            "EarlyStopping restores at the end",
            callbacks.EarlyStopping,
            {"patience": 50, "verbose": 1, "restore_best_weights": True},
            4,
        ),
        ("EarlyStopping monitors what is not there", callbacks.EarlyStopping, {"monitor": "val_f1", "verbose": 1}, 2),
        ("EarlyStopping, unknown mode", callbacks.EarlyStopping, {"mode": "best", "verbose": 1}, 2),
        ("ReduceLROnPlateau", callbacks.ReduceLROnPlateau, {"patience": 1, "factor": 0.5, "verbose": 1}, 8),
        (
            "ReduceLROnPlateau monitors what is not there",
            callbacks.ReduceLROnPlateau,
            {"monitor": "val_f1", "verbose": 1},
            2,
        ),
        ("ReduceLROnPlateau factor", callbacks.ReduceLROnPlateau, {"factor": 1.0}, 2),
        (
            "LearningRateScheduler",
            callbacks.LearningRateScheduler,
            {"schedule": lambda epoch, lr: lr * 0.5, "verbose": 1},
            3,
        ),
        (
            "LearningRateScheduler of the epoch alone",
            callbacks.LearningRateScheduler,
            {"schedule": lambda epoch: 0.1 / (epoch + 3), "verbose": 1},
            3,
        ),
        (
            "LearningRateScheduler gives a string",
            callbacks.LearningRateScheduler,
            {"schedule": lambda epoch, lr: "fast", "verbose": 1},
            1,
        ),
        ("TerminateOnNaN", callbacks.TerminateOnNaN, {}, 2),
        ("TerminateOnNaN raises", callbacks.TerminateOnNaN, {"raise_error": True}, 2),
    ]
    for title, cls, arguments, epochs in cases:
        model, out = compiled(), io.StringIO()
        shown = {k: "lr * 0.5" if k == "schedule" and "string" not in title else v for k, v in arguments.items()}
        if "alone" in title:
            shown["schedule"] = "0.1 / (epoch + 3)"
        if "string" in title:
            shown["schedule"] = '"fast"'
        case = {
            "name": title,
            "class_name": cls.__name__,
            "arguments": shown,
            "epochs": epochs,
            "not_a_number_in_row_11": "NaN" in title,
        }
        with contextlib.redirect_stdout(out), warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            warnings.simplefilter("ignore", DeprecationWarning)
            try:
                history = model.fit(
                    nan if "NaN" in title else X,
                    Y,
                    epochs=epochs,
                    batch_size=5,
                    verbose=0,
                    validation_data=(VX, VY),
                    callbacks=[cls(**arguments)],
                )
                case["history"] = {k: [number(float(v)) for v in values] for k, values in history.history.items()}
            except Exception as e:
                case["error"] = {"type": type(e).__name__, "message": str(e)}
        yield {**case, "printed": out.getvalue(), "warnings": [str(w.message) for w in warned]}
    yield from csv_files()


def csv_files():
    cases = [
        ("CSVLogger", {}, True, 3),
        ("CSVLogger without validation has val columns of NA", {}, False, 2),
        ("CSVLogger, separator", {"separator": ";"}, True, 2),
        ("CSVLogger, with ReduceLROnPlateau before it", {}, True, 3),
        ("CSVLogger, append", {"append": True}, True, 2),
    ]
    for title, arguments, validation, epochs in cases:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "log.csv")
            model = compiled()
            keywords = {"validation_data": (VX, VY)} if validation else {}
            for _ in range(2 if "append" in title else 1):
                own = [callbacks.ReduceLROnPlateau(patience=1)] if "Reduce" in title else []
                own.append(callbacks.CSVLogger(path, **arguments))
                history = model.fit(X, Y, epochs=epochs, batch_size=5, verbose=0, callbacks=own, **keywords)
            with open(path, newline="") as file:
                text = file.read()
        yield {
            "name": title,
            "class_name": "CSVLogger",
            "arguments": arguments,
            "epochs": epochs,
            "validation": validation,
            "file": text,
            "history_of_last_fit": {k: [number(float(v)) for v in values] for k, values in history.history.items()},
        }


def trial(code, what):
    """Runs one line and writes down what it raises or warns of. The line is Python, as a user writes it."""
    fresh()
    keras.utils.set_random_seed(812)
    case = {"name": code, "raised": None, "warnings": [], "printed": ""}
    out = io.StringIO()
    with contextlib.redirect_stdout(out), warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            exec(code, dict(what))
        except Exception as e:
            case["raised"] = {"type": type(e).__name__, "message": str(e)}
    case["warnings"] = [str(w.message) for w in warned]
    case["printed"] = out.getvalue()
    return case


LAYER_ERRORS = """
Dense(0)
Dense(-3)
Dense(2.5)
Dense("a")
Dense(None)
Dense(3, activation="nope")
Dense(3, activation=7)
Dense(3, kernel_initializer="nope")
Dense(3, kernel_initializer=7)
Dense(3, kernel_regularizer="nope")
Dense(3, kernel_regularizer="l1_l2")
Dense(3, kernel_constraint="nope")
Dense(3, foo=1)
Dense(3, foo=1, bar="x")
Dense(3, input_dim=25)
Dense(3, input_shape=(25,))
Dense(3, name=7)
Dense(3, dtype="float99")
Activation("nope")
Activation()
Dropout(1.5)
Dropout(-0.1)
Dropout(2)
Dropout(float("nan"))
Dropout("a")
Dropout(None)
Dropout(0.5, seed=1.5)
Dropout(0.5, seed="a")
Dropout(0.5, noise_shape="Invalid")
Dropout(0.5, noise_shape=5)
Dropout(0.5, noise_shape=(2, 1.5))
Dropout(0.5, noise_shape=(2, -1))
Dropout(0.5, noise_shape=(2, 0))
Dropout(0.5, noise_shape=(2, 3))(ones((3, 3)), training=True)
Dropout(0.5, noise_shape=(3,))(ones((3, 3)), training=True)
Dropout(0.5)(ones((2, 2), "int32"), training=True)
Flatten(data_format="nope")
Reshape((7,))(ones((2, 6)))
Reshape((-1, 4))(ones((2, 6)))
Reshape((-1, -1))
Reshape((0,))
Reshape((-2,))
Reshape((1.5,))
Input()
Input((3,), batch_shape=(None, 3))
Input(3)
Input("a")
Input((3, -1))
Dense(3)(ones((4,)))
d = Dense(3); d(ones((2, 4))); d(ones((2, 5)))
d = Dense(3); d(ones((2, 4))); d.set_weights([ones((4, 3))])
d = Dense(3); d(ones((2, 4))); d.set_weights([ones((4, 2)), ones((3,))])
Dense(3)("a")
Dense(3).kernel
Dense(3)([1, 2, 3])
Rescaling("a")(ones((2,)))
keras.regularizers.L2(-1)
keras.regularizers.L2("a")
keras.regularizers.L2(float("nan"))
keras.regularizers.OrthogonalRegularizer(mode="nope")
keras.initializers.VarianceScaling(scale=0)
keras.initializers.VarianceScaling(mode="nope")
keras.initializers.VarianceScaling(distribution="nope")
keras.initializers.Orthogonal()((3,))
keras.initializers.Identity()((2, 2, 2))
keras.initializers.RandomNormal(seed="a")
keras.initializers.get("nope")
keras.activations.get("nope")
keras.activations.get(7)
keras.utils.set_random_seed("a")
keras.random.SeedGenerator(1.5)
keras.random.uniform((2,), seed="a")
softmax = Dense(1, activation="softmax")(ones((2, 3)))
"""

MODEL_ERRORS = """
small(); model.compile(loss="nope"); model.fit(X, Y, verbose=0)
small(); model.compile(loss=7); model.fit(X, Y, verbose=0)
small(); model.compile(loss="mse", metrics=["nope"]); model.fit(X, Y, verbose=0)
small(); model.compile(loss="mse", metrics="nope"); model.fit(X, Y, verbose=0)
small(); model.compile(optimizer="nope", loss="mse")
small(); model.compile(optimizer=7, loss="mse")
small(); model.fit(X, Y)
small(); model.evaluate(X, Y)
small(); model.compile(); model.fit(X, Y, verbose=0)
small(); model.predict(X[:, :3], verbose=0)
small(); model(X[:, :3])
small(); model(X[0])
small(); model.predict(X.reshape(13, 2, 2), verbose=0)
compiled(); model.fit(X[:, :3], Y, verbose=0)
compiled(); model.fit(X, Y[:5], verbose=0)
compiled(); model.fit(X, verbose=0)
compiled(); model.fit(X, Y[:, :2], verbose=0)
compiled(); model.fit(X, LABELS, verbose=0)
compiled(); model.fit(X, Y, batch_size=0, verbose=0)
compiled(); model.fit(X, Y, batch_size=-1, verbose=0)
compiled(); model.fit(X, Y, epochs=0, verbose=0)
compiled(); model.fit(X, Y, validation_split=1.5, verbose=0)
compiled(); model.fit(X, Y, validation_split=0.01, verbose=0)
compiled(); model.fit(X, Y, validation_split=0.99, verbose=0)
compiled(); model.fit(X, Y, validation_data=(VX,), verbose=0)
compiled(); model.fit(X, Y, validation_data=(VX, VY, VY, VY), verbose=0)
compiled(); model.fit(X, Y, validation_data=(VX, VY), validation_freq=0, verbose=0)
compiled(); model.fit(X, Y, validation_data=(VX, VY), validation_freq="a", verbose=0)
compiled(); model.fit(X, Y, class_weight={0: 1.0}, sample_weight=ones((13,)), verbose=0)
compiled(); model.fit(X, Y, sample_weight=ones((12,)), verbose=0)
compiled(); model.fit(X, Y, shuffle="nope", verbose=0)
compiled(); model.fit([], [], verbose=0)
compiled(); model.fit(X, Y, steps_per_epoch=0, verbose=0)
compiled(); model.fit("a", Y, verbose=0)
compiled(); model.get_layer("nope")
compiled(); model.get_layer(index=9)
compiled(); model.get_layer()
compiled(); model.set_weights([])
compiled("sparse_categorical_crossentropy"); model.fit(X, Y, verbose=0)
compiled("binary_crossentropy"); model.fit(X, LABELS, verbose=0)
compiled("mse"); model.fit(X, Y[:, :2], verbose=0)
keras.Sequential([Dense(2)]).summary()
keras.Sequential([Dense(2)]).weights
keras.Sequential([Dense(2)]).predict(ones((0, 3)), verbose=0)
keras.Sequential([Dense(2), 3])
keras.Sequential([Dense(2), Input((3,))])
keras.Sequential([Dense(2, name="a"), Dense(2, name="a")])
keras.Sequential([Input((3,)), Dense(2), Reshape((3,))])
keras.Sequential([Input((3,)), Input((4,))])
keras.Sequential().predict(ones((2, 3)))
keras.Sequential().pop()
keras.Sequential([Dense(2)], foo=1)
keras.Sequential([Dense(2, input_dim=3)])
keras.optimizers.Adam(lr=0.1)
keras.optimizers.Adam(1)
keras.optimizers.Adam("fast")
keras.optimizers.Adam(-0.1)
keras.optimizers.Adam(decay=0.1)
keras.optimizers.Adam(foo=1)
keras.optimizers.Adam(clipnorm=1.0, clipvalue=1.0)
keras.optimizers.Adam(clipnorm=-1.0)
keras.optimizers.Adam(use_ema=True, ema_momentum=2.0)
keras.optimizers.Adam(use_ema=True, ema_overwrite_frequency=0)
keras.optimizers.Adam(gradient_accumulation_steps=1)
keras.optimizers.SGD(momentum=2.0)
keras.optimizers.SGD(momentum="a")
keras.optimizers.RMSprop(momentum=2.0)
keras.optimizers.get("nope")
keras.optimizers.get(7)
keras.optimizers.schedules.CosineDecay(0.1, 0)
keras.optimizers.schedules.ExponentialDecay(0.1, 0, 0.5)
keras.optimizers.schedules.CosineDecayRestarts(0.1, 0)
keras.optimizers.schedules.PolynomialDecay(0.1, 0)
keras.optimizers.schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2])
keras.losses.get("nope")
keras.losses.get(7)
keras.losses.MeanSquaredError(reduction="nope")
keras.losses.MeanSquaredError()(ones((2, 3)), ones((2, 2)))
keras.losses.CategoricalCrossentropy()(ones((2, 3)), ones((2, 2)))
keras.losses.CategoricalCrossentropy()(ones((2, 1)), ones((2, 1)))
keras.losses.SparseCategoricalCrossentropy()(ones((3,)), ones((2, 2)))
keras.losses.BinaryCrossentropy()(ones((2, 3)), ones((2, 2)))
keras.losses.MeanSquaredError()(ones((2, 3)), ones((2, 3)), ones((3,)))
keras.metrics.get("nope")
keras.metrics.get(7)
keras.metrics.Mean().update_state(ones((3,)), sample_weight=ones((2,)))
keras.metrics.BinaryAccuracy(threshold=2.0)
keras.metrics.BinaryCrossentropy().update_state(ones((3,)), ones((3, 1)))
keras.callbacks.EarlyStopping(patience=-1)
keras.callbacks.ReduceLROnPlateau(factor=2.0)
keras.utils.to_categorical([0, 3], num_classes=2)
keras.utils.to_categorical([-1])
"""


def names():
    from .training import LABELS

    names = {
        name: getattr(layers, name)
        for name in ("Dense", "Activation", "Dropout", "Flatten", "Reshape", "Input", "Rescaling")
    }
    names |= {"keras": keras, "X": X, "Y": Y, "VX": VX, "VY": VY, "LABELS": LABELS}
    names["ones"] = lambda shape, dtype="float32": np.ones(shape, dtype)
    return names


def errors(lines):
    what = names()
    before = {
        "small()": "model = keras.Sequential([Input((4,)), Dense(5, activation='relu'), Dropout(0.25), Dense(3, activation='softmax')])",
        "compiled(": None,
    }
    for line in lines.strip().splitlines():
        code = line
        if line.startswith("small()"):
            code = line.replace("small()", before["small()"])
        elif line.startswith("compiled("):
            loss = line[len("compiled(") : line.index(")")] or "'categorical_crossentropy'"
            code = (
                f"{before['small()']}; model.compile('sgd', {loss}, metrics=['accuracy']){line[line.index(')') + 1 :]}"
            )
        yield {**trial(code, what), "name": line}


def record():
    clear("text")
    setup = {
        "X": [13, 4],
        "Y": [13, 3],
        "VX": [5, 4],
        "VY": [5, 3],
        "data": "those of training/validation.json, first case",
        "small()": "model = Sequential([Input((4,)), Dense(5, relu), Dropout(0.25), Dense(3, softmax)])",
        "compiled(loss='categorical_crossentropy')": "small(), then model.compile('sgd', loss, metrics=['accuracy'])",
    }
    for name, cases, about in [
        ("summary", summaries(), {}),
        ("progress_bar", bars(), {}),
        ("progress", progress(), setup),
        ("callbacks", called(), {**setup, "optimizer": "Adam(0.1)", "batch_size": 5, "seed": 812}),
        ("layer_errors", errors(LAYER_ERRORS), {}),
        ("model_errors", errors(MODEL_ERRORS), setup),
    ]:
        write("text", name, list(cases), **about)
        print(" ", name)
