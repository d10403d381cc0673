"""Options of the probe set: which images, how they are prepared for the network and shown to people."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from reportgen.config.display import DisplayConfig
from reportgen.config.located import Pattern, Place
from reportgen.config.options import Options


class ColumnsConfig(Options):
    """Columns of the catalogue with a meaning of their own; all others are kept as free metadata."""

    id: str = "id"
    """Name of the probe; by default the file's stem, or the image's number (or EXTNAME) where a file holds
    several."""
    file: str = "file"
    """File name that joins a row to its image; `stack.h5[17]` where a file holds several images. Without this
    column rows and images are joined by id, else in order, and then there must be as many rows as images."""
    label: str = "label"
    """Class."""
    target: str = "target"
    """Value a regression should return."""
    group: str = "group"
    """Any grouping of your own."""
    object: str = "object"
    """What the image is of. Images with the same word show one object, and are no independent probes."""
    trained: str = "trained"
    """yes or no: whether this image, or another of the same object, was among the training data."""


class FitsConfig(Options):
    """How galaxies and bands lie in FITS files."""

    hdus: Literal["bands", "galaxies"] | tuple[int | str, ...] = "bands"
    """bands: each image HDU of a file is a band of one galaxy (an HDU with three axes holds the bands
    itself). galaxies: each image HDU is a galaxy. A list: these HDUs, by number from 0 or name, are the
    bands. The network sees rows in the order of the file; people see the last row at the top, as FITS means
    it."""


class ArrayConfig(Options):
    """How images lie in HDF5, .npy and .npz files."""

    images: str | None = None
    """Dataset of the images; by default `images`, else the only one with three or four axes."""
    labels: str | None = None
    """Dataset of the labels; by default `ans` or `labels` where there is one. Fractions are targets, not
    labels."""
    axes: Literal["auto", "yxc", "cyx"] = "auto"
    """Where the bands of an image are. auto: the last axis if it has at most 16 entries, else the first.
    Without bands an array with three axes is a stack of grey images, and one with two a single image."""
    rows: tuple[int, ...] = ()
    """These rows only, counted from 0."""


class StepConfig(Options):
    """One step of the preparation; exactly one key."""

    scale: float | None = None
    """Multiply by this."""
    offset: float | None = None
    """Add this."""
    clip: tuple[float, float] | None = None
    """Clip to (low, high)."""
    asinh: float | None = Field(default=None, gt=0)
    """arcsinh(x / this)."""
    standardise: Literal["image", "band"] | None = None
    """Subtract the mean and divide by the standard deviation, of each image or of each band of each image; a
    constant becomes 0."""
    min_max: Literal["image", "band"] | None = None
    """Map the range of each image, or of each band of each image, to [0, 1]; a constant becomes 0."""
    mean_std: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    """Subtract the first list, divide by the second: one number a channel."""
    keras: str | None = None
    """`preprocess_input` of the Keras application of this name: xception, resnet50, vgg16, …"""

    @model_validator(mode="after")
    def _one_key(self) -> StepConfig:
        given = [name for name, value in self if value is not None]
        if len(given) != 1:
            raise ValueError(f"a step is exactly one of {', '.join(type(self).model_fields)}; received {given or '{}'}")
        if self.clip and not self.clip[0] < self.clip[1]:
            raise ValueError(f"clip is (low, high) with low < high; received {list(self.clip)}")
        if self.mean_std and (len(self.mean_std[0]) != len(self.mean_std[1]) or 0 in self.mean_std[1]):
            raise ValueError("mean_std is two lists of the same length, without 0 in the second")
        return self


class PrepareConfig(Options):
    """From the file to exactly what the network was trained on. A wrong preparation is silent and decisive.

    Done in the order crop, grey, resize, bands, dtype, steps, flatten: that of Keras' load_img and what
    follows it.
    """

    crop: PositiveInt | tuple[PositiveInt, PositiveInt] | None = None
    """Cut the centre: pixels, or (height, width)."""
    resize: PositiveInt | tuple[PositiveInt, PositiveInt] | None = None
    """Resample to this size: pixels, or (height, width)."""
    method: Literal["nearest", "bilinear", "bicubic", "lanczos", "box", "hamming"] = "nearest"
    """Resampling filter, as Pillow defines it. Keras' load_img uses nearest unless told otherwise."""
    grey: bool = False
    """Turn red, green, blue into one grey band, with Pillow's weights (ITU-R 601-2), as
    load_img(color_mode='grayscale')."""
    bands: tuple[str | int, ...] | None = Field(default=None, min_length=1)
    """The bands the network sees, by name or number from 0, in its order; by default all. A band may come
    twice: [0, 0, 0] makes three of one, as load_img does of a grey file unless told otherwise."""
    flatten: bool = False
    """Give the network one long vector an image, rows first. The arithmetic is the same; only the shape
    differs."""
    dtype: Literal["float32", "float64", "float16", "uint8"] = "float32"
    """Type of the numbers before the steps; the steps turn uint8 into float32."""
    steps: tuple[StepConfig, ...] = ()
    """Arithmetic, in this order."""


def _as_lists(images: object) -> object:
    """Return patterns as lists where one stands alone."""
    if isinstance(images, dict):
        return {band: [v] if isinstance(v, str) else v for band, v in images.items()}
    return [images] if isinstance(images, str) else images


class InputConfig(Options):
    """What one input of a network with several gets.

    Exactly one of image, images, column and columns, or `prepare` alone: the same picture prepared otherwise.
    """

    image: Literal[True] | None = None
    """The prepared image; the one input that is not named gets it by itself."""
    images: tuple[Pattern, ...] | dict[str, tuple[Pattern, ...]] | None = None
    """Files, folders or patterns of another picture of each probe: as many as `probes.images` has, in the same
    order."""
    column: str | None = None
    """Column of the catalogue with the file name of another picture of each probe, relative to the catalogue or to
    this file."""
    columns: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Columns of the catalogue: a vector of their numbers, in this order."""
    mean_std: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    """Of `columns`: subtract the first list, divide by the second, as in training."""
    scale: float | None = None
    """Of `columns`: multiply by this, as in training."""
    prepare: PrepareConfig | None = None
    """Preparation of this picture; by default that of the first, `probes.prepare`."""

    @model_validator(mode="before")
    @classmethod
    def _accept_one_pattern(cls, value: Any) -> Any:
        return (
            {**value, "images": _as_lists(value["images"])} if isinstance(value, dict) and "images" in value else value
        )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        kinds = ("image", "images", "column", "columns")
        given = [name for name in kinds if getattr(self, name) is not None]
        if len(given) > 1 or not (given or self.prepare):
            raise ValueError(
                f"an input is exactly one of {', '.join(kinds)}, or prepare alone; received {given or '{}'}"
            )
        if self.prepare and given in (["image"], ["columns"]):
            raise ValueError(f"prepare does not go with {given[0]}")
        if self.columns is None and (self.mean_std or self.scale is not None):
            raise ValueError("mean_std and scale are for columns; pictures have prepare.steps")
        if self.mean_std and self.scale is not None:
            raise ValueError("mean_std or scale, not both")
        if self.mean_std and (
            {len(self.mean_std[0]), len(self.mean_std[1])} != {len(self.columns or ())} or 0 in self.mean_std[1]
        ):
            raise ValueError("mean_std is two lists with a number a column, without 0 in the second")
        return self


class ProbesConfig(Options):
    """Where the probe images are and what is done with them."""

    images: tuple[Pattern, ...] | dict[str, tuple[Pattern, ...]]
    """Files, folders or patterns, relative to this file or as URLs. For one file a band: {band: patterns}; files are
    matched in sorted order."""
    catalogue: Place | None = None
    """CSV with a row a probe: ids, labels, targets, groups and anything else."""
    columns: ColumnsConfig = ColumnsConfig()
    """Which columns of the catalogue mean what."""
    bands: tuple[str, ...] | None = None
    """Names of the bands in the order of the files; by default R, G, B, or band 1, band 2, …"""
    fits: FitsConfig = FitsConfig()
    """How galaxies and bands lie in FITS files."""
    arrays: ArrayConfig = ArrayConfig()
    """How images lie in HDF5, .npy and .npz files."""
    select: tuple[str, ...] = ()
    """Ids of the probes to use, in this order; by default all."""
    shown: PositiveInt | tuple[str, ...] = 16
    """How many probes, or which by id, are shown large: the feature maps of these alone are kept and drawn; numbers are
    of all probes. A number is spread over labels, targets and groups. Of large networks as many as have room."""
    pixel_scale: float | None = Field(default=None, gt=0)
    """[arcsec / pixel] of the images as read; for scale bars; without it none is drawn. FITS with a WCS says it
    itself."""
    prepare: PrepareConfig = PrepareConfig()
    """From the file to exactly what the network was trained on."""
    display: DisplayConfig = DisplayConfig()
    """What a person sees."""
    inputs: dict[str, InputConfig] = Field(default_factory=dict)
    """For a network with several inputs: what each gets, by the name of its input layer. The one that is not named
    gets the prepared image."""

    @model_validator(mode="before")
    @classmethod
    def _accept_one_pattern(cls, value: object) -> object:
        return (
            {**value, "images": _as_lists(value["images"])} if isinstance(value, dict) and "images" in value else value
        )

    @model_validator(mode="after")
    def _columns_have_a_catalogue(self) -> Self:
        for name, source in self.inputs.items():
            if self.catalogue is None and (source.column or source.columns):
                raise ValueError(f"inputs.{name} is taken from the catalogue; set probes.catalogue")
        return self
