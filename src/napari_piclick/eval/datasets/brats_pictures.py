"""BraTS as published: slices of brain tumours that come as pictures (369, one of each case).

Folder layout, that of the slices which the authors of SimpleClick hand out::

    image/<name>.png
    annotation/<name>.png      first channel above 0: tumour, all labels merged

For slices cut from BraTS volumes by a stated rule see :mod:`.brats`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_piclick.eval.datasets.paired import Marked, PairedPictures, one_object

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np


class BraTSPictures(PairedPictures):
    """The slices in a folder, with all of the tumour as their one object."""

    name = "brats-png"
    images_folder = "image"
    masks_folder = "annotation"

    def objects(self, mask: np.ndarray) -> Iterable[Marked]:
        """What is above 0 in the blue channel, which the authors' program reads first."""
        return one_object(mask[..., -1] > 0)
