"""From the images to the input of the network: what fits, what is guessed, what only the user knows."""

from __future__ import annotations

from math import isqrt, prod

from reportgen.starter.draft import Draft
from reportgen.starter.images import Images
from reportgen.starter.network import Network

METHODS = (
    ("method: nearest", "Keras' load_img, ImageDataGenerator; tf.image.resize(method='nearest')"),
    ("method: bilinear", "image_dataset_from_directory, tf.image.resize, a Resizing layer"),
    ("method: bicubic", "Pillow's Image.resize"),
)


def draft_preparation(draft: Draft, images: Images, network: Network | None) -> None:
    """Write the group `prepare`."""
    shape = network.shape if network else None
    size = _size_wanted(draft, shape, images)
    if size is not None:
        _draft_size(draft, size, images)
    channels = _channels_wanted(shape)
    if channels is not None:
        _draft_bands(draft, channels, images.shapes[0][2], images.bands)
    if shape is not None and len(shape) == 1:
        draft.guess("probes.prepare.flatten", True, f"the network takes {shape[0]} numbers an image")
    _draft_steps(draft, images, network)


Size = tuple[int, int]


def _size_wanted(draft: Draft, shape: tuple[int | None, ...] | None, images: Images) -> list[Size] | None:
    """Return the sizes (height, width) the network may take; None where any will do or nothing is known."""
    if shape is None:
        draft.note(
            "probes.prepare.resize",
            "The checkpoints do not say what the network takes.",
        )
        return None
    if len(shape) == 1 and shape[0]:
        return _factors(shape[0], images)
    if len(shape) == 3:
        sides = shape[1:] if _channels_first(shape) else shape[:2]
        if sides[0] and sides[1]:
            return [(sides[0], sides[1])]
        if len({image[:2] for image in images.shapes}) == 1:
            return None
        return [images.shapes[0][:2]]
    return None


def _factors(numbers: int, images: Images) -> list[Size]:
    """Return the heights and widths a flattened image may have had: as it is, in its proportions, square."""
    height, width, bands = images.shapes[0]
    found: list[Size] = []
    for channels in dict.fromkeys((1, bands)):
        pixels, rest = divmod(numbers, channels)
        if rest:
            continue
        if height * width == pixels:
            return [(height, width)]
        scaled = round((pixels * height / width) ** 0.5)
        for high in (scaled, isqrt(pixels)):
            if high and pixels % high == 0 and (high, pixels // high) not in found:
                found.append((high, pixels // high))
    return found


def _draft_size(draft: Draft, sizes: list[Size], images: Images) -> None:
    if all(shape[:2] == sizes[0] for shape in images.shapes) and len(sizes) == 1:
        return
    own = " and ".join(f"{height} × {width}" for height, width, _ in images.shapes[:2])
    wanted = " or ".join(f"{height} × {width}" for height, width in sizes) or "another number of pixels"
    options = [
        (f"{name}: [{height}, {width}]", comment)
        for height, width in sizes
        for name, comment in (
            ("resize", "the whole image, squeezed"),
            ("crop", "its centre; then delete `method`"),
        )
    ]
    question = f"the images are {own} pixels, the network takes {wanted}: how did training do that?"
    draft.choose("probes.prepare.resize", question, options or [("resize: [height, width]", "as in training")])
    draft.choose("probes.prepare.method", "which resampling filter was used?", METHODS)


def _channels_first(shape: tuple[int | None, ...]) -> bool:
    """Tell (2, 75, 75) from (75, 75, 2)."""
    first, _, last = shape
    return first is not None and first <= 4 and (last is None or last > 4)


def _channels_wanted(shape: tuple[int | None, ...] | None) -> int | None:
    if shape is None or len(shape) != 3:
        return None
    return shape[0] if _channels_first(shape) else shape[2]


def _draft_bands(draft: Draft, channels: int, bands: int, names: tuple[str, ...] | None) -> None:
    if channels == bands:
        if bands > 1:
            order = list(names or range(bands))
            draft.guess("probes.prepare.bands", order, "the order of the files; was it that of training?")
        return
    question = f"the images have {bands} band{'s' if bands > 1 else ''}, the network takes {channels}"
    if channels == 1 and bands == 3:
        options = [
            ("grey: true", "as load_img(color_mode='grayscale')"),
            *((f"bands: [{name}]", "this band only") for name in names or range(bands)),
        ]
    elif bands == 1:
        options = [(f"bands: {[0] * channels}", "the one band again and again, as load_img makes of a grey file")]
    else:
        options = [(f"bands: {list(range(channels))}", "which, and in which order, counted from 0")]
    draft.choose("probes.prepare.bands", question, options)


def _draft_steps(draft: Draft, images: Images, network: Network | None) -> None:
    if network and network.scaled_by:
        why = f"the network begins with {network.scaled_by}, which scales by itself"
        draft.guess("probes.prepare.steps", [], why)
        return
    numbers = f"{images.dtype} from {images.low:.4g} to {images.high:.4g}"
    options = [("steps: []", "the numbers of the files as they are")]
    if images.dtype == "uint8":
        options += [
            ("steps: [{scale: 0.00392156862745098}]", "x / 255: [0, 1], as Rescaling(1/255) does"),
            ("steps: [{keras: xception}]", "x / 127.5 - 1: [-1, 1], as its preprocess_input does"),
            ("steps: [{scale: 0.00784313725490196}, {offset: -1}]", "the same, written out"),
        ]
    elif prod(images.shapes[0]) > 0:
        options += [
            ("steps: [{asinh: 0.1}]", "arcsinh(x / 0.1)"),
            ("steps: [{clip: [0, 1]}]", "cut off below 0 and above 1"),
            (
                "steps: [{mean_std: [[0.1], [0.2]]}]",
                "minus the mean of each band, divided by its standard deviation",
            ),
        ]
    options += [
        ("steps: [{min_max: image}]", "each image to [0, 1]"),
        ("steps: [{standardise: image}]", "each image to mean 0 and standard deviation 1"),
    ]
    question = f"what did training do with the numbers ({numbers}) before the network saw them?"
    draft.choose("probes.prepare.steps", question, options)
