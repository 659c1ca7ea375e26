"""`CSVLogger`: writes the logs of every epoch as a line of a table."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from typing import Any

from oxhorn.callbacks.callback import Callback, Logs


class CSVLogger(Callback):
    """Streams the results of epochs to a CSV file.

    Args:
        filename: the file.
        separator: the text between the elements of a line.
        append: whether to continue a file that exists, instead of overwriting it.
    """

    def __init__(
        self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False
    ) -> None:
        super().__init__()
        self.sep = separator
        self.filename = os.fspath(filename)
        self.append = append
        self.writer: csv.DictWriter | None = None
        self.keys: list[str] | None = None
        self.append_header = True
        self.csv_file: Any = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        if self.append and os.path.exists(self.filename):
            with open(self.filename) as file:
                self.append_header = not file.readline()
        self._close()
        # The writer ends lines itself.
        self.csv_file = open(self.filename, "a" if self.append else "w", newline="")
        self.writer = None
        self.keys = None

    def _further(self) -> int:
        """How long the file is: lines of epochs that are run again must not be in it twice."""
        self.csv_file.flush()
        return os.fstat(self.csv_file.fileno()).st_size

    def _go_on(self, size: int) -> None:
        """Writes on in the file where the backup was made."""
        self._close()
        if not os.path.exists(self.filename) or os.path.getsize(self.filename) < size:
            raise OSError(
                f"CSVLogger cannot go on in '{self.filename}': it had {size} bytes when the run "
                "was backed up, and has fewer now."
            )
        self.csv_file = open(self.filename, "r+", newline="")
        self.csv_file.truncate(size)
        self.csv_file.seek(size)
        self.writer = None
        self.append_header = size == 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = logs or {}
        if self.keys is None:
            self.keys = sorted(logs)
            if not any(key.startswith("val_") for key in self.keys):
                # Validation may begin in a later epoch; its columns are there from the start.
                self.keys.extend([f"val_{key}" for key in self.keys])
        if self.writer is None:
            names = ["epoch", *self.keys]
            self.writer = csv.DictWriter(self.csv_file, names, delimiter=self.sep)
            if self.append_header:
                self.writer.writeheader()
        row = {key: _cell(logs.get(key, "NA")) for key in self.keys}
        self.writer.writerow({"epoch": epoch, **row})
        self.csv_file.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._close()
        self.writer = None

    def _close(self) -> None:
        if self.csv_file is not None and not self.csv_file.closed:
            self.csv_file.close()


def _cell(value: Any) -> Any:
    many = isinstance(value, Iterable) and getattr(value, "ndim", 1) > 0
    if many and not isinstance(value, str):
        return f'"[{", ".join(map(str, value))}]"'
    return value
