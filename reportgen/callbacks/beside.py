"""Reports beside a training, in a process that cannot hold it up."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

log = logging.getLogger(__name__)


def start_watch(config: Path, log_file: Path) -> int | None:
    """Start `reportgen watch` in a session of its own, which ends with this process; return its process id.

    None where it cannot be started: a warning is all that comes of it.
    """
    words = [sys.executable, "-P", "-m", "reportgen", "watch", str(config), "--beside", str(os.getpid()), "--no-color"]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log_file), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    try:
        return os.posix_spawn(sys.executable, words, environment, file_actions=files, setsid=True)
    except (OSError, NotImplementedError) as error:
        log.warning("no reports beside this training: %s", error)
        return None
