"""A lock on the machine, for when several people measure on it: held a while, then offered."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType

# How long others must wait at most, but for what cannot be interrupted.
HOLD_S = 45


class Turnstile:
    """Holds a file's lock within `with`, if there is a file."""

    def __init__(self, path: Path | None) -> None:
        self.file = path.open() if path else None
        self.since = 0.0

    def __enter__(self) -> Turnstile:
        self.acquire()
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.release()

    def acquire(self) -> None:
        """Waits until nobody else has it."""
        if self.file:
            import fcntl

            fcntl.flock(self.file, fcntl.LOCK_EX)
        self.since = time.monotonic()

    def release(self) -> None:
        """Lets others have it."""
        if self.file:
            import fcntl

            fcntl.flock(self.file, fcntl.LOCK_UN)

    def offer(self) -> None:
        """Lets whoever waits go first, if it has been held for long."""
        if self.file and time.monotonic() - self.since > HOLD_S:
            self.release()
            self.acquire()
