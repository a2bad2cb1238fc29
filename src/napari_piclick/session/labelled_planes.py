"""Labelled planes: the slices of an image on which objects are labelled, to learn from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari_piclick.plane import Plane

#: Of more labelled planes, so many are taken, evenly spread.
MOST = 60


@dataclass(frozen=True, eq=False)
class LabelledPlanes:
    """The planes of an image parallel to one plane, with their labels; read when asked for.

    Parameters
    ----------
    name : str
        Of the image.
    volume : array-like
        With a channel axis if ``plane.rgb``.
    labels : array-like of shape ``plane.volume_shape``, integers
    plane : Plane
        Any of them: it says which axes are shown.
    contrast_limits : (low, high), optional
        Values seen as black and white.
    """

    name: str
    volume: Any
    labels: Any
    plane: Plane
    contrast_limits: tuple[float, float] | None = None

    def read(self, most: int = MOST) -> list[tuple[np.ndarray, np.ndarray]]:
        """Copies of the planes that show an object, in order: pictures and their labels.

        Raises
        ------
        ValueError
            If the labels are not as large as the image.
        """
        if tuple(self.labels.shape) != self.plane.volume_shape:
            raise ValueError(
                f"The labels have {tuple(self.labels.shape)} voxels, but the image "
                f"{self.plane.volume_shape}; choose labels of the same size."
            )
        bare = replace(self.plane, rgb=False)
        steps = product(*(range(self.plane.volume_shape[axis]) for axis in self.plane.hidden))
        shown = [
            index
            for index in steps
            if np.any(np.asarray(replace(bare, index=index).cut(self.labels)))
        ]
        if len(shown) > most:
            shown = [shown[k] for k in np.linspace(0, len(shown) - 1, most).round().astype(int)]
        return [
            (
                np.array(replace(self.plane, index=index).cut(self.volume)),
                np.array(replace(bare, index=index).cut(self.labels)),
            )
            for index in shown
        ]
