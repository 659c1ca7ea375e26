"""`Progbar`: a progress bar with the numbers of a running computation."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from typing import Any

from oxhorn.utils.messages import print_message

BOLD, GREEN, WHITE, PLAIN = "\x1b[1m", "\x1b[32m", "\x1b[37m", "\x1b[0m"


class Progbar:
    """Displays a progress bar and the values of metrics.

    Args:
        target: total number of steps expected, `None` if unknown.
        width: width of the bar in characters.
        verbose: 0 is silent, 1 draws a bar, 2 writes one line at the end.
        interval: least time in seconds between two drawings.
        stateful_metrics: names of metrics that are shown as they are; the others are averaged.
        stateless_metrics: names of metrics that are averaged; the others are shown as they are.
        unit_name: what a step is called in "time per step".
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError(
                "Only one of `stateful_metrics` or `stateless_metrics` can be provided. "
                "`stateful_metrics` is used to make metrics stateless by default (with an "
                "exclusion list), while `stateless_metrics` is used to make metrics stateful "
                "by default (with an exclusion list)."
            )
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self.stateful_metrics = None
        if stateless_metrics is None:
            self.stateful_metrics = set(stateful_metrics or ())
        self._dynamic_display = _can_redraw()
        self._seen_so_far = 0
        # For every name the sum of what was seen and the number of steps in it.
        self._values: dict[str, tuple[Any, int]] = {}
        self._start = time.time()
        self._last_update = 0.0
        self._time_after_first_step: float | None = None
        self._prev_total_width = 0

    def update(
        self,
        current: int,
        values: Iterable[tuple[str, Any]] | None = None,
        finalize: bool | None = None,
    ) -> None:
        """Moves the bar to step `current`; `values` are pairs of a name and its value.

        `finalize` ends the bar; by default that is done as soon as the target is reached.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        self._record(current, values or (), finalize)
        self._seen_so_far = current
        now = time.time()
        time_per_unit = self._time_per_unit(current, now)
        if self.verbose == 1:
            if now - self._last_update < self.interval and not finalize:
                return
            self._draw(current, now, time_per_unit, finalize)
        elif self.verbose == 2 and finalize and self.target:
            line = f"{self._count(current)} - {now - self._start:.0f}s"
            line += f" -{self._per_unit(time_per_unit)}"
            line += "".join(self._metric(name, _shown_signed) for name in self._values)
            print_message(line)
        self._last_update = now

    def add(self, n: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """Moves the bar by `n` steps."""
        self.update(self._seen_so_far + n, values)

    def _record(self, current: int, values: Iterable[tuple[str, Any]], finalize: bool) -> None:
        steps = max(current - self._seen_so_far, 1)
        for name, value in values:
            if self.stateful_metrics is not None:
                averaged = name not in self.stateful_metrics
            else:
                averaged = name in self.stateless_metrics
            if averaged and not finalize:
                total, count = self._values.get(name, (0, 0))
                self._values[name] = (total + value * steps, count + steps)
            else:
                self._values[name] = (value, 1)

    def _draw(self, current: int, now: float, time_per_unit: float, finalize: bool) -> None:
        before = "\b" * self._prev_total_width + "\r" if self._dynamic_display else "\n"
        if self.target:
            filled = int(self.width * (float(current) / self.target))
            bar = f"{BOLD}{self._count(current)}{PLAIN} "
            bar += f"{GREEN}{'━' * filled}{PLAIN}" if filled > 0 else ""
            bar += f"{WHITE}{'━' * (self.width - filled)}{PLAIN}"
            colours = 8 + (9 if filled > 0 else 0) + 9
        else:
            bar = f"{current:7d}/Unknown"
            colours = 0
        if self.target and not finalize:
            clock = _remaining(time_per_unit * (self.target - current))
        else:
            clock = f"{now - self._start:.0f}s"
        colours += 8
        info = f" {BOLD}{clock}{PLAIN}{self._per_unit(time_per_unit)}"
        info += "".join(self._metric(name, _shown) for name in self._values)
        total_width = len(bar) + len(info) - colours
        # A shorter line must cover what is left of a longer one.
        blanks = " " * (self._prev_total_width - total_width)
        print_message(before + bar + info + blanks + "\n" * finalize, line_break=False)
        self._prev_total_width = total_width

    def _count(self, current: int) -> str:
        target = str(int(self.target))
        return f"{int(current):{len(target)}d}/{target}"

    def _metric(self, name: str, shown: Any) -> str:
        total, count = self._values[name]
        if not isinstance(total, float):
            import numpy as np

            total = np.mean(total)
        return f" - {name}: {shown(total / max(1, count))}"

    def _per_unit(self, seconds: float) -> str:
        if seconds >= 1 or seconds == 0:
            return f" {seconds:.0f}s/{self.unit_name}"
        if seconds >= 1e-3:
            return f" {seconds * 1e3:.0f}ms/{self.unit_name}"
        return f" {seconds * 1e6:.0f}us/{self.unit_name}"

    def _time_per_unit(self, current: int, now: float) -> float:
        # The first step compiles the program, so it does not count once there are others.
        if not current:
            return 0
        if self._time_after_first_step is not None and current > 1:
            return (now - self._time_after_first_step) / (current - 1)
        if current == 1:
            self._time_after_first_step = now
        return (now - self._start) / current


def _can_redraw() -> bool:
    """Whether carriage returns are written: as in Keras, always where the system is Unix."""
    terminal = hasattr(sys.stdout, "isatty") and sys.stdout.isatty()
    notebook = "ipykernel" in sys.modules or "PYCHARM_HOSTED" in os.environ
    return terminal or notebook or "posix" in sys.modules


def _remaining(seconds: float) -> str:
    if seconds > 3600:
        return f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02d}:{int(seconds % 60):02d}"
    if seconds > 60:
        return f"{int(seconds // 60)}:{int(seconds % 60):02d}"
    return f"{int(seconds)}s"


def _shown(value: float) -> str:
    return f"{value:.4f}" if abs(value) > 1e-3 else f"{value:.4e}"


def _shown_signed(value: float) -> str:
    # Keras' one-line form writes every negative number in scientific notation.
    return f"{value:.4f}" if value > 1e-3 else f"{value:.4e}"
