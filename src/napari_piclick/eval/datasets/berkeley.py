"""Berkeley: 100 objects on photographs of the Berkeley data (McGuinness and O'Connor, 2010).

Folder layout, as the authors' programs expect it::

    images/<name>.jpg
    masks/<name>.png      255 object, 128 not counted, 0 background
"""

from __future__ import annotations

from napari_piclick.eval.datasets.grabcut import GrabCut


class Berkeley(GrabCut):
    """The photographs in a folder, with one object each; masks are read as GrabCut's are."""

    name = "berkeley"
    images_folder = "images"
    masks_folder = "masks"
