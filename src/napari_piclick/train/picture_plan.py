"""The picture plan: all that says which pictures a run learns from, small enough to send around."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_piclick.models.checkpoint import (
    from_starting_weights,
    load_tiny,
    read_weights,
    with_evidence,
)
from napari_piclick.models.registry import find_weights
from napari_piclick.train.mixture import Mixture
from napari_piclick.train.picture_store import PictureStore

if TYPE_CHECKING:
    from pathlib import Path

    from napari_piclick.models.piclick_tiny import PiClickTiny, TinyConfig


@dataclass(frozen=True)
class PicturePlan:
    """From which the same picture store opens in any process.

    Parameters
    ----------
    folder : Path
        Where the pictures are kept.
    data : Path, optional
        Folder of training sets; None for synthetic pictures only.
    init : str
        Name or file of the model that encodes the pictures, and that training begins with.
    config : TinyConfig
        The network to make of starting weights; a trained model keeps its own, but for its
        TRM, which is grown if it is to read the evidence.
    size : int
        Side of the pictures in pixels.
    synthetic, superpixels : bool
        Whether synthetic pictures, and superpixels as targets, take part.
    seed : int
    """

    folder: Path
    data: Path | None
    init: str
    config: TinyConfig
    size: int = 512
    synthetic: bool = True
    superpixels: bool = True
    seed: int = 0

    def open(self) -> PictureStore:
        """Open the store.

        Raises
        ------
        FileNotFoundError, ValueError
            If there is no such data or model.
        """
        mixture = Mixture.default(
            self.data, self.size, synthetic=self.synthetic, superpixels=self.superpixels
        )
        return PictureStore(self.folder, mixture, load_initial(self.init, self.config), self.seed)


def load_initial(name: str, config: TinyConfig) -> PiClickTiny:
    """The model to begin with: one of ours, or starting weights with four mask tokens.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such model, or the file does not hold one.
    """
    path = find_weights(name)
    _, metadata = read_weights(path)
    if "architecture" in metadata:
        model = load_tiny(path)
        return with_evidence(model) if config.evidence else model
    return from_starting_weights(path, config)
