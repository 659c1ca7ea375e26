"""What one process remembers between models: its seed, and whom to tell when it changes."""

from __future__ import annotations

from collections.abc import Callable

_seed: int | None = None
_on_seed: list[Callable[[int], None]] = []
_on_clear: list[Callable[[], None]] = []


def on_seed(listener: Callable[[int], None]) -> Callable[[int], None]:
    """Calls `listener(seed)` whenever `set_random_seed` is called; usable as a decorator."""
    _on_seed.append(listener)
    return listener


def on_clear(listener: Callable[[], None]) -> Callable[[], None]:
    """Calls `listener()` whenever `clear_session` is called; usable as a decorator."""
    _on_clear.append(listener)
    return listener


def seed() -> int | None:
    """The last seed that was set, or `None` while nobody has set one."""
    return _seed


def announce_seed(value: int) -> None:
    """Remembers the seed and tells every listener, in the order of their registration."""
    global _seed
    _seed = value
    for listener in _on_seed:
        listener(value)


def announce_clear() -> None:
    """Tells every listener that the session starts anew."""
    global _seed
    _seed = None
    for listener in _on_clear:
        listener()
