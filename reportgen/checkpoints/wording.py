"""What the libraries say of broken files, in a student's words."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib

_TRUNCATED = re.compile(r"truncated file: eof = (\d+), .*stored_eof = (\d+)")
_WORDS: tuple[tuple[str, str], ...] = (
    ("file signature not found", "it does not begin like an HDF5 file"),
    ("unable to allocate|allocation failed|out of memory|Cannot allocate", "it asks for more memory than it may take"),
    ("checksum|Bad CRC|Fletcher32", "its checksum is wrong: some bytes were changed"),
    ("File is not a zip file|Bad magic number|Truncated", "its list of members is damaged or missing"),
    ("password required|encrypted", "it is encrypted"),
    ("compression method|not supported", "it is packed in a way Keras does not use"),
    ("Overlapped", "its members overlap"),
    ("open for write|lock file", "another program has it open for writing"),
)
"""(expression in the library's message, what it means)."""


def in_words(error: BaseException) -> str:
    """Return what an error of h5py, zipfile, zlib or json means for the file; never the library's own words."""
    text = str(error)
    if found := _TRUNCATED.search(text):
        return f"{int(found[1]):,} of {int(found[2]):,} byte are there"
    if isinstance(error, MemoryError):
        return "it asks for more memory than it may take"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, OSError) and error.errno and error.strerror and "nable to" not in error.strerror:
        return f"the file cannot be read: {error.strerror}"
    for pattern, words in _WORDS:
        if re.search(pattern, text, re.IGNORECASE):
            return words
    if isinstance(error, UnicodeDecodeError):
        return "a name in it is no text"
    if isinstance(error, zlib.error | zipfile.BadZipFile | struct.error | EOFError):
        return "its bytes are damaged"
    return "its parts do not fit together"
