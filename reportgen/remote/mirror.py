"""A folder here that holds what is needed of a place on another machine: listed, and fetched where it changed."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from reportgen.disk import locked, write_text
from reportgen.errors import RemoteError
from reportgen.places import cache, url_of
from reportgen.remote.storage import Listed, Storage

log = logging.getLogger(__name__)

Here = dict[str, tuple[str, str]]
"""By name: mark in the store, and mark of the file here, when the two were the same."""


class Mirror:
    """A place in a store, what it held when it was last listed, and which of that is here.

    Nothing is trusted but the listing: a file here counts as that of the store as long as neither has changed since.
    """

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.storage = Storage(url)
        self._notes = _notes(folder)

    @property
    def listed(self) -> dict[str, Listed]:
        """What the place held, by name."""
        return _read_listing(*_version(self._notes.with_suffix(".listing.json")))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes of this host from the same folder."""
        with locked(self._notes.parent, self._notes.name):
            yield

    def refresh(
        self, choose: Callable[[Collection[str]], Collection[str]], *, deep: bool = True, ours: bool = False
    ) -> None:
        """List the place, drop what has gone or changed there, and fetch what is chosen and not here.

        With `ours`, a file of the same size that was never fetched was put there by us.
        """
        listed, here = self.storage.list(deep=deep), self._here()
        missing, chosen = [], set(choose(listed.keys()))
        for name in here.keys() - listed.keys():
            self._drop(name, here)
        for name, there in listed.items():
            path = self.at(name)
            if here.get(name) == (there.mark, _mark(path)):
                continue
            if ours and name not in here and path.is_file() and path.stat().st_size == there.size:
                here[name] = (there.mark, _mark(path))
                continue
            self._drop(name, here)
            if name in chosen:
                missing.append(name)
        write_text(self._notes.with_suffix(".listing.json"), json.dumps({n: astuple(e) for n, e in listed.items()}))
        self._fetch(missing, listed, here)

    def have(self, names: Iterable[str]) -> None:
        """Fetch files of the last listing that are not here."""
        listed, here = self.listed, self._here()
        missing = [n for n in names if n in listed and here.get(n) != (listed[n].mark, _mark(self.at(n)))]
        if missing:
            self._fetch(missing, listed, here)

    def put(self, names: Iterable[str]) -> None:
        """Put files from here."""
        self.storage.put({name: self.at(name) for name in names})

    def at(self, name: str) -> Path:
        """Return where a file lies here; an empty name is the place itself."""
        return self.folder / name if name else self.folder

    def _fetch(self, names: list[str], listed: dict[str, Listed], here: Here) -> None:
        if names:
            size = sum(listed[name].size for name in names)
            log.info("fetching %d files, %.1f MB, from %s", len(names), size / 1e6, self.storage.url)
        try:
            self.storage.fetch({name: self.at(name) for name in names})
            for name in names:
                if (found := self.at(name).stat().st_size) != listed[name].size:
                    self.at(name).unlink()
                    raise RemoteError(
                        "a file was changed while it was read", where=f"{self.storage.url}/{name}".rstrip("/"),
                        expected=f"{listed[name].size:,} byte, as listed", received=f"{found:,} byte",
                        advice="Type the same command again when it is written.",
                    )  # fmt: skip
                here[name] = (listed[name].mark, _mark(self.at(name)))
        finally:
            write_text(self._notes.with_suffix(".here.json"), json.dumps(here))

    def _drop(self, name: str, here: Here) -> None:
        """Remove a file that was fetched and is not what lies there any more; one that was not is none of ours."""
        if here.pop(name, None) is not None:
            self.at(name).unlink(missing_ok=True)

    def _here(self) -> Here:
        try:
            known = json.loads(self._notes.with_suffix(".here.json").read_text(encoding="utf-8"))
            return {str(name): (str(there), str(own)) for name, (there, own) in known.items()}
        except (OSError, ValueError):
            return {}


def mirror_of(path: Path) -> Mirror | None:
    """Return the innermost mirror that was listed and a path lies in; None where it is no path of one."""
    if url_of(path) is None:
        return None
    for folder in (path, *path.parents):
        url = url_of(folder)
        if url is None:
            return None
        if _notes(folder).with_suffix(".listing.json").is_file():
            return Mirror(folder, url)
    return None


def _notes(folder: Path) -> Path:
    """Return the start of the names of the notes on a mirrored folder, which lie outside of it."""
    return cache() / "listed" / sha256(str(folder).encode()).hexdigest()[:24]


def _mark(path: Path) -> str:
    """Return what changes when a file here does, empty where there is none."""
    try:
        about = path.stat()
    except OSError:
        return ""
    return f"{about.st_ino}:{about.st_size}:{about.st_mtime_ns}"


def _version(path: Path) -> tuple[Path, str]:
    return path, _mark(path)


@lru_cache(maxsize=8)
def _read_listing(path: Path, version: str) -> dict[str, Listed]:
    """Return a listing as noted; a large archive's is not read anew for each of its files."""
    del version
    try:
        return {name: Listed(*entry) for name, entry in json.loads(path.read_text(encoding="utf-8")).items()}
    except (OSError, ValueError, TypeError):
        return {}
