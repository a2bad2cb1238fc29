"""The album: the thumbnails of proposals, as long as the proposals are kept."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from napari_piclick.proposals import Proposals


class Album:
    """Finds the thumbnails of proposals again, after undo too, whatever is chosen among them."""

    def __init__(self) -> None:
        self._pages: list[tuple[weakref.ref[np.ndarray], np.ndarray]] = []

    def put(self, proposals: Proposals, thumbnails: np.ndarray) -> None:
        """Keep the thumbnails of proposals as long as these live."""
        self._pages = [page for page in self._pages if page[0]() is not None]
        self._pages.append((weakref.ref(proposals.masks), thumbnails))

    def find(self, proposals: Proposals | None) -> np.ndarray | None:
        """(Q, size, size, 4) uint8 thumbnails of proposals, or None."""
        if proposals is not None:
            for masks, thumbnails in self._pages:
                if masks() is proposals.masks:
                    return thumbnails
        return None
