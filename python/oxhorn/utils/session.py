"""Beginning anew: the seed of everything random, and the state that models share."""

from __future__ import annotations

from oxhorn import _session


def set_random_seed(seed: int) -> None:
    """Seeds Python's, NumPy's and Oxhorn's generators.

    Layers draw their seeds when they are made, so this belongs at the beginning of a program.
    """
    if not isinstance(seed, int):
        raise ValueError(
            "Expected `seed` argument to be an integer. "
            f"Received: seed={seed} (of type {type(seed)})"
        )
    import random

    import numpy as np

    random.seed(seed)
    np.random.seed(seed)
    _session.announce_seed(seed)


def clear_session(free_memory: bool = True) -> None:
    """Forgets what models share: the numbers in automatic names, the generator, settings.

    `free_memory` also frees the memory of models that nobody refers to any longer.
    """
    _session.announce_clear()
    if free_memory:
        import gc

        gc.collect()
