"""The notebook way, written out once: what people do without reportgen. `python notebook.py IMAGES FOLDER CHECKPOINT…`

For each checkpoint: load_model, a Model of all layer outputs, predict, one matplotlib figure a layer and probe with
16 maps to a row, savefig; then all pictures into one HTML, and that through WeasyPrint.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np


def outputs(path: Path, images: np.ndarray) -> dict[str, np.ndarray]:
    """Load a checkpoint and return what each of its layers gives."""
    import keras

    model = keras.saving.load_model(path, compile=False)
    layers = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    every = keras.Model(model.inputs, [layer.output for layer in layers])
    found = every.predict(images, verbose=0)
    return dict(zip([layer.name for layer in layers], found if isinstance(found, list) else [found], strict=True))


def draw(maps: np.ndarray, title: str, target: Path) -> None:
    """Draw the maps `(y, x, channel)` of one layer for one probe, 16 to a row."""
    import matplotlib.pyplot as plt

    channels = maps.shape[-1]
    rows = -(-channels // 16)
    figure, axes = plt.subplots(rows, 16, figsize=(16, rows + 0.5), squeeze=False)
    for i, axis in enumerate(axes.flat):
        axis.axis("off")
        if i < channels:
            axis.imshow(maps[..., i])
            axis.set_title(str(i), fontsize=6)
    figure.suptitle(title)
    figure.savefig(target)
    plt.close(figure)


def publish(pictures: list[tuple[str, Path]], folder: Path) -> None:
    """Put the pictures into one HTML and through WeasyPrint."""
    import weasyprint

    body = "".join(f"<h2>{title}</h2><img style='width:100%' src='{path.name}'>" for title, path in pictures)
    html = folder / "report.html"
    html.write_text(f"<html><body>{body}</body></html>")
    weasyprint.HTML(str(html)).write_pdf(folder / "report.pdf")


def main(images: Path, folder: Path, *checkpoints: Path) -> None:
    """Report on some checkpoints."""
    import keras  # noqa: F401 - part of the start, not of a checkpoint
    import matplotlib as mpl

    mpl.use("Agg")
    folder.mkdir(parents=True, exist_ok=True)
    probes: Any = np.load(images)
    pictures = []
    for checkpoint in checkpoints:
        for layer, values in outputs(checkpoint, probes).items():
            if values.ndim == 4:
                for i, maps in enumerate(values):
                    title = f"{checkpoint.stem} {layer} probe {i}"
                    pictures.append((title, folder / f"{title.replace(' ', '_')}.png"))
                    draw(maps, *pictures[-1])
    publish(pictures, folder)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
