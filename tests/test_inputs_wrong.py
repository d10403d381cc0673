"""Several inputs: what is missing or does not fit is told."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

import networks
from networks import stored
from reportgen.errors import NetworkError
from reportgen.network import open_network
from test_inputs import close, three_nested, two_images, values_for


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"": (16, 20, 1)}, ["has 3 inputs", "image (16 × 20 × 1), mass (1), small (8 × 10 × 1)",
                             "nothing of image, mass, small",
                             "image: {image: true}, mass: {columns: [column_1]}, small: {images: other/*.png}"]),
        ({"": (16, 20, 1), "mass": (1,), "smal": (8, 10, 1)}, ["nothing of image, small", "sources for smal, which"]),
        ({"": (16, 20, 1), "mass": (1,), "image": (16, 20, 1), "x": (8,)}, ["nothing of small", "sources for x"]),
        ({"image": (16, 20, 1), "mass": (1,)}, ["nothing of small", "add under", "small: {images: other/*.png}"]),
        ({"": (16, 20, 1), "mass": (2,), "small": (8, 10, 1)}, ["expected: 1", "for its input mass", "columns"]),
        ({"": (16, 20, 1), "mass": (1,), "small": (4, 4, 1)}, ["probes.inputs.small.prepare.resize: [8, 10]"]),
        ({"": (16, 21, 1), "mass": (1,), "small": (8, 10, 1)}, ["Set probes.prepare.resize: [16, 20]"]),
    ],
)  # fmt: skip
def test_what_is_missing_or_does_not_fit_is_told_with_what_to_write(
    given: dict[str, tuple[int, ...]], told: list[str], tmp_path: Path
) -> None:
    three_nested().save(tmp_path / "m.keras")
    with pytest.raises(NetworkError) as error:
        open_network(stored(tmp_path / "m.keras"), given)
    for words in told:
        assert words.lower() in str(error.value).lower()


def test_the_chosen_output_is_the_prediction_with_dictionaries_too(tmp_path: Path) -> None:
    image = keras.Input((16, 20, 1), name="image")
    x = layers.GlobalMaxPooling2D()(layers.Conv2D(3, 3, name="conv")(image))
    outputs = {"merger": layers.Dense(2, activation="softmax")(x), "stage": layers.Dense(3, activation="tanh")(x)}
    model = networks.fill(keras.Model({"image": image}, outputs))
    model.save(tmp_path / "m.keras")
    checkpoint, images = stored(tmp_path / "m.keras"), values_for(two_images())["init"]
    expected = model.predict({"image": images}, verbose=0)
    for prediction in (None, "merger", "stage"):
        measured = open_network(checkpoint, images.shape[1:], prediction=prediction).measure(checkpoint, images)
        close(measured.predictions, expected[prediction or "merger"])
        assert measured.output_activation == ("tanh" if prediction == "stage" else "softmax")
        assert measured.other_outputs == (("merger",) if prediction == "stage" else ("stage",))
    assert measured.scores is not None
    close(np.tanh(measured.scores), expected["stage"])
    with pytest.raises(NetworkError, match="no output called stge") as error:
        open_network(checkpoint, images.shape[1:], prediction="stge")
    assert error.value.expected == "merger, stage" and "stage" in error.value.advice
