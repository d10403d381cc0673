"""The main loop of a child process: `python -P -m reportgen.isolation.child SOCKET EXCHANGE`."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import pickle
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from reportgen.errors import CheckpointError, ReportgenError
from reportgen.isolation.exchange import Exchange, Parcel
from reportgen.isolation.limits import Limits, impose, private_memory

PLANT = "REPORTGEN_PLANT"
"""Environment variable of the tests: JSON of {"function:a part of its arguments": way to die}."""


def main() -> None:
    """Do one task after the other until the parent goes away."""
    connection, exchange = Connection(int(sys.argv[1])), Exchange(int(sys.argv[2]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: nobody waits for an orphan's result
    held = private_memory()
    while True:
        try:
            # Written by the parent, which trusts nothing that a file could have put into it.
            question = Question(*pickle.loads(connection.recv_bytes()))  # noqa: S301
        except EOFError:
            return
        connection.send_bytes(_answer(question, exchange, held).to_bytes())
        if question.limits is None:
            held = private_memory()  # with the large imports


class Question(NamedTuple):
    """A task, as the parent sends it."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    limits: Limits | None
    """None for the preparation of the process, which has no limits."""
    start: int
    """Where in the exchange the answer may begin [byte]."""


def _answer(question: Question, exchange: Exchange, held: int) -> Parcel:
    """Return the parcel of a task's result, or of the error it ended with; memory is counted beyond `held` [byte]."""
    function, args, limits, start = question
    try:
        if limits is not None:
            impose(limits, held)
        _plant(function.__name__, args)
        values = [exchange.pick_up(arg) if isinstance(arg, Parcel) else arg for arg in args]
        return exchange.lay_down(function(*values), start, limits.memory if limits else None)
    except ReportgenError as error:
        return exchange.lay_down(error, start)
    except MemoryError:
        told = f"it needs more memory than the {limits.memory // 2**20 if limits else 0} MiB it is given"
    except RecursionError:
        return exchange.lay_down(CheckpointError("what it describes is nested too deeply"))
    except Exception as error:
        told = "it could not be worked on; most likely it is damaged"
        unforeseen = CheckpointError(told, advice="Save it again, or leave it out with run.checkpoints. -v says more.")
        unforeseen.add_note(f"{type(error).__name__}: {error}"[:2000])  # for the log of the parent alone
        return exchange.lay_down(unforeseen)
    return exchange.lay_down(ReportgenError(told))


def _plant(function: str, args: tuple[Any, ...]) -> None:
    """Die where a test has planted it."""
    for plant, way in json.loads(os.environ.get(PLANT, "{}")).items():
        name, _, part = plant.partition(":")
        if name == function and any(part in str(getattr(arg, "packed", arg)) for arg in args):
            _die(way)


def _die(way: str) -> None:
    """End as a hostile file could end this process."""
    if way == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif way == "memory":
        held: list[Any] = []
        while True:
            held.append(bytearray(2**24))
    elif way == "hang":
        time.sleep(10**6)
    elif way == "kill":
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
