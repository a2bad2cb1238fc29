"""COCO MVal: 800 objects of COCO's validation pictures, ten of each class (Lin et al., 2014).

Folder layout, that of the pictures handed out for click-based evaluations::

    img/<name>.jpg
    gt/<name>.png      any value above 0, in any channel, is object
"""

from __future__ import annotations

from napari_piclick.eval.datasets.davis import DAVIS


class COCOMVal(DAVIS):
    """The pictures in a folder, with one object each; masks are read as those of DAVIS are."""

    name = "coco-mval"
