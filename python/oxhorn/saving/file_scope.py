"""What is known of a file while a model is made of it or written to it."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Iterable
from typing import Any

# The first version of Keras whose files say `training` only where a call has said it.
LITERAL = (3, 16)

# Numbers that files do not have to hold: the states of random streams, and what is not built.
SLACK = 1 << 20

_local = threading.local()


class FileScope:
    """The block in which a model is made of a file.

    Keras before 3.16 writes `"training": false` into every call of a layer that drops, whoever has
    said it. Taken literally, dropout would be off in training for ever; so of such files it is not.

    Args:
        version: the version of Keras that the file states.
        own: whether the file is one of Oxhorn's, which write what was said and nothing else.
        numbers: how many numbers the file has. What its config asks for more of cannot be in it,
            and is refused before there is memory for it.
    """

    def __init__(self, version: Any, own: bool, numbers: int) -> None:
        self.is_literal = own or version_of(version) >= LITERAL
        self.numbers = numbers
        self.room = numbers + SLACK
        # Objects that the file has several times, by the numbers that it gives them.
        self.shared: dict[Any, Any] = {}

    def __enter__(self) -> FileScope:
        self._outer = current_file()
        _local.file = self
        return self

    def __exit__(self, *error: Any) -> None:
        _local.file = self._outer


def claim(shape: Iterable[int]) -> None:
    """Refuses a weight of this shape where the file that it would be of is too small for it."""
    file = current_file()
    if file is None:
        return
    file.room -= math.prod(shape)
    if file.room < 0:
        raise ValueError(
            f"The config asks for a weight of shape {tuple(shape)}, but the whole file has "
            f"{file.numbers} numbers. It was damaged, or made to exhaust the memory."
        )


def current_file() -> FileScope | None:
    """The file that a model is being made of, if it is one."""
    return getattr(_local, "file", None)


def version_of(text: Any) -> tuple[int, ...]:
    """The numbers of a version; none of what is no version."""
    numbers = re.match(r"(\d+)\.(\d+)", text) if isinstance(text, str) else None
    return tuple(int(number) for number in numbers.groups()) if numbers else ()


class SharingScope:
    """The block in which a model is written down with its objects that it has several times.

    They get a number, `shared_object_id`, by which a reader knows them again. Which these are is
    found out by writing the model down once before.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.counts: dict[int, int] = {}
        self.numbers: dict[int, int] = {}
        # What is made for the moment must not leave its address to another object.
        self.kept: list[Any] = []

    def __enter__(self) -> SharingScope:
        from oxhorn.saving.objects import serialize_keras_object

        self._outer = getattr(_local, "sharing", None)
        _local.sharing = self
        try:
            serialize_keras_object(self.model)
        except BaseException:
            _local.sharing = self._outer
            raise
        shared = [key for key, count in self.counts.items() if count > 1]
        self.numbers = {key: number for number, key in enumerate(shared, 1)}
        return self

    def __exit__(self, *error: Any) -> None:
        _local.sharing = self._outer


def shared_number(obj: Any) -> int | None:
    """The number of an object that the model has several times, while one is written down."""
    scope: SharingScope | None = getattr(_local, "sharing", None)
    if scope is None:
        return None
    if id(obj) not in scope.counts:
        scope.kept.append(obj)
    scope.counts[id(obj)] = scope.counts.get(id(obj), 0) + 1
    return scope.numbers.get(id(obj))
