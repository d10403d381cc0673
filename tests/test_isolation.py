"""Child processes: their limits, their deaths, what they may hand over, and a run in which checkpoints kill them."""

from __future__ import annotations

import os
import pickle
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reportgen.errors import CheckpointError, ReportgenError
from reportgen.isolation import Child, Limits
from reportgen.isolation.exchange import Exchange, Parcel

MIB = 2**20
SMALL = Limits(memory=256 * MIB, seconds=20, cpu=10)


@pytest.fixture
def child() -> Iterator[Child]:
    exchange = Exchange()
    child = Child("test", exchange, None)
    yield child
    child.end()
    exchange.close()


def answer(child: Child, function: Any, *args: object, limits: Limits = SMALL) -> Any:
    return child.open(child.ask(function, *args, limits=limits))


def process() -> int:
    return os.getpid()


def arrays(count: int) -> dict[str, Any]:
    return {f"a{i}": np.arange(1000, dtype="f4").reshape(10, 100) + i for i in range(count)} | {"n": [1, None, "x"]}


def doubled(value: dict[str, Any]) -> Any:
    return value["a1"] * 2


def test_results_come_back_whole_from_another_process(child: Child) -> None:
    first = child.ask(arrays, 3, limits=SMALL)
    value = child.open(first)
    np.testing.assert_array_equal(value["a2"], np.arange(1000, dtype="f4").reshape(10, 100) + 2)
    assert value["n"] == [1, None, "x"] and len(first.packed) < 1000  # the arrays are not in the pipe
    assert answer(child, process) != os.getpid()
    assert answer(child, process) == answer(child, process)


def test_a_parcel_goes_on_to_a_second_process_without_being_copied(child: Child) -> None:
    other = Child("other", child.exchange, None)
    parcel = child.ask(arrays, 2, limits=SMALL)
    result = other.open(other.ask(doubled, parcel, limits=SMALL, start=parcel.end))
    np.testing.assert_array_equal(result, child.open(parcel)["a1"] * 2)
    other.end()


def raises(kind: str) -> None:
    if kind == "ours":
        raise CheckpointError("bad", where="a.h5", expected="good", received="worse", advice="mend it")
    if kind == "recursion":
        return raises(kind)
    raise {"value": ValueError("that"), "memory": MemoryError()}[kind]


def test_errors_come_back_with_all_their_words(child: Child, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with pytest.raises(CheckpointError) as caught:
        answer(child, raises, "ours")
    assert str(caught.value) == str(
        CheckpointError("bad", where="a.h5", expected="good", received="worse", advice="mend it")
    )
    for kind, word in (("value", "could not be worked on"), ("memory", "256 MiB"), ("recursion", "nested")):
        with pytest.raises(ReportgenError, match=word) as caught_other:
            answer(child, raises, kind)
        assert "Error" not in str(caught_other.value)
    assert "ValueError: that" in caplog.text
    assert answer(child, process) > 0


def ends(way: int) -> None:
    os.kill(os.getpid(), way)
    time.sleep(10)


@pytest.mark.parametrize(
    ("way", "word"),
    [(signal.SIGSEGV, "segmentation"), (signal.SIGKILL, "killed"), (signal.SIGABRT, "aborted"), (signal.SIGBUS, "bus")],
)
def test_a_process_that_dies_is_an_error_and_the_next_question_starts_another(
    child: Child, way: int, word: str
) -> None:
    before = answer(child, process)
    with pytest.raises(ReportgenError, match=word) as caught:
        answer(child, ends, int(way))
    assert "others are not affected" in caught.value.advice
    assert answer(child, process) != before


def takes(what: str, path: str = "") -> int:
    if what == "memory":
        return len([bytearray(MIB) for _ in range(4000)])
    if what == "processor":
        while True:
            sum(range(10**6))
    if what == "time":
        time.sleep(60)
    Path(path).write_bytes(b"x" * 100)
    return 0


def test_limits_hold(child: Child, tmp_path: Path) -> None:
    with pytest.raises(ReportgenError, match="256 MiB"):
        answer(child, takes, "memory")
    start = time.monotonic()
    with pytest.raises(ReportgenError, match="processor"):
        answer(child, takes, "processor", limits=Limits(memory=256 * MIB, seconds=20, cpu=1))
    with pytest.raises(ReportgenError, match="longer than 1 s"):
        answer(child, takes, "time", limits=Limits(memory=256 * MIB, seconds=1, cpu=5))
    assert time.monotonic() - start < 15
    with pytest.raises(ReportgenError, match="File too large"):
        answer(child, takes, "file", str(tmp_path / "x"))
    assert (tmp_path / "x").stat().st_size == 0
    answer(child, takes, "file", str(tmp_path / "x"), limits=Limits(256 * MIB, 20, 10, file_size=MIB))
    assert (tmp_path / "x").stat().st_size == 100


def large() -> Any:
    return np.ones(300 * MIB, "u1")


def test_a_result_larger_than_its_limit_is_refused(child: Child) -> None:
    with pytest.raises(ReportgenError, match="memory"):
        answer(child, large)
    assert answer(child, large, limits=Limits(600 * MIB, 20, 10)).size == 300 * MIB


class Harm:
    def __reduce__(self) -> Any:
        return os.system, ("touch harmed",)


@dataclass(frozen=True)
class Foreign:
    """A dataclass that is not this package's."""

    number: int


@pytest.mark.parametrize("value", [Harm(), Foreign(1), [Harm()], os.getcwd, Exchange, np.float64, np.zeros(3)])
def test_nothing_but_plain_values_is_made_of_what_a_child_hands_over(
    value: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    exchange = Exchange()
    with pytest.raises(pickle.UnpicklingError, match="handed over"):
        exchange.pick_up(Parcel(pickle.dumps(value), 0))
    assert list(tmp_path.iterdir()) == []
    exchange.close()


def foreign() -> Any:
    return Foreign(1)


def test_a_child_that_answers_nonsense_is_ended(child: Child) -> None:
    before = answer(child, process)
    with pytest.raises(ReportgenError, match="nonsense"):
        answer(child, foreign)
    assert answer(child, process) != before


def kinds() -> Any:
    return [
        np.zeros((0, 3), "f4"), np.array(5, "i8"), np.float32(2.5), np.arange(6, dtype=">f4").reshape(2, 3)[:, ::-1],
        np.array([True, False]), np.array([1 + 2j]), {"same": (shared := np.ones(3)), "again": shared},
    ]  # fmt: skip


def test_arrays_of_every_kind_come_back_as_they_were(child: Child) -> None:
    for got, expected in zip(answer(child, kinds)[:-1], kinds()[:-1], strict=True):
        assert type(got) is type(expected) and got.dtype == expected.dtype and got.shape == expected.shape
        np.testing.assert_array_equal(got, expected)


def dies_while_answering() -> Any:
    os.write(socket_of(), b"\x00\x00\x10\x00half")
    os.kill(os.getpid(), signal.SIGKILL)


def socket_of() -> int:
    import sys

    return int(sys.argv[1])


def test_a_child_killed_in_the_middle_of_its_answer_is_an_error(child: Child) -> None:
    with pytest.raises(ReportgenError, match="killed"):
        answer(child, dies_while_answering)
    assert answer(child, process) > 0


def leaves_somebody_behind() -> int:
    import subprocess
    import sys

    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], close_fds=False).pid


def test_what_a_child_has_started_ends_with_it_and_delays_nothing(child: Child) -> None:
    number = answer(child, leaves_somebody_behind)
    start = time.monotonic()
    with pytest.raises(ReportgenError, match="segmentation"):
        answer(child, ends, int(signal.SIGSEGV))
    assert time.monotonic() - start < 5
    time.sleep(0.2)
    status = Path(f"/proc/{number}/status")
    assert not status.exists() or "zombie" in status.read_text()


def interrupted(child: Child) -> None:
    """Be interrupted while a question is out, as by Ctrl-C."""
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    answer(child, takes, "time", limits=Limits(memory=64 * MIB, seconds=10, cpu=5))


def test_an_interrupted_question_leaves_no_answer_for_the_next(child: Child) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            interrupted(child)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert answer(child, arrays, 1)["n"] == [1, None, "x"]


def refuses() -> None:
    raise ReportgenError("cannot start")


def test_a_process_that_cannot_be_prepared_says_so_each_time() -> None:
    exchange = Exchange()
    child = Child("test", exchange, (refuses, ()))
    for _ in range(2):
        with pytest.raises(ReportgenError, match="cannot start"):
            answer(child, process)
    child.end()
    exchange.close()
