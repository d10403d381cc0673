"""Files in, Run, Checkpoint and StoredModel out: found, recognised by content, read as plain arrays.

`find_run` walks a training run; `read_checkpoint` opens one of its checkpoints; `read_graph` makes an architecture of
any Keras a flat list of calls. Nothing in a file is ever executed, and neither Keras nor TensorFlow is imported.
"""

from reportgen.checkpoints.architecture import architecture_signature, read_graph
from reportgen.checkpoints.discovery import find_run
from reportgen.checkpoints.formats import FORMATS, Format, read_checkpoint

__all__ = ["FORMATS", "Format", "architecture_signature", "find_run", "read_checkpoint", "read_graph"]
