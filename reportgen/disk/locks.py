"""Locks between processes: who waits is told who works; a lock dies with its process."""

from __future__ import annotations

import contextlib
import getpass
import json
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from reportgen.disk.whole import cannot_write
from reportgen.errors import ArchiveError

LOCKS = ".locks"
"""Folder of an archive."""
WAIT = 3600.0
"""How long a lock is waited for [s]."""
POLL = 0.2
"""How often it is tried [s]."""

log = logging.getLogger(__name__)


@contextmanager
def locked(archive: Path, name: str, wait: float = WAIT) -> Iterator[None]:
    """Hold the lock `name` of an archive; wait up to `wait` [s] for it and say for whom.

    Raises ArchiveError that names the holder where it is not given in time, and where the archive cannot be written.
    """
    from filelock import FileLock, Timeout

    folder = archive / LOCKS
    lock = FileLock(folder / f"{name}.lock")
    holder = folder / f"{name}.holder"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            log.warning("waiting for %s", _words(holder))
            lock.acquire(timeout=wait, poll_interval=POLL)
    except Timeout as error:
        raise ArchiveError(
            "another process is at work on this", where=str(archive / name), received=_words(holder),
            expected=f"that it ends within {wait:.0f} s", advice="Wait for it, or end it; then type the same again.",
        ) from error  # fmt: skip
    except NotImplementedError as error:
        raise ArchiveError(
            "this disk knows no locks", where=str(archive), received=str(error),
            advice="Choose another folder with `archive:` or --archive.",
        ) from error  # fmt: skip
    except OSError as error:
        raise cannot_write(error, archive) from error
    try:
        _sign(holder)
        yield
    finally:
        with contextlib.suppress(OSError):
            holder.unlink(missing_ok=True)
        lock.release()


def user() -> str:
    """Return the name of the user, or their number where they have none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _sign(holder: Path) -> None:
    """Write down who holds a lock; a full disk is no reason to work without one."""
    about = {
        "host": socket.gethostname(), "pid": os.getpid(), "user": user(),
        "since": datetime.now().astimezone().isoformat(timespec="seconds"),
    }  # fmt: skip
    with contextlib.suppress(OSError):
        holder.write_text(json.dumps(about), encoding="utf-8")


def _words(holder: Path) -> str:
    """Return who holds a lock, in words."""
    try:
        about = json.loads(holder.read_text(encoding="utf-8"))
        return f"process {about['pid']} of {about['user']} on {about['host']}, at work since {about['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
