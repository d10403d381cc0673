"""One place of a store on another machine: what lies there, fetched and put; fsspec is known to this file alone."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportgen.disk import cannot_write
from reportgen.disk.whole import PART, WHY, part_prefix
from reportgen.errors import ConfigError, RemoteError, ReportgenError
from reportgen.places import BUCKETS

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

TOGETHER = 16
"""Files that are moved at once, where the library can."""
MARKS = ("ETag", "etag", "md5Hash", "checksum", "generation")
"""What stores call the mark of an object's content."""
TIMES = ("LastModified", "last_modified", "mtime", "updated", "modified", "created")
LOGIN = (
    "Credentials come from where the library of the scheme looks for them alone (environment, ~/.aws, ~/.ssh, …), "
    "the server too (for S3: AWS_ENDPOINT_URL)."
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Listed:
    """A file as the store lists it."""

    size: int
    """[byte]"""
    mark: str
    """Changes when the content does: the store's own mark of it (ETag), else the time of the last change."""
    changed: float = 0.0
    """When, seconds since 1970; 0 where the store does not say."""


class Storage:
    """What lies below a URL; names are relative to it, with forward slashes."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.scheme = url.partition("://")[0]

    @cached_property
    def _opened(self) -> tuple[AbstractFileSystem, str]:
        """The file system and the root in its own words; raises ConfigError where a package is missing."""
        from fsspec.core import url_to_fs
        from fsspec.registry import known_implementations

        try:
            with self._told("be opened"):
                fs, root = url_to_fs(self.url)
        except RemoteError as error:
            if not isinstance(error.__cause__, ImportError | ValueError):
                raise
            known = self.scheme in known_implementations
            raise ConfigError(
                f"{self.scheme}:// cannot be read here", where=self.url, received=str(error.__cause__),
                expected="a scheme that fsspec knows, and the package for it",
                advice=f"pip install {PACKAGES.get(self.scheme, 'the package it names')}" if known else
                "Known are s3, gs, sftp and others; is it misspelt?",
            ) from error  # fmt: skip
        return fs, str(root).rstrip("/")

    def list(self, below: str = "", *, deep: bool = True) -> dict[str, Listed]:
        """Return the files below a name, or in it alone; of a single file itself, under an empty name.

        A place that is not there holds nothing: stores of objects know no empty folders.
        """
        fs, _ = self._opened
        start = self._at(below)
        with self._told("be listed"):
            fs.invalidate_cache()
            try:
                found: dict[str, Any] = fs.find(start, detail=True, **({} if deep else {"maxdepth": 1}))
            except FileNotFoundError:
                return {}
        listed = {}
        for path, about in found.items():
            name = str(path).rstrip("/").removeprefix(start).lstrip("/")
            if about.get("type") == "directory" or str(path).endswith("/") or (not name and len(found) > 1):
                continue
            if name and not _is_safe(name):
                log.warning("passed over, because no file here can have its name: %s/%s", self.url, name)
                continue
            listed[f"{below}/{name}".strip("/") if below and name else name] = _listed(about)
        return listed

    def fetch(self, files: Mapping[str, Path]) -> Iterator[Sequence[str]]:
        """Fetch files to where they shall lie, each whole or not at all, and yield the names of some as they are here.

        An empty name is the place itself.
        """
        fs, _ = self._opened
        for some in _batches(list(files.items())):
            parts = [target.with_name(f"{part_prefix()}{target.name[-120:]}") for _, target in some]
            try:
                for _, target in some:
                    target.parent.mkdir(parents=True, exist_ok=True)
                with self._told("be read"):
                    fs.get([self._at(name) for name, _ in some], [str(part) for part in parts])
                for (_, target), part in zip(some, parts, strict=True):
                    part.replace(target)
                yield [name for name, _ in some]
            except OSError as error:
                raise cannot_write(error, some[0][1]) from error
            finally:
                for part in parts:
                    part.unlink(missing_ok=True)

    def put(self, files: Mapping[str, Path]) -> None:
        """Put files; each appears whole: stores of objects do that, elsewhere it takes its name at the end."""
        fs, _ = self._opened
        with self._told("be written"):
            for some in _batches(list(files.items())):
                sources, targets = [str(path) for _, path in some], [self._at(name) for name, _ in some]
                if self.scheme in BUCKETS:
                    fs.put(sources, targets)
                    continue
                for source, target in zip(sources, targets, strict=True):
                    folder, _, last = target.rpartition("/")
                    fs.makedirs(folder, exist_ok=True)
                    fs.put_file(source, f"{folder}/{PART}{last}")
                    fs.mv(f"{folder}/{PART}{last}", target)

    def mark(self, name: str) -> None:
        """Put an empty file."""
        fs, _ = self._opened
        with self._told("be written"):
            if self.scheme not in BUCKETS:
                fs.makedirs(self._at(name).rpartition("/")[0], exist_ok=True)
            fs.pipe_file(self._at(name), b"")

    def remove(self, names: Sequence[str]) -> None:
        """Remove files; one that has gone already is no error."""
        fs, _ = self._opened
        with self._told("be written"):
            for name in names:
                with contextlib.suppress(FileNotFoundError):
                    fs.rm_file(self._at(name))

    def _at(self, name: str) -> str:
        root = self._opened[1]
        return f"{root}/{name}" if name else root

    @contextlib.contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Raise what a library raises as RemoteError; where the disk here is to blame, as that."""
        try:
            yield
        except (ReportgenError, FileNotFoundError) as error:
            if isinstance(error, ReportgenError):
                raise
            raise self._error(what, error, "Was it removed meanwhile? Type the same command again.") from error
        except PermissionError as error:
            raise self._error(what, error, f"There is no right to. {LOGIN}") from error
        except Exception as error:
            if isinstance(error, OSError) and error.errno in WHY and error.filename:
                raise cannot_write(error, Path(str(error.filename))) from error
            raise self._error(what, error, f"Type the same command again when it answers. {LOGIN}") from error

    def _error(self, what: str, error: Exception, advice: str) -> RemoteError:
        received = f"{type(error).__name__}: {error}"
        return RemoteError(f"this place cannot {what}", where=self.url, received=received, advice=advice)


PACKAGES = {
    "s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "sftp": "paramiko", "ssh": "paramiko",
    "az": "adlfs", "abfs": "adlfs", "http": "aiohttp", "https": "aiohttp",
}  # fmt: skip
"""What to install for a scheme."""


def _listed(about: Mapping[str, Any]) -> Listed:
    size = int(about.get("size") or 0)
    when = next((about[name] for name in TIMES if about.get(name)), None)
    mark = next((str(about[name]) for name in MARKS if about.get(name)), str(when))
    return Listed(size, mark, _seconds(when))


def _seconds(when: object) -> float:
    """Return a time as seconds since 1970; stores give numbers, dates, or dates as text."""
    if isinstance(when, str):
        try:
            when = datetime.fromisoformat(when)
        except ValueError:
            return 0.0
    if isinstance(when, datetime):
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    return float(when) if isinstance(when, int | float) else 0.0


def _is_safe(name: str) -> bool:
    parts = name.split("/")
    return not {"", ".", ".."} & set(parts) and "\0" not in name and max(len(part.encode()) for part in parts) < 200


def _batches(files: list[tuple[str, Path]]) -> Iterator[list[tuple[str, Path]]]:
    for start in range(0, len(files), TOGETHER):
        yield files[start : start + TOGETHER]
