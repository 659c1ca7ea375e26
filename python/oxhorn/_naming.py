"""Names that objects get when nobody names them: `dense`, `dense_1`, as Keras counts them."""

from __future__ import annotations

import re
from collections import defaultdict

from oxhorn import _session

_counts: dict[str, int] = defaultdict(int)


def snake_case(name: str) -> str:
    """The name of a class in snake case: `KLDivergence` is `kl_divergence`."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def auto_name(prefix: str) -> str:
    """The next name with this prefix."""
    number = _counts[prefix]
    _counts[prefix] += 1
    return prefix if number == 0 else f"{prefix}_{number}"


def get_uid(prefix: str = "") -> int:
    """The next number for this prefix, counted from 1."""
    _counts[prefix] += 1
    return _counts[prefix]


def reset_uids() -> None:
    """Begins all counts anew."""
    _counts.clear()


_session.on_clear(reset_uids)
