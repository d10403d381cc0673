"""Memory shared by a run's processes: large arrays cross without being copied through a pipe."""

from __future__ import annotations

import fcntl
import io
import math
import mmap
import os
import pickle
import sys
import tempfile
from dataclasses import dataclass, is_dataclass
from typing import TYPE_CHECKING, Any

from reportgen.errors import ReportgenError

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALIGNMENT = 64
"""Arrays begin at multiples of this [byte]."""
_NUMBERS = "fiubcV"
"""Kinds of arrays that are handed over; V: bfloat16 as NumPy holds it."""
_PLAIN = {
    ("builtins", "slice"), ("builtins", "set"), ("builtins", "frozenset"), ("builtins", "complex"),
    ("builtins", "Ellipsis"), ("collections", "Counter"), ("pathlib", "PosixPath"), ("pathlib", "Path"),
}  # fmt: skip
"""Harmless classes beside those of this package."""


@dataclass(frozen=True)
class Parcel:
    """A value laid down in the exchange; it holds until the next one is laid down at the same place."""

    packed: bytes
    end: int
    """Where the next parcel may begin [byte]."""

    def to_bytes(self) -> bytes:
        """Return the parcel as it goes through a pipe."""
        return b"%d\n" % self.end + self.packed

    @classmethod
    def from_bytes(cls, data: bytes) -> Parcel:
        """Return the parcel in an answer of a child; raises ValueError where it is none."""
        end, _, packed = data.partition(b"\n")
        if not end.isdigit() or len(end) > 18:
            raise ValueError("no parcel")
        return cls(packed, int(end))


class Exchange:
    """A nameless file in memory, inherited by the children."""

    def __init__(self, descriptor: int | None = None) -> None:
        self.descriptor = _nameless() if descriptor is None else descriptor

    def make_room(self, size: int) -> None:
        """Let the exchange hold `size` [byte]; memory is taken only where something is laid down."""
        if os.fstat(self.descriptor).st_size < size:
            os.ftruncate(self.descriptor, size)

    def lay_down(self, value: object, start: int = 0, room: int | None = None) -> Parcel:
        """Put a value's arrays into the exchange from `start` on, into `room` [byte], by default all there is.

        Raises MemoryError where there is too little of it.
        """
        packed = io.BytesIO()
        packer = _Packer(packed, start)
        packer.dump(value)
        end = max((place + array.nbytes for place, array in packer.placed), default=start)
        size = os.fstat(self.descriptor).st_size
        if end > (size if room is None else min(size, start + room)):
            raise MemoryError(f"a result of {end - start} byte")
        if end > start:
            with mmap.mmap(self.descriptor, end) as memory:
                for place, array in packer.placed:
                    memory[place : place + array.nbytes] = array.reshape(-1).view("u1").data
        return Parcel(packed.getvalue(), end)

    def pick_up(self, parcel: Parcel) -> Any:
        """Return the value of a parcel; its arrays are views that hold as long as the parcel does.

        What is written to them stays here: TensorFlow takes for a variable, without a copy, only what could be written.

        Only plain values, arrays of numbers and this package's dataclasses and errors are made: what a child hands
        over cannot name anything else to be called. Raises pickle.UnpicklingError where it tries.
        """
        if parcel.end > os.fstat(self.descriptor).st_size:
            raise pickle.UnpicklingError("a child handed over more than there is room for")
        memory = memoryview(mmap.mmap(self.descriptor, parcel.end, access=mmap.ACCESS_COPY) if parcel.end else b"")
        return _Unpacker(io.BytesIO(parcel.packed), memory).load()

    def close(self) -> None:
        """Give the memory back."""
        os.close(self.descriptor)


class _Packer(pickle.Pickler):
    """Write a value, its arrays of numbers as (dtype, shape, place in the exchange)."""

    def __init__(self, file: io.BytesIO, start: int) -> None:
        super().__init__(file, protocol=5)
        self.next = start
        self.placed: list[tuple[int, NDArray[Any]]] = []
        self.known: dict[int, tuple[str, tuple[int, ...] | None, int]] = {}
        self.kept: list[object] = []
        """Those known, so that no other takes their place in memory meanwhile."""

    def reducer_override(self, value: object) -> Any:
        """Write an error of ours as Python does, whatever a package that was imported has put in place of that."""
        return value.__reduce_ex__(5) if isinstance(value, ReportgenError) else NotImplemented

    def persistent_id(self, value: object) -> tuple[str, tuple[int, ...] | None, int] | None:
        """Return where an array, or a number of NumPy's, goes; None for anything else."""
        np = sys.modules.get("numpy")  # where it is not imported there are no arrays
        if np is None or not isinstance(value, np.ndarray | np.generic):
            return None
        if id(value) not in self.known:
            array = np.ascontiguousarray(value)
            if array.dtype.kind not in _NUMBERS:
                raise TypeError(f"an array of {array.dtype}")
            place = -(-self.next // ALIGNMENT) * ALIGNMENT
            self.next = place + array.nbytes
            self.placed.append((place, array))
            self.kept.append(value)
            self.known[id(value)] = (array.dtype.str, value.shape if isinstance(value, np.ndarray) else None, place)
        return self.known[id(value)]


class _Unpacker(pickle.Unpickler):
    """Make plain values, and arrays of what lies in the exchange."""

    def __init__(self, file: io.BytesIO, memory: memoryview) -> None:
        super().__init__(file)
        self.memory = memory

    def persistent_load(self, said: Any) -> NDArray[Any]:
        """Return an array; raises UnpicklingError where it is none of numbers inside the exchange."""
        import numpy as np

        kind, shape, place = said
        dtype = np.dtype(str(kind))
        sizes = tuple(int(size) for size in shape or ())
        length = math.prod(sizes) * dtype.itemsize
        if dtype.kind not in _NUMBERS or min(sizes, default=0) < 0 or not 0 <= place <= len(self.memory) - length:
            raise pickle.UnpicklingError(f"a child handed over an array of {dtype} of {sizes}")
        if not length:
            return np.empty(sizes, dtype)
        array = np.frombuffer(self.memory[place : place + length], dtype).reshape(sizes)
        return array[()] if shape is None else array

    def find_class(self, module: str, name: str) -> Any:
        """Return a class of the list, or a dataclass or error of this package."""
        if (module, name) in _PLAIN:
            return super().find_class(module, name)
        if module.startswith("reportgen.") and name.isidentifier() and module in sys.modules:
            found = getattr(sys.modules[module], name, None)
            plain = isinstance(found, type) and (is_dataclass(found) or issubclass(found, ReportgenError))
            if plain and found.__module__ == module:
                return found
        raise pickle.UnpicklingError(f"a child handed over {module}.{name}")


def _nameless() -> int:
    """Return a file without a name, in memory where the system can; nobody can make it smaller then."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("reportgen", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
        return descriptor
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
