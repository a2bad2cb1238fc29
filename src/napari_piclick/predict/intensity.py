"""Intensity: pictures of any type brought to the 0..255 RGB that the networks were trained on."""

from __future__ import annotations

import numpy as np

#: Percentiles of the finite values that become black and white when nobody says better.
PERCENTILES = (0.5, 99.5)
#: Percentiles are taken from about this many pixels.
SAMPLE = 1_000_000

Window = tuple[float, float]


def robust_window(image: np.ndarray) -> Window:
    """The values to show as black and white: robust percentiles of the finite values.

    Parameters
    ----------
    image : (H, W) or (H, W, C), any real dtype.

    Returns
    -------
    low, high : float
        ``low < high``, except for an image with a single value, where both are that value.
        An image without a finite value gives (0, 0).
    """
    step = max(1, int(np.sqrt(image.shape[0] * image.shape[1] / SAMPLE)))
    values = np.asarray(image[::step, ::step], dtype=np.float64)
    values = values[np.isfinite(values)]
    if not values.size:
        return 0.0, 0.0
    low, high = np.percentile(values, PERCENTILES)
    if low == high:  # a few bright spots on an even ground
        low, high = values.min(), values.max()
    return float(low), float(high)


def to_rgb(image: np.ndarray, window: Window) -> np.ndarray:
    """Bring pixels to RGB.

    Parameters
    ----------
    image : (H, W), (H, W, 3) or (H, W, 4)
        Any real dtype. An alpha channel is left out; NaN and -inf become black, +inf white.
    window : (low, high)
        Values shown as black and white. An empty window gives middle grey.

    Returns
    -------
    (H, W, 3) float32 in 0..255.
    """
    low, high = window
    pixels = np.asarray(image)
    if pixels.ndim == 3:
        pixels = pixels[..., :3]
    if high > low:
        # float64 holds every 32-bit integer and every difference of two of them
        wide: np.ndarray = pixels.astype(np.float32 if pixels.dtype.itemsize <= 2 else np.float64)
        # dividing by a subnormal width, or a value by a far smaller one, may overflow: then clip
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = np.subtract(wide, low) * (255.0 / max(high - low, 1e-300))
        scaled = np.clip(np.nan_to_num(scaled, nan=0.0), 0, 255).astype(np.float32)
    else:
        scaled = np.full(pixels.shape, 127.5, np.float32)
    if scaled.ndim == 2:
        scaled = np.broadcast_to(scaled[..., None], (*scaled.shape, 3))
    return scaled
