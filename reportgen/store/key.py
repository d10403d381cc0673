"""A key: everything that something is made from, part by part, so that it can say what changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Literal

from reportgen.errors import printable

Kind = Literal["missing", "input changed", "config changed", "version changed", "output damaged", "forced"]
GROUPS: dict[str, Kind] = {"input": "input changed", "config": "config changed", "version": "version changed"}
"""First word of a part's name, and the reason a change of it is."""
SHOWN = 3
"""Changes that a reason names."""


@dataclass(frozen=True)
class Reason:
    """Why something is made again."""

    kind: Kind
    detail: str = ""

    def __str__(self) -> str:
        return printable(f"{self.kind}: {self.detail}" if self.detail else self.kind)


@dataclass(frozen=True)
class Key:
    """Parts by name: `input checkpoint`, `config depth`, `version keras`, …"""

    parts: Mapping[str, str]

    @cached_property
    def digest(self) -> str:
        """The sha256 of all parts and their names."""
        return sha256(json.dumps(dict(self.parts), sort_keys=True).encode()).hexdigest()


def difference(old: Mapping[str, str], new: Mapping[str, str]) -> Reason | None:
    """Return what changed from the parts of one key to those of another, None where nothing did.

    Inputs count more than options, and options more than versions: the first that changed is the reason.
    """
    changed = [name for name in dict.fromkeys([*new, *old]) if old.get(name) != new.get(name)]
    for group, kind in GROUPS.items():
        told = [_told(name, old.get(name), new.get(name)) for name in changed if name.partition(" ")[0] == group]
        if told:
            more = f" and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
            return Reason(kind, ", ".join(told[:SHOWN]) + more)
    return None


def _told(name: str, old: str | None, new: str | None) -> str:
    """Return one change in words; sums mean nothing to a reader."""
    title = name.partition(" ")[2]
    if old is None:
        return f"{title} is new"
    if new is None:
        return f"{title} has gone"
    short = max(len(old), len(new)) < 30
    return f"{title} {old or '–'} → {new or '–'}" if short else title
