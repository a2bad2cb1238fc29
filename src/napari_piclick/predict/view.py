"""The view: the part of a plane that the network looks at, and at what size.

It owns both the image that goes in and the coordinates that go with it: clicks
and previous masks to the network's input, mask logits back to the plane.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from napari_piclick.models.piclick_tiny import STRIDE
from napari_piclick.region import Region

#: Mask logits have one value for this many pixels of the input, in each direction.
CELL = 4
#: Probabilities are kept this far from 0 and 1 where they become logits.
MARGIN = 1e-4


@dataclass(frozen=True)
class View:
    """A region of a plane, scaled to an input whose longer side is ``long_side`` pixels.

    Parameters
    ----------
    region : Region
        What is looked at, in pixels of the plane.
    long_side : int
        Longer side of the network's input; a multiple of 16.
    mirrored : bool
        Whether the network is shown the mirror image, left and right exchanged.
    """

    region: Region
    long_side: int
    mirrored: bool = False

    @property
    def mirror_image(self) -> View:
        """The same view with left and right exchanged."""
        return replace(self, mirrored=not self.mirrored)

    @property
    def scaled_shape(self) -> tuple[int, int]:
        """(h, w) of the scaled region: multiples of 4, so that it is whole in mask cells."""
        longest = max(self.region.shape)
        h, w = (
            max(1, round(n * self.long_side / longest / CELL)) * CELL for n in self.region.shape
        )
        return h, w

    @property
    def input_shape(self) -> tuple[int, int]:
        """(h, w) of the input: the scaled region, padded right and below to multiples of 16."""
        h, w = (-(-n // STRIDE) * STRIDE for n in self.scaled_shape)
        return h, w

    def cells(self, size: int = CELL) -> tuple[int, int]:
        """(h, w) of the scaled region in cells of so many pixels: mask logits without padding."""
        h, w = self.scaled_shape
        return h // size, w // size

    def image(self, pixels: Tensor, mean: Tensor) -> Tensor:
        """Scale and pad the pixels of the region.

        Parameters
        ----------
        pixels : (3, h, w) float32 in 0..255, the pixels of ``region``.
        mean : (3, 1, 1) float32, the padding, which the network's normalisation makes zero.

        Returns
        -------
        (1, 3, H, W) float32 of ``input_shape``.
        """
        h, w = self.scaled_shape
        shrinking = h < pixels.shape[1]
        scaled = F.interpolate(
            pixels[None], (h, w), mode="bilinear", align_corners=False, antialias=shrinking
        )
        padded = mean.expand(1, 3, *self.input_shape).clone()
        padded[..., :h, :w] = scaled
        return self.straight(padded, cell=1)

    def to_input(self, row: float, col: float) -> tuple[float, float]:
        """A position on the plane, in pixels of the input."""
        (h, w), (height, width) = self.scaled_shape, self.region.shape
        across = (col - self.region.col0 + 0.5) * w / width - 0.5
        return (
            (row - self.region.row0 + 0.5) * h / height - 0.5,
            w - 1 - across if self.mirrored else across,
        )

    def to_cell(self, row: float, col: float) -> tuple[int, int]:
        """The cell of the mask logits that a position on the plane is in."""
        places = zip(self.to_input(row, col), self.cells(), strict=True)
        row_cell, col_cell = (min(max(int((place + 0.5) // CELL), 0), n - 1) for place, n in places)
        return row_cell, col_cell

    def to_plane(self, row: float, col: float) -> tuple[float, float]:
        """A position on the input, in pixels of the plane."""
        (h, w), (height, width) = self.scaled_shape, self.region.shape
        col = w - 1 - col if self.mirrored else col
        return (
            (row + 0.5) * height / h - 0.5 + self.region.row0,
            (col + 0.5) * width / w - 0.5 + self.region.col0,
        )

    def previous_logits(self, probabilities: Tensor, region: Region) -> Tensor:
        """Bring a previous mask to the network.

        Parameters
        ----------
        probabilities : (h, w) float32 in [0, 1] on the pixels of ``region``; zero outside it.
        region : Region of the same plane.

        Returns
        -------
        (1, 1, H/4, W/4) float32 logits.
        """
        return torch.logit(self.previous(probabilities, region), MARGIN)[None]

    def previous(self, probabilities: Tensor, region: Region, cell: int = CELL) -> Tensor:
        """Probabilities of a previous mask, (1, H/cell, W/cell); see `previous_logits`."""
        cells = [n // cell for n in self.input_shape]
        axes = []
        for k, count in enumerate(cells):
            scale = self.region.shape[k] / self.scaled_shape[k]
            start = (self.region.row0, self.region.col0)[k]
            centre = (torch.arange(count) * cell + (cell - 1) / 2 + 0.5) * scale + start
            axes.append((centre - (region.row0, region.col0)[k]) / region.shape[k] * 2 - 1)
        found = _sample(probabilities[None], axes[0], axes[1]).clamp(0, 1)
        return self.straight(found, cell)

    def occupied(self, logits: Tensor, threshold: float) -> Region | None:
        """The pixels of the plane about all mask logits above a threshold; None if there are none.

        Parameters
        ----------
        logits : (Q, H/4, W/4).
        threshold : float, a logit.
        """
        h, w = self.cells()
        found = Region.of_mask((self.straight(logits)[:, :h, :w].amax(0) > threshold).cpu().numpy())
        if found is None:
            return None
        edges: list[int] = []
        limits = ((self.region.row0, self.region.row1), (self.region.col0, self.region.col1))
        bounds = ((found.row0, found.row1), (found.col0, found.col1))
        for k, (low, high) in enumerate(bounds):
            scale = self.region.shape[k] / self.scaled_shape[k] * CELL
            first = int((low - 1) * scale) + limits[k][0]
            last = -int(-(high + 1) * scale // 1) + limits[k][0]
            edges += [max(first, limits[k][0]), min(last, limits[k][1])]
        return Region(*edges)

    def masks(self, logits: Tensor, region: Region, cell: int = CELL) -> Tensor:
        """Bring mask logits to the plane.

        Parameters
        ----------
        logits : (Q, H/cell, W/cell).
        region : Region inside the view's own.

        Returns
        -------
        (Q, h, w) logits on the pixels of ``region``.
        """
        h, w = self.cells(cell)
        bounds = ((region.row0, region.row1), (region.col0, region.col1))
        axes = []
        for k, (low, high) in enumerate(bounds):
            start = (self.region.row0, self.region.col0)[k]
            centre = torch.arange(low, high, device=logits.device) - start + 0.5
            # Beyond the middle of the outermost cells their own value goes on. That is what
            # padding="border" does, but not on Apple's GPUs.
            middle = 1 - 1 / (h, w)[k]
            axes.append((centre / self.region.shape[k] * 2 - 1).clamp(-middle, middle))
        return _sample(self.straight(logits, cell)[:, :h, :w], axes[0], axes[1])

    def straight(self, maps: Tensor, cell: int = CELL) -> Tensor:
        """Exchange left and right of (..., H/cell, W/cell) maps if the view is mirrored.

        What the network said of a mirrored view then lies as if it had seen the view itself, and
        the other way round. Padding stays where it is.
        """
        if not self.mirrored:
            return maps
        _, w = self.cells(cell)
        return torch.cat([maps[..., :w].flip(-1), maps[..., w:]], -1)


def _sample(maps: Tensor, rows: Tensor, cols: Tensor) -> Tensor:
    """Bilinear values of (C, h, w) maps at rows x cols, which run from -1 to 1 over the maps.

    Outside the maps, all is zero.
    """
    rows = rows.to(maps.dtype)
    cols = cols.to(maps.dtype)
    grid = torch.stack([cols.expand(len(rows), -1), rows[:, None].expand(-1, len(cols))], -1)
    grid = grid.to(maps.device)[None]
    return F.grid_sample(maps[None], grid, "bilinear", "zeros", align_corners=False)[0]
