"""Places on other machines (s3://, gs://, sftp://, …): mirrored here before the work, put back after it.

URLs and paths of the mirror in (see places), files on this disk out. For a path of this machine every function here
does nothing, and fsspec is not imported.
"""

from reportgen.remote.desk import (
    abandoned,
    claim,
    have,
    is_published,
    publish,
    publish_rest,
    pull,
    remove,
    size_there,
)
from reportgen.remote.fetched import fetch_files, fetch_pattern, fetch_run, list_again

__all__ = [
    "abandoned",
    "claim",
    "fetch_files",
    "fetch_pattern",
    "fetch_run",
    "have",
    "is_published",
    "list_again",
    "publish",
    "publish_rest",
    "pull",
    "remove",
    "size_there",
]
