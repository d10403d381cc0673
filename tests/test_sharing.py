"""Tasks shared out among copies of the process: results in order, errors as without copies, nobody left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from extractions import write_folder
from reportgen.errors import ArchiveError
from reportgen.extraction import open_run
from reportgen.report import sharing
from reportgen.report.files import write_files
from reportgen.report.sharing import share_out
from reportgen.sections import check_options

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="copies are made on Linux only")


def slow_square(number: int) -> tuple[int, int]:
    time.sleep(0.02)
    return number**2, os.getpid()


def test_results_are_in_order_and_from_several_processes() -> None:
    found = share_out([partial(slow_square, i) for i in range(12)], cores=3)
    assert [square for square, _ in found] == [i**2 for i in range(12)]
    assert len({process for _, process in found}) == 3


def test_an_error_comes_through_as_it_was() -> None:
    def fail(number: int) -> int:
        if number == 2:
            raise ArchiveError("the disk is full", where="there", advice="Make room.")
        return number

    with pytest.raises(ArchiveError) as raised:
        share_out([partial(fail, i) for i in range(4)], cores=2)
    assert raised.value.advice == "Make room."


def test_what_a_killed_copy_did_not_bring_home_is_done_here() -> None:
    parent = os.getpid()

    def die_elsewhere(number: int) -> int:
        time.sleep(0.02)
        if os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    assert share_out([partial(die_elsewhere, i) for i in range(6)], cores=2) == list(range(6))


def test_copies_die_with_their_process(tmp_path: Path) -> None:
    script = (
        "import os, time\nfrom pathlib import Path\nfrom reportgen.report.sharing import share_out\n"
        "def task():\n    Path(f'{os.getpid()}').touch()\n    time.sleep(60)\n"
        "share_out([task, task], cores=2)\n"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", script], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(Path.cwd())}
    )
    deadline = time.monotonic() + 60
    while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    pids = [int(path.name) for path in tmp_path.iterdir()]
    run.kill()
    run.wait()
    assert len(pids) == 2
    deadline = time.monotonic() + 20
    while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(alive(pid) for pid in pids)


def test_a_report_drawn_by_several_is_the_same_to_the_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = open_run(write_folder(tmp_path / "extraction"))
    options = check_options(run.config.sections)
    for name, worth in (("alone", 1e12), ("shared", 0)):
        (tmp_path / name / "checkpoints").mkdir(parents=True)
        monkeypatch.setattr(sharing, "WORTH", worth)
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2})
        write_files(tmp_path / name, run, options, lambda *_: None)
    files = {p.relative_to(tmp_path / "alone") for p in (tmp_path / "alone").rglob("*") if p.is_file()}
    assert {"report.pdf", "report.html", "report.json"} <= {str(file) for file in files} and len(files) == 7
    for file in files:
        assert (tmp_path / "alone" / file).read_bytes() == (tmp_path / "shared" / file).read_bytes(), file


def alive(pid: int) -> bool:
    """Whether a process does anything still; one that nobody waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
