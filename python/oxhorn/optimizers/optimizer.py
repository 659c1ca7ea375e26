"""`Optimizer`: a rule by which gradients change weights; the base of the rules that Rust has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from oxhorn._naming import auto_name, snake_case
from oxhorn._registry import RegistryObject, foreign

SHARED = (
    "weight_decay",
    "clipnorm",
    "global_clipnorm",
    "clipvalue",
    "use_ema",
    "ema_momentum",
    "ema_overwrite_frequency",
    "loss_scale_factor",
    "gradient_accumulation_steps",
)
SCOPE = "optimizer/"
# What an optimizer keeps that holds another.
STEP_COUNTER, DYNAMIC_SCALE = f"{SCOPE}step_counter", f"{SCOPE}dynamic_scale"
OF_HOLDERS = (STEP_COUNTER, DYNAMIC_SCALE)


class Optimizer:
    """A rule by which gradients change weights.

    Those of Keras are Rust's; rules of one's own have to be written there, as `impl Optimize`.
    """

    def __init__(
        self,
        learning_rate: Any,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if type(self).__mro__[1] is Optimizer or type(self) is Optimizer:
            raise NotImplementedError(
                "An optimizer of one's own cannot be written in Python. Use one of "
                "`oxhorn.optimizers`, a `LearningRateSchedule`, or write the rule in Rust."
            )


class RegistryOptimizer(RegistryObject, Optimizer):
    """A rule that Rust has."""

    _category = "optimizers"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if kwargs.pop("decay", None) is not None:
            import warnings

            warnings.warn(
                "Argument `decay` is no longer supported and will be ignored.", stacklevel=3
            )
        if kwargs:
            raise ValueError(f"Argument(s) not recognized: {kwargs}")
        self.name = name or auto_name(snake_case(type(self).__name__))
        self._engine: Any = None
        self._weights: Callable[[], list[Any]] = list
        self._exclude_from_weight_decay: list[str] = []
        self._rate: Any = None
        given = locals()
        for setting in SHARED:
            setattr(self, setting, given[setting])
        self._take_rate(learning_rate)

    def _take_rate(self, rate: Any) -> None:
        from oxhorn.optimizers.schedules.schedule import LearningRateSchedule

        if isinstance(rate, LearningRateSchedule):
            self._rate = rate
        elif isinstance(rate, (float, np.floating)):
            self._rate = float(rate)
        elif callable(rate):
            self._rate = CalledRate(rate)
        elif isinstance(rate, dict):
            from oxhorn.optimizers import schedules

            self._rate = schedules.deserialize(rate)
        else:
            raise ValueError(
                "Argument `learning_rate` should be float, or an instance of "
                "LearningRateSchedule, or a callable (that takes in the current iteration value "
                f"and returns the corresponding learning rate value). Received instead: {rate}"
            )

    # The learning rate ----------------------------------------------------------------------------

    @property
    def learning_rate(self) -> Any:
        """The size of the next step: it can be assigned, unless it follows a schedule."""
        return LearningRate(self)

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        from oxhorn.optimizers.schedules.schedule import LearningRateSchedule

        if isinstance(value, LearningRateSchedule):
            raise NotImplementedError(
                "The learning rate of an optimizer cannot become a schedule later. Make a new "
                "optimizer with `learning_rate=schedule`, and compile the model with it."
            )
        if not isinstance(self._rate, float):
            raise TypeError(
                "This optimizer was created with a `LearningRateSchedule` object as its "
                "`learning_rate` constructor argument, hence its learning rate is not settable. If "
                "you need the learning rate to be settable, you should instantiate the optimizer "
                "with a float `learning_rate` argument."
            )
        self._rate = float(value)
        engine = self._engine_now()
        if engine is not None:
            engine.set_number(f"{SCOPE}learning_rate", self._rate)

    def _current_rate(self) -> float:
        engine = self._engine_now()
        if engine is not None:
            return engine.learning_rate()
        rate = self._rate
        return float(np.float32(rate)) if isinstance(rate, float) else float(rate(0))

    def _engine_now(self) -> Any:
        """The engine of the model that is compiled with this optimizer, if there is one."""
        return None if self._engine is None else self._engine()

    # What it keeps --------------------------------------------------------------------------------

    @property
    def iterations(self) -> Any:
        """How many steps it has taken."""
        return Iterations(self)

    def _count(self) -> int:
        engine = self._engine_now()
        paths = [path for path, *_ in engine.variables()] if engine is not None else []
        if f"{SCOPE}iteration" not in paths:
            return 0
        steps = int(engine.value(f"{SCOPE}iteration"))
        return steps // (self.gradient_accumulation_steps or 1)

    @property
    def built(self) -> bool:
        return bool(self._paths())

    def _paths(self) -> list[tuple[str, tuple[int, ...], str]]:
        engine = self._engine_now()
        variables = engine.variables() if engine is not None else []
        own = [(p, shape, dtype) for p, shape, dtype, _ in variables if p.startswith(SCOPE)]
        return [row for row in own if row[0] not in OF_HOLDERS]

    @property
    def variables(self) -> list[Any]:
        """The state of the optimizer: the count of steps, the learning rate, and its slots."""
        engine = self._engine_now()
        paths = in_order_of([variable.key for variable in self._weights()], self._paths())
        kept = [OptimizerVariable(engine, *row) for row in paths]
        if kept and isinstance(self._rate, float):
            kept.insert(1, LearningRate(self))
        return kept

    def exclude_from_weight_decay(
        self, var_list: list[Any] | None = None, var_names: list[str] | None = None
    ) -> None:
        """Lets weights of these names, or these weights, not decay; before training begins."""
        if self.built:
            raise ValueError(
                "`exclude_from_weight_decay()` can only be configued before the optimizer is built."
            )
        keys = [variable.key for variable in var_list or []]
        self._exclude_from_weight_decay = [*keys, *(var_names or [])]

    def _swap_with_averages(self) -> None:
        """Gives each weight its running mean, and the mean the weight."""
        engine = self._engine_now()
        variables = engine.variables() if engine is not None else []
        shapes = {path: path for path, *_ in variables}
        for path, _, _, trainable in variables:
            average = f"{SCOPE}{path.replace('/', '_')}_average"
            if trainable and average in shapes:
                weight = engine.value(path)
                engine.set_value(path, engine.value(average))
                engine.set_value(average, weight)

    def apply_gradients(self, grads_and_vars: Any) -> None:
        """Not available: gradients are taken and applied in one compiled step."""
        raise NotImplementedError(
            "Gradients cannot be applied by hand: Oxhorn compiles the whole training step. Use "
            "`model.fit` or `model.train_on_batch`."
        )

    apply = apply_gradients

    def _envelope_for(self, variables: list[Any]) -> str:
        """What Rust is told of it, for a model with these weights."""
        return self._envelope()

    # What can be written down ---------------------------------------------------------------------

    def _settings(self) -> dict[str, Any]:
        from oxhorn._registry import as_json

        shared = {name: getattr(self, name) for name in SHARED}
        rate = as_json("learning_rate", self._rate)
        own = RegistryObject._settings(self)
        excluded = {"exclude_from_weight_decay": self._exclude_from_weight_decay}
        return {"name": self.name, "learning_rate": rate, **shared, **own, **excluded}

    def get_config(self) -> dict[str, Any]:
        rate: Any = self._rate
        if hasattr(rate, "get_config"):
            from oxhorn.optimizers import schedules

            rate = schedules.serialize(rate)
        else:
            rate = self._current_rate() if isinstance(rate, float) else rate
        shared = {name: getattr(self, name) for name in SHARED}
        own = RegistryObject.get_config(self)
        return {"name": self.name, "learning_rate": rate, **shared, **own}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def in_order_of(keys: list[str], rows: list[tuple[str, Any, Any]]) -> list[tuple[str, Any, Any]]:
    """The rows of slots, sorted by their weights wherever one block has a slot of each weight.

    The engine has them in the order in which weights are used, Keras in that of the model's list.
    """
    prefixes = [f"{SCOPE}{key.replace('/', '_')}_" for key in keys]

    def weight(row: tuple[str, Any, Any]) -> int:
        return next((i for i, it in enumerate(prefixes) if row[0].startswith(it)), -1)

    ordered: list[tuple[str, Any, Any]] = []
    block: dict[int, list[tuple[str, Any, Any]]] = {}

    def end_block() -> None:
        for index in sorted(block):
            ordered.extend(block[index])
        block.clear()

    last = -1
    for row in rows:
        index = weight(row)
        if index == -1 or (index in block and index != last):
            end_block()
        if index == -1:
            ordered.append(row)
        else:
            block.setdefault(index, []).append(row)
        last = index
    end_block()
    return ordered


class CalledRate:
    """A learning rate that a function without arguments gives, asked once for each kind of step."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self.function = function

    def __call__(self, step: Any) -> Any:
        return self.function()

    def _envelope(self) -> str:
        return foreign(self, {})


class LearningRate:
    """The learning rate of an optimizer, as a variable."""

    name = "learning_rate"
    path = "optimizer/learning_rate"
    shape = ()
    ndim = 0
    dtype = "float32"
    trainable = False

    def __init__(self, optimizer: RegistryOptimizer) -> None:
        self._optimizer = optimizer

    @property
    def value(self) -> np.ndarray:
        return self.numpy()

    def numpy(self) -> np.ndarray:
        return np.asarray(self._optimizer._current_rate(), dtype="float32")

    def assign(self, value: Any) -> LearningRate:
        self._optimizer.learning_rate = float(np.asarray(value))
        return self

    def __float__(self) -> float:
        return float(self.numpy())

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.numpy() if dtype is None else self.numpy().astype(dtype)

    def __mul__(self, other: Any) -> Any:
        return self.numpy() * other

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        return self.numpy() / other

    def __eq__(self, other: object) -> bool:
        return float(self) == other

    def __lt__(self, other: Any) -> bool:
        return float(self) < other

    def __gt__(self, other: Any) -> bool:
        return float(self) > other

    __hash__ = None  # type: ignore[assignment]

    def __format__(self, spec: str) -> str:
        return format(float(self), spec)

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape=(), dtype=float32, value={float(self)}>"


class Iterations:
    """The count of an optimizer's steps, as a variable."""

    name = "iteration"
    path = "optimizer/iteration"
    shape = ()
    dtype = "int64"

    def __init__(self, optimizer: RegistryOptimizer) -> None:
        self._optimizer = optimizer

    @property
    def value(self) -> np.ndarray:
        return self.numpy()

    def numpy(self) -> np.ndarray:
        return np.asarray(self._optimizer._count())

    def __int__(self) -> int:
        return self._optimizer._count()

    __index__ = __int__

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.numpy() if dtype is None else self.numpy().astype(dtype)

    def __eq__(self, other: object) -> bool:
        return int(self) == other

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape=(), dtype=int64, value={int(self)}>"


class Fixed:
    """A number that an optimizer of Keras keeps, and which says nothing here."""

    shape = ()
    trainable = False

    def __init__(self, path: str, value: Any) -> None:
        self.path = path
        self.name = path
        self.value = np.asarray(value)
        self.dtype = self.value.dtype.name

    def numpy(self) -> np.ndarray:
        return self.value

    def assign(self, value: Any) -> Fixed:
        """Takes nothing: nobody asks for it."""
        return self

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.value if dtype is None else self.value.astype(dtype)

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape=(), dtype={self.dtype}, value={self.value}>"


class OptimizerVariable:
    """A slot of an optimizer, which the engine keeps."""

    trainable = False

    def __init__(self, engine: Any, path: str, shape: tuple[int, ...], dtype: str) -> None:
        self._engine = engine
        self.path = path
        self.name = path.removeprefix(SCOPE)
        self.shape = shape
        self.dtype = dtype

    @property
    def value(self) -> np.ndarray:
        return self.numpy()

    def numpy(self) -> np.ndarray:
        return self._engine.value(self.path)

    def assign(self, value: Any) -> OptimizerVariable:
        self._engine.set_value(self.path, np.asarray(value, dtype=self.dtype))
        return self

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.numpy() if dtype is None else self.numpy().astype(dtype)

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}>"
