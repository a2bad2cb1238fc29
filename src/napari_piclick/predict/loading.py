"""Loading: a model's name or file becomes a predictor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_piclick.models.checkpoint import load_tiny
from napari_piclick.models.registry import DEFAULT, find_weights, sha256
from napari_piclick.predict.device import choose_device
from napari_piclick.predict.predictor import Predictor

if TYPE_CHECKING:
    from pathlib import Path

    from napari_piclick.predict.interface import ClickPredictor


def load_predictor(name_or_path: str | Path = DEFAULT, device: str = "auto") -> ClickPredictor:
    """Load a model, ready to answer clicks.

    Parameters
    ----------
    name_or_path : str or Path
        "piclick-tiny", which comes with the package, or a file of weights.
    device : str
        "auto" takes a GPU if there is one; or "cpu", "cuda", "mps".

    Raises
    ------
    FileNotFoundError
        If there is no such model.
    ValueError
        If the file is not one, or the device is not there.
    """
    path = find_weights(name_or_path)
    return Predictor(load_tiny(path), str(name_or_path), sha256(path), choose_device(device))
