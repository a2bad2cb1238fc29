"""The authors' files of weights (.pth), read without running what they pickle.

A .pth file is a pickle, and a pickle may run any program. PyTorch's weights-only reader
builds tensors and plain Python values alone; to these we add the dictionary type that the
authors' larger models keep their configuration in.
"""

from __future__ import annotations

import pickletools
import re
import warnings
from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor

from napari_piclick.models.piclick import PiClick
from napari_piclick.models.piclick_config import PiClickConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

Config = TypeVar("Config")


def stand_in(name: str) -> type:
    """A class that takes another's place when a checkpoint is read, by its dotted name.

    What would have been one of its objects becomes a plain ordered dictionary: the reader fills
    dictionaries of exactly this type, and nothing of the other class is run.
    """
    module, _, short = name.rpartition(".")

    def make(_: type, *__: object) -> Any:
        return OrderedDict()

    return type(short, (), {"__module__": module, "__qualname__": short, "__new__": make})


_EasyDict = stand_in("easydict.EasyDict")


def read_authors_checkpoint(path: Path) -> tuple[dict[str, Tensor], PiClickConfig]:
    """Read and check an authors' checkpoint.

    Returns
    -------
    state : dict
        Every tensor of the network, under the authors' names, as float32 in host memory.
    config : PiClickConfig
        The network it is for.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it holds anything but tensors and plain values, is damaged, or is not a PiClick;
        nothing of it has been run.
    """
    return read_checkpoint(path, "PiClick", PiClickConfig.from_authors, check_tensors, [_EasyDict])


def read_checkpoint(
    path: Path,
    project: str,
    read_config: Callable[[Any], Config],
    check: Callable[[dict[str, Any], Config], None],
    allowed: Sequence[type],
) -> tuple[dict[str, Tensor], Config]:
    """Read and check a checkpoint of tensors (``state_dict``) and a configuration (``config``).

    Parameters
    ----------
    path : Path
    project : str
        Whose checkpoint it is, for messages.
    read_config, check : callable
        Read the configuration and check the tensors; they raise ValueError with the rest of a
        sentence.
    allowed : sequence of type
        What it may hold beside tensors and plain values.

    Raises
    ------
    FileNotFoundError, ValueError
        See `read_authors_checkpoint`.
    """
    if not path.is_file():
        raise FileNotFoundError(f"There is no file of weights at {path}.")
    content = _unpickle(path, allowed)
    if not isinstance(content, dict) or not {"state_dict", "config"} <= content.keys():
        raise ValueError(
            f"{path} is not a {project} checkpoint: it has no entries 'state_dict' and 'config'."
        )
    try:
        config = read_config(content["config"])
    except ValueError as error:
        raise ValueError(f"{path} cannot be used: {error}.") from error
    state = content["state_dict"]
    if not isinstance(state, dict):
        raise ValueError(f"{path} is not a {project} checkpoint: 'state_dict' holds no tensors.")
    try:
        check(state, config)
    except ValueError as error:
        raise ValueError(f"{path} cannot be used: {error}.") from error
    return {name: value.float().contiguous() for name, value in state.items()}, config


def check_tensors(state: dict[str, Any], config: PiClickConfig) -> None:
    """Check that a state has every tensor of the network, in its shape, and no other.

    Raises
    ------
    ValueError
        If not; the message names the first tensor that is wrong, as the rest of a sentence.
    """
    with torch.device("meta"):
        expected = PiClick(config).state_dict()
    compare_tensors(state, expected)


def compare_tensors(state: dict[str, Any], expected: Mapping[str, Tensor]) -> None:
    """Check that a state has these tensors, in their shapes, and no other; see `check_tensors`."""
    for name, wanted in expected.items():
        value = state.get(name)
        if value is None:
            raise ValueError(f"the tensor {name} is missing")
        if not isinstance(value, Tensor) or not value.is_floating_point():
            raise ValueError(f"{name} is not a tensor of floating-point numbers")
        if value.shape != wanted.shape:
            raise ValueError(
                f"the tensor {name} has shape {tuple(value.shape)} instead of {tuple(wanted.shape)}"
            )
    strange = [str(name) for name in state if name not in expected]
    if strange:
        raise ValueError(f"it has a tensor {strange[0]} that this network does not have")


def _unpickle(path: Path, allowed: Sequence[type]) -> Any:
    try:
        with torch.serialization.safe_globals(list(allowed)), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    # A damaged file can fail in any way; whatever it was, the file cannot be read.
    except Exception as error:
        found = re.search(r"GLOBAL ([\w.]+)|(?:function|class) '?([\w.]+)", str(error))
        foreign = (found[1] or found[2]) if found else _last_name(path)
        if foreign:
            raise ValueError(
                f"{path} was refused: besides tensors it holds {foreign}, which could run a "
                "program. Nothing of it was run; get the weights from a source you trust."
            ) from error
        raise ValueError(
            f"{path} is not a readable checkpoint; it may be cut short or of another kind. "
            "Download it again."
        ) from error


def _last_name(path: Path) -> str:
    """What a bare pickle of a newer protocol would import last; "" if it is not a pickle."""
    strings: list[str] = []
    name = ""
    with path.open("rb") as file, suppress(Exception):
        for operation, argument, _ in pickletools.genops(file):
            if isinstance(argument, str):
                strings.append(argument)
            if operation.name == "STACK_GLOBAL":
                name = ".".join(strings[-2:])
    return name


def build(state: dict[str, Tensor], config: PiClickConfig) -> PiClick:
    """The network with these tensors, without a second copy of them, ready to predict."""
    with torch.device("meta"):
        model = PiClick(config)
    model.load_state_dict(state, strict=True, assign=True)
    return model.requires_grad_(False).eval()
