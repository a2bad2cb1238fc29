"""Specks: tiny pieces of a mask that nobody clicked, and tiny holes in it.

The network leaves a few pixels here and there; a mask has two pieces on average. Kept with an
object they would be in its volume and in its extent, and show in every slice that is followed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy import ndimage

from napari_piclick.predict.view import CELL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from napari_piclick.clicks import Click
    from napari_piclick.predict.view import View

#: A piece is a speck if it has less than this share of the largest one's cells; a hole, less than
#: this share of the mask's.
SPECK = 0.01
#: The logit of a filled hole at least, so that it counts as inside.
INSIDE = 1e-3


def without_specks(logits: Tensor, view: View, clicks: Sequence[Click]) -> Tensor:
    """Turn the logits of specks and of tiny holes to the other side.

    Parameters
    ----------
    logits : (Q, H/4, W/4) float32
        Of masks, which are where they are above 0; all of them lie in the view.
    view : View
    clicks : sequence of Click
        A piece with a positive click is no speck, and a hole with a negative one stays.

    Returns
    -------
    (Q, h/4, w/4) float32
        Without the padding: of the view's ``scaled_shape``.
    """
    h, w = (n // CELL for n in view.scaled_shape)
    values = logits[:, :h, :w].cpu().numpy()
    masks = values > 0
    held, left = ([view.to_cell(c.row, c.col) for c in clicks if c.positive == s] for s in (1, 0))
    specks = np.stack([_specks(mask, held) for mask in masks])
    holes = np.stack([_holes(mask, left) for mask in masks & ~specks])
    tidy = np.where(specks, -values, np.where(holes, np.maximum(-values, INSIDE), values))
    return torch.from_numpy(tidy).to(logits.device)


def _specks(mask: np.ndarray, kept: Sequence[tuple[int, int]]) -> np.ndarray:
    """(h, w) bool: pieces far smaller than the largest one, but for those with a kept cell."""
    pieces, count = ndimage.label(mask)
    if count < 2:
        return np.zeros_like(mask)
    sizes = np.bincount(pieces.ravel())
    small = sizes < SPECK * sizes[1:].max()
    small[[0, *(pieces[cell] for cell in kept)]] = False
    chosen: np.ndarray = small[pieces]
    return chosen


def _holes(mask: np.ndarray, kept: Sequence[tuple[int, int]]) -> np.ndarray:
    """(h, w) bool: holes far smaller than the mask, but for those with a kept cell."""
    outside = np.pad(~mask, 1, constant_values=True)
    pieces, count = ndimage.label(outside)
    around, pieces = pieces[0, 0], pieces[1:-1, 1:-1]
    if count < 2:
        return np.zeros_like(mask)
    small = np.bincount(pieces.ravel(), minlength=count + 1) < SPECK * np.count_nonzero(mask)
    small[[0, around, *(pieces[cell] for cell in kept)]] = False
    chosen: np.ndarray = small[pieces]
    return chosen
