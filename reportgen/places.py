"""Places on other machines as URLs, and where their files lie here: `s3://lab/runs/a` ↔ <cache>/mirror/s3/lab/runs/a.

Everything but `remote` works on the files here; whatever is told to a user, or written into a report, has the URL.
"""

from __future__ import annotations

import os
import re
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote

BUCKETS = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oss", "memory"})
"""Stores of objects, whose URLs begin with the name of a bucket, not with that of a host or user."""
HERE = frozenset({"file", "local"})
"""Schemes of this machine's own disk: such a URL is a path."""
ENDPOINTS = {
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"), "s3a": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
    "gs": ("STORAGE_EMULATOR_HOST",), "gcs": ("STORAGE_EMULATOR_HOST",),
}  # fmt: skip
"""Variables that say which server a scheme means: the same bucket of another one is another bucket."""
_URL = re.compile(r"([a-z][a-z0-9+.-]*)://(.*)", re.DOTALL | re.IGNORECASE)
_SECRET = re.compile(r"(://)[^/\s@:'\"]*(?::|%3A)(?!\d+/)[^\s'\"]*@", re.IGNORECASE)
"""User and password in a URL, also a password with @ or / in it; host:22/x@1 is none."""


def cache() -> Path:
    """Return the folder for what is fetched from other machines: XDG_CACHE_HOME/reportgen, without links."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 - never raises
    return Path(os.path.realpath(home)) / "reportgen"


def is_url(text: object) -> bool:
    """Whether a text is meant as a URL, a wrong one included."""
    return isinstance(text, str) and "://" in text


def place(text: str) -> Path:
    """Return where something lies here: a path as it is, a URL in the mirror.

    Raises ValueError, which does not repeat the URL, on one that holds a password or is not understood.
    """
    if not is_url(text):
        return Path(text)
    found = _URL.fullmatch(text)
    scheme, rest = (found[1].lower(), found[2]) if found else ("", "")
    host, _, key = rest.partition("/")
    user = unquote(host).rpartition("@")[0]
    if not found:
        raise ValueError("this is no URL that is understood: expected scheme://place, as s3://bucket/folder")
    if ":" in user or (user and scheme in BUCKETS) or _SECRET.search(text):
        raise ValueError(
            "a URL holds no key or password here, because it would be written into reports and logs: leave it out; "
            "credentials are taken from where the scheme's own library looks for them (environment, ~/.aws, ~/.ssh)"
        )
    if scheme in HERE:
        return Path(f"/{key}")
    if scheme in ("http", "https") and ("?" in rest or "#" in rest):
        raise ValueError("a URL of the web is taken without ? and #, which may hold a key")
    parts = [part for part in rest.split("/") if part]
    if not parts or {".", ".."} & set(parts) or "\0" in rest:
        raise ValueError("a URL names a place below its bucket or host, without . and ..")
    return cache().joinpath("mirror", scheme + _server(scheme), *parts)


def url_of(path: Path) -> str | None:
    """Return the URL that a path of the mirror stands for, None for any other path."""
    mirror = cache() / "mirror"
    if not path.is_relative_to(mirror) or path == mirror:
        return None
    scheme, *parts = path.relative_to(mirror).parts
    return f"{scheme.partition('@')[0]}://{'/'.join(parts)}"


def named(path: Path) -> str:
    """Return a path as the user knows it: as it is, or the URL it stands for."""
    return url_of(path) or path.as_posix()


def name_of(path: Path, base: Path) -> str:
    """Return a path as the user knows it: its URL, or relative to the configuration with forward slashes."""
    return url_of(path) or Path(os.path.relpath(path, base)).as_posix()


def told(text: str) -> str:
    """Return a text with the URLs of what it names in the mirror, and without any password in a URL."""
    if "reportgen/mirror/" in text:
        start = re.escape(str(cache() / "mirror"))
        text = re.sub(rf"{start}/([a-z0-9+.-]+)(?:@[0-9a-f]{{8}})?(?:/|$)", r"\1://", text)
    return _SECRET.sub(r"\1…@", text) if "://" in text else text


def _server(scheme: str) -> str:
    """Return a mark of the server that the environment names for a scheme, empty where it names none."""
    given = next((os.environ[name] for name in ENDPOINTS.get(scheme, ()) if os.environ.get(name)), "")
    return f"@{sha256(given.encode()).hexdigest()[:8]}" if given else ""
