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
from multiprocessing.connection import Connection
from typing import Any

from reportgen.errors import ReportgenError
from reportgen.isolation.exchange import Exchange, Parcel
from reportgen.isolation.limits import impose

PLANT = "REPORTGEN_PLANT"
"""Environment variable of the tests: JSON of {"function:a part of its arguments": way to die}."""


def main() -> None:
    """Do one task after the other until the parent goes away."""
    connection, exchange = Connection(int(sys.argv[1])), Exchange(int(sys.argv[2]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: nobody waits for an orphan's result
    plants = json.loads(os.environ.get(PLANT, "{}"))
    while True:
        try:
            message = connection.recv_bytes()
        except EOFError:
            return
        connection.send_bytes(_answer(message, exchange, plants).to_bytes())


def _answer(message: bytes, exchange: Exchange, plants: dict[str, str]) -> Parcel:
    """Return the parcel of a task's result, or of the error it ended with."""
    try:
        # Written by the parent, which trusts nothing that a file could have put into it.
        function, args, limits, start = pickle.loads(message)  # noqa: S301
        if limits is None:  # preparation: the large imports, from which on limits are counted
            return exchange.lay_down(function(*args), start)
        impose(limits)
        for plant, way in plants.items():
            name, _, part = plant.partition(":")
            if name == function.__name__ and any(part in str(getattr(arg, "packed", arg)) for arg in args):
                _die(way)
        values = [exchange.pick_up(arg) if isinstance(arg, Parcel) else arg for arg in args]
        return exchange.lay_down(function(*values), start)
    except ReportgenError as error:
        return exchange.lay_down(error, start)
    except MemoryError:
        told = f"it needs more memory than the {limits.memory // 2**20} MiB it is given"
    except RecursionError:
        told = "what it describes is nested too deeply"
    except Exception as error:
        told = "it could not be worked on; most likely it is damaged"
        unforeseen = ReportgenError(told, advice="Save it again, or leave it out with run.checkpoints. -v says more.")
        unforeseen.add_note(f"{type(error).__name__}: {error}"[:2000])  # for the log of the parent alone
        return exchange.lay_down(unforeseen)
    return exchange.lay_down(ReportgenError(told))


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
