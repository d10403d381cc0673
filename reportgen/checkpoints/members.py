"""What a `.keras` checkpoint is made of, zipped or not: members by name, read into memory."""

from __future__ import annotations

import os
import stat
import zipfile
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Protocol

from reportgen.checkpoints.limits import MEMBER_LIMIT, size
from reportgen.checkpoints.zip_files import read_member
from reportgen.errors import CheckpointError


class Members(Protocol):
    """A source of members."""

    def names(self) -> list[str]:
        """Return the names there are."""

    def read(self, name: str, limit: int) -> bytes:
        """Return one member of at most `limit` bytes."""


@dataclass(frozen=True)
class ZipMembers:
    """The members of an open zip file."""

    archive: zipfile.ZipFile

    def names(self) -> list[str]:
        """Return the names in the zip file's own list."""
        return self.archive.namelist()

    def read(self, name: str, limit: int) -> bytes:
        """Return a member, judged by its header first."""
        return read_member(self.archive, name, limit)


@dataclass(frozen=True)
class FolderMembers:
    """The files in a folder; links are not followed."""

    folder: Path

    def names(self) -> list[str]:
        """Return what lies in the folder itself."""
        names = sorted(entry.name for entry in islice(self.folder.iterdir(), MEMBER_LIMIT + 1))
        if len(names) > MEMBER_LIMIT:
            raise CheckpointError("the folder holds far too many files", expected=f"at most {MEMBER_LIMIT:,}")
        return names

    def read(self, name: str, limit: int) -> bytes:
        """Return a file, judged by its size first."""
        return read_regular(self.folder / name, limit)


def read_regular(path: Path, limit: int) -> bytes:
    """Return the bytes of a regular file of at most `limit` bytes.

    Raises CheckpointError for a link, a pipe or a folder under that name: the file itself is opened, or nothing.
    """
    with _open_regular(path) as file:
        found = os.fstat(file.fileno()).st_size
        if found > limit:
            raise CheckpointError(f"{path.name} has {size(found)}", expected=f"at most {size(limit)}")
        # Python makes room for as much as is asked for, so not for the limit.
        return file.read(found)


def read_start(path: Path, length: int) -> bytes:
    """Return the first `length` bytes of a regular file; raises CheckpointError as `read_regular` does."""
    with _open_regular(path) as file:
        return file.read(length)


def _open_regular(path: Path) -> IO[bytes]:
    """Open a regular file, without following a link or waiting for the other end of a pipe."""
    try:
        number = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        raise CheckpointError(
            f"there is no {path.name}",
            received=", ".join(sorted(entry.name for entry in islice(path.parent.iterdir(), 8))),
        ) from None
    except OSError as error:
        raise (
            refused_link(path)
            if path.is_symlink()
            else CheckpointError(f"{path.name} cannot be opened", received=str(error))
        ) from error
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise CheckpointError(f"{path.name} is no regular file", expected="a file, no folder, pipe or device")
    return os.fdopen(number, "rb")


def refused_link(path: Path) -> CheckpointError:
    """Return the error for a link where a file should be."""
    return CheckpointError(
        f"{path.name} is a link that leads elsewhere",
        expected="the file itself",
        advice="Copy the file into the folder.",
    )
