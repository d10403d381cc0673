"""Inner loops on one run, in a process of their own: `python -m benchmarks.loops NAME CONFIG IMAGES TIMES WHAT… `.

Prints the rows as JSON. The network and all libraries are warm: what is measured is the next checkpoint.
"""

from __future__ import annotations

import json
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks import notebook
from benchmarks.timing import Cost, Row, by_turns, inner, spread

DRAWN = 64
"""Maps the notebook way draws for its cost a map."""


class Loops:
    """A run opened by reportgen and by the peers."""

    def __init__(self, name: str, config: Path, images: Path, times: int, folder: Path) -> None:
        from reportgen.checkpoints.discovery import find_run
        from reportgen.config import load
        from reportgen.isolation.exchange import Exchange
        from reportgen.network import task
        from reportgen.network.choose import Ways
        from reportgen.probes import load_probes

        self.name, self.times, self.folder = name, times, folder
        self.loaded = load(config)
        self.run = find_run(self.loaded.config.run, self.loaded.base)
        self.probes = load_probes(self.loaded.config.probes, self.loaded.base)
        self.images = np.load(images)
        self.firsts: dict[str, Any] = {}
        self.exchange = Exchange()
        self.exchange.make_room(2**33)
        task.prepare(self.probes.given, Ways(None, self.loaded.base, False, None))
        self.next = 0
        self.extract()

    def measure(self) -> tuple[Any, Any, Any]:
        """Read and run the next checkpoint, and hand both across as between processes."""
        from reportgen.checkpoints.reading import read_whole
        from reportgen.network import task

        checkpoint = self.run.checkpoints[self.next % len(self.run.checkpoints)]
        self.next += 1
        parcel = self.exchange.lay_down(read_whole(checkpoint, self.firsts))
        reading = self.exchange.pick_up(parcel)
        self.firsts.setdefault(reading.signature, reading.graph)
        measured = self.exchange.lay_down(task.measure(reading, checkpoint), parcel.end)
        return checkpoint, reading, self.exchange.pick_up(measured).measurement

    def extract(self) -> None:
        """The same, packed and written."""
        from reportgen.checkpoints.formats import FORMATS
        from reportgen.extraction import About, write_extraction

        checkpoint, reading, measurement = self.measure()
        about = About(
            checkpoint.name, checkpoint.file, FORMATS[checkpoint.format].title, checkpoint.epoch, checkpoint.size,
            checkpoint.sha256, reading.stored.keras_version, "", "", "", reading.signature, self.probes.sha256,
        )  # fmt: skip
        self.written = write_extraction(self.folder, about, reading.stored, measurement, reading.graph)
        self.measurement = measurement

    def extraction(self) -> Iterator[Row]:
        """A checkpoint after the first, against the floor and against load_model."""
        import keras
        import tensorflow as tf

        path = self.run.checkpoints[0].path
        model = keras.saving.load_model(path, compile=False)
        layers = [layer.output for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
        every = tf.function(keras.Model(model.inputs, layers), autograph=False)
        batch = tf.constant(self.images)
        every(batch, training=False)

        def floor() -> None:
            path.read_bytes()
            for result in every(batch, training=False):
                np.asarray(result)

        yield by_turns(
            Row("extraction", self.name, "floor: bytes read, one pass", 1.5), self.extract, floor, self.times
        )
        alone = Row("swapped and run, not stored", self.name, "load_model, predict", 1 / 8)
        yield by_turns(alone, self.measure, lambda: notebook.outputs(path, self.images), self.times)
        stored = Row("extraction", self.name, "load_model, predict", 0)
        yield by_turns(stored, self.extract, lambda: notebook.outputs(path, self.images), self.times)

    def mosaics(self) -> Iterator[Row]:
        """All maps of all probes as pictures, against matplotlib, zlib and TensorBoard."""
        import matplotlib as mpl
        import tensorflow as tf

        mpl.use("Agg")
        stacks = [(n, maps) for n, maps in self.measurement.activations.items() if maps.ndim == 4]
        count = sum(maps.shape[0] * maps.shape[-1] for _, maps in stacks)
        strips = [strip for _, maps in stacks for one in maps for strip in _strips(one)]

        def ours() -> None:
            from reportgen.figures import Limits, mosaic

            for _, maps in stacks:
                for one in maps:
                    mosaic(one, Limits.of(one, "magnitude"), [str(i) for i in range(one.shape[-1])])

        def pyplot() -> None:
            drawn = 0
            for i in range(len(self.images)):
                for name, maps in stacks:
                    if drawn < DRAWN:
                        notebook.draw(maps[i], name, self.folder / "one.png")
                        drawn += maps.shape[-1]
            self.drawn = drawn

        def packed() -> None:
            for strip in strips:
                zlib.compress(strip, 6)

        def board() -> None:
            writer = tf.summary.create_file_writer(str(self.folder / "board"))
            with writer.as_default():
                for name, maps in self.measurement.activations.items():
                    tf.summary.histogram(name, maps, step=0)
                for name, maps in stacks:
                    scaled = (maps - maps.min()) / max(float(np.ptp(maps)), 1e-9)
                    for i, one in enumerate(scaled):
                        tiles = np.moveaxis(one, -1, 0)[..., None]
                        tf.summary.image(f"{name}/{i}", tiles, step=0, max_outputs=len(tiles))
            writer.close()

        ours(), pyplot()
        row = Row("feature maps drawn, a map", self.name, "notebook way", 1 / 50, unit=count, share=1 / self.drawn)
        yield by_turns(row, ours, pyplot, self.times)
        yield by_turns(Row("feature maps drawn", self.name, "floor: zlib", 1.5), ours, packed, self.times)
        yield by_turns(Row("maps drawn", self.name, "TensorBoard", 0), ours, board, self.times)

    def attribution(self) -> Iterator[Row]:
        """Grad-CAM and gradient of all probes in a batch, against tf-keras-vis."""
        import keras
        from tf_keras_vis.gradcam import Gradcam
        from tf_keras_vis.saliency import Saliency
        from tf_keras_vis.utils.model_modifiers import ReplaceToLinear

        from reportgen.diagnostics.attribution import grad_cam, saliency
        from reportgen.network import task
        from reportgen.network.plan import plan_for
        from reportgen.network.viewed import view_of

        checkpoint = self.run.checkpoints[0]
        (network,) = task._networks.values()
        plan = plan_for(self.probes, self.loaded.config)
        view = view_of(network, self.probes.given, plan.image, plan.shape, plan.layer)
        images, probes = self.probes.inputs.reshape(-1, *plan.shape), np.arange(len(self.probes.inputs))
        model = _functional(keras.saving.load_model(checkpoint.path, compile=False))
        weighting = np.ones((len(images), model.output_shape[-1]), np.float32)
        cam = Gradcam(model, model_modifier=ReplaceToLinear(), clone=True)
        slopes = Saliency(model, model_modifier=ReplaceToLinear(), clone=True)

        def score(output: Any) -> list[Any]:
            return [row[0] for row in output]

        def ours() -> None:
            found = view.slope(images, probes, weighting)
            saliency(found.image)
            if found.maps is not None and found.slopes is not None:
                grad_cam(found.maps, found.slopes)

        def theirs() -> None:
            cam(score, self.images, penultimate_layer=view.layer, expand_cam=False, normalize_cam=False)
            slopes(score, self.images, normalize_map=False)

        ours(), theirs()
        yield by_turns(Row("Grad-CAM and gradient", self.name, "tf-keras-vis", 1 / 3), ours, theirs, self.times)

    def weights(self) -> Iterator[Row]:
        """Norms, ranks, redundancy and power law of all kernels, against weightwatcher where it is installed."""
        from reportgen.extraction.read import Extraction
        from reportgen.sections.weighed import weigh

        python = Path(__file__).resolve().parents[2] / ".bench" / "bin" / "python"
        row = Row("weight metrics", self.name, "weightwatcher", 1 / 3)
        if not python.is_file():
            print(f"  {row.what}, {row.input}: no {python}: make bench makes it", file=sys.stderr)
            return
        extraction = Extraction(self.written)
        kernels = {}
        for name in extraction.weighted:
            for key, array in extraction.arrays(name).items():
                if key == "kernel" and array.ndim in (2, 4):
                    kernels[f"{len(kernels):04d}"] = array
        file = self.folder / "kernels.npz"
        np.savez(file, **kernels)  # type: ignore[arg-type]
        peer = subprocess.Popen([python, Path(__file__).with_name("weights_peer.py"), file], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True)  # fmt: skip
        asked: Callable[[], tuple[float, float, int]] = lambda: _ask(peer)  # noqa: E731
        asked()
        weigh(extraction, 4_000_000)
        for _ in range(self.times):
            row.ours.append(inner(lambda: weigh(extraction, 4_000_000)))
            cpu, wall, layers = asked()
            row.theirs.append(Cost(cpu, wall, 0))
        print(f"  {row.what}, {row.input}: {spread(row.ratios)}", file=sys.stderr)
        row.note = f"{layers} of {len(kernels)} kernels by weightwatcher, all by reportgen"
        peer.stdin.close()  # type: ignore[union-attr]
        peer.wait()
        yield row

    def paper(self) -> Iterator[Row]:
        """A page of the PDF."""
        from pypdf import PdfReader

        from reportgen.extraction import open_run
        from reportgen.report.pdf import write_pdf
        from reportgen.report.report import build_report
        from reportgen.sections import check_options

        made = sorted((self.loaded.base / self.loaded.config.archive).glob("*/2*/extraction"))[-1]
        run = open_run(made)
        report = build_report(run, check_options(run.config.sections), lambda *_: None)
        target = self.folder / "report.pdf"
        write_pdf(report, target, {}, None)
        row = Row("PDF, a page", self.name, "", 0.15, unit=len(PdfReader(target).pages))
        yield by_turns(row, lambda: write_pdf(report, target, {}, None), None, self.times)


def _functional(model: Any) -> Any:
    """Return a model as tf-keras-vis can take it apart: it knows no Sequential of today."""
    import keras

    if not isinstance(model, keras.Sequential):
        return model
    entry = result = keras.Input(model.input_shape[1:])
    for layer in model.layers:
        result = layer(result)
    return keras.Model(entry, result)


def _ask(peer: subprocess.Popen[str]) -> tuple[float, float, int]:
    assert peer.stdin is not None and peer.stdout is not None
    peer.stdin.write("\n")
    peer.stdin.flush()
    cpu, wall, layers = json.loads(peer.stdout.readline())
    return cpu, wall, layers


def _strips(maps: np.ndarray) -> Iterator[bytes]:
    """Return the final pixels of the mosaic of maps `(y, x, channel)`: what any PNG has to pack."""
    from reportgen.figures import Limits

    indices = Limits.of(maps, "magnitude").indices(maps)
    repeat = max(1, -(-24 // max(maps.shape[:2])))
    for start in range(0, maps.shape[-1], 16):
        row = indices[:, :, start : start + 16].repeat(repeat, axis=0).repeat(repeat, axis=1)
        yield np.pad(row.transpose(0, 2, 1).reshape(row.shape[0], -1), ((0, 0), (1, 0))).tobytes()


def main(name: str, config: str, images: str, times: str, *what: str) -> None:
    """Measure some loops on one run."""
    with TemporaryDirectory() as folder:
        loops = Loops(name, Path(config), Path(images), int(times), Path(folder))
        rows = [row for one in what for row in getattr(loops, one)()]
    print(json.dumps([row.plain() for row in rows]))


if __name__ == "__main__":
    main(*sys.argv[1:])
