"""Loading: a model's name or file becomes a predictor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_piclick.models.checkpoint import load_tiny
from napari_piclick.models.published_checkpoint import ARCHITECTURE, load_piclick
from napari_piclick.models.registry import (
    DEFAULT,
    FAST,
    MODELS,
    THOROUGH,
    find_weights,
    sha256,
    split_mode,
)
from napari_piclick.predict.compat import CompatPredictor
from napari_piclick.predict.device import choose_device
from napari_piclick.predict.framing import Framing
from napari_piclick.predict.full_pass import FullPass
from napari_piclick.predict.predictor import Predictor
from napari_piclick.predict.published import PublishedPredictor
from napari_piclick.weights.store import Stored, find

if TYPE_CHECKING:
    from pathlib import Path

    from napari_piclick.predict.interface import ClickPredictor


def load_predictor(
    name_or_path: str | Path = DEFAULT,
    device: str = "auto",
    *,
    compat: str | None = None,
    fast: bool = False,
    thorough: bool = False,
) -> ClickPredictor:
    """Load a model, ready to answer clicks.

    Parameters
    ----------
    name_or_path : str or Path
        "piclick-tiny", which comes with the package; a model that was added to the weights;
        or a file: one of PiClick's authors (.pth) or of ours (.safetensors).
        A published model's name may end in ":fast", any other one's in ":thorough".
    device : str
        "auto" takes a GPU if there is one; or "cpu", "cuda", "mps".
    compat : "published", optional
        Published models only: repeat what the program behind the published tables does,
        its slips included, in float32.
    fast : bool
        Published models only: 8-bit arithmetic and no mirror image, on the CPU.
    thorough : bool
        Embedded models only: look at the mirror image too, and after a first click at the object
        from nearer. Better proposals, for about three times the time.

    Raises
    ------
    FileNotFoundError
        If there is no such model.
    ValueError
        If the file is not one, or the device is not there, or the model has no such mode.
    ConnectionError
        If the model is to be downloaded and cannot be.
    """
    if compat not in (None, "published"):
        raise ValueError(f"compat can be 'published' or left out, not {compat!r}.")
    name, mode = split_mode(str(name_or_path))
    fast, thorough = fast or mode == FAST, thorough or mode == THOROUGH
    stored = None if name in MODELS else find(name)
    if stored is not None and stored.architecture == ARCHITECTURE:
        if compat and fast:
            raise ValueError("The fast mode does not repeat published results; leave out one.")
        if thorough:
            raise ValueError(
                f"{name} is the published network, which looks at the mirror image anyway and has "
                "no thorough mode."
            )
        return _published(stored, device, compat is not None, fast)
    if compat or fast:
        raise ValueError(
            f"{name} is not the published network, which alone has the modes "
            "compat='published' and fast."
        )
    path = stored.path if stored is not None else find_weights(name)
    return Predictor(
        load_tiny(path),
        name + (THOROUGH if thorough else ""),
        sha256(path),
        choose_device(device),
        framing=Framing(thorough=thorough),
    )


def _published(stored: Stored, device: str, exact: bool, fast: bool) -> ClickPredictor:
    place = choose_device("cpu" if fast and device == "auto" else device)
    model = load_piclick(stored.path)
    run = FullPass(model, stored.name, place, exact=exact, fast=fast)
    name = stored.name + (FAST if fast else "")
    predictor = CompatPredictor if exact else PublishedPredictor
    return predictor(run, name, stored.source_sha256 or sha256(stored.path))
