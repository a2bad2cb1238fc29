"""Thumbnails: a small picture of each proposal, cropped around the object."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage
from skimage.transform import resize

from napari_piclick.region import Region

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_piclick.clicks import Click
    from napari_piclick.proposals import Proposals
    from napari_piclick.session.source import Source

#: Side of a thumbnail in pixels: twice what is shown, for screens with small pixels.
SIZE = 144
#: Colour of the proposal, as RGB.
TINT = (0, 190, 255)
#: How much of the colour is laid over the object.
OPACITY = 0.4
#: The crop is so many times as wide as the best proposal, at most.
WIDEST = 3.0
#: Room left around the object, as a share of its size.
MARGIN = 0.2


def draw_thumbnails(
    source: Source, proposals: Proposals, clicks: Sequence[Click], size: int = SIZE
) -> np.ndarray:
    """Draw each proposal over the same part of its plane, so that they can be compared.

    Pixels that are not square, and axes that run backwards, look as they do in the canvas.

    Parameters
    ----------
    source : Source
        The plane the proposals lie on.
    proposals : Proposals
    clicks : sequence of Click
        They are in the picture even where no proposal is.
    size : int
        Side of each picture in pixels.

    Returns
    -------
    (Q, size, size, 4) uint8
        RGBA; transparent where the plane ends.
    """
    crop = crop_around(proposals, clicks, source.plane.spacing)
    height, width = _fit(crop, source.plane.spacing, size)
    # Bilinear is enough: what was read is at most twice as large.
    picture = resize(_read(source, crop), (height, width), order=1, anti_aliasing=False)
    top, left = (size - height) // 2, (size - width) // 2
    flips = tuple(axis for axis in (0, 1) if source.plane.flipped[axis])
    thumbnails = np.zeros((len(proposals), size, size, 4), np.uint8)
    for index, thumbnail in enumerate(thumbnails):
        mask = _sample(proposals, index, crop, (height, width))
        inside = thumbnail[top : top + height, left : left + width]
        inside[..., :3] = np.flip(_tint(picture, mask), flips)
        inside[..., 3] = 255
    return thumbnails


def crop_around(
    proposals: Proposals, clicks: Sequence[Click], spacing: tuple[float, float] = (1.0, 1.0)
) -> Region:
    """The part of the plane to show: all proposals, but not much more than the best one.

    A square in world units where the plane is large enough, in pixels that are ``spacing``
    (height, width) large.
    """
    pixels = [click.pixel for click in clicks]
    best = _extent(proposals, proposals.mask(0)) or proposals.region
    best = best.including(pixels)
    widest = WIDEST * max(n * s for n, s in zip(best.shape, spacing, strict=True))
    anything = np.any(proposals.masks > proposals.threshold, axis=0, keepdims=True)[0]
    everything = _extent(proposals, anything) or best
    everything = everything.union(best)
    side = max(n * s for n, s in zip(everything.shape, spacing, strict=True))
    center = everything.center
    if side > widest:
        side, center = widest, best.center
    side = max(side * (1 + 2 * MARGIN), 16 * min(spacing))
    wanted = (max(round(side / spacing[0]), 1), max(round(side / spacing[1]), 1))
    return Region.around(center, wanted, proposals.plane_shape)


def _extent(proposals: Proposals, mask: np.ndarray) -> Region | None:
    """The bounding box, on the plane, of a mask on the region of the proposals."""
    box = Region.of_mask(mask)
    if box is None:
        return None
    return box.moved(proposals.region.row0, proposals.region.col0)


def _fit(crop: Region, spacing: tuple[float, float], size: int) -> tuple[int, int]:
    """(height, width) of a crop's picture that keeps the shape of things and fits in a square."""
    height, width = crop.shape[0] * spacing[0], crop.shape[1] * spacing[1]
    scale = size / max(height, width)
    return max(round(height * scale), 1), max(round(width * scale), 1)


def _read(source: Source, crop: Region) -> np.ndarray:
    """(h, w, 3) float32 in 0..255: the crop through the window, thinned out if it is large."""
    from napari_piclick.predict.intensity import robust_window, to_rgb

    step = max(1, max(crop.shape) // (2 * SIZE))
    rows, cols = crop.slices
    values = source.pixels[slice(rows.start, rows.stop, step), slice(cols.start, cols.stop, step)]
    return to_rgb(values, source.window or robust_window(values))


def _sample(proposals: Proposals, index: int, crop: Region, shape: tuple[int, int]) -> np.ndarray:
    """(h, w) bool: a proposal on the grid of a crop's picture, nearest pixels."""
    mask, region = proposals.mask(index), proposals.region
    starts = (crop.row0 - region.row0, crop.col0 - region.col0)
    axes = [
        start + ((np.arange(n) + 0.5) * extent / n).astype(int)
        for start, n, extent in zip(starts, shape, crop.shape, strict=True)
    ]
    inside = [(axis >= 0) & (axis < n) for axis, n in zip(axes, mask.shape, strict=True)]
    clipped = [np.clip(axis, 0, n - 1) for axis, n in zip(axes, mask.shape, strict=True)]
    sampled: np.ndarray = mask[np.ix_(*clipped)] & np.logical_and.outer(*inside)
    return sampled


def _tint(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The picture with the object tinted and its outline drawn."""
    tinted = picture.copy()
    color = np.asarray(TINT, np.float32)
    tinted[mask] = (1 - OPACITY) * tinted[mask] + OPACITY * color
    outline = mask & ~ndimage.binary_erosion(mask, iterations=2, border_value=1)
    tinted[outline] = color
    return np.clip(tinted, 0, 255).astype(np.uint8)
