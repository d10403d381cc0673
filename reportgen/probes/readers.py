"""The formats of images there are, and how to tell them apart."""

from __future__ import annotations

import contextlib
import gzip
import zlib
from pathlib import Path

from reportgen.config import ProbesConfig
from reportgen.errors import ProbeError, ReportgenError
from reportgen.probes import arrays, fits, hdf5, pictures
from reportgen.probes.raw import RawImage, Reader

READERS: dict[str, Reader] = {
    "PNG": pictures.read,
    "JPEG": pictures.read,
    "FITS": fits.read,
    "HDF5": hdf5.read,
    ".npy": arrays.read_npy,
    ".npz": arrays.read_npz,
}
"""What is read, by the name of the format."""

SIGNATURES: dict[bytes, str] = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"SIMPLE  =": "FITS",
    b"\x89HDF\r\n\x1a\n": "HDF5",
    b"\x93NUMPY": ".npy",
    b"PK\x03\x04": ".npz",
}
"""How a file of each format begins; its name does not matter."""

GZIP = b"\x1f\x8b"

OTHERS: dict[bytes, str] = {
    b"<": "a web page or other XML",
    b"GIF8": "a GIF",
    b"II*\x00": "a TIFF",
    b"MM\x00*": "a TIFF",
    b"BM": "a BMP",
    b"RIFF": "a WebP",
    b"%PDF": "a PDF",
    b"version https://git-lfs": "a Git LFS pointer, not the file itself",
}
"""What people give by mistake, told by its first bytes."""


def recognise(path: Path) -> str | None:
    """Return the key of READERS for a file, told by its first bytes; None for all other files.

    Raises OSError where it cannot be opened.
    """
    head = _head(path)
    return next((name for signature, name in SIGNATURES.items() if head.startswith(signature)), None)


def read_file(path: Path, name: str, config: ProbesConfig) -> list[RawImage | ProbeError]:
    """Return the images of a file, and an error for each that cannot be read; never nothing."""
    found: list[RawImage | ProbeError] = []
    try:
        kind = recognise(path)
        if kind is None:
            raise _unknown(path, name)
        for item in READERS[kind](path, name, config):
            found.append(item)  # noqa: PERF402 (what came before an error counts)
    except ProbeError as error:
        found.append(error)
    except ReportgenError:
        raise
    except Exception as error:  # libraries raise anything on a damaged file; it costs this file alone
        text = str(error).replace(str(path), name)
        found.append(
            ProbeError(
                f"Cannot be read: {text or type(error).__name__}",
                where=name,
                advice="Open it with another program; copy it again if that fails, too.",
            )
        )
    return found or [ProbeError("The file holds no image", where=name)]


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        head = file.read(32)
    if head.startswith(GZIP):
        # Only FITS is read through gzip; astropy unpacks it.
        with contextlib.suppress(OSError, EOFError, zlib.error), gzip.open(path) as unpacked:
            inside = unpacked.read(9)
            return inside if inside.startswith(b"SIMPLE  =") else head
    return head


def _unknown(path: Path, name: str) -> ProbeError:
    head = _head(path)
    return ProbeError(
        "The file is empty" if not head else "This is no image that can be read",
        where=name,
        expected=" or ".join([", ".join(list(READERS)[:-1]), list(READERS)[-1]]),
        received="0 bytes"
        if not head
        else next(
            (what for begin, what in OTHERS.items() if head.lstrip().startswith(begin)),
            f"a file that begins with {head[:8]!r}",
        ),
        advice="Convert it, or copy it again from where it came." if head else "Copy it again from where it came.",
    )
