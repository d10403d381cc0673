"""Files that appear whole or not at all, locks that name their holder, and sums of files that are not read twice."""

from reportgen.disk.locks import locked
from reportgen.disk.stamps import Stamps
from reportgen.disk.whole import cannot_write, share, sync_folder, whole, write_text

__all__ = ["Stamps", "cannot_write", "locked", "share", "sync_folder", "whole", "write_text"]
