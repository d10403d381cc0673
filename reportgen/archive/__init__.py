"""Reports in, run folders, manifest and index out."""

from reportgen.archive.find import archive_of, comparisons_of, find_report, reports_of
from reportgen.archive.index import write_index
from reportgen.archive.inputs import probe_files
from reportgen.archive.manifest import probes_changed, read_manifest, sha256, write_manifest
from reportgen.archive.store import NewReport, folder_name, new_report

__all__ = [
    "NewReport",
    "archive_of",
    "comparisons_of",
    "find_report",
    "folder_name",
    "new_report",
    "probe_files",
    "probes_changed",
    "read_manifest",
    "reports_of",
    "sha256",
    "write_index",
    "write_manifest",
]
