"""GrabCut: 50 photographs with one object each (Rother et al., 2004).

Folder layout, that of the published data as the authors' programs expect it::

    data_GT/<name>.jpg|bmp|png
    boundary_GT/<name>.bmp      255 object, 128 the outline (not counted), 0 background
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_piclick.eval.datasets.paired import Marked, PairedPictures, one_object

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np


class GrabCut(PairedPictures):
    """The photographs in a folder, with one object each whose outline does not count."""

    name = "grabcut"
    images_folder = "data_GT"
    masks_folder = "boundary_GT"

    def objects(self, mask: np.ndarray) -> Iterable[Marked]:
        """What is above 128 in the last channel (blue, where it is a colour picture)."""
        value = mask[..., -1]
        outline = value == 128
        return one_object(value > 128, outline if outline.any() else None)
