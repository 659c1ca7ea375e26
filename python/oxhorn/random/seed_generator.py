"""`SeedGenerator`: a stream of random keys; and the one that calls without a seed share."""

from __future__ import annotations

import itertools
import random
from typing import Any

import numpy as np

from oxhorn import _native, _session
from oxhorn._naming import auto_name
from oxhorn._variables import Variable

_keys = itertools.count(1)


class SeedGenerator:
    """A stream of random keys, kept as the variable `[seed, counter]`.

    Args:
        seed: where the stream begins; drawn from Python's `random` where none is given.
        name: its name.
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any) -> None:
        key = kwargs.pop("key", None)
        if kwargs:
            raise ValueError(f"Unrecognized keyword arguments: {kwargs}")
        if seed is None:
            seed = make_default_seed()
        if not isinstance(seed, (int, np.integer)):
            raise ValueError(f"Argument `seed` must be an integer. Received: seed={seed}")
        if seed < 0:
            raise ValueError(f"Argument `seed` must not be negative. Received: seed={seed}")
        self.name = name or auto_name("seed_generator")
        self.initial_seed = seed
        name = "seed_generator_state"
        state = np.array([seed % 2**32, 0], dtype="uint32")
        # By the end of its key, Rust knows the state for what it is.
        key = key or f"seed-generator-{next(_keys)}"
        key = f"{key}/{name}" if not key.endswith(name) else key
        self.state = Variable(state, dtype="uint32", trainable=False, name=name, key=key)

    def next(self, ordered: bool = True) -> Any:
        """The next key, after which the counter goes up."""
        if _native.tracing():
            key = self.state.traced()
            self.state.assign(key + as_step())
            return key
        key = self.state.numpy()
        if ordered:
            self.state.assign(key + np.array([0, 1], dtype="uint32"))
        else:
            # The shared generator moves so that keys drawn elsewhere are others.
            self.state.assign(((key.astype("int64") + 1) * 5387 % 933199).astype("uint32"))
        return key

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.initial_seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        return cls(**config)


def as_step() -> Any:
    """What is added to a state when a key is taken from it, in what is being traced."""
    return _native.constant(np.array([0, 1], dtype="uint32"))


def make_default_seed() -> int:
    """A seed from Python's `random`, as Keras draws it."""
    return random.randint(1, int(1e9))


_global: SeedGenerator | None = None


def global_generator() -> SeedGenerator:
    """The generator that calls without a seed share, made when it is first asked for."""
    global _global
    if _global is None:
        seed = _session.seed()
        _global = SeedGenerator(make_default_seed() if seed is None else seed)
    return _global


@_session.on_seed
def _forget(_: int) -> None:
    global _global
    _global = None


@_session.on_clear
def _clear() -> None:
    global _global
    _global = None


def draw_seed(seed: Any) -> Any:
    """The key that `seed` means: a generator's next, a number's own, or the shared one's next."""
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if isinstance(seed, (int, np.integer)) and not isinstance(seed, bool):
        return np.array([int(seed) % 2**32, 0], dtype="uint32")
    if seed is None:
        return global_generator().next(ordered=False)
    raise ValueError(
        "Argument `seed` must be either an integer or an instance of `SeedGenerator`. "
        f"Received: seed={seed} (of type {type(seed)})"
    )
