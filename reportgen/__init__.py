"""Report on every checkpoint of a training run: weights, feature maps and predictions on a fixed probe set."""

__version__ = "0.1.0"
