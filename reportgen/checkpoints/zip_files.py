"""Zip files and their members, judged by their headers before they are read."""

from __future__ import annotations

import struct
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO

from reportgen.checkpoints.limits import (
    DIRECTORY_LIMIT,
    MEMBER_LIMIT,
    MEMBER_ROOM,
    MEMBER_SWELL,
    MIB,
    RATIO_LIMIT,
    size,
)
from reportgen.checkpoints.wording import in_words
from reportgen.errors import CheckpointError


def check_directory(source: Path | IO[bytes]) -> None:
    """Raise CheckpointError where a zip file's list of members is too long to be read; zipfile reads it whole."""
    with source.open("rb") if isinstance(source, Path) else nullcontext(source) as file:
        end = file.seek(0, 2)
        start = file.seek(max(0, end - 2**16 - 98))
        tail = file.read()
        place = tail.rfind(b"PK\x05\x06")
        length = struct.unpack_from("<I", tail, place + 12)[0] if 0 <= place <= len(tail) - 22 else 0
        wide = tail.rfind(b"PK\x06\x06", 0, max(place, 0))
        if wide >= 0 and start + wide + 56 <= end:
            length = max(length if length < 2**32 - 1 else 0, struct.unpack_from("<Q", tail, wide + 40)[0])
    if min(length, end) > DIRECTORY_LIMIT:
        raise CheckpointError(
            f"the zip file's list of members takes {size(min(length, end))}",
            expected=f"at most {size(DIRECTORY_LIMIT)}",
        )


@contextmanager
def open_zip(
    source: Path | IO[bytes], what: str = "zip file", whole: str = "a whole .keras file"
) -> Iterator[zipfile.ZipFile]:
    """Open a zip file whose members are not too many and named once each; `what` it is, `whole` if nothing lacks."""
    try:
        check_directory(source)
        archive = zipfile.ZipFile(source)
    except (zipfile.BadZipFile, OSError, ValueError, struct.error) as error:
        raise CheckpointError(
            f"truncated or damaged {what}",
            expected=whole,
            received=in_words(error),
            advice="Wait until it is written, or copy it again.",
        ) from error
    with archive:
        if len(archive.filelist) > MEMBER_LIMIT:
            raise CheckpointError(
                f"the {what} has {len(archive.filelist):,} members", expected=f"at most {MEMBER_LIMIT:,}"
            )
        name, times = max(Counter(archive.namelist()).items(), key=lambda item: item[1], default=("", 0))
        if times > 1:
            raise CheckpointError(
                f"the {what} holds {name} {times} times",
                expected="each member once",
                advice="Keras writes no such file; do not trust this one.",
            )
        yield archive


def read_member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """Return one member of a zip file of at most `limit` bytes, judged by its header first."""
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise CheckpointError(f"the zip file has no {name}", received=", ".join(archive.namelist()[:8])) from None
    if info.flag_bits & 1:
        raise CheckpointError(f"{name} is encrypted", expected="a .keras file as Keras writes it")
    swollen = info.file_size > max(MEMBER_ROOM, MEMBER_SWELL * info.compress_size)
    if info.file_size > limit or swollen or info.file_size > max(MIB, RATIO_LIMIT * info.compress_size):
        raise CheckpointError(
            f"{name} unpacks to {size(info.file_size)} from {size(info.compress_size)}",
            expected=f"at most {size(limit)}, and {RATIO_LIMIT} times what is stored",
        )
    try:
        with archive.open(info) as member:
            data = member.read(info.file_size + 1)
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise CheckpointError(f"{name} in the zip file is damaged", received=in_words(error)) from error
    if len(data) != info.file_size:
        raise CheckpointError(
            f"{name} has not the size its header says", expected=size(info.file_size), received=size(len(data))
        )
    return data
