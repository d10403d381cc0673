"""Architecture and weights in, activations and predictions out: the only room that runs Keras.

`open_network(stored, input_shape)` builds a network once for all checkpoints of one `architecture_signature`;
`Network.measure(stored, inputs)` swaps the weights of one checkpoint in and runs the probes through. Keras and
TensorFlow are imported by the first `open_network`, not before.
"""

from reportgen.network.network import Network, open_network

__all__ = ["Network", "open_network"]
