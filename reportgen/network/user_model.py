"""The user's own code, named in the configuration: the only foreign code that ever runs."""

from __future__ import annotations

import importlib.util
import json
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from reportgen.checkpoints.outline import is_model
from reportgen.errors import NetworkError
from reportgen.network.engine import KerasLayer, start_tensorflow


def user_model(spec: str, base: Path) -> KerasLayer:
    """Return the model that a function of the user's makes; `spec` is `path/to/file.py:function`, relative to `base`.

    Raises NetworkError with file, line and exception where that code is not there, fails, or returns no model.
    """
    written, _, name = spec.rpartition(":")
    path = (base / written).resolve()
    if not path.is_file():
        raise NetworkError(
            f"there is no file {written}", where="run.model", expected="path/to/file.py:function",
            received=spec, advice="The path is relative to the configuration file.",
        )  # fmt: skip
    start_tensorflow()
    import keras

    with _importable(path):
        module = _imported(path)
        make = getattr(module, name, None)
        if not callable(make):
            there = sorted(
                n for n, v in vars(module).items() if callable(v) and getattr(v, "__module__", "") == module.__name__
            )
            raise NetworkError(
                f"{path.name} has no function {name}", where="run.model", expected=f"def {name}(): … return model",
                received=", ".join(there) or "no function at all", advice="Correct run.model, or write that function.",
            )  # fmt: skip
        try:
            model = make()
        except (Exception, SystemExit) as error:
            raise _failed(error, path, f"{name}() of {path.name} fails") from error
    if not isinstance(model, keras.Model):
        raise NetworkError(
            f"{name}() of {path.name} returns no model of Keras 3", where="run.model", expected="a keras.Model",
            received=f"{type(model).__module__}.{type(model).__name__}", advice="Return the model itself from it.",
        )  # fmt: skip
    return model


def described(model: KerasLayer) -> dict[str, Any] | None:
    """Return a model's architecture as files hold it, {class_name, config}; None where only code can describe it."""
    try:
        config = json.loads(model.to_json())
    except (NotImplementedError, TypeError, ValueError, AttributeError):
        return None
    return config if is_model(config) else None


@contextmanager
def _importable(path: Path) -> Iterator[None]:
    """Let a file import its neighbours, and leave nothing beside it."""
    paths, bytecode = list(sys.path), sys.dont_write_bytecode
    sys.path.insert(0, str(path.parent))
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.path[:] = paths
        sys.dont_write_bytecode = bytecode


def _imported(path: Path) -> Any:
    """Return the file as a module under a name that no other module has."""
    name = f"reportgen_user_{sha256(str(path).encode()).hexdigest()[:12]}"
    found = importlib.util.spec_from_file_location(name, path)
    if found is None or found.loader is None:
        raise NetworkError(f"{path.name} is no Python file", where="run.model", expected="path/to/file.py:function")
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module  # dataclasses and pickles look their module up
    try:
        found.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise _failed(error, path, f"{path.name} cannot be imported") from error
    return module


def _failed(error: BaseException, path: Path, problem: str) -> NetworkError:
    """Return the error that shows the user the line of their own that failed."""
    if isinstance(error, SyntaxError):
        where = f"{Path(error.filename or path).name}:{error.lineno}"
    else:
        frames = [
            frame for frame in traceback.extract_tb(error.__traceback__)
            if path.parent in Path(frame.filename).parents and "site-packages" not in frame.filename
        ]  # fmt: skip
        where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else path.name
    advice = "Correct your code; `python -c` with the same import and call shows the whole traceback."
    if isinstance(error, ModuleNotFoundError):
        advice = f"Install {error.name} where reportgen is installed, or put it beside {path.name}."
    elif isinstance(error, TypeError) and "required positional argument" in str(error):
        advice = "The function is called without arguments: give them defaults, or wrap it in one that has none."
    return NetworkError(problem, where=where, received=f"{type(error).__name__}: {error}", advice=advice)
