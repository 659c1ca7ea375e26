"""`Trainer`: `compile`, `fit`, `evaluate` and `predict`, as every model has them."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import warnings
import weakref
from typing import Any

import numpy as np

from oxhorn import _native, tree
from oxhorn._tensor import Tensor
from oxhorn.layers.layer import _context, pull_numbers, push_numbers
from oxhorn.models.asked import (
    as_metric,
    loss_envelope,
    metric_envelope,
    spread,
    spread_metrics,
)
from oxhorn.models.data import (
    Arrays,
    Layout,
    Stream,
    flat_x,
    is_stream,
    unpacked,
)
from oxhorn.saving import training_state
from oxhorn.utils.messages import is_interactive_logging_enabled

# The path of a learning rate that is a number.
RATE = "optimizer/learning_rate"
# Samples in a step where nobody says how many.
BATCH_SIZE = 32
THREADS = int(os.environ.get("OXHORN_THREADS", 0)) or os.cpu_count() or 1


# What Keras lets a model have instead of its own.
OWN_STEPS = (
    "train_step",
    "test_step",
    "predict_step",
    "compute_loss",
    "compute_metrics",
    "make_train_function",
    "make_test_function",
    "make_predict_function",
)


class Trainer:
    """What a model needs in order to be trained. `Model` has it."""

    def _begin_trainer(self) -> None:
        """Sets everything to what it is before `compile`."""
        self.compiled = False
        self.optimizer: Any = None
        self.loss: Any = None
        self.steps_per_execution = 1
        self.stop_training = False
        self.stop_evaluating = False
        self.stop_predicting = False
        self.history: Any = None
        self._compiled: dict[str, Any] | None = None
        self._techniques: list[Any] = []
        self._objective_set = False
        self._fresh = True
        self._runs: Any = None
        self._x_structure: Any = None
        self._y_structure: Any = None
        self._initial_epoch: int | None = None
        # The file in which a callback wants a backup of the run.
        self._wanted_backup: str | None = None
        # How many samples a step takes, where it does not take all that are given.
        self._batch_rows: int | None = None
        self._fitting = False
        # Rules of the linter that are not spoken of, and what it has said.
        self._allowed: frozenset[str] = frozenset()
        self._told: set[str] = set()

    # What runs the model --------------------------------------------------------------------------

    @property
    def _engine(self) -> Any:
        if self._runs is None:
            reference = weakref.ref(self)
            self._runs = _native.Engine(lambda x, t: reference()._network(x, t), THREADS)
        return self._runs

    def _network(self, tensors: list[Tensor], training: bool) -> list[Tensor]:
        """The model's outputs for these inputs, as flat lists."""
        if self._x_structure is None:
            x: Any = tensors[0] if len(tensors) == 1 else tensors
        else:
            x = tree.pack_sequence_as(self._x_structure, tensors)
        _context.training.append(training)
        try:
            outputs = self(x)
        finally:
            _context.training.pop()
        self._y_structure = tree.map_structure(lambda _: 0, outputs)
        return tree.flatten(outputs)

    # compile --------------------------------------------------------------------------------------

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
        *,
        techniques: Any = None,
        allow: Any = (),
    ) -> None:
        """States what the model is trained for.

        As in Keras, a model that is compiled again keeps its loss where none is given, and its
        metrics likewise; `metrics=[]` drops them.

        Args:
            optimizer: an optimizer or its name.
            loss: a loss, its name, a function, or a list or dictionary of such by output.
            loss_weights: what each output's loss is multiplied with in the sum.
            metrics: what is measured besides: a list of metrics, names or functions, or lists or
                dictionaries of such by output.
            weighted_metrics: the same, with the weights of samples.
            run_eagerly: not supported; models are always compiled.
            steps_per_execution: how many steps callbacks see as one.
            jit_compile: accepted; models are always compiled.
            auto_scale_loss: accepted; it has no effect in single precision.
            techniques: what is done to each step of training from outside of the network: a list
                of objects of `oxhorn.techniques`, which Keras has not.
            allow: Oxhorn's own: names of the linter's rules that are not to be warned of, neither
                now nor by `fit`; `"all"` for none at all. See `lint`.
        """
        from oxhorn import lint, optimizers

        self._refuse_own_steps()
        if run_eagerly:
            raise NotImplementedError(
                "Argument `run_eagerly` is not supported: Oxhorn compiles every step. "
                "Received: run_eagerly=True"
            )
        if not isinstance(steps_per_execution, int) or steps_per_execution < 1:
            raise ValueError(
                "`steps_per_execution` must be a positive integer. "
                f"Received: steps_per_execution={steps_per_execution}"
            )
        for name, value in (("metrics", metrics), ("weighted_metrics", weighted_metrics)):
            if value is not None and not isinstance(value, (list, tuple, dict)):
                raise ValueError(
                    f"Expected `{name}` argument to be a list, tuple, or dict. Received instead: "
                    f"{name}={value} of type {type(value)}"
                )
        if not all(isinstance(w, (int, float, np.number)) for w in _given(loss_weights)):
            raise ValueError(
                "`loss_weights` must be a number, or a list or dictionary of numbers by output. "
                f"Received: loss_weights={loss_weights}"
            )
        if jit_compile not in ("auto", True, False):
            raise ValueError(
                f"`jit_compile` must be 'auto', True or False. Received: jit_compile={jit_compile}"
            )
        self._techniques = _as_techniques(techniques)
        self._allowed = lint.rules(allow)
        known = self._compiled or {}
        if loss is None:
            loss, loss_weights = known.get("loss"), known.get("loss_weights")
        if metrics is None and weighted_metrics is None:
            metrics, weighted_metrics = known.get("metrics"), known.get("weighted_metrics")
        self.optimizer = optimizers.get(optimizer)
        self.loss = loss
        self.steps_per_execution = steps_per_execution
        self.jit_compile = jit_compile
        self.run_eagerly = False
        self._compiled = {
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
        }
        self._compile_metrics: list[Any] = []
        self.compiled = True
        self.stop_training = False
        self._objective_set = False
        self._fresh = True
        self._check_names()
        self._warn()

    def lint(self, samples: int | None = None) -> list[Any]:
        """What is known to do harm, or nothing, in the way the model is regularized.

        `compile` warns of the same, and `fit` of what follows from the number of samples: once,
        unless `compile` is told to `allow` it, or a filter of `warnings` ignores
        `oxhorn.lint.LintWarning`.

        Args:
            samples: how many samples the model is trained on, if that is known.

        Returns:
            A list of `LintWarning`, which have a `rule`, a `layer`, a `reason` and a `help`.
        """
        from oxhorn import lint

        return lint.found(self, samples)

    def _warn(self, samples: int | None = None) -> None:
        """Warns of what nobody was told yet, at the line that called `compile` or `fit`."""
        for warning in self.lint(samples):
            if warning.rule not in self._allowed and str(warning) not in self._told:
                self._told.add(str(warning))
                warnings.warn(warning, stacklevel=3)

    def _refuse_own_steps(self) -> None:
        """Refuses a model that has a step of its own, which would not be taken."""
        for name in OWN_STEPS:
            if any(name in vars(cls) for cls in type(self).__mro__):
                raise NotImplementedError(
                    f"`{type(self).__name__}` has a `{name}` of its own, which Oxhorn cannot take: "
                    "the whole step is compiled. Add to the loss by `self.add_loss(..)` in `call`, "
                    "or write a `Loss`, a `Metric` or a `Callback`."
                )

    def _check_names(self) -> None:
        """Resolves all names once, so that `compile` is where a wrong one is told."""
        for key in ("loss", "metrics", "weighted_metrics"):
            for value in tree.flatten(self._compiled[key]):
                if value is not None:
                    loss_envelope(value) if key == "loss" else metric_envelope(value)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles the model as another was, by what `get_compile_config` gave."""
        from oxhorn.saving import deserialize_keras_object

        config = {key: deserialize_keras_object(value) for key, value in config.items()}
        self.compile(**config)

    def get_compile_config(self) -> dict[str, Any]:
        """What `compile` was given, as it is saved; nothing where it was not called."""
        from oxhorn.saving import serialize_keras_object

        if not self.compiled:
            return {}
        given = {key: serialize_keras_object(value) for key, value in self._compiled.items()}
        # Keras knows no techniques, and reads what has none.
        if self._techniques:
            given["techniques"] = serialize_keras_object(self._techniques)
        return {
            "optimizer": serialize_keras_object(self.optimizer),
            **given,
            "run_eagerly": False,
            "steps_per_execution": self.steps_per_execution,
            "jit_compile": self.jit_compile,
        }

    def _assert_compiled(self) -> None:
        if not self.compiled:
            raise ValueError("You must call `compile()` before using the model.")

    def _batch_type(self, array: np.ndarray) -> tuple[list[int], str]:
        """The type of a batch of these samples, which may be fewer than a batch."""
        rows = min(len(array), self._batch_rows or len(array))
        return [rows, *array.shape[1:]], _taken(array)

    def _set_objective(self, x: list[np.ndarray]) -> None:
        """Tells the engine what the model is trained for, once its outputs are known."""
        if self._objective_set:
            return
        types = [self._batch_type(array) for array in x]
        count = len(self._engine.output_types(types))
        names = self._output_names(count)
        outputs = [{"name": name} for name in names]
        losses = spread(self._compiled["loss"], names, "loss")
        weights = spread(self._compiled["loss_weights"], names, "loss_weights")
        for output, loss, weight in zip(outputs, losses, weights):
            output["loss"] = None if loss is None else loss_envelope(loss)
            output["loss_weight"] = None if weight is None else float(weight)
        self._kept: list[Any] = [losses]
        for key in ("metrics", "weighted_metrics"):
            for output, metrics in zip(outputs, spread_metrics(self._compiled[key], names, key)):
                objects = [as_metric(metric) for metric in metrics]
                self._kept.append(objects)
                output[key] = [metric_envelope(metric) for metric in objects]
        optimizer = self.optimizer._envelope_for(self.trainable_variables)
        techniques = [technique._envelope() for technique in self._techniques]
        self._engine.set_objective(optimizer, outputs, techniques)
        engine = weakref.ref(self)
        self.optimizer._engine = lambda: engine() and engine()._runs
        self.optimizer._weights = lambda: engine().trainable_variables if engine() else []
        self._objective_set = True

    def _take_numbers(self) -> None:
        """Gives layers, techniques and the optimizer the engine's numbers, which are right."""
        push_numbers(self._engine)
        for path, value in self._engine.numbers():
            technique = self._technique_at(path)
            if technique is not None:
                setattr(technique, path.rpartition("/")[2], value)
            elif path == RATE and isinstance(self.optimizer._rate, float):
                self.optimizer._rate = value

    def _pull_numbers(self) -> None:
        """Gives the engine the numbers of layers and techniques as they are now."""
        pull_numbers(self._engine)
        for technique in self._techniques:
            known = self._numbers_of(technique)
            for path, value in self._engine.numbers():
                if path in known and getattr(technique, known[path]) != value:
                    self._engine.set_number(path, float(getattr(technique, known[path])))

    def _numbers_of(self, technique: Any) -> dict[str, str]:
        """The numbers of a technique by their paths in the engine."""
        scope = technique._scope()
        paths = [path for path, _ in self._engine.numbers() if path.startswith(scope)]
        return {path: path.removeprefix(scope) for path in paths}

    def _technique_at(self, path: str) -> Any:
        """The technique that has the number of this path; `None` if none has."""
        return next((it for it in self._techniques if path.startswith(it._scope())), None)

    def _output_names(self, count: int) -> list[str]:
        names = getattr(self, "output_names", None)
        if names is not None and len(names) == count:
            return list(names)
        if isinstance(self._y_structure, dict):
            return sorted(self._y_structure)
        return [f"output_{i}" for i in range(count)] if count > 1 else ["output"]

    # What is given --------------------------------------------------------------------------------

    def _flatten_x(self, x: Any) -> list[Any]:
        """The inputs of the model as a flat list; remembers their structure."""
        flat = flat_x(x)
        if len(flat) == 1 and not isinstance(x, dict):
            self._x_structure = None
        else:
            self._x_structure = tree.map_structure(lambda _: 0, x)
        return flat

    def _integer_inputs(self) -> list[bool] | None:
        """For each input whether integers stay integers; `None` if nobody has said."""
        return None

    def _flat_x(self, x: Any) -> list[np.ndarray]:
        """The inputs as a flat list of arrays that the engine takes."""
        return Layout(self._flatten_x, [], self._integer_inputs()).x(x)

    def _outputs_of(self, x: list[np.ndarray]) -> int:
        if self._y_structure is not None:
            return len(tree.flatten(self._y_structure))
        types = [self._batch_type(array) for array in x]
        return len(self._engine.output_types(types))

    def _arrays(self, x: Any, y: Any, sample_weight: Any, class_weight: Any = None) -> Arrays:
        """What was given, as flat lists of arrays."""
        flat, names = self._flat_x(x), [""]
        if self.compiled:
            self._set_objective(flat)
            names = self._output_names(self._outputs_of(flat))
        layout = Layout(self._flatten_x, names, self._integer_inputs())
        targets = layout.y(y)
        arrays = Arrays(flat, targets, layout.weights(sample_weight, targets))
        arrays.weigh_classes(class_weight)
        return arrays

    def _source(
        self,
        x: Any,
        y: Any,
        sample_weight: Any,
        class_weight: Any,
        shuffle: Any,
        steps: int | None = None,
        **looks: Any,
    ) -> Arrays | Stream:
        """Where batches come from; `looks` are arguments of `Stream`."""
        if not is_stream(x):
            return self._arrays(x, y, sample_weight, class_weight)
        for name, value in (("y", y), ("sample_weight", sample_weight)):
            if value is not None:
                raise ValueError(
                    f"When providing `x` as something that gives batches, `{name}` should not be "
                    f"passed. Instead, the batches should hold it. Received: x={x}"
                )

        def ready(batch: Any) -> tuple[list, list, list]:
            arrays = self._arrays(*unpacked(batch), class_weight)
            return arrays.x, arrays.y, arrays.sample_weight

        return Stream(x, ready, shuffle, steps, **looks)

    # fit, evaluate, predict -----------------------------------------------------------------------

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: Any = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
        *,
        clean_train_eval: bool = False,
    ) -> Any:
        """Trains the model, and returns the `History` of its loss and metrics.

        Args:
            x: arrays, a structure of arrays, or what gives batches.
            y: the targets likewise; batches hold theirs themselves.
            batch_size: samples in a step, 32 if not given.
            epochs: the epoch to end with.
            verbose: 0 prints nothing, 1 a progress bar, 2 a line for each epoch.
            callbacks: whom to tell how it goes.
            validation_split: the share of the samples, the last ones, kept for validation.
            validation_data: `(x, y)` or `(x, y, sample_weight)` to validate on, or batches.
            shuffle: whether the order of samples changes from epoch to epoch; `"batch"` for the
                order within batches.
            class_weight: what the samples of a class weigh.
            sample_weight: what each sample weighs.
            initial_epoch: the epoch to begin with.
            steps_per_epoch: steps in an epoch, if they are not to be a pass over the data.
            validation_steps: the same for validation.
            validation_batch_size: samples in a step of validation.
            validation_freq: after how many epochs, or after which, a validation follows.
            clean_train_eval: Oxhorn's own: whether the training data are measured after every
                epoch as `evaluate` measures them, with noise off and classes weighing alike:
                `clean_loss`, and `clean_` of every metric. With a validation there is `clean_gap`,
                the generalization gap `val_loss - clean_loss`; with penalties `clean_penalty`,
                their share in `clean_loss`. Needs arrays.
        """
        from oxhorn import config

        self._assert_compiled()
        validation_freq = _frequency(validation_freq)
        steps_per_epoch = _limited(steps_per_epoch, config.max_steps_per_epoch())
        if config.max_epochs() is not None:
            epochs = min(epochs, config.max_epochs())
        self._batch_rows = _rows(batch_size)
        looks = {"steps": steps_per_epoch, "look": self._fresh, "restarts": "once"}
        looks["order"] = training_state.order_in(callbacks)
        # Classes weigh in training only.
        of_batches = class_weight if is_stream(x) else None
        training = self._source(x, y, sample_weight, of_batches, shuffle, **looks)
        validation = clean = None
        if validation_split and validation_data is None:
            if isinstance(training, Stream):
                raise ValueError(
                    "Argument `validation_split` is only supported for tensors or NumPy arrays."
                )
            training, validation = training.split(validation_split)
        if clean_train_eval:
            clean = _measurable(training, steps_per_epoch, batch_size)
        if isinstance(training, Arrays):
            training.weigh_classes(class_weight)
            self._warn(training.rows)
        if validation_data is not None:
            if is_stream(validation_data):
                validation = self._source(
                    validation_data, None, None, None, False, validation_steps, restarts="each"
                )
            else:
                validation = self._source(*_triple(validation_data), None, False)
        feed = _feed(training, batch_size, shuffle, steps_per_epoch)
        size = validation_batch_size or batch_size
        validating = None
        if validation is not None:
            validating = _feed(validation, size, False, validation_steps)
        steps = _steps(training, feed)
        listeners = self._listeners(
            callbacks, history=True, verbose=verbose, epochs=epochs, steps=steps
        )
        self.stop_training = False
        self._initial_epoch = None
        settings = self._settings(listeners, verbose, "stop_training")
        settings.update(
            epochs=max(epochs, 0),
            initial_epoch=max(initial_epoch, 0),
            validation_freq=validation_freq,
            first_look=self._fresh,
        )
        self._fresh = False
        settings["rates"] = _rates(listeners)
        settings["streams"] = training_state.Streams(training)
        self._pull_numbers()
        self._fitting = True
        try:
            self._engine.fit(feed, validating, clean, settings)
        finally:
            self._fitting = False
        return self.history

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Loss and metrics on these samples, noise off: a list, or with `return_dict` by name."""
        if kwargs:
            raise ValueError(f"Arguments not recognized: {kwargs}")
        self._assert_compiled()
        self._batch_rows = _rows(batch_size)
        source = self._source(
            x, y, sample_weight, None, False, steps, look=self._fresh, restarts="once"
        )
        feed = _feed(source, batch_size, False, steps)
        listeners = self._listeners(
            callbacks, verbose=verbose, epochs=1, steps=_steps(source, feed)
        )
        self.stop_evaluating = False
        self._fresh = False
        settings = self._settings(listeners, verbose, "stop_evaluating")
        self._pull_numbers()
        with self._totals_apart():
            return _results(self._engine.evaluate(feed, settings), return_dict)

    @contextlib.contextmanager
    def _totals_apart(self) -> Any:
        """Keeps what a callback measures out of the totals of the epoch that is running."""
        engine = self._engine
        paths = [path for path, *_ in engine.variables() if path.startswith("metrics/")]
        kept = {path: engine.value(path) for path in paths} if self._fitting else {}
        try:
            yield
        finally:
            for path, value in kept.items():
                engine.set_value(path, value)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """What the model gives for these samples, noise off, as NumPy arrays."""
        source = self._inputs_alone(x, steps)
        feed = _feed(source, batch_size, False, steps)
        listeners = self._listeners(
            callbacks, verbose=verbose, epochs=1, steps=_steps(source, feed)
        )
        self.stop_predicting = False
        settings = self._settings(listeners, verbose, "stop_predicting")
        self._pull_numbers()
        return self._packed(self._engine.predict(feed, settings))

    def _inputs_alone(self, x: Any, steps: int | None = None) -> Arrays | Stream:
        """Where batches without targets come from."""
        if not is_stream(x):
            return Arrays(self._flat_x(x), [], [])

        def ready(batch: Any) -> tuple[list, list, list]:
            return self._flat_x(unpacked(batch)[0]), [], []

        return Stream(x, ready, False, steps)

    def predict_mc(
        self,
        x: Any,
        samples: int = 50,
        batch_size: int | None = None,
        seed: int | None = None,
        common_mask: bool = False,
    ) -> Any:
        """Predicts many times, each time with other units dropped: Monte Carlo dropout.

        Gal and Ghahramani, https://arxiv.org/abs/1506.02142. Only layers that drop are random;
        normalization uses the statistics it has, and noise that only regularizes is off. The model,
        its seeds included, is afterwards what it was. Layers of one's own are called as in
        `predict`: they take part where they call a layer that drops, or call with `training=True`.

        Args:
            x: what `predict` takes.
            samples: how often each input is predicted.
            batch_size: inputs in a batch, of which a step takes that many times the samples; if not
                given, about 2048 rows in all. Without `common_mask`, the masks depend on it.
            seed: makes the samples reproducible, whatever the model's own seeds are and have been
                used for; drawn from Python's `random` where none is given.
            common_mask: whether all inputs of a sample have the same units dropped, so that each
                sample is one network.

        Returns:
            A `McPrediction`; for several outputs the structure that `call` gives, of such.
        """
        from oxhorn.models.mc_prediction import McPrediction
        from oxhorn.random.seed_generator import make_default_seed

        for name, value in (("samples", samples), ("seed", seed)):
            if not isinstance(value, (int, np.integer)) and (name, value) != ("seed", None):
                raise TypeError(f"`{name}` must be an integer. Received: {name}={value}")
            if value is not None and value < 0:
                raise ValueError(f"`{name}` must not be negative. Received: {name}={value}")
        source = self._inputs_alone(x)
        feed = _feed(source, batch_size or _native.rows_at_once(samples), False, None)
        listeners = self._listeners(None, verbose=0, epochs=1, steps=None)
        settings = self._settings(listeners, 0, "stop_predicting")
        seed = make_default_seed() if seed is None else int(seed) % 2**32
        pull_numbers(self._engine)
        outputs = self._engine.sample(feed, (samples, bool(common_mask), seed), settings)
        return self._packed([McPrediction(output) for output in outputs])

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """One step of training on these samples as one batch; its loss and metrics."""
        self._assert_compiled()
        if sample_weight is not None and class_weight is not None:
            raise ValueError(
                "Arguments `sample_weight` and `class_weight` cannot be specified at the same "
                f"time. Received: sample_weight={sample_weight}, class_weight={class_weight}"
            )
        arrays = self._arrays(x, y, sample_weight, class_weight)
        return _results(self._on_batch(True, arrays), return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Loss and metrics of these samples as one batch, noise off."""
        self._assert_compiled()
        arrays = self._arrays(x, y, sample_weight)
        return _results(self._on_batch(False, arrays), return_dict)

    def _on_batch(self, training: bool, arrays: Arrays) -> list[tuple[str, float]]:
        """One step over all the arrays as one batch."""
        self._fresh = False
        self._pull_numbers()
        feed = arrays.feed(max(arrays.rows, 1), False, None)
        return self._engine.on_batch(training, feed)

    def predict_on_batch(self, x: Any) -> Any:
        """What the model gives for these samples as one batch, noise off."""
        flat = self._flat_x(x)
        self._pull_numbers()
        inputs = [array.astype("int32") if array.dtype == "int64" else array for array in flat]
        return self._packed(self._engine.call(inputs, False))

    def _packed(self, outputs: list[np.ndarray]) -> Any:
        """The outputs in the structure that `call` gives them."""
        if self._y_structure is None or self._y_structure == 0:
            return outputs[0]
        return tree.pack_sequence_as(self._y_structure, outputs)

    # Listeners and printing -----------------------------------------------------------------------

    def _listeners(self, callbacks: Any, history: bool = False, **params: Any) -> Any:
        from oxhorn.callbacks import CallbackList

        if isinstance(callbacks, CallbackList):
            return callbacks
        params["verbose"] = _verbosity(params["verbose"])
        return CallbackList(callbacks, add_history=history, model=self, **params)

    def _settings(self, listeners: Any, verbose: int | str, stop: str) -> dict[str, Any]:
        from oxhorn.callbacks import ProgbarLogger

        own_bar = any(isinstance(it, ProgbarLogger) for it in listeners.callbacks)
        return {
            "epochs": 1,
            "initial_epoch": 0,
            "steps_per_execution": self.steps_per_execution,
            "validation_freq": 1,
            "first_look": False,
            "verbose": 0 if own_bar else _verbosity(verbose),
            "terminal": _is_terminal(),
            "hooks": listeners.hooks(),
            "stop": stop,
            "callbacks": Heard(listeners, self),
            "model": self,
            "write": _print,
            "permute": lambda n: np.random.permutation(n).tolist(),
            "names": lambda paths: training_state.names(self, paths),
            "streams": None,
        }

    # Metrics --------------------------------------------------------------------------------------

    @property
    def metrics(self) -> list[Any]:
        """What is tracked while the model is trained: loss and metrics, with their names."""
        if not self.compiled or not self._objective_set:
            return super().metrics
        return [TrackedMetric(self, name) for name in self._engine.result_names()]

    @property
    def metrics_names(self) -> list[str]:
        return [metric.name for metric in self.metrics]

    def reset_metrics(self) -> None:
        """Begins to count anew."""
        self._engine.reset_metrics()

    def get_metrics_result(self) -> dict[str, float]:
        """Loss and metrics since the last reset."""
        return dict(sorted(self._engine.results()))


class TrackedMetric:
    """A number that the engine tracks."""

    def __init__(self, model: Any, name: str) -> None:
        self._model = model
        self.name = name
        self._direction = model._engine.direction(name) or ("down" if name == "loss" else None)

    def result(self) -> np.ndarray:
        return np.float32(dict(self._model._engine.results())[self.name])

    def __repr__(self) -> str:
        return f"<Metric name={self.name}>"


class Heard:
    """A list of callbacks, which turns numbers of layers into the engine's after each hook."""

    def __init__(self, listeners: Any, model: Any) -> None:
        self._listeners = listeners
        self._model = weakref.ref(model)
        self._engine = model._engine

    def __getattr__(self, name: str) -> Any:
        hook = getattr(self._listeners, name)
        if name.startswith("_"):
            return hook

        def heard(*args: Any) -> None:
            if name == "on_predict_batch_end":
                batch, outputs = args
                args = (batch, {"outputs": self._model()._packed(outputs)})
            hook(*(({} if arg is None else arg) for arg in args))
            self._model()._pull_numbers()

        self.__dict__[name] = heard
        return heard


# Helpers ----------------------------------------------------------------------------------------


def _given(structure: Any) -> list[Any]:
    return [item for item in tree.flatten(structure) if item is not None]


def _taken(array: np.ndarray) -> str:
    return "int32" if array.dtype.kind in "iu" else "float32"


def _rates(listeners: Any) -> list[dict[str, Any]]:
    """What sets numbers before each step, for Rust, which does it without asking callbacks."""
    from oxhorn.callbacks import RateScheduler

    schedulers = [it for it in listeners.callbacks if isinstance(it, RateScheduler)]
    return [scheduler._for_rust() for scheduler in schedulers]


def _as_techniques(given: Any) -> list[Any]:
    """Techniques that can be used together."""
    if given is None:
        return []
    from oxhorn import techniques

    if not isinstance(given, (list, tuple)):
        raise ValueError(
            f"Expected `techniques` argument to be a list or tuple. Received: techniques={given}"
        )
    found = [techniques.get(technique) for technique in given]
    if None in found:
        raise ValueError(f"Expected techniques. Received: techniques={given}")
    _native.check_techniques([technique._envelope() for technique in found])
    return found


def _frequency(value: Any) -> int | list[int]:
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (list, tuple, set, frozenset, range, np.ndarray)):
        return [int(epoch) for epoch in value]
    raise ValueError(
        "Expected `validation_freq` to be an integer or a list of integers. Received: "
        f"validation_freq={value}"
    )


def _limited(steps: int | None, limit: int | None) -> int | None:
    return steps if limit is None else min(steps or limit, limit)


def _triple(data: Any) -> tuple[Any, Any, Any]:
    if not isinstance(data, (tuple, list)) or not 1 <= len(data) <= 3:
        raise ValueError(
            "Data is expected to be in format `x`, `(x,)`, `(x, y)`, or `(x, y, sample_weight)`, "
            f"found: {data}"
        )
    return (*data, *[None] * (3 - len(data)))


def _rows(batch_size: Any) -> int:
    """How many samples a step takes, 32 where nobody has said."""
    if batch_size is None:
        return BATCH_SIZE
    if not isinstance(batch_size, (int, np.integer)):
        raise TypeError(f"`batch_size` must be an integer. Received: {batch_size}")
    if batch_size < 1:
        raise ValueError(f"`batch_size` must be a positive integer. Received: {batch_size}")
    return int(batch_size)


def _feed(source: Any, batch_size: int | None, shuffle: Any, steps: int | None) -> dict[str, Any]:
    if isinstance(source, Stream):
        return source.feed(steps)
    if source.rows == 0:
        raise ValueError("There are no samples: the first axis of `x` has extent 0.")
    if batch_size is None and steps:
        batch_size = math.ceil(source.rows / steps)
    return source.feed(_rows(batch_size), shuffle, steps)


def _measurable(source: Any, steps: int | None, batch_size: int | None) -> dict[str, Any]:
    """The training data as they are measured: in order, in batches of the size of `fit`."""
    if isinstance(source, Stream):
        raise ValueError(
            "Argument `clean_train_eval` needs arrays, which can be measured again after every "
            f"epoch; what gives batches is read once. Received: x={source.source}. Pass arrays, or "
            "part of the data as `validation_data`."
        )
    feed = _feed(source, batch_size, False, steps)
    return {**feed, "steps": None}


def _steps(source: Any, feed: dict[str, Any]) -> int | None:
    if feed["steps"] is not None:
        return feed["steps"]
    if isinstance(source, Stream):
        return source.batches
    return math.ceil(source.rows / feed["batch_size"])


def _results(results: list[tuple[str, float]], return_dict: bool) -> Any:
    if return_dict:
        return dict(sorted(results))
    values = [value for _, value in results]
    return values[0] if len(values) == 1 else values


def _verbosity(verbose: int | str) -> int:
    if verbose == "auto":
        return 1
    if verbose not in (0, 1, 2):
        raise ValueError(f"`verbose` must be 'auto', 0, 1 or 2. Received: verbose={verbose}")
    return int(verbose)


def _is_terminal() -> bool:
    isatty = getattr(sys.stdout, "isatty", None)
    return "ipykernel" in sys.modules or bool(isatty and isatty())


def _print(text: str) -> None:
    if is_interactive_logging_enabled():
        sys.stdout.write(text)
        sys.stdout.flush()
    elif text.strip():
        from oxhorn.utils.messages import print_msg

        print_msg(text.rstrip("\n"))
