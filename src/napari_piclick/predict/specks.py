"""Specks: tiny pieces of a mask that nobody clicked.

The network leaves a few pixels here and there; a mask has two pieces on average. Kept with an
object they would be in its volume and in its extent, and show in every slice that is followed.
Tiny holes stay: to fill them changed which proposal goes on in the next slice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy import ndimage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from napari_piclick.clicks import Click
    from napari_piclick.predict.view import View

#: A piece is a speck if it has less than this share of the largest one's cells.
SPECK = 0.01


def without_specks(logits: Tensor, view: View, clicks: Sequence[Click]) -> Tensor:
    """Turn the logits of specks to the other side.

    Parameters
    ----------
    logits : (Q, H/4, W/4) float32
        Of masks, which are where they are above 0; all of them lie in the view.
    view : View
    clicks : sequence of Click
        A piece with a positive click is no speck.

    Returns
    -------
    (Q, h/4, w/4) float32
        Without the padding: of the view's ``scaled_shape``.
    """
    h, w = view.cells()
    values = logits[:, :h, :w].cpu().numpy()
    meant = [view.to_cell(click.row, click.col) for click in clicks if click.positive]
    specks = np.stack([_specks(mask, meant) for mask in values > 0])
    return torch.from_numpy(np.where(specks, -values, values)).to(logits.device)


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
