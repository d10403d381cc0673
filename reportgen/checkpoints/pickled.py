"""Arrays out of a pickle that is never unpickled: its opcodes are followed by symbol, and no name in it is looked up.

Keras writes a layer's arrays into an npz as one pickled dictionary: plain arrays (Keras 2), or its own variables
around them (Keras 3). What such dictionaries need is all that is understood here.
"""

from __future__ import annotations

import math
import pickletools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.checkpoints.arrays import widened
from reportgen.checkpoints.limits import TENSOR_LIMIT, room, size
from reportgen.errors import CheckpointError

Symbol = Any
"""A plain value, or a Made."""

OPCODE_LIMIT = 1_000_000
_NUMPY = ("numpy.core", "numpy._core")
ARRAY = frozenset(f"{core}.multiarray._reconstruct" for core in _NUMPY)
SCALAR = frozenset(f"{core}.multiarray.scalar" for core in _NUMPY)
BUFFER = frozenset(f"{core}.numeric._frombuffer" for core in _NUMPY)
VARIABLE = frozenset({"keras.src.backend.Variable"})
NAMES = ARRAY | SCALAR | BUFFER | VARIABLE | {
    "numpy.ndarray", "numpy.dtype", "ml_dtypes.bfloat16", "functools.partial",
    "tensorflow.python.ops.resource_variable_ops.ResourceVariable", "tensorflow.python.framework.dtypes.as_dtype",
}  # fmt: skip
"""All that a pickle may name; here these are words."""
DTYPES = frozenset({"f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"})


@dataclass
class Made:
    """What a pickle says is to be made: of what, from what, and what is put into it."""

    what: Symbol
    """A name out of NAMES, or another Made that is called."""
    args: Symbol = ()
    state: Symbol = None


@dataclass
class _Machine:
    """The stack and the memory that the opcodes work on."""

    member: str
    stack: list[Symbol] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    memo: dict[int, Symbol] = field(default_factory=dict)

    def since_mark(self) -> list[Symbol]:
        """Take what was pushed since the last mark."""
        place = self.marks.pop()
        taken = self.stack[place:]
        del self.stack[place:]
        return taken

    def name(self, full: str) -> Symbol:
        """Return a name as a word; raises CheckpointError for one that no array needs."""
        if full not in NAMES:
            raise CheckpointError(
                f"the pickled weights name {full}, which is never run",
                where=self.member,
                expected="arrays of NumPy, as Keras writes them",
                advice="Pickled data can run code. Do not trust this file, or save the model again as HDF5.",
            )
        return Made("name", full)

    def step(self, opcode: str, arg: Symbol) -> None:
        """Follow one opcode."""
        stack = self.stack
        match opcode:
            case "PROTO" | "FRAME":
                pass
            case ("SHORT_BINUNICODE" | "BINUNICODE" | "BINUNICODE8" | "BININT" | "BININT1" | "BININT2" | "LONG1"
                  | "SHORT_BINBYTES" | "BINBYTES" | "BINBYTES8" | "BYTEARRAY8" | "BINFLOAT"):  # fmt: skip
                stack.append(arg)
            case "NONE" | "NEWTRUE" | "NEWFALSE":
                stack.append({"NONE": None, "NEWTRUE": True, "NEWFALSE": False}[opcode])
            case "EMPTY_TUPLE" | "EMPTY_LIST" | "EMPTY_DICT" | "EMPTY_SET":
                stack.append({"EMPTY_TUPLE": (), "EMPTY_LIST": [], "EMPTY_DICT": {}}.get(opcode, set()))
            case "MEMOIZE":
                self.memo[len(self.memo)] = stack[-1]
            case "BINPUT" | "LONG_BINPUT":
                self.memo[arg] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(self.memo[arg])
            case "GLOBAL":
                stack.append(self.name(str(arg).replace(" ", ".")))
            case "STACK_GLOBAL":
                attribute, module = stack.pop(), stack.pop()
                stack.append(self.name(f"{module}.{attribute}"))
            case "MARK":
                self.marks.append(len(stack))
            case "TUPLE":
                stack.append(tuple(self.since_mark()))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                count = int(opcode[-1])
                items = tuple(stack[-count:])
                del stack[-count:]
                stack.append(items)
            case "APPEND" | "APPENDS":
                items = (stack.pop(),) if opcode == "APPEND" else tuple(self.since_mark())
                _of_type(stack[-1], list, self.member).extend(items)
            case "SETITEM" | "SETITEMS":
                if opcode == "SETITEM":
                    self.marks.append(len(stack) - 2)
                pairs = self.since_mark()
                if not all(isinstance(key, str) for key in pairs[::2]):
                    raise _damaged(self.member, "a key that is no text")
                _of_type(stack[-1], dict, self.member).update(zip(pairs[::2], pairs[1::2], strict=True))
            case "REDUCE" | "NEWOBJ":
                args, function = stack.pop(), _of_type(stack.pop(), Made, self.member)
                stack.append(Made(function.args if function.what == "name" else function, args))
            case "BUILD":
                state = stack.pop()
                _of_type(stack[-1], Made, self.member).state = state
            case _:
                raise CheckpointError(
                    f"the pickled weights use {opcode}, which arrays do not need",
                    where=self.member,
                    expected="arrays of NumPy, as Keras writes them",
                    advice="Do not trust this file, or save the model again as HDF5.",
                )


def arrays_in(data: bytes, member: str) -> dict[str, NDArray[np.generic]]:
    """Return the arrays of a pickled 0-d object array that holds one dictionary.

    Raises CheckpointError for any opcode or name such a dictionary does not need.
    """
    machine = _Machine(member)
    try:
        for number, (opcode, arg, _) in enumerate(pickletools.genops(data)):
            if number > OPCODE_LIMIT:
                raise _damaged(member, f"more than {OPCODE_LIMIT} opcodes")
            if opcode.name == "STOP":
                break
            machine.step(opcode.name, arg)
        (whole,) = machine.stack
        _, shape, dtype, _, content = _of_type(_of_type(whole, Made, member).state, tuple, member)
        if whole.what not in ARRAY or shape != () or dtype.args[0] not in {"O", "O8"}:
            raise _damaged(member, "no object array")
        (held,) = _of_type(content, list, member)
        found, taken = {}, 0
        for name, value in _of_type(held, dict, member).items():
            found[name] = _array(value, member)
            taken += found[name].nbytes
            if taken > room(len(data)):  # many arrays may share one piece of the pickle
                raise _damaged(member, f"arrays of {size(taken)} or more out of {size(len(data))}")
        return found
    except CheckpointError:
        raise
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError) as error:
        raise _damaged(member, f"{type(error).__name__}: {str(error)[:200]}") from error


def _array(value: Symbol, member: str) -> NDArray[np.generic]:
    """Return the array a symbol stands for; a variable of Keras stands for the array it began with."""
    made = _of_type(value, Made, member)
    if made.what in VARIABLE:
        made = _of_type(made.state["_value"], Made, member)
    if isinstance(made.what, Made):  # partial(ResourceVariable, initial_value=…)()
        made = _of_type(made.what.state[2]["initial_value"], Made, member)
    if made.what in ARRAY:
        _, shape, dtype, fortran, data = made.state
    elif made.what in SCALAR:
        (dtype, data), shape, fortran = made.args, (), False
    elif made.what in BUFFER:
        data, dtype, shape, order = made.args
        fortran = order == "F"
    else:
        raise _damaged(member, "something that is no array")
    return _values(_of_type(data, (bytes, bytearray), member), dtype, shape, fortran, member)


def _values(data: bytes, dtype: Symbol, shape: Symbol, fortran: Symbol, member: str) -> NDArray[np.generic]:
    """Return an array from its bytes, of which there have to be as many as its shape and type say."""
    code = _of_type(dtype, Made, member).args[0]
    order = ">" if isinstance(dtype.state, tuple) and dtype.state[1] == ">" else "<"
    short = isinstance(code, Made) and code.args == "ml_dtypes.bfloat16"
    if dtype.what != "numpy.dtype" or not (short or code in DTYPES):
        raise _damaged(member, "numbers of a type that is no float, integer or bool")
    if not all(type(n) is int and n >= 0 for n in shape) or len(shape) > 32:
        raise _damaged(member, "a shape that is none")
    plain = np.dtype("<u2" if short else f"{order}{code}")
    if math.prod(shape) * plain.itemsize != len(data) or len(data) > TENSOR_LIMIT:
        raise _damaged(member, f"{size(len(data))} for an array of shape {tuple(shape)}")
    flat = np.frombuffer(bytes(data), plain).astype(plain.newbyteorder("="))
    return (widened(flat) if short else flat).reshape(shape, order="F" if fortran else "C")


def _of_type(value: Symbol, wanted: Any, member: str) -> Any:
    """Return a value if it is of a type."""
    if not isinstance(value, wanted):
        raise _damaged(member, f"a {type(value).__name__} where another thing should be")
    return value


def _damaged(member: str, received: str) -> CheckpointError:
    """Return the error for a pickle that no Keras wrote."""
    return CheckpointError(
        "the pickled weights are not as Keras writes them",
        where=member,
        expected="a dictionary of arrays",
        received=received,
        advice="Save the model again as HDF5, or leave the file out.",
    )
