"""OAI-ZIB as published: slices of knees that come as pictures (150 of them).

Folder layout, that of the slices which the authors of SimpleClick hand out::

    test/image/<name>.png
    test/annotations/<name>.png      first channel: each value above 0 is an object

The objects are femoral and tibial cartilage. For slices cut from volumes by a stated rule see
:mod:`.oaizib`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_piclick.eval.datasets.paired import Marked, PairedPictures

if TYPE_CHECKING:
    from collections.abc import Iterable


class OAIZIBPictures(PairedPictures):
    """The slices in a folder, with an object for each value of their annotation."""

    name = "oaizib-png"
    images_folder = "test/image"
    masks_folder = "test/annotations"

    def objects(self, mask: np.ndarray) -> Iterable[Marked]:
        """Each value above 0 in the blue channel, which the authors' program reads first."""
        values = mask[..., -1]
        return (Marked(str(v), values == v) for v in np.unique(values).tolist() if v)
