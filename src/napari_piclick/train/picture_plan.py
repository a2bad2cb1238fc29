"""The picture plan: all that says which pictures a run learns from, small enough to send around."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_piclick.train.initial import load_initial
from napari_piclick.train.mixture import Mixture
from napari_piclick.train.picture_store import PictureStore

if TYPE_CHECKING:
    from pathlib import Path

    from napari_piclick.models.piclick_tiny import TinyConfig


@dataclass(frozen=True)
class PicturePlan:
    """From which the same picture store opens in any process.

    Parameters
    ----------
    folder : Path
        Where the pictures are kept.
    data : Path, optional
        Folder of training sets; None for synthetic pictures only.
    init : str or tuple of str
        Name or file of the model that encodes the pictures, and that training begins with; of
        several, their mean.
    config : TinyConfig
        The network to make of starting weights; a trained model keeps its own, but for its
        TRM, which is grown if it is to read the evidence.
    size : int or tuple of int
        Side of the pictures in pixels; of several sizes, each in turn.
    synthetic, superpixels : bool
        Whether synthetic pictures, and superpixels as targets, take part.
    seed : int
    encoded : bool
        Whether features are kept, or pixels, as the encoder learns too.
    """

    folder: Path
    data: Path | None
    init: str | tuple[str, ...]
    config: TinyConfig
    size: int | tuple[int, ...] = 512
    synthetic: bool = True
    superpixels: bool = True
    seed: int = 0
    encoded: bool = True

    def open(self) -> PictureStore:
        """Open the store.

        Raises
        ------
        FileNotFoundError, ValueError
            If there is no such data or model.
        """
        sizes = (self.size,) if isinstance(self.size, int) else self.size
        mixture = Mixture.default(
            self.data, sizes[0], synthetic=self.synthetic, superpixels=self.superpixels
        )
        model = load_initial(self.init, self.config)
        return PictureStore(
            self.folder, mixture, model, self.seed, sizes=sizes, encoded=self.encoded
        )
