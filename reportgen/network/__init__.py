"""Architecture and weights in, activations and predictions out: the only room that runs Keras.

`open_network(stored, input_shape)` builds a network once for all checkpoints of one `architecture_signature`;
`Network.measure(stored, inputs)` swaps the weights of one checkpoint in and runs the probes through.
`network_for(…)` does the same where a network can only be had from the user's code, or on trust. Keras and
TensorFlow are imported by the first of these calls, not before.
"""

from reportgen.network.choose import network_for
from reportgen.network.network import Network, open_network

__all__ = ["Network", "network_for", "open_network"]
