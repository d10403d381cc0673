"""Memory shared by a run's processes: large arrays cross without being copied through a pipe."""

from __future__ import annotations

import io
import json
import mmap
import os
import pickle
import tempfile
from dataclasses import dataclass, is_dataclass
from typing import Any

ALIGNMENT = 64
"""Arrays begin at multiples of this [byte]."""
_PLAIN = {
    ("builtins", "slice"), ("builtins", "set"), ("builtins", "frozenset"), ("builtins", "complex"),
    ("builtins", "Ellipsis"), ("builtins", "bytearray"), ("collections", "Counter"), ("collections", "OrderedDict"),
    ("pathlib", "PosixPath"), ("numpy", "ndarray"), ("numpy", "dtype"),
    ("numpy._core.numeric", "_frombuffer"), ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
}  # fmt: skip


@dataclass(frozen=True)
class Parcel:
    """A value laid down in the exchange; it holds until the next one is laid down at the same place."""

    packed: bytes
    spans: tuple[tuple[int, int], ...]
    """(start, length) of each of its arrays in the exchange [byte]."""

    @property
    def end(self) -> int:
        """Where the next parcel may begin [byte]."""
        return max((start + length for start, length in self.spans), default=0)

    def to_bytes(self) -> bytes:
        """Return the parcel as it goes through a pipe."""
        return json.dumps(self.spans).encode() + b"\n" + self.packed

    @classmethod
    def from_bytes(cls, data: bytes) -> Parcel:
        """Return the parcel in an answer of a child; raises ValueError where it is none."""
        spans, _, packed = data.partition(b"\n")
        return cls(packed, tuple((int(start), int(length)) for start, length in json.loads(spans)))


class Exchange:
    """A nameless file in memory, inherited by the children."""

    def __init__(self, descriptor: int | None = None) -> None:
        self.descriptor = _nameless() if descriptor is None else descriptor

    def make_room(self, size: int) -> None:
        """Let the exchange hold `size` [byte]; memory is taken only where something is laid down."""
        if os.fstat(self.descriptor).st_size < size:
            os.ftruncate(self.descriptor, size)

    def lay_down(self, value: object, start: int = 0) -> Parcel:
        """Put a value's arrays into the exchange from `start` on; raises MemoryError where there is no room."""
        buffers: list[pickle.PickleBuffer] = []
        packed = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
        raws = [buffer.raw() for buffer in buffers]
        spans = []
        for raw in raws:
            start = -(-start // ALIGNMENT) * ALIGNMENT
            spans.append((start, raw.nbytes))
            start += raw.nbytes
        room = os.fstat(self.descriptor).st_size
        if start > room:
            raise MemoryError(f"a result of {start} byte, where {room} may be used")
        if start:
            with mmap.mmap(self.descriptor, room) as memory:
                for (begin, length), raw in zip(spans, raws, strict=True):
                    memory[begin : begin + length] = raw
        return Parcel(packed, tuple(spans))

    def pick_up(self, parcel: Parcel) -> Any:
        """Return the value of a parcel; its arrays are views that hold as long as the parcel does.

        Only plain values, arrays and this package's dataclasses and errors are made: a child that was taken over
        by a file cannot run anything here. Raises pickle.UnpicklingError for anything else.
        """
        buffers: list[memoryview] = []
        if parcel.end:
            memory = memoryview(mmap.mmap(self.descriptor, parcel.end, access=mmap.ACCESS_READ))
            buffers = [memory[start : start + length] for start, length in parcel.spans]
        return _Plain(io.BytesIO(parcel.packed), buffers=buffers).load()

    def close(self) -> None:
        """Give the memory back."""
        os.close(self.descriptor)


class _Plain(pickle.Unpickler):
    """Make plain values only."""

    def find_class(self, module: str, name: str) -> Any:
        """Return a class or function of the list, or a dataclass or error of this package."""
        if (module, name) in _PLAIN:
            return super().find_class(module, name)
        if module.startswith("reportgen."):
            found = super().find_class(module, name)
            if isinstance(found, type) and (is_dataclass(found) or issubclass(found, Exception)):
                return found
        raise pickle.UnpicklingError(f"a child handed over {module}.{name}")


def _nameless() -> int:
    """Return a file without a name, in memory where the system can."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("reportgen")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
