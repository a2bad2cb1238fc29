"""DAVIS: 345 frames of videos with one object each (Perazzi et al., 2016).

Folder layout, that of the frames handed out for click-based evaluations::

    img/<name>.jpg
    gt/<name>.png      any value above 0, in any channel, is object
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_piclick.eval.datasets.paired import Marked, PairedPictures, one_object

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np


class DAVIS(PairedPictures):
    """The frames in a folder, with one object each."""

    name = "davis"
    images_folder = "img"
    masks_folder = "gt"

    def objects(self, mask: np.ndarray) -> Iterable[Marked]:
        """What is above 0 in any channel."""
        return one_object(mask.max(axis=2) > 0)
