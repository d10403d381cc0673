"""Functions in, their results out: computed in child processes with limits, so that no file can harm this one.

`Children` holds the two processes of a run, one that reads files and one that runs networks; each is started when first
asked, and again after a file has killed it. Results come back through `Exchange`, memory that all three share.
"""

from reportgen.isolation.children import Child, Children, threads
from reportgen.isolation.exchange import Parcel
from reportgen.isolation.limits import Limits, network_limits, reading_limits

__all__ = ["Child", "Children", "Limits", "Parcel", "network_limits", "reading_limits", "threads"]
