"""`EventFile`: writes numbers, histograms and texts in the format that TensorBoard reads.

A file is a sequence of records (length, checksum, bytes, checksum), each of them one `Event` in
the encoding of Protocol Buffers. The few messages needed are written here field by field; their
numbers are those of TensorFlow's `event.proto`, `summary.proto` and `tensor.proto`.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from typing import Any

import numpy as np

VARINT, FIXED64, BYTES = 0, 1, 2
DT_FLOAT, DT_DOUBLE, DT_STRING = 1, 2, 7
SCALAR, TENSOR = 1, 2

_written = 0


class EventFile:
    """A file of events in `folder`, whose name is unique to process and moment."""

    def __init__(self, folder: str) -> None:
        global _written
        os.makedirs(folder, exist_ok=True)
        name = f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}"
        self.path = os.path.join(folder, f"{name}.{os.getpid()}.{_written}.v2")
        _written += 1
        self._file = open(self.path, "wb")
        self._record(_double(1, time.time()) + _text(3, "brain.Event:2"))
        self.flush()

    def scalar(self, tag: str, value: float, step: int) -> None:
        """Adds one point to the curve `tag`."""
        tensor = _varint(1, DT_FLOAT) + _bytes(2, b"") + _packed(5, np.float32([value]))
        self._summary(tag, _metadata("scalars", b"", SCALAR), tensor, step)

    def histogram(self, tag: str, values: Any, step: int, buckets: int = 30) -> None:
        """Adds the distribution of `values`, in buckets of equal width."""
        rows = histogram_rows(values, buckets)
        shape = b"".join(_bytes(2, _varint(1, extent)) for extent in rows.shape)
        tensor = _varint(1, DT_DOUBLE) + _bytes(2, shape) + _bytes(4, rows.tobytes())
        self._summary(tag, _metadata("histograms", b"", TENSOR), tensor, step)

    def text(self, tag: str, text: str, step: int, plugin: str, content: bytes) -> None:
        """Adds a text for one of TensorBoard's plugins."""
        tensor = _varint(1, DT_STRING) + _bytes(2, b"") + _text(8, text)
        self._summary(tag, _metadata(plugin, content, None), tensor, step)

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()

    def _summary(self, tag: str, metadata: bytes, tensor: bytes, step: int) -> None:
        value = _text(1, tag) + _bytes(8, tensor) + _bytes(9, metadata)
        event = _double(1, time.time()) + _varint(2, step) + _bytes(5, _bytes(1, value))
        self._record(event)

    def _record(self, event: bytes) -> None:
        length = struct.pack("<Q", len(event))
        self._file.write(length + struct.pack("<I", masked_crc32c(length)))
        self._file.write(event + struct.pack("<I", masked_crc32c(event)))


def histogram_rows(values: Any, buckets: int) -> np.ndarray:
    """Rows of left edge, right edge and count; no rows for no values, one for equal ones."""
    values = np.asarray(values, dtype=np.float64).ravel()
    if values.size == 0:
        return np.zeros((0, 3), "<f8")
    low, high = values.min(), values.max()
    if not low < high:
        return np.array([[low - 0.5, high + 0.5, values.size]], "<f8")
    counts, edges = np.histogram(values, buckets, (low, high))
    return np.stack([edges[:-1], edges[1:], counts], axis=1).astype("<f8")


def _crc32c_table() -> list[int]:
    """The Castagnoli polynomial, bits reversed, divided into every byte."""
    table = []
    for crc in range(256):
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return table


_TABLE = _crc32c_table()


def crc32c(data: bytes) -> int:
    """The checksum of RFC 3720, section 12.1."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def masked_crc32c(data: bytes) -> int:
    """The checksum as records store it, so that a checksum of checksums stays one."""
    crc = crc32c(data)
    return (crc >> 15 | crc << 17 & 0xFFFFFFFF) + 0xA282EAD8 & 0xFFFFFFFF


def _metadata(plugin: str, content: bytes, data_class: int | None) -> bytes:
    data = _text(1, plugin) + (_bytes(2, content) if content else b"")
    return _bytes(1, data) + (b"" if data_class is None else _varint(4, data_class))


def _number(value: int) -> bytes:
    """Seven bits a byte, the lowest first; negative numbers as their two's complement."""
    value &= 0xFFFFFFFFFFFFFFFF
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _varint(field: int, value: int) -> bytes:
    return _number(field << 3 | VARINT) + _number(int(value))


def _double(field: int, value: float) -> bytes:
    return _number(field << 3 | FIXED64) + struct.pack("<d", value)


def _bytes(field: int, value: bytes) -> bytes:
    return _number(field << 3 | BYTES) + _number(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _packed(field: int, values: np.ndarray) -> bytes:
    return _bytes(field, values.astype("<f4").tobytes())
