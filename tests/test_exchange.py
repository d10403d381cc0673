"""The memory that a run's processes share: what may lie in it, and what is refused."""

from __future__ import annotations

import copyreg
import io
import json
import os
import pickle
import time
from pathlib import Path

import pytest

from reportgen.errors import CheckpointError
from reportgen.isolation.exchange import Exchange, Parcel


class Claim(pickle.Pickler):
    """Claim arrays that lie elsewhere, or are none."""

    def persistent_id(self, value: object) -> object:
        return value if isinstance(value, tuple) and len(value) == 3 else None


@pytest.mark.parametrize(
    "claim",
    [
        ("<f8", (10**6,), 0),
        ("<f8", (4,), -8),
        ("<f8", (-4,), 0),
        ("O", (4,), 0),
        ("<f8", (4,), 4090),
        ("<M8[s]", (4,), 0),
    ],
)
def test_arrays_outside_the_exchange_or_of_objects_are_refused(claim: object) -> None:
    exchange = Exchange()
    exchange.make_room(4096)
    packed = io.BytesIO()
    Claim(packed).dump(claim)
    with pytest.raises(pickle.UnpicklingError, match="handed over an array"):
        exchange.pick_up(Parcel(packed.getvalue(), 4096))
    with pytest.raises(pickle.UnpicklingError, match="room"):
        exchange.pick_up(Parcel(packed.getvalue(), 2**40))
    exchange.close()


@pytest.mark.parametrize("data", [b"", b"x\n", b"-5\n", b"1" * 30 + b"\n", b"[[1]]"])
def test_an_answer_that_is_no_parcel_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="no parcel"):
        Parcel.from_bytes(data)


def test_errors_go_through_whatever_another_package_does_to_exceptions(monkeypatch: pytest.MonkeyPatch) -> None:
    """As TensorFlow does where tblib is installed, which comes with Dask."""
    monkeypatch.setitem(copyreg.dispatch_table, CheckpointError, lambda error: (os.getcwd, ()))
    exchange = Exchange()
    error = exchange.pick_up(exchange.lay_down(CheckpointError("bad", where="a.h5", advice="mend it")))
    assert type(error) is CheckpointError and (error.where, error.advice) == ("a.h5", "mend it")
    exchange.close()


def test_the_exchange_cannot_be_made_smaller_under_the_parent() -> None:
    exchange = Exchange()
    exchange.make_room(8192)
    with pytest.raises(PermissionError):
        os.ftruncate(exchange.descriptor, 100)
    exchange.close()


def test_children_end_with_their_parent(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import os, sys, time\nfrom reportgen.isolation import Children\n"
        "children = Children()\nprint(children.reader.call(os.getpid), flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        number = int(parent.stdout.readline())
        assert Path(f"/proc/{number}").exists()
        parent.kill()
    deadline = time.monotonic() + 5
    while Path(f"/proc/{number}").exists() and time.monotonic() < deadline:
        if "zombie" in Path(f"/proc/{number}/status").read_text():
            break
        time.sleep(0.05)
    else:
        assert not Path(f"/proc/{number}").exists()


def test_json_of_plants_is_only_read_by_children() -> None:
    from reportgen.isolation.child import PLANT

    assert json.loads(os.environ.get(PLANT, "{}")) == {}
