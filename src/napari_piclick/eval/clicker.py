"""The simulated annotator: where somebody who knows the object would click next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import distance_transform_edt

from napari_piclick.clicks import Click
from napari_piclick.region import Region

if TYPE_CHECKING:
    from collections.abc import Sequence


def next_click(
    truth: np.ndarray,
    prediction: np.ndarray,
    clicks: Sequence[Click] = (),
    ignore: np.ndarray | None = None,
) -> Click:
    """Click into the middle of the largest error, as the published evaluations do.

    The error is either a part of the object that is missing or a part of the prediction that is
    too much, whichever reaches deeper (farther from its own edge); a tie gives a negative click.
    Among equally deep pixels the first one wins, row by row. Pixels that were clicked before are
    not clicked again. Where nothing at all is wrong, the click is negative and at (0, 0); this
    happens only in runs that go on past a perfect mask.

    Parameters
    ----------
    truth : (H, W) bool, the object.
    prediction : (H, W) bool, the mask so far.
    clicks : the clicks given before.
    ignore : (H, W) bool, pixels that count neither way (outlines of doubtful course), or None.

    Returns
    -------
    Click
        Whole pixel coordinates.

    Notes
    -----
    The clicker of RITM (Sofiiuk et al., 2021), used unchanged by SimpleClick and PiClick. Depths
    are compared in float32, as OpenCV computes them there, so that ties fall the same way.
    """
    missing = truth & ~prediction
    surplus = prediction & ~truth
    if ignore is not None:
        missing &= ~ignore
        surplus &= ~ignore
    missing_depth, missing_pixel = _deepest(missing, clicks)
    surplus_depth, surplus_pixel = _deepest(surplus, clicks)
    positive = missing_depth > surplus_depth
    row, col = missing_pixel if positive else surplus_pixel
    return Click(row, col, positive)


def _deepest(error: np.ndarray, clicks: Sequence[Click]) -> tuple[float, tuple[int, int]]:
    """Depth and pixel of the point of ``error`` that lies farthest from its edge."""
    box = Region.of_mask(error)
    if box is None:
        return 0.0, (0, 0)
    # Outside its bounding box there is no error, so one ring of zeros around the box stands for
    # the rest of the plane (and for its border): the distances are exactly the same, much sooner.
    padded = np.pad(error[box.slices], 1)
    depth = distance_transform_edt(padded)[1:-1, 1:-1].astype(np.float32)
    for click in clicks:
        row, col = click.pixel
        if box.contains(row, col):
            depth[row - box.row0, col - box.col0] = 0
    row, col = divmod(int(depth.argmax()), depth.shape[1])
    deepest = float(depth[row, col])
    if deepest == 0:  # every wrong pixel was clicked before
        return 0.0, (0, 0)
    return deepest, (row + box.row0, col + box.col0)
