"""The picture plan: all that says which pictures a run learns from, small enough to send around."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch

from napari_piclick.models.checkpoint import weights_digest
from napari_piclick.models.registry import find_weights
from napari_piclick.train.initial import load_initial
from napari_piclick.train.mixture import Mixture
from napari_piclick.train.picture_store import PictureStore
from napari_piclick.train.presets import LEFT_OUT

if TYPE_CHECKING:
    from pathlib import Path

    from napari_piclick.models.piclick_tiny import TinyConfig


@dataclass(frozen=True)
class PicturePlan:
    """From which the same picture store opens in any process.

    Parameters
    ----------
    folder : Path
        Where the pictures are kept, those of each plan in a folder of their own.
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
    device : str
        Encodes the pictures, in every process: a GPU and a processor round differently, and who
        makes a picture must not matter.
    leave_out : tuple of str
        Sources that take no part; see `Mixture.default`.
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
    device: str = "cpu"
    leave_out: tuple[str, ...] = LEFT_OUT

    def origin(self) -> dict[str, Any]:
        """What a run on these pictures begins with and learns from, as plain values.

        Weights are told by their SHA-256, since one name may mean other weights later.

        Raises
        ------
        FileNotFoundError, ValueError
            If there is no such model, or the file does not hold one.
        """
        return {**self._shown(), "init": self._weights, "network": self.config.as_dict()}

    def open(self) -> PictureStore:
        """Open the store.

        Raises
        ------
        FileNotFoundError, ValueError
            If there is no such data or model.
        """
        mixture = Mixture.default(
            self.data,
            self._sizes[0],
            synthetic=self.synthetic,
            superpixels=self.superpixels,
            leave_out=self.leave_out,
        )
        model = load_initial(self.init, self.config).to(self.device)
        return PictureStore(
            self.folder / self._key(),
            mixture,
            model,
            self.seed,
            sizes=self._sizes,
            encoded=self.encoded,
        )

    @property
    def _sizes(self) -> tuple[int, ...]:
        return (self.size,) if isinstance(self.size, int) else self.size

    @cached_property
    def _weights(self) -> list[str]:
        names = (self.init,) if isinstance(self.init, str) else self.init
        return [weights_digest(find_weights(name)) for name in names]

    def _shown(self) -> dict[str, Any]:
        return {
            "data": None if self.data is None else str(self.data.resolve()),
            "size": list(self._sizes),
            "synthetic": self.synthetic,
            "superpixels": self.superpixels,
            "leave_out": sorted(self.leave_out),
        }

    def _key(self) -> str:
        """Names the pictures by all that is in them, so that no others are taken for them.

        That is what they show, and the weights and the kind of device that encoded them. The rest
        of the network has no part in it.
        """
        by = [*self._weights, torch.device(self.device).type] if self.encoded else None
        parts = {**self._shown(), "encoded_by": by}
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]
