"""Click simulation: where a user would click, before and after seeing a proposal (Algorithm 1)."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt

from napari_piclick.clicks import Click
from napari_piclick.region import Region

#: Distances of larger errors are taken on every n-th pixel, so that a click costs little.
DETAILED = 96


def _depth(mask: np.ndarray) -> tuple[np.ndarray, Region, int] | None:
    """Distance to a mask's edge, on its bounding box, at every ``step``-th pixel."""
    box = Region.of_mask(mask)
    if box is None:
        return None
    step = -(-max(box.shape) // DETAILED)
    inside = np.pad(mask[box.slices][::step, ::step], 1)
    if not inside.any():  # thinner than the step
        step = 1
        inside = np.pad(mask[box.slices], 1)
    return distance_transform_edt(inside)[1:-1, 1:-1] * step, box, step


def _draw(
    depth: np.ndarray, box: Region, step: int, spread: float, rng: np.random.Generator
) -> tuple[int, int]:
    rows, cols = np.nonzero((depth > 0) & (depth >= spread * depth.max()))
    index = rng.integers(len(rows))
    return box.row0 + int(rows[index]) * step, box.col0 + int(cols[index]) * step


def initial_click(target: np.ndarray, rng: np.random.Generator, spread: float = 0.3) -> Click:
    """A positive click in a (H, W) bool target, away from its edge.

    Raises
    ------
    ValueError
        If the target is empty.
    """
    found = _depth(target)
    if found is None:
        raise ValueError("A click needs a target with at least one pixel.")
    return Click(*_draw(*found, spread, rng), positive=True)


def negative_click(target: np.ndarray, rng: np.random.Generator) -> Click | None:
    """A negative click near a (H, W) bool target but not in it; None if there is no room."""
    box = Region.of_mask(target)
    if box is None:
        return None
    size = (box.shape[0] * 3 // 2 + 8, box.shape[1] * 3 // 2 + 8)
    around = Region.around(box.center, size, (target.shape[0], target.shape[1]))
    rows, cols = np.nonzero(~target[around.slices])
    if not rows.size:
        return None
    index = rng.integers(len(rows))
    return Click(around.row0 + int(rows[index]), around.col0 + int(cols[index]), positive=False)


def next_click(
    target: np.ndarray, predicted: np.ndarray, rng: np.random.Generator, spread: float = 0.5
) -> Click | None:
    """A click where a prediction errs most, somewhere in the middle of the error.

    Parameters
    ----------
    target, predicted : (H, W) bool.
    spread : float
        Pixels whose depth in the error is at least this fraction of the deepest are drawn from.

    Returns
    -------
    Click or None
        Positive in what was missed, negative in what was taken wrongly (a tie is negative);
        None if there is no error.
    """
    missed, extra = _depth(target & ~predicted), _depth(predicted & ~target)
    if missed is None and extra is None:
        return None
    positive = extra is None or (missed is not None and missed[0].max() > extra[0].max())
    found = missed if positive else extra
    assert found is not None
    return Click(*_draw(*found, spread, rng), positive=positive)
