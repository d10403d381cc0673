"""Whatever ends a run, nothing is lost: full disks, no permission, signals, several at once."""

from __future__ import annotations

import errno
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kills import kill_often
from reportgen.archive import new_report, read_manifest, sha256
from reportgen.archive.store import MAKING, remove_leftovers
from reportgen.config import load
from reportgen.disk import Stamps, cannot_write, locked, write_text
from reportgen.disk.whole import PART
from reportgen.errors import ArchiveError
from reportgen.pipeline import run
from reportgen.store.store import entries
from test_pipeline import network, project, quiet

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a configuration whose first report is made, and a checkpoint that came after it."""
    config = project(tmp_path_factory.mktemp("broken") / "p", epochs=1)
    config.write_text(config.read_text() + "report: {formats: [html, json]}\nsections: [run, failures]\n")
    run(load(config), quiet)
    network(2).save(config.parent / "run" / "epoch-002.keras")
    return config


@pytest.fixture
def copy(made, tmp_path):
    shutil.copytree(made.parent, tmp_path / "p")
    return tmp_path / "p" / made.name


def command(*words, **more) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "reportgen", *map(str, words)], capture_output=True, text=True, check=False, **more
    )


def whole(archive: Path) -> list[Path]:
    """Return the reports of an archive, each of which is what its manifest says."""
    folders = [path.parent for path in archive.glob("*/*/manifest.json")]
    for folder in folders:
        for name, known in read_manifest(folder)["files"].items():
            assert sha256(folder / name) == known["sha256"]
    assert not list(archive.glob(f"*/{MAKING}*"))
    return folders


@pytest.mark.slow
def test_twenty_kills_at_random_instants_lose_nothing(tmp_path):
    killing = kill_often(tmp_path / "p", 20, seed=7)
    assert len(killing.reports) >= 5 and len(killing.instants) >= 3, killing.instants


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_run_within_three_seconds_and_says_how_to_go_on(copy, number):
    process = subprocess.Popen(
        [sys.executable, "-m", "reportgen", "run", str(copy)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    for line in process.stderr:
        if "measured" in line:
            break
    process.send_signal(number)
    begun = time.monotonic()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and "the same command goes on" in said
    assert time.monotonic() - begun < 3
    assert len(whole(copy.parent / "reports")) == 1


def test_a_full_disk_is_said_and_loses_nothing(copy, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    size = sum(p.stat().st_size for p in (copy.parent / "reports").rglob("*") if p.is_file())
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size + 150_000}", "tmpfs", small], check=False, capture_output=True
    ).returncode:
        pytest.skip("no right to mount a small disk here; RLIMIT_FSIZE is tested all the same")
    try:
        shutil.copytree(copy.parent / "reports", small / "reports")
        with (small / "filling").open("wb") as file:
            left = shutil.disk_usage(small).free
            file.write(bytes(max(0, left - 60_000)))
        done = command("run", copy, "--archive", small / "reports")
        assert done.returncode == 1 and "the disk is full" in done.stderr and "Traceback" not in done.stderr
        assert len(whole(small / "reports")) == 1
        (small / "filling").unlink()
    finally:
        subprocess.run(["umount", small], check=True)


def test_a_read_only_disk_is_said_and_its_reports_are_read_all_the_same(copy, tmp_path):
    fixed = tmp_path / "fixed"
    fixed.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", fixed], check=False, capture_output=True).returncode:
        pytest.skip("no right to mount a disk here")
    try:
        shutil.copytree(copy.parent / "reports", fixed / "reports")
        subprocess.run(["mount", "-o", "remount,ro", fixed], check=True)
        done = command("run", copy, "--archive", fixed / "reports", "--force")
        assert done.returncode != 0 and "the disk is read-only" in done.stderr and "Traceback" not in done.stderr
        assert len(whole(fixed / "reports")) == 1
        for words in (("list", fixed / "reports"), ("verify", fixed / "reports")):
            assert command(*words).returncode == 0, words
    finally:
        subprocess.run(["umount", fixed], check=True)


def test_a_file_that_may_not_grow_is_said_and_loses_nothing(copy):
    def narrow():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))

    done = command("run", copy, preexec_fn=narrow)
    assert done.returncode == 1 and "larger than is allowed" in done.stderr, done.stderr
    assert len(whole(copy.parent / "reports")) == 1
    assert command("run", copy).returncode == 0


def test_an_archive_without_permission_is_said(copy):
    # Root may write everywhere: the command then runs as a user who has no right to anything here.
    asked = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    opened = [f for f in copy.parents if f.is_relative_to(tempfile.gettempdir()) and str(f) != tempfile.gettempdir()]
    modes = {folder: folder.stat().st_mode for folder in opened}
    environment = {**os.environ, "HOME": "/nonexistent", "MPLCONFIGDIR": "/tmp"}
    try:
        for folder in opened:
            folder.chmod(0o755)
        if (
            shutil.which(asked[0] if asked else "sh") is None
            or subprocess.run(
                [*asked, sys.executable, "-c", "import reportgen"], check=False, capture_output=True, cwd="/"
            ).returncode
        ):
            pytest.skip("no other user can be taken on here who can read Python and reportgen")
        subprocess.run(["chmod", "-R", "a+rX,a-w", copy.parent], check=True)
        words = [*asked, sys.executable, "-m", "reportgen", "run", str(copy)]
        done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    finally:
        subprocess.run(["chmod", "-R", "u+w", copy.parent], check=True)
        for folder, mode in modes.items():
            folder.chmod(mode)
    assert done.returncode == 1 and "no permission to write" in done.stderr, done.stderr
    assert len(whole(copy.parent / "reports")) == 1


def test_an_archive_that_vanishes_meanwhile_is_said(copy, monkeypatch):
    """The folder goes away between measuring and drawing, as a network disk does."""
    archive = copy.parent / "reports"

    def gone(*words):
        if words[0] == "sections":
            (archive.exists() and archive.rename(archive.with_name("elsewhere")))

    with pytest.raises(ArchiveError, match="has gone"):
        run(load(copy), gone)
    assert len(whole_elsewhere(archive.with_name("elsewhere"))) == 1
    assert len(entries(archive.with_name("elsewhere"))) == 3  # two extractions and the probes


def whole_elsewhere(archive: Path) -> list[Path]:
    remove_leftovers(archive, "run")
    return whole(archive)


def test_a_clock_that_was_set_back_does_not_change_the_order(tmp_path):
    ids = []
    for when in (NOON, NOON - timedelta(days=400)):
        with new_report(tmp_path, "r", when, "ab" * 8) as new:
            (new.folder / "manifest.json").write_text("{}")
        ids.append(new.final.name)
    assert ids == ["20260131-120000-abababab", "20260131-120001-abababab"]


@pytest.mark.slow
def test_eight_processes_at_once_lose_nothing(copy, tmp_path):
    """Four on one run, one each on four others, all in one archive."""
    archive = tmp_path / "shared"
    words = [["--set", f"run.name=other-{n}"] for n in (1, 2, 3, 4)] + [[]] * 4
    shutil.copytree(copy.parent / "reports" / ".store", archive / ".store")
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "reportgen", "run", copy, "--archive", archive, "--formats", "json", *more],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for more in words
    ]  # fmt: skip
    said = [process.communicate(timeout=500) for process in running]
    assert [process.returncode for process in running] == [0] * 8, said
    folders = whole(archive)
    assert sorted(folder.parent.name for folder in folders) == ["other-1", "other-2", "other-3", "other-4", "run"]
    index = (archive / "index.html").read_text()
    assert all(folder.name in index for folder in folders)
    assert sum(out.startswith("unchanged") for out, _ in said) == 3
    assert sum(bool(re.search(r"waiting for process \d+ of \S+ on \S+, at work since", err)) for _, err in said) >= 1


HELD = """
import pathlib, sys
from reportgen.disk import locked
with locked(pathlib.Path(sys.argv[1]), "r", 0.3): pass
"""


def test_who_waits_too_long_is_told_for_whom(tmp_path):
    with locked(tmp_path, "r"):
        done = subprocess.run([sys.executable, "-c", HELD, tmp_path], capture_output=True, text=True, check=False)
    assert f"process {os.getpid()} of " in done.stderr and "another process is at work" in done.stderr
    with locked(tmp_path, "r", 0):
        pass


def test_an_index_that_was_not_written_is_made_up_for_by_the_next_command(copy):
    first = command("run", copy, "--formats", "json")
    assert first.returncode == 0
    archive = copy.parent / "reports"
    (newest,) = [f for f in whole(archive) if "extraction/epoch-002.h5" in read_manifest(f)["files"]]
    (archive / "index.html").write_text("old")
    (archive / ".store" / "due" / f"run--{newest.name}").write_text("")  # as a kill before the index leaves it
    again = command("run", copy, "--formats", "json", "--json")
    assert json.loads(again.stdout)["unchanged"] and newest.name in (archive / "index.html").read_text()


def test_what_is_written_is_there_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    write_text(path, "first\n")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ArchiveError, match="the disk is full"):
        write_text(path, "second\n")
    assert path.read_text() == "first\n" and not list(tmp_path.glob(f"{PART}*"))
    told = cannot_write(OSError("Can't write data (errno = 28, error message = 'No space left on device')"), path)
    assert "the disk is full" in told.problem


def test_a_sum_is_remembered_only_of_files_at_rest(tmp_path):
    path, file = tmp_path / "a", tmp_path / "stamps.json"
    path.write_bytes(b"one")
    stamps = Stamps(file)
    first = stamps.sha256(path)
    stamps.save()
    assert not file.exists()  # changed a moment ago: it may be changed again in the same tick
    time.sleep(2.1)
    assert stamps.sha256(path) == first
    stamps.save()
    before = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # the same size and time of change
    assert Stamps(file).sha256(path) != first
    ahead = time.time_ns() + 10**12  # a clock that was set back
    os.utime(path, ns=(ahead, ahead))
    stamps = Stamps(tmp_path / "other.json")
    stamps.sha256(path)
    stamps.save()
    assert not (tmp_path / "other.json").exists()
