"""Files that hold code, or name a function of the machine's: none of it is run or even looked up."""

from __future__ import annotations

import base64
import copy
import json
import marshal
from collections.abc import Callable
from typing import Any

import checkpoint_files as files
from attacks.architectures import Layer, layer
from attacks.attack import Attack, Place, weights_only


def marshalled(place: Place) -> str:
    """Return a function that makes the marker and hands on its argument, as Keras stores functions."""
    code = eval(f"lambda x: (open({str(place.marker)!r}, 'w').close(), x)[1]").__code__  # noqa: S307
    return base64.b64encode(marshal.dumps(code)).decode()


def new_lambda(place: Place, **more: Any) -> Layer:
    """Return a Lambda as Keras 3 and the later Keras 2 write it."""
    function = {"class_name": "__lambda__", "config": {"code": marshalled(place), "defaults": None, "closure": None}}
    return {**layer("Lambda", "run_me", function=function, arguments={}), **more}


def old_lambda(place: Place) -> Layer:
    """Return a Lambda as the earlier Keras 2 wrote it, with default arguments."""
    return layer(
        "Lambda", "run_me", function=[marshalled(place), [1], None], function_type="lambda", module="builtins",
        output_shape=None, output_shape_type="raw", arguments={},
    )  # fmt: skip


Make = Callable[[Place], Layer]


def holding(make: Make, writer: Any = files.write_keras, at: int = -1) -> Callable[[Place], None]:
    """Return what writes a healthy model with one more layer in it."""

    def write(place: Place) -> None:
        config = copy.deepcopy(files.MODEL)
        config["config"]["layers"].insert(at, make(place))
        writer(place.path, config=config)

    return write


def wrapped(make: Make, kind: str, **options: Any) -> Make:
    """Return the layer inside another one."""
    return lambda place: layer(kind, "wrapper", layer=make(place), **options)


def in_model(make: Make) -> Make:
    """Return the layer as the only one of a nested model."""
    return lambda place: {"class_name": "Sequential", "config": {"name": "inner", "layers": [make(place)]}}


def named(module: str, class_name: str, /, **config: Any) -> Make:
    """Return an object of any module, as Keras 3 names what it is to import."""
    return lambda place: {
        "module": module, "class_name": class_name, "registered_name": class_name,
        "config": {
            "name": "gadget", "trainable": True, **{k: v(place) if callable(v) else v for k, v in config.items()}
        },
    }  # fmt: skip


def called(module: str, function: str) -> Layer:
    """Return a function of any module as an option."""
    return {"module": module, "class_name": "function", "config": function, "registered_name": function}


def touch(place: Place) -> str:
    return f"touch {place.marker}"


def foreign(place: Place) -> str:
    return str(place.foreign)


def activation(value: Any) -> Callable[[Place], None]:
    """Return what writes a model whose first layer has that for its activation."""

    def write(place: Place) -> None:
        config = copy.deepcopy(files.MODEL)
        config["config"]["layers"][1]["config"]["activation"] = value(place) if callable(value) else value
        files.write_keras(place.path, config=config)

    return write


def elsewhere(place: Place) -> None:
    """Write a model that names functions where a report needs none: initialisers, losses, metrics, callbacks."""
    config = copy.deepcopy(files.MODEL)
    first = config["config"]["layers"][1]["config"]
    gadget = {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}
    first |= dict.fromkeys(("kernel_initializer", "kernel_regularizer", "bias_constraint"), gadget)
    files.write_keras(place.path, 131, config)
    import zipfile

    with zipfile.ZipFile(place.path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    told = json.loads(members["config.json"])
    told["compile_config"] = {"optimizer": gadget, "loss": gadget, "metrics": [gadget], "jit_compile": touch(place)}
    told["build_config"] = gadget
    files.write_zip(place.path, {**members, "config.json": json.dumps(told).encode()})


LAMBDA, GADGET = "run_me.*Lambda", "gadget"

ATTACKS: tuple[Attack, ...] = (
    weights_only("lambda.keras", LAMBDA, holding(new_lambda)),
    weights_only("lambda.h5", LAMBDA, holding(new_lambda, files.write_hdf5)),
    weights_only("lambda-old.keras", LAMBDA, holding(old_lambda)),
    weights_only("lambda-old.h5", LAMBDA, holding(old_lambda, files.write_hdf5)),
    weights_only("lambda-with-module.keras", LAMBDA, holding(lambda p: new_lambda(p, module="keras.layers"))),
    weights_only("lambda-in-model.keras", LAMBDA, holding(in_model(new_lambda))),
    weights_only("lambda-in-time-distributed.keras", "Lambda", holding(wrapped(new_lambda, "TimeDistributed"), at=1)),
    weights_only("lambda-in-time-distributed.h5", "Lambda",
                 holding(wrapped(old_lambda, "TimeDistributed"), files.write_hdf5, at=1)),
    weights_only("lambda-in-both.keras", "Lambda", holding(in_model(wrapped(new_lambda, "TimeDistributed")), at=1)),
    weights_only("lambda-in-bidirectional.keras", "Lambda", holding(wrapped(new_lambda, "Bidirectional"), at=1)),
    weights_only("lambda-as-cell.keras", "Lambda|RNN", holding(
        lambda p: layer("RNN", "wrapper", cell=new_lambda(p)), at=1)),
    weights_only("lambda-as-activation.keras", "activation|Lambda", activation(new_lambda)),
    weights_only("lambda-function-as-activation.keras", "__lambda__", activation(
        lambda p: new_lambda(p)["config"]["function"])),
    weights_only("lambda-tfsm.keras", LAMBDA, holding(lambda p: layer(
        "Lambda", "run_me", function=called("keras.layers", "TFSMLayer"), arguments={"filepath": foreign(p)}))),
    weights_only("class-of-the-user.keras", "SEBlock", holding(lambda p: layer("SEBlock", "gadget", ratio=8))),
    weights_only("class-of-the-user.h5", "SEBlock", holding(lambda p: layer("SEBlock", "gadget"), files.write_hdf5)),
    weights_only("module-os.keras", "gadget.*system", holding(named("os", "system", command=touch))),
    weights_only("module-builtins.keras", "gadget.*exec", holding(named("builtins", "exec", source=touch))),
    weights_only("module-get-file.keras", "gadget", holding(
        named("keras.utils", "get_file", fname="x", origin=lambda p: f"file://{p.foreign}"))),
    weights_only("module-unsafe.keras", "gadget", holding(named("keras.config", "enable_unsafe_deserialization"))),
    weights_only("module-subprocess.keras", "activation", activation(called("subprocess", "check_output"))),
    weights_only("activation-os.keras", "activation", activation(called("os", "system"))),
    weights_only("activation-pretends.keras", "activation", activation(called("keras.activations", "../../os.system"))),
    weights_only("activation-expression.keras", "activation", activation("__import__('os').system('true')")),
    weights_only("vocabulary-a-file.keras", "StringLookup", holding(
        named("keras.layers", "StringLookup", vocabulary=foreign))),
    weights_only("vocabulary-index.keras", "IntegerLookup", holding(
        named("keras.layers", "IntegerLookup", vocabulary=foreign))),
    weights_only("vectorisation.keras", "TextVectorization", holding(
        named("keras.layers", "TextVectorization", vocabulary=foreign))),
    weights_only("saved-model-layer.keras", "TFSMLayer", holding(named("keras.layers", "TFSMLayer", filepath=foreign))),
    weights_only("torch-module.keras", "TorchModuleWrapper", holding(
        named("keras.utils", "TorchModuleWrapper", module=lambda p: "gASVAAAA"))),
    weights_only("jax-layer.keras", "JaxLayer", holding(named("keras.layers", "JaxLayer", call_fn=marshalled))),
    weights_only("operation-os.keras", "system", holding(lambda p: {
        "module": "keras.ops.numpy", "class_name": "system", "config": {"name": "gadget", "command": touch(p)}})),
    weights_only("operation-read-file.keras", "read_file", holding(lambda p: {
        "class_name": "TFOpLambda", "config": {"name": "gadget", "function": "io.read_file", "filename": foreign(p)}})),
    weights_only("operation-write-file.h5", "write_file", holding(lambda p: {
        "class_name": "TFOpLambda", "config": {"name": "gadget", "function": "io.write_file"}}, files.write_hdf5)),
    weights_only("operation-graph.h5", "TensorFlowOpLayer", holding(lambda p: layer(
        "TensorFlowOpLayer", "gadget", node_def={"op": "WriteFile"}, constants={}), files.write_hdf5)),
    Attack("code-where-none-is-needed.keras", elsewhere, ("reported",)),
)  # fmt: skip
