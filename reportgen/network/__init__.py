"""Architecture and weights in, activations and predictions out: the only room that runs Keras."""
