"""Learning rates as callbacks see them: of one optimizer, or of several that share a model."""

from __future__ import annotations

from typing import Any

from oxhorn.callbacks.callback import Logs


def named_optimizers(optimizer: Any) -> list[tuple[str, Any]]:
    """The optimizers behind `optimizer`, each with the name that messages add for it, if any."""
    if hasattr(optimizer, "optimizers"):
        return [(single.name, single) for single in optimizer.optimizers]
    return [("", optimizer)]


def learning_rate(optimizer: Any) -> float:
    """The current rate as a number; a schedule is evaluated at the current iteration."""
    rate = optimizer.learning_rate
    return float(rate.numpy() if hasattr(rate, "numpy") else rate)


def log_learning_rates(optimizer: Any, logs: Logs) -> None:
    """Writes the rates into the logs, where callbacks after this one find them."""
    for name, single in named_optimizers(optimizer):
        logs[f"learning_rate_{name}" if name else "learning_rate"] = learning_rate(single)
