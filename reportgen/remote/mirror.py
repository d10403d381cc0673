"""A folder here that holds what is needed of a place on another machine: listed, and fetched where it changed."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from reportgen.disk import locked, write_text
from reportgen.disk.whole import remove_parts
from reportgen.errors import RemoteError
from reportgen.places import cache, url_of
from reportgen.remote.storage import Listed, Storage

log = logging.getLogger(__name__)

Choice = Callable[[Collection[str]], Collection[str]]
"""Given the names of all files there are, those that are needed here."""


class Mirror:
    """A place in a store, what it held when it was last listed, and which of that is here.

    Nothing is trusted but the listing: a file here counts as that of the store as long as neither has changed since it
    was fetched. With `deep` false, the place without its folders.
    """

    def __init__(self, folder: Path, url: str, *, deep: bool = True) -> None:
        self.folder, self.deep = folder, deep
        self.storage = Storage(url)
        self._note = _note(folder, deep=deep)

    @property
    def listed(self) -> dict[str, Listed]:
        """What the place held, by name."""
        return _read_listing(self._note, _mark(self._note))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes of this host from the same folder."""
        with locked(self._note.parent, self._note.stem):
            yield

    def refresh(self, choose: Choice, *, ours: bool = False) -> None:
        """List the place, drop what has gone or changed there, and fetch what is chosen and not here.

        With `ours`, a file of the same size that was never fetched was put there by us.
        """
        listed = self.storage.list(deep=self.deep)
        missing, chosen = [], set(choose(listed.keys()))
        for name in self.listed.keys() - listed.keys():
            self._drop(name)
        for name, there in listed.items():
            path = self.at(name)
            if ours and not _fetched(path).is_file() and path.is_file() and path.stat().st_size == there.size:
                _remember(path, there)
            if _is_here(path, there):
                continue
            self._drop(name)
            if name in chosen:
                missing.append(name)
        write_text(self._note, json.dumps({name: astuple(entry) for name, entry in listed.items()}))
        self._fetch({name: listed[name] for name in missing})

    def have(self, names: Iterable[str]) -> None:
        """Fetch files of the last listing that are not here."""
        listed = self.listed
        self._fetch({n: listed[n] for n in names if n in listed and not _is_here(self.at(n), listed[n])})

    def put(self, names: Iterable[str]) -> None:
        """Put files from here."""
        self.storage.put({name: self.at(name) for name in names})

    def at(self, name: str) -> Path:
        """Return where a file lies here; an empty name is the place itself."""
        return self.folder / name if name else self.folder

    def _fetch(self, wanted: Mapping[str, Listed]) -> None:
        if not wanted:
            return
        size = sum(there.size for there in wanted.values())
        log.info("fetching %.1f MB in %d files from %s", size / 1e6, len(wanted), self.storage.url)
        for folder in {self.at(name).parent for name in wanted}:
            remove_parts(folder)  # of a process that was killed
        for part in self.storage.fetch({name: self.at(name) for name in wanted}):
            for name in part:
                if (found := self.at(name).stat().st_size) != wanted[name].size:
                    self.at(name).unlink()
                    raise RemoteError(
                        "a file was changed while it was read", where=f"{self.storage.url}/{name}".rstrip("/"),
                        expected=f"{wanted[name].size:,} byte, as listed", received=f"{found:,} byte",
                        advice="Type the same command again when it is written.",
                    )  # fmt: skip
                if changed := wanted[name].changed:
                    os.utime(self.at(name), (changed, changed))  # on every machine the same, and goes into the report
                _remember(self.at(name), wanted[name])

    def _drop(self, name: str) -> None:
        """Remove a file that was fetched and is not what lies there any more; one that was not is none of ours."""
        if _fetched(self.at(name)).is_file():
            _fetched(self.at(name)).unlink()
            self.at(name).unlink(missing_ok=True)


def mirror_of(path: Path) -> Mirror | None:
    """Return the innermost mirror that was listed, with its folders, and a path lies in; None for any other path."""
    if url_of(path) is None:
        return None
    for folder in (path, *path.parents):
        url = url_of(folder)
        if url is None:
            return None
        if _note(folder, deep=True).is_file():
            return Mirror(folder, url)
    return None


def _note(folder: Path, *, deep: bool) -> Path:
    """Return where the listing of a folder is noted, outside of it."""
    return cache() / "listed" / f"{sha256(f'{deep} {folder}'.encode()).hexdigest()[:24]}.json"


def _fetched(path: Path) -> Path:
    """Return the note beside a fetched file, in a tree of its own: the store's mark of it, and the mark of the copy."""
    return cache() / "fetched" / path.relative_to(cache() / "mirror")


def _remember(path: Path, there: Listed) -> None:
    note = _fetched(path)
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(_both(path, there), encoding="utf-8")


def _is_here(path: Path, there: Listed) -> bool:
    try:
        return _fetched(path).read_text(encoding="utf-8") == _both(path, there)
    except OSError:
        return False


def _both(path: Path, there: Listed) -> str:
    return f"{there.mark} {there.size}\n{_mark(path)}\n"


def _mark(path: Path) -> str:
    """Return what changes when a file here does, empty where there is none."""
    try:
        about = path.stat()
    except OSError:
        return ""
    return f"{about.st_ino}:{about.st_size}:{about.st_mtime_ns}"


@lru_cache(maxsize=8)
def _read_listing(path: Path, mark: str) -> dict[str, Listed]:
    """Return a listing as noted; a large archive's is not read anew for each of its files."""
    del mark
    try:
        return {name: Listed(*entry) for name, entry in json.loads(path.read_text(encoding="utf-8")).items()}
    except (OSError, ValueError, TypeError):
        return {}
