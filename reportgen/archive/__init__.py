"""Reports in, run folders, manifest and index out."""

from reportgen.archive.index import write_index
from reportgen.archive.manifest import probes_changed, read_manifest, sha256, write_manifest
from reportgen.archive.store import NewReport, folder_name, new_report

__all__ = [
    "NewReport",
    "folder_name",
    "new_report",
    "probes_changed",
    "read_manifest",
    "sha256",
    "write_index",
    "write_manifest",
]
