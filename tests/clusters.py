"""A real Dask scheduler and its workers, as processes on loopback."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

WORKER = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--memory-limit", "0")
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1")


class Cluster:
    """A scheduler and workers that see nothing of who asks but what lies under an absolute path."""

    def __init__(self, folder: Path, workers: int) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.log = (folder / "log.txt").open("wb")
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        deadline = time.monotonic() + 120
        while not (folder / "scheduler.json").exists():
            assert self.scheduler.poll() is None and time.monotonic() < deadline, self.said()
            time.sleep(0.1)
        self.workers = [self._start("worker", *WORKER, "--local-directory", str(folder)) for _ in range(workers)]

    @property
    def address(self) -> str:
        import json

        return json.loads((self.folder / "scheduler.json").read_text())["address"]

    @property
    def engine(self) -> list[str]:
        """Return what sets the engine of a configuration."""
        return ["engine.kind=dask", f"engine.scheduler={self.address}"]

    def said(self) -> str:
        return (self.folder / "log.txt").read_text(errors="replace")

    def add(self) -> None:
        self.workers.append(self._start("worker", *WORKER, "--local-directory", str(self.folder)))

    def _start(self, kind: str, *words: str) -> subprocess.Popen[bytes]:
        paths = os.pathsep.join(str(Path(path).resolve()) for path in sys.path if path)
        return subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{kind}", *words, "--scheduler-file", "scheduler.json"],
            cwd=self.folder, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL,
            env={**os.environ, **ONE_THREAD, "PYTHONPATH": paths},
        )  # fmt: skip

    def end(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()
        self.log.close()


@contextmanager
def cluster(folder: Path, workers: int = 2):
    """Yield a running cluster, and end it."""
    made = Cluster(folder, workers)
    try:
        yield made
    finally:
        made.end()
