"""Whole runs of compile, fit, evaluate and predict."""

import keras
import numpy as np
from keras import callbacks, layers, losses, metrics, optimizers, regularizers

from .common import (
    array,
    arrays,
    clear,
    envelope,
    fresh,
    made_up,
    normal,
    number,
    plain,
    write,
)
from .losses import one_hot

SEED = 812


class Permutations:
    """Listens to np.random.permutation: on JAX, fit draws its order of samples there and nowhere else."""

    def __enter__(self):
        self.drawn, self.original = [], np.random.permutation

        def listen(n):
            order = self.original(n)
            self.drawn.append([int(i) for i in order])
            return order

        np.random.permutation = listen
        return self.drawn

    def __exit__(self, *_):
        np.random.permutation = self.original


class BatchLogs(keras.callbacks.Callback):
    """The logs after every batch, as callbacks see them."""

    def __init__(self):
        super().__init__()
        self.logs = []

    def on_train_batch_end(self, batch, logs=None):
        self.logs.append({"batch": batch, **{k: number(float(v)) for k, v in logs.items()}})


def of_data(v):
    """Tensors, a dict of class weights, or the callbacks of a fit."""
    if isinstance(v, np.ndarray):
        return array(v)
    if isinstance(v, tuple):
        return [of_data(w) for w in v]
    if isinstance(v, dict):
        return {str(k): number(w) for k, w in v.items()}
    return plain(v)


def of_compile(v):
    if isinstance(v, (list, tuple)):
        return [of_compile(w) for w in v]
    return v if v is None or isinstance(v, (str, bool, int, float)) else envelope(v)


def summarised(weight):
    a = weight.numpy()
    return {
        "path": weight.path,
        "shape": list(a.shape),
        "sum": number(float(a.astype("float64").sum())),
        "sum_of_squares": number(float((a.astype("float64") ** 2).sum())),
        "first": array(a.reshape(-1)[:6]),
    }


def whole(weight):
    return {"path": weight.path, "value": array(weight.numpy())}


def seed_states(model):
    return [
        [int(v) for v in layer.seed_generator.state.numpy()]
        for layer in model.layers
        if hasattr(layer, "seed_generator")
    ]


def run(title, build, compile_with, data, fits, test=None, called=(), weights=whole, batch_logs=False, data_key=True):
    """build() gives layers; fits are the arguments of successive calls of fit; test is (x, y[, sample_weight]).

    called: for each fit a list of (callback, how to write it down)."""
    fresh()
    keras.utils.set_random_seed(SEED)
    data = data() if callable(data) else data
    model = keras.Sequential(build())
    compiled = compile_with() if callable(compile_with) else compile_with
    out = {
        "name": title,
        "seed": SEED,
        "model": plain(envelope(model)["config"]["layers"]),
        "compile": {k: of_compile(v) for k, v in compiled.items()},
        "weights_before": [weights(w) for w in model.weights],
        "seed_states_before": seed_states(model),
        "fits": [],
    }
    if data_key:
        out["data"] = {k: of_data(v) for k, v in data.items()}
    model.compile(**compiled)
    for i, arguments in enumerate(fits):
        own = called[i] if called else []
        listener = [BatchLogs()] if batch_logs else []
        with Permutations() as drawn:
            history = model.fit(**data, **arguments, verbose=0, callbacks=[c for c, _ in own] + listener)
        fit = {
            "arguments": {k: of_data(v) for k, v in arguments.items()},
            "callbacks": [text for _, text in own],
            "permutations_drawn": drawn,
            "epochs": history.epoch,
            "history": {k: [number(float(v)) for v in values] for k, values in history.history.items()},
        }
        if batch_logs:
            fit["batch_logs"] = listener[0].logs
        for callback, _ in own:
            if isinstance(callback, callbacks.EarlyStopping):
                fit["early_stopping"] = {
                    "stopped_epoch": callback.stopped_epoch,
                    "best_epoch": callback.best_epoch,
                    "best": number(float(callback.best)),
                    "wait": callback.wait,
                }
        out["fits"].append(fit)
    out["test"] = of_data(test) if test and data_key else None
    test = test or (data["x"], data["y"])
    sample_weight = test[2] if len(test) > 2 else None
    results = model.evaluate(test[0], test[1], sample_weight=sample_weight, verbose=0)
    named = model.evaluate(test[0], test[1], sample_weight=sample_weight, verbose=0, return_dict=True)
    out["evaluate"] = [number(float(v)) for v in np.atleast_1d(results)]
    out["evaluate_return_dict"] = {k: number(float(v)) for k, v in named.items()}
    out["predictions_of_3"] = array(model.predict(test[0][:3], verbose=0))
    out["weights_after"] = [weights(w) for w in model.weights]
    out["seed_states_after"] = seed_states(model)
    out["optimizer_iterations"] = int(model.optimizer.iterations.numpy())
    out["learning_rate_after"] = number(np.float32(model.optimizer.learning_rate))
    return model, out


def tutorial():
    """The script's network, with NumPy's data drawn after the seed, in the script's order."""

    def data():
        x = np.random.random((200, 25))
        y = keras.utils.to_categorical(np.random.randint(5, size=(200, 1)), num_classes=5)
        test_x = np.random.random((50, 25))
        test_y = keras.utils.to_categorical(np.random.randint(5, size=(50, 1)), num_classes=5)
        test.extend([test_x, test_y])
        made.update(x=x, y=y, test_x=test_x, test_y=test_y)
        return {"x": x, "y": y, "validation_data": (test_x, test_y)}

    def build():
        return [
            layers.Input((25,)),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.4),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.4),
            layers.Dense(5, activation="softmax"),
        ]

    test, made = [], {}
    compiled = {"optimizer": "adam", "loss": "categorical_crossentropy", "metrics": ["accuracy"]}
    model, out = run(
        "the tutorial, 3 epochs",
        build,
        compiled,
        data,
        [{"epochs": 3, "batch_size": 32}],
        test,
        weights=summarised,
        batch_logs=True,
        data_key=False,
    )
    out["recipe"] = [
        "set_random_seed(812)",
        "x = np.random.random((200, 25))",
        "y = one-hot of np.random.randint(5, size=(200, 1))",
        "test_x = np.random.random((50, 25))",
        "test_y = one-hot of np.random.randint(5, size=(50, 1))",
        "then the layers are made, in order; validation and evaluation use test_x, test_y",
    ]
    out["made"] = {
        k: {"shape": list(v.shape), "sum": float(v.sum()), "first": array(v.reshape(-1)[:6])} for k, v in made.items()
    }
    out["last_layer"] = arrays(model.layers[-1].get_weights())
    yield out


X, LABELS = normal((13, 4), "training x"), made_up("training y").integers(0, 3, 13)
VX, VLABELS = normal((5, 4), "training vx"), made_up("training vy").integers(0, 3, 5)
for features, labels in [(X, LABELS), (VX, VLABELS)]:
    features[:, 0] = np.round(0.5 * features[:, 0] + labels, 3)
Y, VY = one_hot(LABELS, 3), one_hot(VLABELS, 3)
CLASSIFY = {"x": X, "y": Y}


def small():
    return [
        layers.Input((4,)),
        layers.Dense(5, activation="relu"),
        layers.Dropout(0.25),
        layers.Dense(3, activation="softmax"),
    ]


def plain_small():
    return [layers.Input((4,)), layers.Dense(5, activation="tanh"), layers.Dense(3, activation="softmax")]


def with_accuracy(optimizer="adam", **more):
    return lambda: {
        "optimizer": optimizer() if callable(optimizer) else optimizer,
        "loss": "categorical_crossentropy",
        "metrics": ["accuracy"],
        **more,
    }


ADAM = with_accuracy(lambda: optimizers.Adam(0.05))
FIT = {"epochs": 3, "batch_size": 5}


def runs(*cases):
    for title, *arguments in cases:
        keywords = arguments.pop() if isinstance(arguments[-1], dict) and "keywords" in arguments[-1] else {}
        yield run(title, *arguments, **keywords.get("keywords", {}))[1]


def orders():
    yield from runs(
        ("last batch smaller", small, ADAM, CLASSIFY, [FIT]),
        ("shuffle false", small, ADAM, CLASSIFY, [{**FIT, "shuffle": False}]),
        ("shuffle batch", small, ADAM, CLASSIFY, [{**FIT, "shuffle": "batch"}]),
        ("default batch_size", small, ADAM, CLASSIFY, [{"epochs": 2}]),
        ("batch_size 1", plain_small, ADAM, {"x": X[:4], "y": Y[:4]}, [{"epochs": 2, "batch_size": 1}]),
        ("fit twice", small, ADAM, CLASSIFY, [{"epochs": 2, "batch_size": 5}, {"epochs": 2, "batch_size": 8}]),
        ("initial_epoch", small, ADAM, CLASSIFY, [{"epochs": 5, "batch_size": 5, "initial_epoch": 3}]),
        ("steps_per_epoch", small, ADAM, CLASSIFY, [{"epochs": 4, "batch_size": 5, "steps_per_epoch": 2}]),
        (
            "steps_per_epoch beyond the data",
            small,
            ADAM,
            CLASSIFY,
            [{"epochs": 3, "batch_size": 5, "steps_per_epoch": 4}],
        ),
        ("steps_per_epoch without batch_size", small, ADAM, CLASSIFY, [{"epochs": 3, "steps_per_epoch": 3}]),
        ("unbuilt model", lambda: small()[1:], ADAM, CLASSIFY, [FIT]),
    )


def validation():
    both = {"validation_data": (VX, VY)}
    yield from runs(
        ("validation_data", small, ADAM, {**CLASSIFY, **both}, [FIT]),
        (
            "validation_data with sample_weight",
            small,
            ADAM,
            {**CLASSIFY, "validation_data": (VX, VY, np.array([1, 0, 2, 0.5, 3], "float32"))},
            [FIT],
        ),
        ("validation_split", small, ADAM, CLASSIFY, [{**FIT, "validation_split": 0.3}]),
        (
            "validation_split and sample_weight",
            small,
            ADAM,
            {**CLASSIFY, "sample_weight": np.arange(1, 14).astype("float32") / 8},
            [{**FIT, "validation_split": 0.25}],
        ),
        ("validation_batch_size", small, ADAM, {**CLASSIFY, **both}, [{**FIT, "validation_batch_size": 2}]),
        ("validation_freq 2", small, ADAM, {**CLASSIFY, **both}, [{**FIT, "epochs": 5, "validation_freq": 2}]),
        (
            "validation_freq [1, 4]",
            small,
            ADAM,
            {**CLASSIFY, **both},
            [{**FIT, "epochs": 5, "validation_freq": [1, 4]}],
        ),
        (
            "validation_steps",
            small,
            ADAM,
            {**CLASSIFY, **both},
            [{**FIT, "validation_batch_size": 2, "validation_steps": 2}],
        ),
        (
            "validation_steps without batch_size",
            small,
            ADAM,
            {**CLASSIFY, **both},
            [{"epochs": 2, "validation_steps": 2}],
        ),
    )


def weighting():
    weighted = with_accuracy(lambda: optimizers.Adam(0.05), weighted_metrics=["accuracy", "mse"])
    w = np.arange(13).astype("float32") / 8
    sparse = lambda: {
        "optimizer": optimizers.Adam(0.05),
        "loss": "sparse_categorical_crossentropy",
        "metrics": ["accuracy"],
        "weighted_metrics": ["accuracy"],
    }
    yield from runs(
        ("class_weight", small, weighted, CLASSIFY, [{**FIT, "class_weight": {0: 1.0, 1: 3.0, 2: 0.5}}]),
        (
            "class_weight, sparse labels",
            small,
            sparse,
            {"x": X, "y": LABELS.astype("int32")},
            [{**FIT, "class_weight": {0: 1.0, 1: 3.0, 2: 0.5}}],
        ),
        ("class_weight for one class only", small, weighted, CLASSIFY, [{**FIT, "class_weight": {1: 3.0}}]),
        (
            "class_weight and validation_split",
            small,
            weighted,
            CLASSIFY,
            [{**FIT, "class_weight": {0: 1.0, 1: 3.0, 2: 0.5}, "validation_split": 0.3}],
        ),
        ("sample_weight", small, weighted, {**CLASSIFY, "sample_weight": w}, [FIT], (X, Y, w)),
        (
            "sample_weight [n, 1]",
            small,
            weighted,
            {**CLASSIFY, "sample_weight": w[:, None]},
            [{"epochs": 2, "batch_size": 8}],
        ),
        (
            "loss_weights",
            small,
            with_accuracy(lambda: optimizers.SGD(0.1), loss_weights=2.0),
            CLASSIFY,
            [{"epochs": 2, "batch_size": 8}],
        ),
        (
            "loss with reduction sum",
            small,
            lambda: {
                "optimizer": optimizers.SGD(0.1),
                "loss": losses.CategoricalCrossentropy(reduction="sum"),
                "metrics": ["accuracy"],
            },
            CLASSIFY,
            [{"epochs": 2, "batch_size": 8}],
        ),
    )


def one(title, cls, kwargs, epochs=12, data=None, text=None):
    """A run with one callback."""
    callback = cls(**kwargs)
    written = {"class_name": cls.__name__, "arguments": text or {k: plain(v) for k, v in kwargs.items()}}
    compiled = with_accuracy(lambda: optimizers.Adam(0.1))
    data = data or {**CLASSIFY, "validation_data": (VX, VY)}
    return run(title, small, compiled, data, [{"epochs": epochs, "batch_size": 5}], called=[[(callback, written)]])[1]


def early_stopping():
    yield one("EarlyStopping", callbacks.EarlyStopping, {"patience": 2})
    yield one(
        "EarlyStopping restores the best weights",
        callbacks.EarlyStopping,
        {"patience": 3, "restore_best_weights": True},
    )
    yield one(
        "EarlyStopping restores although patience is not used up",
        callbacks.EarlyStopping,
        {"patience": 30, "restore_best_weights": True},
        epochs=4,
    )
    yield one(
        "EarlyStopping monitors accuracy, mode auto",
        callbacks.EarlyStopping,
        {"monitor": "val_accuracy", "patience": 1},
    )
    yield one(
        "EarlyStopping with the wrong mode",
        callbacks.EarlyStopping,
        {"monitor": "accuracy", "mode": "min", "patience": 1},
    )
    yield one("EarlyStopping min_delta", callbacks.EarlyStopping, {"monitor": "loss", "min_delta": 0.1, "patience": 1})
    yield one("EarlyStopping baseline", callbacks.EarlyStopping, {"monitor": "loss", "baseline": 0.2, "patience": 2})
    yield one("EarlyStopping start_from_epoch", callbacks.EarlyStopping, {"patience": 0, "start_from_epoch": 4})


def learning_rates():
    yield one("ReduceLROnPlateau", callbacks.ReduceLROnPlateau, {"patience": 1, "factor": 0.5})
    yield one(
        "ReduceLROnPlateau cooldown and min_lr",
        callbacks.ReduceLROnPlateau,
        {"monitor": "val_accuracy", "patience": 1, "factor": 0.1, "cooldown": 2, "min_lr": 0.005, "min_delta": 0.01},
    )
    yield one(
        "LearningRateScheduler",
        callbacks.LearningRateScheduler,
        {"schedule": lambda epoch, lr: lr * 0.5 if epoch >= 2 else lr},
        epochs=5,
        text={"schedule": "lr * 0.5 if epoch >= 2 else lr"},
    )
    yield one(
        "TerminateOnNaN",
        callbacks.TerminateOnNaN,
        {},
        data={"x": np.where(np.arange(13)[:, None] == 11, np.float32("nan"), X), "y": Y},
    )


def tasks():
    targets = (X @ np.array([[1.0], [-2.0], [0.5], [0.25]], "float32")).round(3).astype("float32")
    regress = lambda **more: [layers.Input((4,)), layers.Dense(6, activation="relu", **more), layers.Dense(1)]
    mse = lambda: {
        "optimizer": optimizers.Adam(0.05),
        "loss": "mse",
        "metrics": ["mae", "mse", metrics.RootMeanSquaredError(name="rmse")],
    }
    yes = (LABELS == 1).astype("int32")
    binary = lambda: [
        layers.Input((4,)),
        layers.Dense(5, activation="relu"),
        layers.Dropout(0.2),
        layers.Dense(1, activation="sigmoid"),
    ]
    bce = lambda: {"optimizer": optimizers.Adam(0.05), "loss": "binary_crossentropy", "metrics": ["accuracy"]}
    logits = lambda: [layers.Input((4,)), layers.Dense(5, activation="relu"), layers.Dense(3)]
    sparse = lambda **k: {
        "optimizer": optimizers.Adam(0.05),
        "loss": losses.SparseCategoricalCrossentropy(**k),
        "metrics": ["accuracy"],
    }
    penalised = lambda: [
        layers.Input((4,)),
        layers.Dense(
            5, activation="relu", kernel_regularizer=regularizers.L2(0.05), activity_regularizer=regularizers.L1(0.02)
        ),
        layers.Dropout(0.2),
        layers.Dense(3, activation="softmax", kernel_constraint="non_neg", bias_regularizer="l1"),
    ]
    yield from runs(
        ("regression, mse", regress, mse, {"x": X, "y": targets}, [FIT]),
        ("regression, targets [n]", regress, mse, {"x": X, "y": targets[:, 0]}, [FIT]),
        ("regression, mae", regress, lambda: {"optimizer": "sgd", "loss": "mae"}, {"x": X, "y": targets}, [FIT]),
        (
            "regression, float64 data",
            regress,
            lambda: {"optimizer": "sgd", "loss": "huber"},
            {"x": X.astype("float64"), "y": targets.astype("float64")},
            [{"epochs": 1, "batch_size": 8}],
        ),
        ("binary, labels [n]", binary, bce, {"x": X, "y": yes}, [FIT]),
        ("binary, labels [n, 1]", binary, bce, {"x": X, "y": yes[:, None].astype("float32")}, [FIT]),
        ("sparse labels [n]", logits, lambda: sparse(from_logits=True), {"x": X, "y": LABELS.astype("int32")}, [FIT]),
        ("sparse labels [n, 1]", plain_small, sparse, {"x": X, "y": LABELS[:, None].astype("int32")}, [FIT]),
        (
            "label_smoothing, acc and top 2",
            small,
            lambda: {
                "optimizer": optimizers.Adam(0.05),
                "loss": losses.CategoricalCrossentropy(label_smoothing=0.1),
                "metrics": ["acc", metrics.TopKCategoricalAccuracy(k=2), "categorical_crossentropy"],
            },
            CLASSIFY,
            [FIT],
        ),
        ("penalties and a constraint", penalised, ADAM, {**CLASSIFY, "validation_data": (VX, VY)}, [FIT]),
        (
            "flatten, rescale, reshape",
            lambda: [
                layers.Input((2, 2)),
                layers.Rescaling(2.0, offset=-0.5),
                layers.Flatten(),
                layers.Dense(6),
                layers.Activation("relu"),
                layers.Reshape((3, 2)),
                layers.Flatten(),
                layers.Dense(3, activation="softmax"),
            ],
            ADAM,
            {"x": X.reshape(13, 2, 2), "y": Y},
            [FIT],
        ),
        (
            "sgd with momentum and a schedule",
            small,
            with_accuracy(
                lambda: optimizers.SGD(optimizers.schedules.ExponentialDecay(0.2, 4, 0.5), momentum=0.9, nesterov=True)
            ),
            CLASSIFY,
            [FIT],
        ),
        (
            "clipnorm and weight_decay",
            small,
            with_accuracy(lambda: optimizers.AdamW(0.05, weight_decay=0.1, global_clipnorm=0.5)),
            CLASSIFY,
            [FIT],
        ),
    )


def by_name():
    for name in ["sgd", "rmsprop", "adam", "nadam", "adagrad", "adamw"]:
        yield run(
            f"optimizer by name {name}", plain_small, with_accuracy(name), CLASSIFY, [{"epochs": 2, "batch_size": 8}]
        )[1]


def on_batches():
    """train_on_batch, test_on_batch, predict_on_batch."""
    fresh()
    keras.utils.set_random_seed(SEED)
    model = keras.Sequential(small())
    compiled = ADAM()
    model.compile(**compiled)
    out = {
        "name": "three batches",
        "seed": SEED,
        "model": plain(envelope(model)["config"]["layers"]),
        "compile": {k: of_compile(v) for k, v in compiled.items()},
        "weights_before": [whole(w) for w in model.weights],
        "x": array(X[:12]),
        "y": array(Y[:12]),
        "calls": [],
    }
    for call, part, kwargs in [
        ("train_on_batch", slice(0, 5), {}),
        ("train_on_batch", slice(5, 9), {}),
        ("train_on_batch", slice(9, 12), {"return_dict": True}),
        ("test_on_batch", slice(0, 4), {}),
        ("test_on_batch", slice(4, 8), {}),
        ("train_on_batch", slice(0, 5), {"class_weight": {0: 2.0, 1: 1.0, 2: 1.0}}),
        ("train_on_batch", slice(0, 2), {"sample_weight": np.array([0.5, 2.0], "float32")}),
    ]:
        result = getattr(model, call)(X[part], Y[part], **kwargs)
        result = (
            {k: number(float(v)) for k, v in result.items()}
            if isinstance(result, dict)
            else [number(float(v)) for v in result]
        )
        out["calls"].append(
            {
                "call": call,
                "from": part.start,
                "to": part.stop,
                "arguments": {k: of_data(v) for k, v in kwargs.items()},
                "result": result,
            }
        )
    out["predict_on_batch_0_to_2"] = array(model.predict_on_batch(X[:2]))
    out["metrics_names"] = list(model.metrics_names)
    out["weights_after"] = [whole(w) for w in model.weights]
    yield out


def record():
    clear("training")
    for name, cases in [
        ("tutorial", tutorial),
        ("orders", orders),
        ("validation", validation),
        ("weighting", weighting),
        ("early_stopping", early_stopping),
        ("learning_rates", learning_rates),
        ("tasks", tasks),
        ("optimizers_by_name", by_name),
        ("on_batches", on_batches),
    ]:
        cases, models = list(cases()), []
        for case in cases:
            # Many cases share a network: each is written once, at the head of the file, and a case says which.
            if case["model"] not in models:
                models.append(case["model"])
            case["model"] = models.index(case["model"])
        write("training", name, cases, models=models)
        print(" ", name)
