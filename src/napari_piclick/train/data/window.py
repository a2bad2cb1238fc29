"""Windows: from the numbers of a file to grey levels 0..255."""

from __future__ import annotations

import numpy as np

HOUNSFIELD_WINDOWS = {
    "soft tissue": (40, 400),
    "abdomen": (60, 300),
    "brain": (40, 120),
    "lung": (-600, 1500),
    "bone": (400, 1800),
    "everything": (300, 2600),
}
"""Usual CT windows as (centre, width) in Hounsfield units."""


def robust_limits(values: np.ndarray) -> tuple[float, float]:
    """The 0.5 and 99.5 percentiles of the finite values; (0, 1) if there are none.

    Registered and masked volumes often hold NaN where there is nothing.
    """
    if values.dtype.kind == "f":
        finite = np.isfinite(values)
        values = values if finite.all() else values[finite]
    if not values.size:
        return 0.0, 1.0
    low, high = np.percentile(values, [0.5, 99.5])
    return float(low), float(high)


def to_grey_levels(image: np.ndarray, limits: tuple[float, float] | None = None) -> np.ndarray:
    """Map a picture to uint8.

    Parameters
    ----------
    image : (H, W), (H, W, 1), (H, W, 3) or (H, W, 4; alpha is dropped) of any real type.
    limits : (low, high) values that become 0 and 255; default: uint8 stays as it is,
        anything else is stretched between its `robust_limits`.

    Returns
    -------
    (H, W) or (H, W, 3) uint8; a colour picture whose channels are all alike becomes grey. NaN and
    -inf become black, +inf white.
    """
    if image.ndim == 3:
        image = image[..., :3] if image.shape[2] >= 3 else image[..., 0]
    if limits is None:
        limits = (0.0, 255.0) if image.dtype == np.uint8 else robust_limits(image)
    if image.dtype != np.uint8 or limits != (0, 255):
        span = max(limits[1] - limits[0], 1e-6)
        scaled = (image.astype(np.float32) - limits[0]) * np.float32(255 / span)
        image = np.clip(np.rint(np.nan_to_num(scaled, nan=0.0)), 0, 255).astype(np.uint8)
    if image.ndim == 3 and (image == image[..., :1]).all():
        image = image[..., 0]
    return np.ascontiguousarray(image)


def usual_limits(volume_limits: tuple[float, float]) -> tuple[float, float]:
    """The limits that show most: all of the range, or soft tissue in a CT volume."""
    if _looks_like_hounsfield(volume_limits):
        centre, width = HOUNSFIELD_WINDOWS["soft tissue"]
        return centre - width / 2, centre + width / 2
    return volume_limits


def draw_limits(
    plane: np.ndarray, volume_limits: tuple[float, float], rng: np.random.Generator
) -> tuple[float, float]:
    """Draw display limits for a plane of a volume, as a viewer might have set them.

    Parameters
    ----------
    plane : (H, W) values.
    volume_limits : robust range of the whole volume; where it begins far below zero the
        values are taken for Hounsfield units, and usual CT windows are drawn as well.
    """
    if _looks_like_hounsfield(volume_limits) and rng.random() < 0.8:
        windows = list(HOUNSFIELD_WINDOWS.values())
        usual_centre, usual_width = windows[rng.integers(len(windows))]
        centre = usual_centre + 0.1 * usual_width * float(rng.normal())
        width = usual_width * float(np.exp(rng.normal(0, 0.2)))
        return centre - width / 2, centre + width / 2
    if rng.random() < 0.5:
        low, high = robust_limits(plane)
        if high > low:
            return low, high
    return volume_limits


def _looks_like_hounsfield(volume_limits: tuple[float, float]) -> bool:
    return volume_limits[0] < -500
