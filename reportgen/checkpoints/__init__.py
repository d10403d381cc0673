"""Files in, Run, Checkpoint and StoredModel out: found, recognised by content, read as plain arrays.

`find_run` walks a training run; `read_checkpoint` opens one of its checkpoints; `read_graph` makes an architecture of
any Keras a flat list of calls. Nothing in a file is ever executed, and neither Keras nor TensorFlow is imported.
"""
