"""The view: which part of a scene a training sample shows, at which scale and angle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class View:
    """An affine map from the pixels of a sample to the pixels of a scene.

    Owns the geometry in both directions: images, label maps and points all go through it.

    Parameters
    ----------
    matrix : (2, 2) float64 and ``offset`` (2,) float64:
        ``scene (row, col) = matrix @ sample (row, col) + offset``.
    shape : (height, width) of the sample.
    """

    matrix: np.ndarray
    offset: np.ndarray
    shape: tuple[int, int]

    @classmethod
    def looking_at(
        cls,
        center: tuple[float, float],
        side: float,
        shape: tuple[int, int],
        *,
        angle: float = 0.0,
        flip: tuple[bool, bool] = (False, False),
        stretch: float = 1.0,
        spacing: tuple[float, float] = (1.0, 1.0),
    ) -> View:
        """A view of a square of ``side`` about ``center``.

        Parameters
        ----------
        center : (row, col) in pixels of the scene.
        side : extent along the longer side of the sample, in units of the finer spacing.
        shape : (height, width) of the sample.
        angle : counter-clockwise turn of the frame in degrees.
        flip : mirror along (rows, columns).
        stretch : how much longer columns are than rows; areas are kept.
        spacing : (row, column) size of a pixel of the scene.
        """
        scale = side / max(shape)
        turn = np.deg2rad(angle)
        cos, sin = np.cos(turn), np.sin(turn)
        if angle % 90 == 0:  # exact, so that right angles move pixels and blur nothing
            cos, sin = np.rint(cos), np.rint(sin)
        rotation = np.array([[cos, -sin], [sin, cos]])
        mirror = np.diag([-1.0 if flipped else 1.0 for flipped in flip])
        widen = np.diag([stretch**-0.5, stretch**0.5])
        units = np.diag(min(spacing) / np.asarray(spacing, np.float64))
        matrix = scale * units @ widen @ rotation @ mirror
        middle = (np.asarray(shape, np.float64) - 1) / 2
        return cls(matrix, np.asarray(center, np.float64) - matrix @ middle, shape)

    @property
    def step(self) -> np.ndarray:
        """(2,) Scene pixels per sample pixel, along the rows and the columns of the scene."""
        return np.sqrt((self.matrix**2).sum(axis=1))

    def to_scene(self, points: np.ndarray) -> np.ndarray:
        """Points (N, 2) of the sample, as (row, col), in pixels of the scene."""
        return points @ self.matrix.T + self.offset

    def to_sample(self, points: np.ndarray) -> np.ndarray:
        """Points (N, 2) of the scene, as (row, col), in pixels of the sample."""
        return np.linalg.solve(self.matrix, (points - self.offset).T).T

    def resample_image(self, image: np.ndarray, fill: float = 0.0) -> np.ndarray:
        """Resample an (H, W) or (H, W, 3) image linearly to float32.

        Where the view shrinks the picture it is blurred first, so that nothing aliases.
        Outside the scene the result is ``fill``.
        """
        if image.ndim == 3:
            channels = [self.resample_image(image[..., c], fill) for c in range(image.shape[2])]
            return np.stack(channels, axis=2)
        part, offset = self._needed_part(image)
        if not part.size:
            return np.full(self.shape, fill, np.float32)
        part = part.astype(np.float32)
        sigma = np.maximum(self.step - 1, 0) / 2
        if sigma.any():
            part = ndimage.gaussian_filter(part, sigma, mode="nearest", truncate=2.5)
        aligned = self.matrix[0, 1] == 0 == self.matrix[1, 0]
        # scipy takes a much faster path for a diagonal matrix given as a vector
        matrix = np.diag(self.matrix) if aligned else self.matrix
        sampled = ndimage.affine_transform(
            part, matrix, offset, self.shape, order=1, mode="nearest"
        )
        outside = self.outside((image.shape[0], image.shape[1]))
        if outside is not None:
            sampled[outside] = fill
        return np.asarray(sampled)

    def resample_labels(self, labels: np.ndarray) -> np.ndarray:
        """Resample an (H, W) label map or mask by nearest neighbour; 0 outside the scene."""
        return self.resample_layers([labels])[0]

    def resample_layers(self, layers: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        """Resample several (H, W) label maps of one scene by nearest neighbour."""
        if not layers:
            return ()
        index, outside = self._nearest((layers[0].shape[0], layers[0].shape[1]))
        sampled = []
        for labels in layers:
            picked = labels.ravel().take(index)
            if outside is not None:
                picked[outside] = 0
            sampled.append(picked)
        return tuple(sampled)

    def outside(self, scene: tuple[int, int]) -> np.ndarray | None:
        """Which pixels of the sample lie beyond a scene of (height, width).

        Returns
        -------
        (height, width) bool, or None if the whole sample shows the scene.
        """
        return self._nearest(scene)[1]

    def _nearest(self, scene: tuple[int, int]) -> tuple[np.ndarray, np.ndarray | None]:
        """For each pixel of the sample: the flat index of its scene pixel, and what has none.

        A pixel counts as on the scene up to the outer edges of the scene's outermost pixels.
        """
        rows = np.arange(self.shape[0], dtype=np.float32)[:, None]
        cols = np.arange(self.shape[1], dtype=np.float32)[None]
        matrix, offset = self.matrix.astype(np.float32), self.offset.astype(np.float32)
        nearest, outside = [], []
        for axis, limit in enumerate(scene):
            terms = (matrix[axis, 0] * rows, matrix[axis, 1] * cols + offset[axis])
            # a right angle leaves one of the two terms constant, so one row or column will do
            if not matrix[axis, 0]:
                where = terms[1]
            elif not matrix[axis, 1]:
                where = terms[0] + offset[axis]
            else:
                where = terms[0] + terms[1]
            pixel = np.floor(where + np.float32(0.5)).astype(np.int32)
            outside.append((pixel < 0) | (pixel >= limit))
            nearest.append(np.clip(pixel, 0, limit - 1))
        index = np.broadcast_to(nearest[0] * np.int32(scene[1]) + nearest[1], self.shape)
        beyond = outside[0] | outside[1]
        return index, np.broadcast_to(beyond, self.shape) if beyond.any() else None

    def _needed_part(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The part of the scene that the view (and its blur) touches, and the offset into it."""
        height, width = self.shape
        corners = np.array([[0, 0], [0, width - 1], [height - 1, 0], [height - 1, width - 1]])
        reached = self.to_scene(corners.astype(np.float64))
        margin = np.ceil(2 * self.step) + 2
        low = np.maximum(np.floor(reached.min(axis=0) - margin), 0).astype(int)
        high = np.minimum(np.ceil(reached.max(axis=0) + margin) + 1, image.shape[:2]).astype(int)
        high = np.maximum(high, low)
        return image[low[0] : high[0], low[1] : high[1]], self.offset - low
