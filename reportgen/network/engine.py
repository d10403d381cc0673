"""TensorFlow, started once: quiet, deterministic, in full precision."""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from reportgen.errors import NetworkError

Tensor = Any
"""A tensor of Keras, symbolic or not; Keras has no types of its own."""
KerasLayer = Any
"""A layer of Keras."""
Option = Any
"""A plain value out of an architecture."""


M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Numbers of malloc.h."""
WAYS_OUT = (
    "Give run.model: your_file.py:build_model, or set run.trust: true if you made the file yourself. "
    "Its weights are reported all the same."
)
"""What to do where a network is made of something that is not built in."""


@contextmanager
def _silent() -> Iterator[None]:
    """Keep what C++ writes to stderr off the terminal: TensorFlow greets before its log level counts."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _keep_memory() -> None:
    """Keep freed memory for the next checkpoint: pages given back and taken again cost a tenth of a forward pass."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # glibc
        libc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
        libc.mallopt(M_MMAP_THRESHOLD, 32 * 2**20)


@functools.cache
def start_tensorflow() -> None:
    """Import TensorFlow and Keras with the settings under which equal input gives equal bytes.

    Raises NetworkError where Keras runs on another backend already.
    """
    _keep_memory()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with _silent():
        import keras
        import tensorflow as tf

    if keras.backend.backend() != "tensorflow":
        raise NetworkError(
            f"Keras runs on {keras.backend.backend()}",
            expected="the TensorFlow backend",
            advice="Unset KERAS_BACKEND, and 'backend' in ~/.keras/keras.json.",
        )
    tf.get_logger().setLevel("ERROR")
    tf.config.experimental.enable_op_determinism()
    tf.random.set_seed(0)  # nothing here is random; but whoever trains in this process later needs some seed now
    tf.config.experimental.enable_tensor_float_32_execution(False)
