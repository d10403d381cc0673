"""What a report is made from, as keys; what was made from them, kept once; and why something is made again."""

from reportgen.store.inputs import run_files, sources_of
from reportgen.store.key import Key, Reason, difference
from reportgen.store.store import Entry, Store

__all__ = ["Entry", "Key", "Reason", "Store", "difference", "run_files", "sources_of"]
