"""What Keras does not keep of a model, and files of ours do: where random streams are.

Files of models and of weights have it where Keras does not look, under the names that Rust gives
it: `dropout/seed_generator_state`, by the names of layers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from oxhorn import _native
from oxhorn.saving.objects import serialize_keras_object
from oxhorn.saving.store import Tree, joined, stored_objects

# The layout of what is kept; another layout is another number.
LAYOUT = 1
VARIABLES, NUMBERS = "engine/variables/", "engine/numbers/"
TECHNIQUES = "techniques/"
# The group that has it in files of weights.
OWN = "oxhorn"


def facts(model: Any) -> dict[str, Any]:
    """What Keras knows nothing of, but for arrays."""
    return {
        "oxhorn": _native.__version__,
        "layout": LAYOUT,
        "techniques": serialize_keras_object(model._techniques) if model._techniques else None,
        "fresh": model._fresh,
    }


def check_layout(facts: dict[str, Any]) -> None:
    """Refuses a file whose random state is laid out in another way."""
    layout = facts.get("layout")
    if layout != LAYOUT:
        raise ValueError(
            f"The random state in the file is of layout {layout}, known is {LAYOUT}. It was "
            "written by another release; that one can load it."
        )


def random_state(model: Any) -> dict[str, np.ndarray]:
    """The states of seed generators, by the names of the layers that have them; and what
    techniques keep.
    """
    state = {name: generator.state.numpy() for name, generator in _generators(model)}
    if model._runs is not None:
        paths = [path for path, *_ in model._engine.variables() if path.startswith(TECHNIQUES)]
        state.update((f"{VARIABLES}{path}", model._engine.value(path)) for path in paths)
    return state


def take_random_state(model: Any, state: dict[str, np.ndarray]) -> None:
    """Lets random streams go on where they were, and techniques, as far as a file says."""
    for name, generator in _generators(model):
        if name in state:
            generator.state.assign(state[name])
    _take_numbers(model, state)
    own = {name.removeprefix(VARIABLES): array for name, array in state.items()}
    kept = {name: array for name, array in own.items() if name.startswith(TECHNIQUES)}
    if kept and model._techniques:
        model._engine.give(kept)


def _take_numbers(model: Any, state: dict[str, np.ndarray]) -> None:
    """Turns the numbers of layers to where they were: files of ours from Rust say so."""
    layers = {layer.name: layer for layer in model.layers if getattr(layer, "_numbers", None)}
    for name, array in state.items():
        owner, _, number = name.removeprefix(NUMBERS).partition("/")
        layer = layers.get(owner) if name.startswith(NUMBERS) else None
        if layer is not None and number in layer._numbers.values():
            setattr(layer, number, float(array))


def _generators(model: Any) -> Iterator[tuple[str, Any]]:
    """The seed generators of a model, each with its name in a file."""
    from oxhorn.layers.layer import Layer

    names: dict[str, str] = {}
    used: dict[str, int] = {}
    for path, stored in stored_objects(model):
        parts = path.split("/")
        within = ["/".join(parts[:n]) for n in range(1, len(parts))]
        outer = [names[place] for place in within if place in names]
        names[path] = "/".join([*outer[-1:], stored.name]) if path else ""
        generators = stored._seed_generators if isinstance(stored, Layer) else ()
        for number, generator in enumerate(generators):
            layer, _, name = generator.state.key.partition("/")
            own = name if layer == stored._key else f"{number}/{name}"
            name = joined(names[path], own)
            again = used[name] = used.get(name, 0) + 1
            yield f"{VARIABLES}{name}" + (f"~{again}" if again > 1 else ""), generator


# In files of weights -----------------------------------------------------------------------------


def put_into(tree: Tree, model: Any) -> None:
    """Adds random states to a tree."""
    for name, state in random_state(model).items():
        tree.arrays[joined(OWN, name.removeprefix(VARIABLES))] = state


def kept_in(tree: Tree) -> dict[str, np.ndarray]:
    """What `put_into` has added to a tree."""
    own = [path for path in tree.arrays if path.startswith(f"{OWN}/")]
    return {VARIABLES + path.removeprefix(f"{OWN}/"): tree.arrays[path] for path in own}
