"""What made a report, in files beside it: sources and software, log, and a script that makes it again."""

from __future__ import annotations

import logging
import os
import platform
import shlex
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from reportgen.config.load import Loaded
from reportgen.disk import write_text
from reportgen.disk.locks import user
from reportgen.errors import harmless
from reportgen.places import told, url_of
from reportgen.store import Key

PROVENANCE, LOG, REBUILD = "provenance.json", "log.txt", "rebuild.sh"
SCHEMA = 1
"""Version of provenance.json."""
SCRIPT = """\
#!/bin/sh
# Makes this report again: sh rebuild.sh [FOLDER]. FOLDER is that of the configuration, from which the paths in
# config.yaml start; by default where it was, seen from here. provenance.json has the packages and their versions.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
base=${{1:-"$here"/{base}}}
config="$base/.rebuild-$$.yaml"
trap 'rm -f "$config"' EXIT
cp "$here/config.yaml" "$config"
${{REPORTGEN:-reportgen}} run --force "$config"
"""


def write_provenance(folder: Path, final: Path, loaded: Loaded, key: Key, reason: str) -> None:
    """Write provenance.json and rebuild.sh into the folder of a new report, which will lie at `final`."""
    from reportgen.report.json import dump

    strict = loaded.config.privacy == "strict"
    base = os.path.relpath(loaded.base.absolute(), final.absolute())
    if url_of(final) is not None:
        base = "."  # where somebody fetched the report to, there is nothing else
    inside = set(Path(base).parts) <= {".."}  # further up there are names of folders outside of the project
    content: dict[str, Any] = {
        "schema": SCHEMA, "parts": dict(key.parts), "reason": reason, "environment": environment(),
        "python": platform.python_version(), "base": base if inside or not strict else "",
    }  # fmt: skip
    if not strict:
        content["made_by"] = {
            "host": socket.gethostname(), "user": user(), "folder": str(loaded.base.absolute()),
            "platform": platform.platform(), "command": told(shlex.join(["reportgen", *sys.argv[1:]])),
        }  # fmt: skip
    write_text(folder / PROVENANCE, dump(content))
    write_text(folder / REBUILD, SCRIPT.format(base=shlex.quote(base if inside or not strict else "../../..")))


def environment() -> list[str]:
    """Return every installed package with its version, as `pip freeze` does."""
    return sorted({f"{d.metadata['Name']}=={d.version}" for d in distributions() if d.metadata["Name"]}, key=str.lower)


class _Log(logging.FileHandler):
    """A log that is no reason to fail: on a full disk the report itself will say so."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line without control and direction characters: names of files hold anything."""
        return harmless(super().format(record))

    def handleError(self, record: logging.LogRecord) -> None:
        """Say nothing."""


@contextmanager
def logged(folder: Path, loaded: Loaded) -> Iterator[None]:
    """Keep the log in the folder of a report, from its levels info on; none where privacy is strict."""
    if loaded.config.privacy == "strict":  # messages hold paths
        yield
        return
    logger = logging.getLogger("reportgen")
    handler = _Log(folder / LOG, encoding="utf-8")
    handler.setLevel(logging.INFO)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-8s %(name)s: %(message)s"))
    before = logger.level
    logger.addHandler(handler)
    if logger.getEffectiveLevel() > logging.INFO:
        logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
        handler.close()
