"""One after the other, by worker processes, by a cluster: the same bytes; and what dies costs only what it was at."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import pytest

from clusters import cluster
from reportgen.checkpoints.run import Checkpoint
from reportgen.config import WrongConfig, load
from reportgen.engine.files import seen, stamps_of, unpacked, with_files
from reportgen.engine.job import Job
from reportgen.engine.opened import _worth
from reportgen.errors import EngineError
from reportgen.isolation import Limits
from reportgen.pipeline import run
from test_pipeline import NOON, project, quiet

LIGHT = "report: {formats: [html, json]}\nsections: [run, architecture, predictions, failures]\n"
OWN = {"manifest.json", "provenance.json", "log.txt"}
"""Files of a report that tell when and where it was made."""
GIB = 2**30


def save(path: Path, first: int, filters: int = 2) -> None:
    """Save a network whose layers are numbered from `first`, as a process does that has built others before."""
    keras.utils.set_random_seed(first)
    keras.Sequential(
        [
            keras.layers.Input((24, 24, 3)),
            keras.layers.Conv2D(filters, 3, name=f"conv2d_{first}" if first else "conv2d"),
            keras.layers.Flatten(name=f"flatten_{first}"),
            keras.layers.Dense(1, activation="sigmoid", name=f"dense_{first}"),
        ]
    ).save(path)


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    """Return a project of two architectures, each layer under another name in each file, and its report made here."""
    config = project(tmp_path_factory.mktemp("engine") / "p", epochs=0)
    folder = config.parent / "run"
    (folder / "history.csv").unlink()
    for epoch in range(1, 9):
        save(folder / f"epoch-{epoch:03d}.keras", 3 * epoch - 3, filters=2 if epoch < 4 else 3)
    (folder / "epoch-009.keras").write_bytes((folder / "epoch-001.keras").read_bytes()[:3000])
    config.write_text(config.read_text() + LIGHT)
    outcome = run(load(config, sets=["engine.workers=1"]), quiet, NOON)
    assert [failure.name for failure in outcome.failures] == ["epoch-009.keras"]
    return config, outcome


@pytest.fixture
def fresh(serial, tmp_path):
    """Return the same project where nothing was reported on yet."""
    shutil.copytree(serial[0].parent, tmp_path / "p", ignore=shutil.ignore_patterns("reports"))
    return tmp_path / "p" / serial[0].name


def assert_same(folder: Path, expected: Path) -> None:
    """Assert that two reports are the same, byte by byte."""
    found, wanted = (
        {p.relative_to(f).as_posix(): p.read_bytes() for p in f.rglob("*") if p.is_file() and p.name not in OWN}
        for f in (folder, expected)
    )
    assert sorted(found) == sorted(wanted) and len(found) > 10
    assert [name for name in found if found[name] != wanted[name]] == []


def test_worker_processes_make_the_same_bytes_as_one_after_the_other(serial, fresh):
    told = []
    outcome = run(load(fresh, sets=["engine.workers=2"]), lambda *what: told.append(what), NOON)
    assert_same(outcome.folder, serial[1].folder)
    counted = [done for what, done, total in told if what == "checkpoints" and total == 8]
    assert counted == sorted(set(counted)) and counted[0] == 0 and counted[-1] == 8
    assert outcome.failures == serial[1].failures
    # A report does not depend on where it was computed: there is one already.
    assert run(load(fresh, sets=["engine.workers=1"]), quiet).unchanged


@pytest.mark.slow
def test_a_worker_process_that_dies_costs_its_checkpoint_a_second_try(serial, fresh, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "reportgen")
    monkeypatch.setenv("REPORTGEN_PLANT", json.dumps({"work_held:epoch-003": "kill", "measure:epoch-005": "memory"}))
    outcome = run(load(fresh, sets=["engine.workers=2"]), quiet, NOON)
    # The last resort is this process, where nothing is planted for the first; the other needs too much anywhere.
    assert "epoch-003.keras: its worker died; another one tries" in caplog.text
    assert caplog.text.count("measured again, alone") == 2
    assert [f.name for f in outcome.failures] == ["epoch-009.keras", "epoch-005.keras"]
    assert "needs more memory" in outcome.failures[1].problem
    wanted, found = (f / "extraction" / "epoch-003.h5" for f in (serial[1].folder, outcome.folder))
    assert wanted.read_bytes() == found.read_bytes()


@pytest.mark.slow
def test_workers_of_dask_make_the_same_bytes_whether_they_see_the_files_or_not(serial, fresh, tmp_path):
    with cluster(tmp_path / "cluster") as made:
        outcome = run(load(fresh, sets=made.engine), quiet, NOON)
        assert_same(outcome.folder, serial[1].folder)
        # Below /proc/self/cwd each process sees its own folder: the workers see neither checkpoints nor report.
        shutil.rmtree(fresh.parent / "reports")
        script = (
            "import sys; sys.path[:0] = sys.argv[2].split(':')\nfrom pathlib import Path\n"
            "from test_pipeline import NOON, quiet\nfrom reportgen.config import load\n"
            "from reportgen.pipeline import run\nimport logging; logging.basicConfig(level='INFO')\n"
            "print(run(load(Path('/proc/self/cwd/small.yaml'), sets=sys.argv[3:]), quiet, NOON).folder.name)\n"
        )
        words = [sys.executable, "-c", script, "", ":".join(sys.path), *made.engine]
        done = subprocess.run(words, cwd=fresh.parent, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:] + made.said()[-3000:]
        assert "a worker does not see the files: they are sent" in done.stderr
        assert_same(fresh.parent / "reports" / "run" / done.stdout.strip(), serial[1].folder)


@pytest.mark.slow
def test_a_dask_worker_that_is_killed_costs_nothing_and_a_scheduler_that_is_killed_says_so(
    serial, fresh, tmp_path, caplog
):
    with cluster(tmp_path / "cluster") as made:

        def killing(process):
            def progress(what: str, done: int, total: int) -> None:
                if what == "checkpoints" and done >= 3 and process.poll() is None:
                    os.kill(process.pid, signal.SIGKILL)

            return progress

        with pytest.raises(EngineError, match="scheduler has gone") as caught:
            run(load(fresh, sets=made.engine), killing(made.scheduler), NOON)
        assert "is kept" in caught.value.advice
    assert not list((fresh.parent / "reports" / "run").iterdir())
    kept = len(list((fresh.parent / "reports" / ".store" / "extractions").glob("*.json")))
    assert 2 <= kept < 8
    with cluster(tmp_path / "another") as made:
        caplog.clear()
        caplog.set_level(logging.INFO, "reportgen.turns")
        victim = made.workers[0]
        outcome = run(load(fresh, sets=made.engine), killing(victim), NOON)
        assert victim.poll() is not None
    assert_same(outcome.folder, serial[1].folder)
    # What was kept is not missing; that of later architectures may have gone by names of a first that was none.
    assert len({line.split(":")[0] for line in caplog.messages if ": measured (missing" in line}) == 8 - kept


def test_a_scheduler_that_is_not_there_is_an_error_of_nobodys_checkpoint(serial, monkeypatch):
    monkeypatch.setattr("reportgen.engine.cluster.ANSWER", 1.0)
    with pytest.raises(EngineError, match="no Dask scheduler answers"):
        run(load(serial[0], sets=["engine.kind=dask", "engine.scheduler=tcp://127.0.0.1:9"]), quiet, force=True)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(EngineError, match="not installed") as caught:
        run(load(serial[0], sets=["engine.kind=dask", "engine.scheduler=tcp://127.0.0.1:9"]), quiet, force=True)
    assert "reportgen[dask]" in caught.value.advice
    with pytest.raises(WrongConfig, match="either scheduler"):
        load(serial[0], sets=["engine.kind=dask"])


@pytest.mark.slow
def test_an_interrupted_run_leaves_no_worker(fresh):
    """As by Ctrl-C, and by SIGKILL, which nobody can do anything about but the workers themselves."""
    for number, code in ((signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)):
        words = [sys.executable, "-m", "reportgen", "run", str(fresh), "--set", "engine.workers=2", "--force"]
        process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, start_new_session=True)
        assert process.stderr is not None
        while "measured" not in process.stderr.readline():
            assert process.poll() is None
        time.sleep(2)
        family = descendants(process.pid)
        assert len(family) >= 3
        began = time.monotonic()
        process.send_signal(number)
        assert process.wait(60) == code
        assert number == signal.SIGKILL or time.monotonic() - began < 10  # 3 s on a machine with time to spare
        process.stderr.close()
        deadline = time.monotonic() + 10
        while any(map(alive, family)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not [pid for pid in family if alive(pid)]


def descendants(pid: int) -> list[int]:
    """Return the numbers of a process's children, and of theirs."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_files_that_are_sent_arrive_with_their_times_and_stay_below_the_folder(tmp_path):
    home, other = tmp_path / "run", tmp_path / "worker"
    home.mkdir()
    (home / "model.json").write_text("{}")
    save(home / "a.keras", 0)
    path = home / "a.keras"
    checkpoint = Checkpoint("a", "a.keras", path, "keras", 1, path.stat().st_size, "", architecture=home / "model.json")
    job = Job(checkpoint, "", {}, stamps_of(checkpoint))
    assert len(job.stamps) == 2 and seen(job.stamps)
    there = unpacked(with_files(job), other)
    assert there.path.read_bytes() == path.read_bytes() and there.path.stat().st_mtime_ns == path.stat().st_mtime_ns
    assert (
        there.architecture is not None and there.architecture.read_text() == "{}" and there.path.is_relative_to(other)
    )
    os.utime(path, ns=(1, 1))
    assert not seen(job.stamps)


def test_another_worker_is_started_where_it_is_worth_it(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 4)

    def workers(memory: float, missing: int) -> int:
        return _worth(Limits(int(memory * GIB), 1, 1), lambda most: min(most, missing))

    assert [workers(8, n) for n in (0, 1, 11, 12, 23, 24, 1000)] == [1, 1, 1, 2, 3, 4, 4]
    assert [workers(m, 1000) for m in (0.5, 1, 2, 3.5)] == [1, 1, 2, 3]
