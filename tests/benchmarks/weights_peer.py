"""weightwatcher on one npz of kernels, in an environment of its own: a line in, the CPU seconds of one analysis out."""

from __future__ import annotations

import io
import json
import logging
import sys
import time
from contextlib import redirect_stdout

import numpy as np
import torch
import weightwatcher


def network(path: str) -> torch.nn.Module:
    """Return a model whose layers have these kernels."""
    layers = []
    for kernel in np.load(path).values():
        if kernel.ndim == 4:
            y, x, before, after = kernel.shape
            layers.append(torch.nn.Conv2d(before, after, (y, x), bias=False))
            turned = kernel.transpose(3, 2, 0, 1)
        else:
            layers.append(torch.nn.Linear(*kernel.shape, bias=False))
            turned = kernel.T
        layers[-1].weight.data = torch.tensor(np.ascontiguousarray(turned))
    return torch.nn.Sequential(*layers)


def main() -> None:
    """Answer until nobody asks."""
    logging.disable(logging.CRITICAL)
    model = network(sys.argv[1])
    for _ in sys.stdin:
        cpu, wall = time.process_time(), time.perf_counter()
        with redirect_stdout(io.StringIO()):
            details = weightwatcher.WeightWatcher(model=model).analyze()
        print(json.dumps([time.process_time() - cpu, time.perf_counter() - wall, len(details)]), flush=True)


if __name__ == "__main__":
    main()
