"""The image of one plane: read by region, never whole unless it is small."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_piclick.predict.intensity import Window, robust_window, to_rgb

if TYPE_CHECKING:
    from collections.abc import Hashable

    from napari_piclick.region import Region

#: Up to this many bytes the contents of an image are its identity.
HASHED_BYTES = 64 * 2**20


class PlaneImage:
    """One plane of an image and the window through which it is seen.

    Parameters
    ----------
    image : array-like
        (H, W) grey or (H, W, 3 or 4) colour, of any real dtype. Lazy arrays (dask, zarr,
        memory maps) are read one region at a time.
    contrast_limits : (low, high), optional
        Values seen as black and white. Otherwise robust percentiles: of the whole plane if it
        is an array in memory, of the first region read if it is lazy.
    rgb : bool, optional
        Whether the last axis holds colours; guessed from the shape if not said.
    key : hashable, optional
        Identity of the plane. Without it, the contents of a small array are its identity,
        and any other image counts as new.

    Raises
    ------
    ValueError
        If the image is not one plane of real numbers.
    """

    def __init__(
        self,
        image: Any,
        contrast_limits: Window | None = None,
        rgb: bool | None = None,
        key: Hashable = None,
    ) -> None:
        if not hasattr(image, "shape") or not hasattr(image, "dtype"):
            image = np.asarray(image)
        shape = tuple(image.shape)
        if rgb is None:
            rgb = len(shape) == 3 and shape[-1] in (3, 4)
        if len(shape) != (3 if rgb else 2) or (rgb and shape[-1] not in (3, 4)):
            raise ValueError(
                f"One plane is needed, (H, W) or (H, W, 3 or 4), but the image has shape {shape}."
            )
        if 0 in shape:
            raise ValueError(f"The image holds no pixel: its shape is {shape}.")
        if np.dtype(image.dtype).kind not in "buif":
            raise ValueError(
                f"Images of type {image.dtype} cannot be segmented; convert it to real numbers."
            )
        if contrast_limits is not None and not contrast_limits[0] < contrast_limits[1]:
            contrast_limits = None
        self._image = image
        self._window = contrast_limits
        self.shape: tuple[int, int] = shape[:2]
        self.key: Hashable = (key if key is not None else self._identity(), contrast_limits)

    def _identity(self) -> Hashable:
        image = self._image
        if isinstance(image, np.ndarray) and image.nbytes <= HASHED_BYTES:
            digest = hashlib.sha256(np.ascontiguousarray(image).data).hexdigest()
            return (image.shape, image.dtype.str, digest)
        return object()

    def pixels(self, region: Region, *, keep_window: bool = True) -> np.ndarray:
        """(3, h, w) float32 in 0..255 of a region.

        Without ``keep_window``, the window that a first read finds is that of this read only.
        """
        values = np.asarray(self._image[region.slices])
        window = self._window
        if window is None:
            in_memory = type(self._image) is np.ndarray
            sample = self._image if in_memory else values
            window = robust_window(sample[..., :3] if sample.ndim == 3 else sample)
            if keep_window or in_memory:
                self._window = window
        return np.ascontiguousarray(to_rgb(values, window).transpose(2, 0, 1))
