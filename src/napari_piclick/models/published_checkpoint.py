"""Weights of the published network as safetensors: data only, quick to open."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from safetensors.torch import save_file

from napari_piclick.models.authors_checkpoint import (
    build,
    check_tensors,
    read_authors_checkpoint,
)
from napari_piclick.models.checkpoint import read_weights
from napari_piclick.models.piclick_config import PiClickConfig

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

    from napari_piclick.models.piclick import PiClick

ARCHITECTURE = "piclick"


def convert(source: Path, target: Path, notes: Mapping[str, str]) -> None:
    """Turn an authors' checkpoint into a safetensors file, written to a temporary name first.

    Parameters
    ----------
    source, target : Path
    notes : mapping of str
        Further metadata, such as the SHA-256 of the source.

    Raises
    ------
    FileNotFoundError, ValueError
        If the source is refused; see `read_authors_checkpoint`. Nothing is written then.
    """
    state, config = read_authors_checkpoint(source)
    _write(state, config, target, notes)


def save_piclick(model: PiClick, target: Path, notes: Mapping[str, str]) -> None:
    """Write a network as `load_piclick` reads it; parameters as for `convert`."""
    state = {name: value.detach().float().cpu() for name, value in model.state_dict().items()}
    _write(state, model.config, target, notes)


def _write(
    state: Mapping[str, Tensor], config: PiClickConfig, target: Path, notes: Mapping[str, str]
) -> None:
    metadata = {"architecture": ARCHITECTURE, "config": json.dumps(config.as_dict()), **notes}
    partial = target.with_name(target.name + ".part")
    try:
        save_file({name: value.clone() for name, value in state.items()}, partial, metadata)
        partial.chmod(0o644)  # weights may be shared
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def load_piclick(path: Path) -> PiClick:
    """Build the published network from a file that `convert` wrote, ready to predict.

    Raises
    ------
    FileNotFoundError, ValueError
        If the file is missing, or does not hold weights of this network.
    """
    state, metadata = read_weights(path)
    if metadata.get("architecture") != ARCHITECTURE:
        raise ValueError(f"{path} does not hold weights of the published PiClick.")
    try:
        config = PiClickConfig.from_dict(json.loads(metadata["config"]))
        check_tensors(state, config)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} cannot be used: {error}; add its source again.") from error
    return build(state, config)
