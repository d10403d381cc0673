"""Every write: a temporary name, flushed to the disk, renamed; what is there is whole."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reportgen.errors import ArchiveError

PART = ".part-"
"""Start of the name of a file that is being written."""
AGAIN = "Nothing that was there before is lost, and finished extractions are kept: type the same command again."
WHY = {
    errno.ENOSPC: ("the disk is full", f"Make room, or choose another archive. {AGAIN}"),
    errno.EDQUOT: ("the quota is used up", f"Make room, or choose another archive. {AGAIN}"),
    errno.EFBIG: ("a file would be larger than is allowed here", f"See ulimit -f. {AGAIN}"),
    errno.EROFS: ("the disk is read-only", "Choose another folder with `archive:`, --archive or -o."),
    errno.EACCES: ("there is no permission to write", "Choose another folder with `archive:`, --archive or -o."),
    errno.EPERM: ("there is no permission to write", "Choose another folder with `archive:`, --archive or -o."),
    errno.ENOENT: ("the folder has gone", f"Was it moved, or a disk taken away? {AGAIN}"),
    errno.ENOTDIR: ("a file lies where a folder should", "Choose another folder with `archive:`, --archive or -o."),
    errno.ESTALE: ("the network disk has gone", f"Is it mounted? {AGAIN}"),
    errno.ENOTCONN: ("the network disk has gone", f"Is it mounted? {AGAIN}"),
    errno.EIO: ("the disk does not answer", f"Look at the system's log. {AGAIN}"),
}
"""What a write can fail of, and what to do."""


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; what the block writes there takes the name when the block ends well.

    The file is on the disk before it has its name. Raises ArchiveError where it cannot be written.
    """
    temporary = path.with_name(f"{part_prefix()}{path.name[-120:]}")
    try:
        yield temporary
        _sync(temporary)
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise cannot_write(error, path) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file with Unix line ends, whole or not at all."""
    with whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def share(source: Path, target: Path) -> None:
    """Give a second name to a file that is never changed; copy it where the disk cannot. Nothing is replaced."""
    try:
        os.link(source, target)
    except FileExistsError:
        return
    except OSError:
        with whole(target) as temporary:
            shutil.copyfile(source, temporary)
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk; a file system without that has them when it likes."""
    with contextlib.suppress(OSError):
        _sync(folder)


def cannot_write(error: OSError, path: Path) -> ArchiveError:
    """Return the error for a file or folder that cannot be written, in words."""
    number = error.errno if error.errno in WHY else _named_in(str(error))
    problem, advice = WHY.get(number or 0, ("it cannot be written", f"Choose another folder, or make room. {AGAIN}"))
    received = os.strerror(number) if number else str(error)
    return ArchiveError(f"cannot be written: {problem}", where=str(path), received=received, advice=advice)


def part_prefix() -> str:
    """Return how names of this process's unfinished files begin."""
    return f"{PART}{host()}-{os.getpid()}-"


def remove_parts(folder: Path) -> None:
    """Remove unfinished files that a process of this host left behind when it was killed."""
    with contextlib.suppress(OSError):
        for path in folder.glob(f"{PART}{host()}-*"):
            pid = path.name.removeprefix(f"{PART}{host()}-").partition("-")[0]
            if pid.isdecimal() and not alive(int(pid)):
                path.unlink(missing_ok=True)


def alive(pid: int) -> bool:
    """Whether there is a process of this number on this host."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def host() -> str:
    """Return the name of this host as a part of a file name."""
    return re.sub(r"[^\w.]+", "_", socket.gethostname())[:40] or "host"


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _named_in(words: str) -> int | None:
    """Return the number that libraries of C put into the words of their errors."""
    found = re.search(r"errno = (\d+)", words)
    return int(found[1]) if found and int(found[1]) in WHY else None
