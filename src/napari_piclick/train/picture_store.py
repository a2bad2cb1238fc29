"""Picture store: training pictures with their features, made once, kept on disk for a while.

Encoding a picture costs more than answering a prompt on it. While the encoder
is frozen, each picture is therefore encoded once and serves many prompts. What
picture ``i`` shows follows from the seed and ``i`` alone, so it can be made
again at any time, and a run that was killed goes on as if nothing had happened.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F

from napari_piclick.models.tiny_vit import EncoderFeatures
from napari_piclick.train.encoding import encode_picture, picture_pixels

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_piclick.models.piclick_tiny import PiClickTiny
    from napari_piclick.train.mixture import Mixture

#: Side of a mask cell in pixels: masks are learned at a quarter of the input's size.
CELL = 4


@dataclass(frozen=True)
class Picture:
    """An encoded picture and all that a click on it could mean.

    Parameters
    ----------
    features : EncoderFeatures or None
        Of one picture, without the batch axis, in half precision.
    pixels : (3, H, W) uint8 or None
        The picture itself instead, where the encoder learns too.
    packed : (M, H, W/8) uint8
        The masks, eight pixels to a byte.
    targets : (M, H/4, W/4) uint8
        The masks on the grid on which they are learned; 255 is a cell wholly inside.
    weights : (M,) float32
        How often each mask is the primary target.
    """

    features: EncoderFeatures | None
    pixels: Tensor | None
    packed: np.ndarray
    targets: Tensor
    weights: np.ndarray

    def mask(self, index: int) -> np.ndarray:
        """(H, W) bool: one mask in full."""
        return np.unpackbits(self.packed[index], axis=-1).astype(bool)

    def inside(self, row: int, col: int) -> np.ndarray:
        """(M,) bool: which masks hold a pixel."""
        return (self.packed[:, row, col // 8] >> (7 - col % 8) & 1).astype(bool)


class PictureStore:
    """Pictures by number, in a folder.

    Parameters
    ----------
    folder : Path
        Made if need be. It may be deleted at any time.
    mixture : Mixture
        Draws the training samples.
    model : PiClickTiny
        Its encoder makes the features; they are kept in half precision.
    seed : int
    sizes : sequence of int
        Sides of the pictures in pixels, in turn: picture ``i`` has size ``i`` modulo their
        number. The mixture's own by default.
    encoded : bool
        Whether features are kept, or the pixels, for an encoder that learns.
    """

    def __init__(
        self,
        folder: Path,
        mixture: Mixture,
        model: PiClickTiny,
        seed: int,
        *,
        sizes: Sequence[int] = (),
        encoded: bool = True,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.model, self.seed, self.encoded = folder, model, seed, encoded
        self.mixtures = [mixture.resized(size) for size in sizes] or [mixture]

    def path(self, index: int) -> Path:
        """The file of a picture."""
        return self.folder / f"{self.seed}-{index:07d}.safetensors"

    def make(self, index: int) -> None:
        """Draw, encode and write picture ``index``, unless it is there."""
        if self.path(index).exists():
            return
        mixture = self.mixtures[index % len(self.mixtures)]
        sample = mixture.draw(np.random.default_rng((self.seed, index)))
        contents: dict[str, Tensor] = {}
        if self.encoded:
            contents |= encode_picture(self.model, sample.image)._asdict()
        else:
            contents["pixels"] = picture_pixels(sample.image).round().to(torch.uint8)
        contents["packed"] = torch.from_numpy(np.packbits(sample.masks, axis=-1))
        cells = F.avg_pool2d(torch.from_numpy(sample.masks).float(), CELL)
        contents["targets"] = (cells * 255).round().to(torch.uint8)
        contents["weights"] = torch.from_numpy(sample.weights)
        partial = self.path(index).with_suffix(f".{os.getpid()}.part")
        save_file(contents, partial)
        partial.replace(self.path(index))

    def load(self, index: int) -> Picture:
        """Read picture ``index``, making it first if it is not there."""
        self.make(index)
        contents = load_file(self.path(index))
        features = None
        if self.encoded:
            features = EncoderFeatures(*(contents[name] for name in EncoderFeatures._fields))
        return Picture(
            features,
            contents.get("pixels"),
            contents["packed"].numpy(),
            contents["targets"],
            contents["weights"].numpy(),
        )

    def discard(self, index: int) -> None:
        """Delete the file of a picture that is no longer needed."""
        self.path(index).unlink(missing_ok=True)
